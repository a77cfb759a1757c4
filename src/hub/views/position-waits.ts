import { type EventPosition, toPositionText } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'

/** Who waits for a view to have come so far. */
export type PositionWaits = {
  /** Faults `timeout`, `closed`, and `view-busy` when as many wait as may. */
  wait(position: EventPosition, timeoutMs: number): Promise<void>
  /** To be called when the view has moved on. */
  moved(): void
  close(): void
}

type Waiter = { readonly position: EventPosition; readonly end: (fault?: Fault) => void }

export function createPositionWaits(options: {
  view: string
  waitsMax: number
  isReached: (position: EventPosition) => boolean
}): PositionWaits {
  const { view, waitsMax, isReached } = options
  const waiters = new Set<Waiter>()
  let isClosed = false
  const closed = (): Fault => new Fault('closed', `view ${view} was closed`)

  return {
    wait(position, timeoutMs) {
      if (isReached(position)) return Promise.resolve()
      if (isClosed) return Promise.reject(closed())
      if (waiters.size >= waitsMax)
        return Promise.reject(
          new Fault(
            'view-busy',
            `view ${view}: ${waitsMax} reads wait for it already (hubViewWaitsMax); try again later`,
          ),
        )
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => waiter.end(toTimeout(view, position, timeoutMs)), timeoutMs)
        const waiter: Waiter = {
          position,
          end(fault) {
            clearTimeout(timer)
            waiters.delete(waiter)
            if (fault) reject(fault)
            else resolve()
          },
        }
        waiters.add(waiter)
      })
    },
    moved() {
      for (const waiter of [...waiters]) if (isReached(waiter.position)) waiter.end()
    },
    close() {
      isClosed = true
      for (const waiter of [...waiters]) waiter.end(closed())
    },
  }
}

function toTimeout(view: string, position: EventPosition, timeoutMs: number): Fault {
  const text = toPositionText(position)
  return new Fault(
    'timeout',
    `view ${view}: expected the event at ${text} to be applied within ${timeoutMs} ms; read again later, or check that there is such an event`,
    { detail: { position: text, timeoutMs } },
  )
}
