import type { ReactElement } from 'react'
import { formatLength } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import type { Problem } from '../../common/problem.ts'
import { isPassing } from '../api/client.ts'
import { type Resource, useResource } from '../api/resources.ts'
import type { Home, Title, TitleCard } from '../api/types.ts'
import { formatLeft, recallPosition, watchedShare, withLocalPosition } from '../resume.ts'
import { watchPath } from '../route.ts'
import { Art } from '../shell/art.tsx'
import { useWatch } from '../shell/context.tsx'
import { Notice } from '../shell/notice.tsx'
import { describeFacts } from './facts.ts'

/** While a title is still being made its facts grow; this often the page looks. */
const LOOK_AGAIN_MS = 5_000

export function TitlePage({ titleId }: { titleId: string }): ReactElement {
  const { api, resources } = useWatch()
  const { resource, retry } = useResource<Title>({
    resources,
    key: `title ${titleId}`,
    ask: () => api.title(titleId),
    again,
  })
  if (resource.problem !== null && (resource.value === null || resource.problem.status === 410)) {
    return <TitleProblem problem={resource.problem} retry={retry} />
  }
  const known = resource.value ?? findCard(resources.read<Home>('home').value, titleId)
  return known === null ? <TitleSkeleton /> : <TitleView card={known} title={resource.value} />
}

function again(known: Resource<Title>): number | null {
  const passing = known.problem !== null && isPassing(known.problem)
  return passing || known.value?.state === 'playable' ? LOOK_AGAIN_MS : null
}

/** What the home page already knows of a title, so that its page is there at once. */
function findCard(home: Home | null, titleId: string): TitleCard | null {
  const cards = [home?.hero ?? null, ...(home?.rails.flatMap((rail) => rail.titles) ?? [])]
  return cards.find((card) => card?.id === titleId) ?? null
}

function TitleView({ card: known, title }: { card: TitleCard; title: Title | null }): ReactElement {
  const card = withLocalPosition(known, recallPosition(localStorage, known.id), Date.now())
  const share = watchedShare(card)
  return (
    <article className="title">
      <div className="hero-stage" aria-hidden="true">
        <Art className="hero-art" title={card} eager />
      </div>
      <div className="title-text">
        <h1 tabIndex={-1}>{card.name}</h1>
        <p className="facts">
          <span>{formatLength(card.durationMs)}</span>
          {describeFacts(title).map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </p>
        {share === null ? null : (
          <div className="title-progress">
            <div className="progress">
              <span style={{ width: `${share * 100}%` }} />
            </div>
            <span>{formatLeft(card)}</span>
          </div>
        )}
        <div className="hero-actions" data-row="">
          <Link className="button button-primary button-play" href={watchPath(card.id)} data-testid="play">
            <Icon name="play" size={20} />
            {share === null ? 'Play' : 'Resume'}
          </Link>
          {share === null ? null : (
            <Link
              className="button button-over"
              href={watchPath(card.id, { fromStart: true })}
              data-testid="play-from-start"
            >
              <Icon name="restart" size={20} />
              From the beginning
            </Link>
          )}
        </div>
        {card.description === '' ? null : <p className="title-description">{card.description}</p>}
        {card.state === 'playable' ? (
          <p className="title-making">
            Still being prepared. You can watch it from start to end already; sharper pictures join as they are made.
          </p>
        ) : null}
      </div>
    </article>
  )
}

function TitleProblem({ problem, retry }: { problem: Problem; retry: () => void }): ReactElement {
  const gone = problem.status === 404 || problem.status === 410
  return (
    <Notice
      heading={gone ? 'This title is not here' : 'We cannot show this title right now'}
      data-testid="error"
      actions={
        <>
          {gone ? null : (
            <button type="button" className="button button-primary" onClick={retry}>
              Try again
            </button>
          )}
          <Link className={gone ? 'button button-primary' : 'button'} href="/">
            All films
          </Link>
        </>
      }
    >
      {gone ? 'It was taken down, or the address is not quite right.' : problem.detail}
    </Notice>
  )
}

function TitleSkeleton(): ReactElement {
  return (
    <div className="title" aria-busy="true">
      <span className="hidden-text">Loading the title</span>
      <div className="title-text" aria-hidden="true">
        <div className="skeleton skeleton-heading" />
        <div className="skeleton skeleton-line" />
        <div className="skeleton skeleton-button" />
      </div>
    </div>
  )
}
