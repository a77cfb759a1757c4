import { type ReactElement, useState } from 'react'
import { Mark } from '../../common/icons.tsx'
import type { TitleCard } from '../api/types.ts'

type ArtProps = { title: Pick<TitleCard, 'posterUrl' | 'name'>; className: string; eager?: boolean }

/** A title's 16:9 picture; the house's mark on a dark card where there is none yet, or where it does not load. */
export function Art({ title, className, eager = false }: ArtProps): ReactElement {
  const [failed, setFailed] = useState(false)
  if (title.posterUrl === null || failed) {
    return (
      <div className={`${className} art-missing`}>
        <Mark size={40} />
      </div>
    )
  }
  return (
    <img
      className={className}
      src={title.posterUrl}
      alt=""
      width={1280}
      height={720}
      decoding="async"
      loading={eager ? 'eager' : 'lazy'}
      fetchPriority={eager ? 'high' : 'auto'}
      onError={() => setFailed(true)}
    />
  )
}
