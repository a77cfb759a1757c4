import type { ReactElement } from 'react'
import { formatLength } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import type { TitleCard } from '../api/types.ts'
import { formatLeft, watchedShare } from '../resume.ts'
import { titlePath, watchPath } from '../route.ts'
import { Art } from '../shell/art.tsx'

/** A title in a rail. In "Continue watching" it goes on playing at once; elsewhere it opens the title's page. */
export function Card({ title, resumes }: { title: TitleCard; resumes: boolean }): ReactElement {
  const share = watchedShare(title)
  const note = resumes && share !== null ? formatLeft(title) : formatLength(title.durationMs)
  return (
    <Link className="card" href={resumes ? watchPath(title.id) : titlePath(title.id)} data-testid="card">
      {resumes ? <span className="hidden-text">Resume</span> : null}
      <span className="card-frame">
        <Art className="card-art" title={title} />
        {share === null ? null : (
          <span className="progress card-progress">
            <span style={{ width: `${share * 100}%` }} />
          </span>
        )}
      </span>
      <span className="card-name">{title.name}</span>
      <span className="card-note">{note}</span>
    </Link>
  )
}
