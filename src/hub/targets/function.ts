import type { AnyEvent, EventPosition, Registry } from '../../contracts/index.ts'
import type { Statement } from '../../engines/tables/index.ts'
import { describeError, Fault, faultCode, type Limits } from '../../kernel/index.ts'
import type { Delivery, Outcome, Target } from '../bus/target.ts'
import { type Claims, claimOf } from '../claims/index.ts'
import { inboxStatement } from '../inbox.ts'
import { checkClaimed } from '../registry/index.ts'

/** What a handler knows besides the event. */
export type FunctionContext = {
  /** The same for every attempt; another one in each replay. */
  readonly deliveryId: string
  /** From 1. */
  readonly attempt: number
  /** The replay's id; null for what happens now. */
  readonly replay: string | null
  readonly position: EventPosition
  /** What the input transformer made; without one, the event. */
  readonly input: unknown
  /** Aborted when the attempt's time is over, or the subscription ends: what is still running then is not waited for. */
  readonly signal: AbortSignal
  /** The data as bytes, as they come: of a claim its object's, checked (they are good once the stream has ended well). */
  payload(): Promise<ReadableStream<Uint8Array>>
  /** The data whole: JSON by its schema; of an opaque type its bytes, up to `hubRecordBytesMax`. */
  data(): Promise<unknown>
  /** First statement of the batch that is the effect: the batch then happens once, however often the event is delivered. */
  inbox(): Statement
}

/**
 * Resolves or returns: done. Throws a Fault with code `refused`: trying again would not help. Throws anything else: failed,
 * not tried again before `detail.retryAfterMs` where a Fault says so.
 */
export type FunctionHandler = (event: AnyEvent, context: FunctionContext) => Promise<void> | void

/** A function in this process. It settles when the handler does: one that does not heed its signal is given up by the bus, and may still run when the next attempt begins. */
export function createFunctionTarget(options: {
  readonly name: string
  readonly handler: FunctionHandler
  readonly claims: Pick<Claims, 'stream' | 'bytes'>
  readonly registry: Registry
  readonly limits: Pick<Limits, 'hubRecordBytesMax'>
}): Target {
  const { name, handler } = options
  return {
    kind: 'function',
    description: `function ${name}`,
    deliver(delivery) {
      try {
        const running = handler(delivery.event, toContext(delivery, options))
        // A handler that returns no promise has nothing to wait for: the busiest ones are such.
        return isPending(running) ? Promise.resolve(running).then(toDone, toOutcome) : DONE
      } catch (error) {
        return Promise.resolve(toOutcome(error))
      }
    },
  }
}

const done: Outcome = { kind: 'done' }
const DONE: Promise<Outcome> = Promise.resolve(done)
const toDone = (): Outcome => done

/** Also what is only like a promise, as query builders are: taken for done, its effect would be lost. */
function isPending(running: unknown): boolean {
  return typeof running === 'object' && running !== null && 'then' in running
}

function toOutcome(error: unknown): Outcome {
  const reason = describeError(error)
  if (!(error instanceof Fault)) return { kind: 'failed', reason }
  if (error.code === 'refused') return { kind: 'refused', reason }
  const retryAfterMs = error.detail['retryAfterMs']
  return typeof retryAfterMs === 'number' && retryAfterMs >= 0
    ? { kind: 'failed', reason, retryAfterMs }
    : { kind: 'failed', reason }
}

type ContextOptions = Parameters<typeof createFunctionTarget>[0]

function toContext(delivery: Delivery, options: ContextOptions): FunctionContext {
  return {
    deliveryId: delivery.id,
    attempt: delivery.attempt,
    replay: delivery.replay,
    position: delivery.position,
    input: delivery.input,
    // Only for those who ask: the bus makes a signal then, and most handlers need none.
    get signal() {
      return delivery.signal
    },
    payload: () => openPayload(delivery.event, options),
    data: () => loadData(delivery.event, options),
    inbox: () => inboxStatement(options.name, delivery.id),
  }
}

async function openPayload(event: AnyEvent, { claims }: ContextOptions): Promise<ReadableStream<Uint8Array>> {
  const claim = claimOf(event)
  if (claim !== null) return claims.stream(claim)
  const json = event.data === undefined ? '' : JSON.stringify(event.data)
  return new Blob([json]).stream()
}

async function loadData(event: AnyEvent, { claims, registry, limits }: ContextOptions): Promise<unknown> {
  const claim = claimOf(event)
  // The bus loads JSON to match it; then it is there already, checked.
  if (event.data !== undefined || claim === null) return event.data
  const bytes = await claims.bytes(claim, limits.hubRecordBytesMax)
  if (registry.get(event.type)?.data === null) return bytes
  try {
    return checkClaimed(registry, event, bytes).data
  } catch (cause) {
    if (faultCode(cause) !== 'event-invalid') throw cause
    throw new Fault('refused', `the data of event ${event.id} is not what ${event.type} says`, { cause })
  }
}
