import type { StaffTitle } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import type { Staff } from '../staff.ts'
import { createEventParser } from './server-sent-events.ts'

/** Asked besides the live tail: the tail may be between two connections. */
const POLL_MS = 1_000
const RECONNECT_MS = 500

/**
 * Yields a title whenever it changed, by control's live tail, until its caller stops. Goes on over restarts of control.
 * Fault `title-not-found`.
 */
export async function* followTitle(staff: Staff, titleId: string): AsyncGenerator<StaffTitle> {
  const stop = new AbortController()
  let latest: StaffTitle | null = null
  let failure: unknown = null
  let wake = Promise.withResolvers<void>()
  const take = (title: StaffTitle): void => {
    if (title.id !== titleId || (latest !== null && !isNewer(title, latest))) return
    latest = title
    wake.resolve()
  }
  const fail = (error: unknown): void => {
    failure = error
    wake.resolve()
  }
  const poll = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        take(await staff.title(titleId))
      } catch (error) {
        if (error instanceof Fault && error.code === 'title-not-found') return fail(error)
        // Control is away; the next round asks again.
      }
      await Bun.sleep(POLL_MS)
    }
  }
  const tail = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await readTail(staff, stop.signal, take).catch(() => {})
      await Bun.sleep(RECONNECT_MS)
    }
  }
  void poll()
  void tail()
  try {
    for (let shown: StaffTitle | null = null; ; ) {
      if (failure !== null) throw failure
      if (latest !== null && latest !== shown) {
        shown = latest
        yield shown
        continue
      }
      wake = Promise.withResolvers<void>()
      await wake.promise
    }
  } finally {
    stop.abort()
  }
}

async function readTail(staff: Staff, signal: AbortSignal, take: (title: StaffTitle) => void): Promise<void> {
  const response = await fetch(new URL('/api/events', staff.consoleUrl), {
    headers: { ...staff.headers, accept: 'text/event-stream' },
    signal,
  })
  if (!response.ok || response.body === null) return
  const read = createEventParser(({ event, data }) => {
    if (event === 'title') take(JSON.parse(data) as StaffTitle)
  })
  const decoder = new TextDecoder()
  for await (const bytes of response.body) read(decoder.decode(bytes as Uint8Array, { stream: true }))
}

/** The poll and the tail may overtake one another. */
function isNewer(title: StaffTitle, than: StaffTitle): boolean {
  if (title.updatedAtMs !== than.updatedAtMs) return title.updatedAtMs > than.updatedAtMs
  return title.state !== than.state || title.percent > than.percent
}
