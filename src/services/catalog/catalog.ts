import type { CloudEvent } from '../../contracts/index.ts'
import { createView, defineView, type View, type ViewDefinition, type ViewSources } from '../../hub/index.ts'
import { DEFAULT_LIMITS, type Limits } from '../../kernel/index.ts'
import { createSegmentWaits, type SegmentIndex, type SegmentWait, type WaitOptions } from './segment-waits.ts'
import { decodeTitles, encodeTitles } from './snapshot.ts'
import { type CatalogEventType, type CatalogTitle, decideTitle, isListed } from './title.ts'

/** Every title there is, from the log alone: serves on from memory when everything else is gone. */
export type Catalog = {
  get(titleId: string): CatalogTitle | undefined
  /** The title if viewers may see it. */
  getListed(titleId: string): CatalogTitle | undefined
  /** Every title in whatever state, newest first. */
  list(): readonly CatalogTitle[]
  /** What viewers may see, newest first. The same array until the catalogue changes. */
  listed(): readonly CatalogTitle[]
  /** Called with each changed title; returns how to stop. */
  onChange(fn: (title: CatalogTitle) => void): () => void
  /**
   * Waits until the segment is made (`ready`), the title is not listed any more, the time is over or the caller gives
   * up. The caller has checked that the title is listed and that its plan has such a segment.
   */
  waitForSegment(titleId: string, track: string, index: SegmentIndex, options: WaitOptions): Promise<SegmentWait>
  lag(): number
  silentForMs(): number
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  close(): Promise<void>
}

type CatalogState = Map<string, CatalogTitle>

/** Exported for those who follow titles with a view of their own. */
export const catalogView: ViewDefinition<CatalogState> = defineView<CatalogState>({
  name: 'catalog',
  version: 1,
  topics: ['assets', 'titles'],
  create: () => new Map(),
  apply(titles, event) {
    if (isCatalogEvent(event)) titles.set(event.data.titleId, decideTitle(titles.get(event.data.titleId), event))
  },
  snapshot: { encode: encodeTitles, decode: decodeTitles },
})

/** With `snapshots` a start reads only what came since the last one; with `archive` also what the log does not have any more. */
export function createCatalog(options: Omit<ViewSources, 'limits'> & { readonly limits?: Limits }): Catalog {
  const { limits = DEFAULT_LIMITS } = options
  const view = createView({ ...options, definition: catalogView })
  const sorted = createSorted(view)
  const getListed = (titleId: string): CatalogTitle | undefined => {
    const title = view.state.get(titleId)
    return title && isListed(title) ? title : undefined
  }
  const waits = createSegmentWaits({
    waitsMax: limits.segmentHoldsMax,
    look(titleId, track, index) {
      const title = getListed(titleId)
      if (!title) return 'unlisted'
      const made = title.readiness.get(track)
      return made && (index === 'any' || made.segments[index]) ? 'ready' : null
    },
  })
  const stopWaits = onTitle(view, (title) => waits.changed(title.id))

  return {
    get: (titleId) => view.state.get(titleId),
    getListed,
    list: sorted.all,
    listed: sorted.listed,
    onChange: (fn) => onTitle(view, fn),
    waitForSegment: waits.wait,
    lag: view.lag,
    silentForMs: view.silentForMs,
    caughtUp: view.caughtUp,
    async close() {
      stopWaits()
      waits.close()
      await view.close()
    },
  }
}

/** Tells of each title that has changed, and of all when they come from a snapshot. */
function onTitle(view: View<CatalogState>, fn: (title: CatalogTitle) => void): () => void {
  const stopChanges = view.onChange((event) => {
    const title = isCatalogEvent(event) ? view.state.get(event.data.titleId) : undefined
    if (title) fn(title)
  })
  const stopReplacements = view.onReplaced(() => {
    for (const title of view.state.values()) fn(title)
  })
  return () => {
    stopChanges()
    stopReplacements()
  }
}

function isCatalogEvent(event: CloudEvent): event is CloudEvent<CatalogEventType> {
  return event.type === 'tentpole.asset.uploaded.v1' || event.type.startsWith('tentpole.title.')
}

/** The sorted lists, made again only when the catalogue has changed since. */
function createSorted(view: { readonly state: CatalogState; readonly version: number }): {
  all(): readonly CatalogTitle[]
  listed(): readonly CatalogTitle[]
} {
  let madeAt = -1
  let all: readonly CatalogTitle[] = []
  let listed: readonly CatalogTitle[] = []
  const refresh = (): void => {
    if (madeAt === view.version) return
    madeAt = view.version
    all = [...view.state.values()].sort(newestFirst)
    listed = all.filter(isListed)
  }
  return {
    all() {
      refresh()
      return all
    },
    listed() {
      refresh()
      return listed
    },
  }
}

function newestFirst(a: CatalogTitle, b: CatalogTitle): number {
  return b.metadata.createdAtMs - a.metadata.createdAtMs || (a.id < b.id ? -1 : 1)
}
