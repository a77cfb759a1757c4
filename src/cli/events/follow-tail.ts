import { setTimeout as wait } from 'node:timers/promises'
import type { AnyEvent } from '../../contracts/index.ts'
import { describeError, Fault } from '../../kernel/index.ts'
import { createEventParser } from '../publish/server-sent-events.ts'
import type { Staff } from '../staff.ts'

export type TailedEvent = { readonly position: string; readonly appendedAtMs: number; readonly event: AnyEvent }

export type TailListener = {
  onEvent(event: TailedEvent): void
  /** For people: that it listens, what it left out, that the connection was lost. */
  onNotice(text: string): void
}

const RECONNECT_MS = 500

/** Follows the hub's tail until `signal` is aborted; comes back by itself. Rejects where coming back cannot help. */
export async function followTail(
  staff: Staff,
  request: { readonly query: URLSearchParams; readonly signal: AbortSignal },
  { onEvent, onNotice }: TailListener,
): Promise<void> {
  const { query, signal } = request
  const take = ({ event, data }: { event: string; data: string }): void => {
    const said = JSON.parse(data) as unknown // our own control, of the version that is running
    if (event === 'event') onEvent(said as TailedEvent)
    else if (event === 'skipped') onNotice(`${(said as { count: number }).count} more matched than are shown a second`)
    else if (event === 'ready') onNotice('following; Ctrl-C ends it')
  }
  while (!signal.aborted) {
    try {
      const response = await staff.open(`/hub/v1/tail?${query}`, signal)
      const [read, decoder] = [createEventParser(take), new TextDecoder()]
      for await (const bytes of response.body ?? []) read(decoder.decode(bytes as Uint8Array, { stream: true }))
      onNotice('the connection ended; what happens until it is back is not shown')
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Fault) throw error
      onNotice(`the connection was lost: ${describeError(error)}`)
    }
    await wait(RECONNECT_MS, undefined, { signal }).catch(() => {})
  }
}
