import { type ReactElement, useEffect, useRef, useState } from 'react'
import { Icon } from '../../common/icons.tsx'
import type { Home } from '../api/types.ts'
import { Card } from './card.tsx'

type RailData = Home['rails'][number]

/** A row of titles that scrolls by touch, wheel, arrow keys, and by its own paddles where there is a mouse. */
export function Rail({ rail }: { rail: RailData }): ReactElement {
  const track = useRef<HTMLUListElement>(null)
  const edges = useEdges(track, rail.titles.length)
  const page = (direction: 1 | -1): void => {
    const element = track.current
    element?.scrollBy({ left: direction * element.clientWidth * 0.8 })
  }
  const headingId = `rail-${rail.id}`
  return (
    <section className="rail" aria-labelledby={headingId} data-testid={headingId}>
      <h2 id={headingId}>{rail.name}</h2>
      <div className="rail-window">
        {edges.before ? <Paddle side="before" onPress={() => page(-1)} /> : null}
        <ul className="rail-track" ref={track} data-row="">
          {rail.titles.map((title) => (
            <li key={title.id}>
              <Card title={title} resumes={rail.id === 'continue'} />
            </li>
          ))}
        </ul>
        {edges.after ? <Paddle side="after" onPress={() => page(1)} /> : null}
      </div>
    </section>
  )
}

/** For the mouse alone: keys and screen readers reach every card without it. */
function Paddle({ side, onPress }: { side: 'before' | 'after'; onPress: () => void }): ReactElement {
  return (
    <button type="button" className={`paddle paddle-${side}`} tabIndex={-1} aria-hidden="true" onClick={onPress}>
      <Icon name={side === 'before' ? 'back' : 'forward'} size={28} />
    </button>
  )
}

/** Whether there is more of the track on either side. */
function useEdges(track: React.RefObject<HTMLElement | null>, count: number): { before: boolean; after: boolean } {
  const [edges, setEdges] = useState({ before: false, after: false })
  // biome-ignore lint/correctness/useExhaustiveDependencies: another count of cards is another width
  useEffect(() => {
    const element = track.current
    if (element === null) return
    const measure = (): void => {
      const before = element.scrollLeft > 8
      const after = element.scrollLeft + element.clientWidth < element.scrollWidth - 8
      setEdges((known) => (known.before === before && known.after === after ? known : { before, after }))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [track, count])
  return edges
}
