import { type ReactElement, useEffect, useRef, useState } from 'react'
import type { StaffTitle } from '../../../src/contracts/index.ts'
import { formatAgo, formatLength } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { Icon, Mark } from '../../common/icons.tsx'
import type { Problem } from '../../common/problem.ts'
import { titlesPath } from '../route.ts'
import { useConsole, useLive, useNow } from '../shell/context.tsx'
import { Bar, CopyButton, Empty, PageHead, RowsSkeleton } from '../shell/parts.tsx'
import { StateMark, TITLE_TONES } from '../shell/state-mark.tsx'
import { WithdrawDialog } from './withdraw-dialog.tsx'

export function TitlePage({ titleId }: { titleId: string }): ReactElement {
  const { titles } = useLive()
  const title = titles?.get(titleId)
  const problem = useLookup(titleId, titles !== null && title === undefined)
  if (title !== undefined) return <TitleView title={title} />
  if (problem === null) return <RowsSkeleton rows={5} />
  return (
    <>
      <PageHead title="Title" />
      <Empty heading={problem.status === 404 ? 'There is no such title' : 'This title could not be read'}>
        {problem.detail}{' '}
        <Link className="text-link" href={titlesPath()}>
          All titles
        </Link>
      </Empty>
    </>
  )
}

/** A title the live line did not tell of is asked for by its id. */
function useLookup(titleId: string, needed: boolean): Problem | null {
  const { api, live } = useConsole()
  const [problem, setProblem] = useState<Problem | null>(null)
  useEffect(() => {
    if (!needed) return
    let left = false
    void api.title(titleId).then((answer) => {
      if (left) return
      if (answer.ok) live.tell({ type: 'title', title: answer.value })
      else setProblem(answer.problem)
    })
    return () => {
      left = true
    }
  }, [api, live, titleId, needed])
  return problem
}

function TitleView({ title }: { title: StaffTitle }): ReactElement {
  const nowMs = useNow()
  const [asking, setAsking] = useState(false)
  const watchable = title.state === 'playable' || title.state === 'published'
  const withdrawButton = useRef<HTMLButtonElement>(null)
  return (
    <>
      <Link className="crumb" href={titlesPath()}>
        <Icon name="back" size={16} />
        Titles
      </Link>
      <PageHead title={title.name}>
        {watchable ? (
          <a className="button" href={title.watchUrl} target="_blank" rel="noreferrer" data-testid="open-watch">
            <Icon name="external" size={18} />
            Open on watch page
          </a>
        ) : null}
        {title.state === 'withdrawn' ? null : (
          <button
            ref={withdrawButton}
            type="button"
            className="button button-danger"
            data-testid="withdraw"
            onClick={() => setAsking(true)}
          >
            Withdraw
          </button>
        )}
      </PageHead>
      <p className="title-line">
        <StateMark tone={TITLE_TONES[title.state]}>{title.state}</StateMark>
        <span className="cell-id">
          <code>{title.id}</code>
          <CopyButton text={title.id} name="the id" />
        </span>
      </p>
      {title.reason === null || title.reason === '' ? null : (
        <div className={title.state === 'failed' ? 'banner banner-bad' : 'banner'} data-testid="reason">
          <Icon name="warning" size={18} />
          <span>
            {title.reason}
            {title.code === null ? null : <code>{title.code}</code>}
          </span>
        </div>
      )}
      <div className="title-columns">
        <div className="title-left">
          <Poster title={title} />
          <Facts title={title} nowMs={nowMs} />
        </div>
        <section className="panel stages" aria-labelledby="stages-heading">
          <h2 id="stages-heading">Stages</h2>
          <Stages title={title} />
        </section>
      </div>
      {asking ? (
        <WithdrawDialog
          title={title}
          onClose={() => {
            setAsking(false)
            withdrawButton.current?.focus()
          }}
        />
      ) : null}
    </>
  )
}

function Poster({ title }: { title: StaffTitle }): ReactElement {
  const [failed, setFailed] = useState(false)
  if (title.posterUrl === null || failed) {
    return (
      <div className="poster poster-missing">
        <Mark size={40} />
      </div>
    )
  }
  return (
    <img className="poster" src={title.posterUrl} alt="" width={1280} height={720} onError={() => setFailed(true)} />
  )
}

function Facts({ title, nowMs }: { title: StaffTitle; nowMs: number }): ReactElement {
  const facts: readonly (readonly [string, string])[] = [
    ['File', title.fileName ?? 'none yet'],
    ['Length', title.durationMs === null ? 'not known yet' : formatLength(title.durationMs)],
    [
      'Renditions',
      title.heights.length === 0 ? 'not planned yet' : title.heights.map((height) => `${height}p`).join(', '),
    ],
    ['Created', formatAgo(title.createdAtMs, nowMs)],
    ['Changed', formatAgo(title.updatedAtMs, nowMs)],
    ...(title.description === '' ? [] : [['Description', title.description] as const]),
  ]
  return (
    <dl className="facts-list">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Stages({ title }: { title: StaffTitle }): ReactElement {
  if (title.stages.length === 0) {
    return (
      <p className="stages-none">
        {title.state === 'failed'
          ? 'It was refused before any work was planned.'
          : 'Nothing is planned until its film is here and has been looked at.'}
      </p>
    )
  }
  return (
    <>
      <div className="stage-total">
        <Bar percent={title.percent} label="All stages" />
        <b>{Math.floor(title.percent)}%</b>
      </div>
      <ul>
        {title.stages.map(({ name, done, total }) => (
          <li key={name}>
            <span>{name}</span>
            <Bar percent={total === 0 ? 100 : (done / total) * 100} label={name} />
            <span className="stage-count">
              {done} / {total}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
