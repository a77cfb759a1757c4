import type { ReactElement } from 'react'
import { formatLength } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import type { TitleCard } from '../api/types.ts'
import { formatLeft, watchedShare } from '../resume.ts'
import { titlePath, watchPath } from '../route.ts'
import { Art } from '../shell/art.tsx'
import { firstSentence } from './sentence.ts'

/** The one title tonight is about. */
export function Hero({ title }: { title: TitleCard }): ReactElement {
  const share = watchedShare(title)
  return (
    <section className="hero" data-testid="hero" aria-labelledby="hero-name">
      <div className="hero-stage" aria-hidden="true">
        <Art className="hero-art" title={title} eager />
      </div>
      <div className="hero-text">
        <h1 id="hero-name" tabIndex={-1}>
          {title.name}
        </h1>
        {title.description === '' ? null : <p className="hero-sentence">{firstSentence(title.description)}</p>}
        <p className="facts">
          <span>{share === null ? formatLength(title.durationMs) : formatLeft(title)}</span>
        </p>
        <div className="hero-actions" data-row="">
          <Link className="button button-primary button-play" href={watchPath(title.id)} data-testid="play">
            <Icon name="play" size={20} />
            {share === null ? 'Play' : 'Resume'}
          </Link>
          <Link className="button button-over" href={titlePath(title.id)}>
            <Icon name="info" size={20} />
            Details
          </Link>
        </div>
      </div>
    </section>
  )
}
