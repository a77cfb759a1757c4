import { type ReactElement, useEffect, useSyncExternalStore } from 'react'
import { formatBytes } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { titlePath } from '../route.ts'
import { useConsole, useLive } from '../shell/context.tsx'
import { Bar } from '../shell/parts.tsx'
import { describeOutcome, type Outcome } from './outcome.ts'
import type { UploadItem } from './uploads.ts'

/** The uploads of this page, on every page of it. */
export function UploadDock(): ReactElement | null {
  const { uploads } = useConsole()
  const items = useSyncExternalStore(uploads.subscribe, uploads.items)
  const { titles } = useLive()
  useWarning(items.some(({ state }) => state === 'sending' || state === 'waiting'))
  if (items.length === 0) return null
  return (
    <section className="dock" aria-label="Uploads" data-testid="uploads">
      <ul>
        {items.map((item) => (
          <UploadRow
            key={item.key}
            item={item}
            outcome={describeOutcome(item.titleId === null ? undefined : titles?.get(item.titleId))}
            onRetry={() => uploads.retry(item.key)}
            onRemove={() => uploads.remove(item.key)}
          />
        ))}
      </ul>
    </section>
  )
}

type UploadRowProps = { item: UploadItem; outcome: Outcome; onRetry: () => void; onRemove: () => void }

function UploadRow({ item, outcome, onRetry, onRemove }: UploadRowProps): ReactElement {
  const share = item.bytes === 0 ? 0 : (item.sentBytes / item.bytes) * 100
  const { note, bad } = item.state === 'done' ? outcome : { note: describe(item), bad: item.state === 'failed' }
  const ended = item.state === 'done' || item.state === 'failed'
  return (
    <li data-testid="upload-item" data-state={item.state}>
      <div className="dock-head">
        {item.titleId === null ? (
          <span className="dock-name">{item.name}</span>
        ) : (
          <Link className="dock-name" href={titlePath(item.titleId)}>
            {item.name}
          </Link>
        )}
        {item.state === 'failed' ? (
          <button type="button" className="text-button" onClick={onRetry}>
            Retry
          </button>
        ) : null}
        <button
          type="button"
          className="icon-button"
          aria-label={ended ? `Dismiss ${item.name}` : `Cancel the upload of ${item.name}`}
          title={ended ? 'Dismiss' : 'Cancel'}
          onClick={onRemove}
        >
          <Icon name="close" size={16} />
        </button>
      </div>
      {ended ? null : <Bar percent={share} label={`${item.name}: ${Math.floor(share)}% sent`} />}
      <p className={bad ? 'dock-note form-problem' : 'dock-note'}>{note}</p>
    </li>
  )
}

function describe({ state, fileName, sentBytes, bytes, problem }: UploadItem): string {
  if (state === 'waiting') return `${fileName} waits its turn`
  if (state === 'failed') return problem?.detail ?? 'The upload stopped.'
  return `${formatBytes(sentBytes)} of ${formatBytes(bytes)}`
}

/** Leaving the page would stop what is being sent; the browser asks first. */
function useWarning(sending: boolean): void {
  useEffect(() => {
    if (!sending) return
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [sending])
}
