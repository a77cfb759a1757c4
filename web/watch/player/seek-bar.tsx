import { type KeyboardEvent, type PointerEvent, type ReactElement, useEffect, useRef, useState } from 'react'
import { formatClock, formatSpoken } from '../../common/format.ts'
import { bufferedAround, seekByKey, shareAt } from './scrubber.ts'

type SeekBarProps = {
  video: HTMLVideoElement
  positionMs: number
  durationMs: number
  onSeek: (positionMs: number) => void
}

/** The film as a line: what is behind, what is buffered, what comes. Drag, press or use the keys; the film moves on release. */
export function SeekBar({ video, positionMs, durationMs, onSeek }: SeekBarProps): ReactElement {
  const bar = useRef<HTMLDivElement>(null)
  const [pointed, setPointed] = useState<number | null>(null)
  const [dragged, setDragged] = useState<number | null>(null)
  const share = (event: PointerEvent): number =>
    shareAt(event.clientX, bar.current?.getBoundingClientRect() ?? { left: 0, width: 0 })
  useSmoothProgress(bar, video, durationMs, dragged)

  const press = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0) return
    event.currentTarget.setPointerCapture(event.pointerId)
    setDragged(share(event))
  }
  const move = (event: PointerEvent): void => {
    setPointed(share(event))
    if (dragged !== null) setDragged(share(event))
  }
  const release = (event: PointerEvent): void => {
    if (dragged === null) return
    onSeek(share(event) * durationMs)
    setDragged(null)
    if (event.pointerType !== 'mouse') setPointed(null)
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const target = seekByKey(event.key, positionMs, durationMs)
    if (target === null) return
    event.preventDefault()
    onSeek(target)
  }

  const shown = dragged ?? pointed
  return (
    <div
      ref={bar}
      className="seek"
      role="slider"
      tabIndex={0}
      data-testid="seek"
      data-keys="slider"
      aria-label="Position in the film"
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs / 1000)}
      aria-valuenow={Math.round(positionMs / 1000)}
      aria-valuetext={`${formatSpoken(positionMs)} of ${formatSpoken(durationMs)}`}
      onPointerDown={press}
      onPointerMove={move}
      onPointerUp={release}
      onPointerCancel={() => setDragged(null)}
      onPointerLeave={() => setPointed(null)}
      onKeyDown={onKey}
    >
      <div className="seek-line">
        <div className="seek-buffered" />
        <div className="seek-played" />
      </div>
      <div className="seek-knob" />
      {shown === null || durationMs === 0 ? null : (
        <div
          className="seek-time"
          aria-hidden="true"
          style={{ left: `clamp(2rem, ${shown * 100}%, calc(100% - 2rem))` }}
        >
          {formatClock(shown * durationMs)}
        </div>
      )}
    </div>
  )
}

/** Draws the playhead with every frame, past React: `timeupdate` comes four times a second, and that is seen. */
function useSmoothProgress(
  bar: React.RefObject<HTMLDivElement | null>,
  video: HTMLVideoElement,
  durationMs: number,
  dragged: number | null,
): void {
  useEffect(() => {
    let frame = 0
    const draw = (): void => {
      const positionMs = video.currentTime * 1000
      const played = dragged ?? (durationMs > 0 ? Math.min(1, positionMs / durationMs) : 0)
      const { from, to } = bufferedAround(rangesOf(video.buffered), positionMs, durationMs)
      const style = bar.current?.style
      style?.setProperty('--played', String(played))
      style?.setProperty('--buffered-from', String(from))
      style?.setProperty('--buffered-to', String(to))
      frame = requestAnimationFrame(draw)
    }
    draw()
    return () => cancelAnimationFrame(frame)
  }, [bar, video, durationMs, dragged])
}

function rangesOf(buffered: TimeRanges): { startMs: number; endMs: number }[] {
  return Array.from({ length: buffered.length }, (_, index) => ({
    startMs: buffered.start(index) * 1000,
    endMs: buffered.end(index) * 1000,
  }))
}
