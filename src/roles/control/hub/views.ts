import type { EventPosition } from '../../../contracts/index.ts'
import { createVersionedView, createView, type LoadedHub, type View, type ViewSources } from '../../../hub/index.ts'
import { Fault } from '../../../kernel/index.ts'

/** How long a read waits for its view to have come so far. */
const READ_WAIT_MS = 5_000

export type HubViewStatus = {
  readonly name: string
  /** That is read. */
  readonly version: number
  /** Of a version that is to take over; null when there is none. */
  readonly next: 'building' | 'serving' | 'failed' | null
  readonly lagRecords: number
  /** Age of the oldest record it has not applied, ms. */
  readonly lagMs: number
  /** Events that could not be applied and are left out. */
  readonly leftOut: number
}

/** The views of a user's modules, in this process. */
export type HubViews = {
  list(): Promise<readonly HubViewStatus[]>
  /**
   * The state as JSON (as its snapshot encodes it, where it has one), with at least the event at `after` applied. Null when there is no
   * such view. Faults: `view-behind` with `retryAfterMs` when it has not come so far in time, `position-unknown`.
   */
  read(
    name: string,
    after: EventPosition | null,
  ): Promise<{ readonly status: HubViewStatus; readonly state: unknown } | null>
  close(): Promise<void>
}

type Definition = LoadedHub['views'][number]
type Open = {
  readonly view: View<unknown>
  readonly versions: readonly Definition[]
  serving(): number
  next(): HubViewStatus['next']
}

export function createHubViews(options: ViewSources & { readonly views: readonly Definition[] }): HubViews {
  const { views, ...sources } = options
  const open = new Map<string, Open>()
  for (const [name, definitions] of Map.groupBy(views, (definition) => definition.name))
    open.set(
      name,
      openView(
        definitions.toSorted((a, b) => a.version - b.version),
        sources,
      ),
    )

  const statusOf = async (name: string, { view, serving, next }: Open): Promise<HubViewStatus> => {
    const { records, ageMs } = await view.measureLag()
    return { name, version: serving(), next: next(), lagRecords: records, lagMs: ageMs, leftOut: view.leftOut }
  }
  return {
    list: () => Promise.all([...open].map(([name, one]) => statusOf(name, one))),
    async read(name, after) {
      const one = open.get(name)
      if (!one) return null
      await waitFor(one.view, name, after)
      const definition = one.versions.find(({ version }) => version === one.serving())
      const { state } = one.view
      return { status: await statusOf(name, one), state: definition?.snapshot?.encode(state) ?? state }
    },
    async close() {
      await Promise.all([...open.values()].map(({ view }) => view.close()))
    },
  }
}

/** Of two versions the older is read until the newer has caught up beside it. */
function openView(versions: readonly Definition[], sources: ViewSources): Open {
  const [current, next] = versions
  if (!current) throw new Fault('view-invalid', 'expected a definition')
  if (!next) {
    const view = createView({ ...sources, definition: current })
    return { view, versions, serving: () => current.version, next: () => null }
  }
  const view = createVersionedView({ ...sources, current, next })
  return { view, versions, serving: () => view.serving, next: () => view.next }
}

async function waitFor(view: View<unknown>, name: string, after: EventPosition | null): Promise<void> {
  try {
    await (after === null
      ? view.caughtUp({ timeoutMs: READ_WAIT_MS })
      : view.reached(after, { timeoutMs: READ_WAIT_MS }))
  } catch (error) {
    if (!(error instanceof Fault) || (error.code !== 'timeout' && error.code !== 'view-busy')) throw error
    throw new Fault(
      'view-behind',
      `view ${name} is not as far as asked yet (waited ${READ_WAIT_MS} ms); ask again shortly`,
      {
        cause: error,
        detail: { retryAfterMs: 1_000 },
      },
    )
  }
}
