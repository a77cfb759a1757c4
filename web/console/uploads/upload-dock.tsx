import { type ReactElement, useEffect, useSyncExternalStore } from 'react'
import { formatBytes } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { titlePath } from '../route.ts'
import { useConsole } from '../shell/context.tsx'
import { Bar } from '../shell/parts.tsx'
import type { UploadItem } from './uploads.ts'

/** The uploads of this page, on every page of it. */
export function UploadDock(): ReactElement | null {
  const { uploads } = useConsole()
  const items = useSyncExternalStore(uploads.subscribe, uploads.items)
  useWarning(items.some(({ state }) => state === 'sending' || state === 'waiting'))
  if (items.length === 0) return null
  return (
    <section className="dock" aria-label="Uploads" data-testid="uploads">
      <ul>
        {items.map((item) => (
          <UploadRow
            key={item.key}
            item={item}
            onRetry={() => uploads.retry(item.key)}
            onRemove={() => uploads.remove(item.key)}
          />
        ))}
      </ul>
    </section>
  )
}

function UploadRow({
  item,
  onRetry,
  onRemove,
}: {
  item: UploadItem
  onRetry: () => void
  onRemove: () => void
}): ReactElement {
  const share = item.bytes === 0 ? 0 : (item.sentBytes / item.bytes) * 100
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
      <p className={item.state === 'failed' ? 'dock-note form-problem' : 'dock-note'}>{describe(item)}</p>
    </li>
  )
}

function describe(item: UploadItem): string {
  switch (item.state) {
    case 'waiting':
      return `${item.fileName} waits its turn`
    case 'sending':
      return `${formatBytes(item.sentBytes)} of ${formatBytes(item.bytes)}`
    case 'done':
      return 'Uploaded. It can be watched in a few seconds.'
    case 'failed':
      return item.problem?.detail ?? 'The upload stopped.'
  }
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
