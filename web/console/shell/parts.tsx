import { type ReactElement, type ReactNode, useEffect, useState } from 'react'
import { formatTime } from '../../common/format.ts'
import { Icon } from '../../common/icons.tsx'
import type { LiveState } from '../live/state.ts'

export function PageHead({ title, children }: { title: string; children?: ReactNode }): ReactElement {
  return (
    <header className="page-head">
      <h1 tabIndex={-1}>{title}</h1>
      <div className="page-actions">{children}</div>
    </header>
  )
}

/** A list with nothing to list: why, and what to do. */
export function Empty({
  heading,
  children,
  ...rest
}: {
  heading: string
  children: ReactNode
  'data-testid'?: string
}): ReactElement {
  return (
    <div className="empty" {...rest}>
      <h2>{heading}</h2>
      <p>{children}</p>
    </div>
  )
}

/** Says so when what is shown may no longer be so. */
export function StaleBanner({ live }: { live: LiveState }): ReactElement | null {
  if (live.connection !== 'reconnecting') return null
  return (
    <div className="banner" role="status" data-testid="stale">
      <Icon name="warning" size={18} />
      Reconnecting. What you see is from {formatTime(live.heardAtMs)} and may have changed.
    </div>
  )
}

export function Bar({ percent, label }: { percent: number; label: string }): ReactElement {
  const value = Math.max(0, Math.min(100, percent))
  return (
    <span
      className="bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value)}
    >
      <span style={{ width: `${value}%` }} />
    </span>
  )
}

/** Puts a text on the clipboard and says that it did. */
export function CopyButton({ text, name }: { text: string; name: string }): ReactElement {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = (): void => {
    // Without a clipboard (plain HTTP on another machine) the text stays where it can be selected.
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    )
  }
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={copied ? 'Copied' : `Copy ${name}`}
      title={copied ? 'Copied' : `Copy ${name}`}
      onClick={(event) => {
        event.stopPropagation()
        copy()
      }}
    >
      <Icon name={copied ? 'check' : 'copy'} size={16} />
    </button>
  )
}

export function RowsSkeleton({ rows }: { rows: number }): ReactElement {
  return (
    <div className="rows-skeleton" aria-busy="true">
      <span className="hidden-text">Loading</span>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={index} className="skeleton" />
      ))}
    </div>
  )
}
