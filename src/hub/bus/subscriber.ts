import type { AnyEvent, EventPosition } from '../../contracts/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { type Clock, describeError, Fault, type Limits, type Logger } from '../../kernel/index.ts'
import type { Transformer } from '../transformer/index.ts'
import { createWaker } from '../waker.ts'
import type { Cursor } from './cursor.ts'
import { type Decision, decideOutcome } from './decide.ts'
import type { Decoded, Decoder } from './decode.ts'
import type { SubscriptionDefinition } from './definition.ts'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { toReplayedId } from './delivery-id.ts'
import type { Fence } from './fence.ts'
import { createFlights } from './flights.ts'
import { type Item, type Settled, toBytes } from './item.ts'
import { createLanes } from './lanes.ts'
import { createParkedWriter } from './parked-writer.ts'
import { createParking } from './parking.ts'
import type { Outcome, Target } from './target.ts'

export type SubscriberLimits = Pick<
  Limits,
  | 'hubQueueEventsMax'
  | 'hubQueueBytesMax'
  | 'hubUnsettledMax'
  | 'hubParkedMax'
  | 'hubParkedWritesMax'
  | 'hubAbandonMs'
  | 'hubRestMs'
  | 'hubRecentDeliveriesMax'
  | 'hubReplayedMax'
  | 'hubClaimLoadMs'
  | 'hubDeadLettersOpenMax'
>

export type SubscriberOptions = {
  readonly definition: SubscriptionDefinition
  readonly target: Target
  readonly transformer: Transformer | null
  readonly tables: TablesPort
  readonly fence: Fence
  readonly decoder: Decoder
  readonly toDeliveryId: (event: AnyEvent) => string
  readonly limits: SubscriberLimits
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  /** Its target wants no more. */
  readonly onGone: (reason: string) => void
}

/** Where a record is on the log, and since when. */
export type RecordPlace = EventPosition & {
  readonly key: string
  readonly bytes: number
  readonly appendedAtMs: number
}

/** One subscription at work: what it was given, what is under way, what is parked. */
export type Subscriber = {
  readonly definition: SubscriptionDefinition
  readonly deliveries: Deliveries
  /** False when there is no room: it was not taken then. */
  offer(cursor: Cursor, place: RecordPlace, decoded: Decoded): boolean
  /** Starts what can be started. To be called after offers. */
  pump(): void
  /** Of events that wait for their turn. */
  isBusy(): boolean
  /** Resolves when it has room again, or after `timeoutMs`. */
  whenRoom(timeoutMs: number): Promise<void>
  hasRoom(): boolean
  replay(replayId: string, place: RecordPlace, event: AnyEvent): Promise<Settled>
  sweep(): void
  /** Somebody else has parked something. */
  look(): void
  parked(): { readonly events: number; readonly keys: number }
  /** Why it is given nothing, if so. */
  waitsFor(): string | null
  /** No attempt begins any more; those under way are aborted and awaited, and what follows from them is written. */
  close(timeoutMs: number): Promise<void>
}

export function createSubscriber(options: SubscriberOptions): Subscriber {
  const { definition, target, transformer, tables, fence, decoder, toDeliveryId, limits, clock, random, logger } =
    options
  const { name, generation, policy } = definition
  const of = { name, generation }
  const deliveries = createDeliveries({ limits, clock })
  const lanes = createLanes<Item>()
  const writer = createParkedWriter({
    ...{ of, fence, limits, clock, logger },
    recount: (tell) => parking.recount(tell),
  })
  // So that parked events, however long each takes, leave room for the others.
  const headsMax = Math.ceil(policy.concurrency / 2)
  const parking = createParking({
    ...{ of, tables, writer, decoder, lanes, headsMax, limits, clock, logger },
    onChange: () => pump(),
    onBlocked: (key) => {
      if (lanes.isWaiting(key)) held.add(key)
    },
  })
  const flights = createFlights({
    subscription: name,
    target,
    timeoutMs: policy.timeoutMs,
    abandonMs: limits.hubAbandonMs,
    elapsedMs: clock.elapsedMs,
    onOutcome: (item, outcome) => finish(item, outcome),
  })
  const room = createWaker()
  const idle = createWaker()
  const cursors = new Set<Cursor>()
  const replayed = new Set<Item>()
  let replayedBytes = 0
  /** Keys of which something is parked while there is something in their lanes: that goes behind it as soon as it can. */
  const held = new Set<string>()
  let isStopped = false
  let isGone = false
  let isWaitingForRoom = false
  let headsUnderWay = 0
  let isHeadsTurn = false
  let restsUntilMs = Number.NEGATIVE_INFINITY

  /** One that takes long holds the position, and with it all that was settled behind it. */
  const isFarBehind = (): boolean => {
    for (const cursor of cursors) if (cursor.size() >= limits.hubUnsettledMax) return true
    return false
  }
  const hasRoom = (): boolean => {
    const { events, bytes } = parking.unwritten()
    return (
      !isStopped &&
      parking.isReady() &&
      lanes.size() + events < limits.hubQueueEventsMax &&
      lanes.bytes() + bytes < limits.hubQueueBytesMax &&
      parking.hasRoom() &&
      !isFarBehind()
    )
  }
  const tellRoom = (): void => {
    if (!isWaitingForRoom || lanes.size() * 2 > limits.hubQueueEventsMax || !hasRoom()) return
    isWaitingForRoom = false
    room.wake()
  }

  const nextHead = (): Item | null => {
    const head = headsUnderWay < headsMax ? parking.takeHead() : null
    if (head) headsUnderWay += 1
    return head
  }
  /** With all room for parked events taken, none is begun that might have to be parked. */
  const nextFresh = (): Item | null => (parking.hasRoom() ? lanes.take() : null)
  /** By turns, so that neither keeps the other waiting where one at a time is delivered. */
  const nextItem = (): Item | null => {
    isHeadsTurn = !isHeadsTurn
    return isHeadsTurn ? (nextHead() ?? nextFresh()) : (nextFresh() ?? nextHead())
  }
  const mayStart = (): boolean =>
    !isStopped &&
    parking.isReady() &&
    flights.size() < policy.concurrency &&
    clock.elapsedMs() >= restsUntilMs &&
    fence.holds()
  function pump(): void {
    if (target.ready?.() === false) return
    while (mayStart()) {
      const item = nextItem()
      if (item === null) break
      start(item)
    }
    tellRoom()
  }
  const start = (item: Item): void => {
    if (target.sees?.(item.event) === false) {
      queueMicrotask(() => finish(item, { kind: 'withheld' }))
      return
    }
    if (transformer === null) {
      flights.start(item, item.event)
      return
    }
    const context = { subscription: name, appendedAtMs: item.appendedAtMs }
    const transformed = transformer.transform(item.event, context)
    if (transformed.ok) flights.start(item, transformed.input)
    else {
      const reason = `${transformed.code}: ${transformed.detail}`
      queueMicrotask(() => finish(item, { kind: 'refused', reason }))
    }
  }

  const settle = (item: Item, settled: Settled): void => {
    item.mark?.cursor.settle(item.mark)
    if (item.onSettled === null) return
    if (replayed.delete(item)) replayedBytes -= item.bytes
    item.onSettled(settled)
  }
  function finish(item: Item, outcome: Outcome): void {
    if (item.isParked) headsUnderWay -= 1
    if (outcome.kind === 'done' || outcome.kind === 'withheld') {
      if (outcome.kind === 'done') deliveries.delivered(toDeliveryId(item.event), item.appendedAtMs)
      if (item.isParked) parking.remove(item, () => {})
      settle(item, outcome.kind)
      lanes.free(item.key)
    } else act(item, isStopped ? { kind: 'again' } : decide(item, outcome))
    if (isStopped && flights.size() === 0) idle.wake()
    pump()
  }
  const decide = (item: Item, outcome: Outcome): Decision =>
    decideOutcome(item, outcome, { policy, nowMs: clock.nowMs(), random })

  const act = (item: Item, decision: Decision): void => {
    if (decision.kind === 'park') park(item, decision)
    else if (decision.kind === 'dead') bury(item, decision)
    else {
      giveBack(item)
      restsUntilMs = clock.elapsedMs() + limits.hubRestMs
    }
    if (decision.kind !== 'disable') return
    isStopped = true
    isGone = true
    options.onGone(decision.reason)
  }
  const park = (item: Item, decision: Extract<Decision, { kind: 'park' }>): void => {
    deliveries.failed(decision.reason)
    if (item.isParked) parking.retry(item, decision)
    else parking.park(item, decision, () => settle(item, 'parked'))
    lanes.free(item.key)
    if (!item.isParked) hold(item.key)
  }
  /** Its lane stays busy until the letter is written, so that its key goes on in order. */
  const bury = (item: Item, decision: Extract<Decision, { kind: 'dead' }>): void => {
    deliveries.failed(decision.reason)
    logger.warn('an event is a dead letter', { event: item.event.id, code: decision.code, reason: decision.reason })
    parking.bury(item, decision, () => {
      settle(item, 'dead')
      lanes.free(item.key)
      pump()
    })
  }
  const giveBack = (item: Item): void => {
    if (item.isParked) parking.release(item)
    else lanes.unshift(item)
    lanes.free(item.key)
  }
  /** What waits in the lane of a key that was parked goes behind it: not past one that is under way and may have to be parked before it. */
  const hold = (key: string): void => {
    held.delete(key)
    while (parking.has(key)) {
      if (!parking.hasRoom() || lanes.isTaken(key)) {
        held.add(key)
        return
      }
      const item = lanes.shift(key)
      if (item === null) return
      parking.follow(item, () => settle(item, 'parked'))
    }
  }
  const take = (item: Item): void => {
    const { key } = item
    if (!parking.has(key)) lanes.push(item)
    else if (!held.has(key) && !lanes.isWaiting(key)) parking.follow(item, () => settle(item, 'parked'))
    else {
      lanes.push(item)
      held.add(key)
    }
  }

  const whyNoReplay = (): string | null => {
    if (replayed.size >= limits.hubReplayedMax || replayedBytes >= limits.hubQueueBytesMax)
      return `${replayed.size} replayed events of ${replayedBytes} bytes are under way, which is as many as may be`
    return parking.fullOf()
  }

  const stopListening = target.onReady?.(() => pump())
  parking.look()

  return {
    definition,
    deliveries,
    hasRoom,
    offer(cursor, place, decoded) {
      cursors.add(cursor)
      if (target.sees?.(decoded.seen) === false) return true
      if (!hasRoom()) return false
      take(toItem(place, decoded, { deliveryId: toDeliveryId(decoded.event), mark: cursor.open(place.offset) }))
      return true
    },
    pump,
    isBusy: () => lanes.size() > 0,
    async whenRoom(timeoutMs) {
      isWaitingForRoom = true
      tellRoom()
      await room.wait(timeoutMs)
    },
    replay(replayId, place, event) {
      if (isStopped) return Promise.resolve('interrupted')
      const busy = whyNoReplay()
      if (busy !== null)
        return Promise.reject(
          new Fault('hub-busy', `${name}: ${busy}; try again shortly`, { detail: { retryAfterMs: limits.hubRestMs } }),
        )
      return new Promise((onSettled) => {
        const marked = { ...event, replayid: replayId }
        const decoded = { event: marked, kept: marked, seen: marked }
        const deliveryId = toReplayedId(toDeliveryId(event), replayId)
        const item = toItem(place, decoded, { deliveryId, replay: replayId, agedFromMs: clock.nowMs(), onSettled })
        replayed.add(item)
        replayedBytes += item.bytes
        take(item)
        pump()
      })
    },
    sweep() {
      flights.sweep()
      if (isStopped) return
      parking.sweep()
      for (const key of [...held]) hold(key)
      pump()
    },
    look: () => parking.look(),
    parked: () => ({ events: parking.events(), keys: parking.keys() }),
    waitsFor() {
      if (isGone) return 'its target wants no more; it is about to be disabled'
      const full = parking.fullOf()
      if (full !== null) return full
      return target.ready?.() === false ? 'nobody is connected' : null
    },
    async close(timeoutMs) {
      isStopped = true
      parking.close()
      stopListening?.()
      flights.abortAll('the subscription ends')
      const deadlineMs = clock.elapsedMs() + timeoutMs
      while (flights.size() > 0 && clock.elapsedMs() < deadlineMs) await idle.wait(deadlineMs - clock.elapsedMs())
      flights.abandon()
      await writer.close(Math.max(0, deadlineMs - clock.elapsedMs()))
      for (const item of [...replayed]) settle(item, 'interrupted')
      room.wake()
      await target.close?.().catch((error: unknown) => {
        logger.warn('the target did not close well', { error: describeError(error) })
      })
    },
  }
}

function toItem(
  { key, bytes, topic, partition, offset, appendedAtMs }: RecordPlace,
  { event, kept }: Decoded,
  own: Pick<Item, 'deliveryId'> & Partial<Pick<Item, 'mark' | 'replay' | 'agedFromMs' | 'onSettled'>>,
): Item {
  const { deliveryId, mark = null, replay = null, agedFromMs = appendedAtMs, onSettled = null } = own
  return {
    key,
    bytes: toBytes(bytes, { event, kept }),
    next: null,
    deliveryId,
    event,
    kept,
    position: { topic, partition, offset },
    appendedAtMs,
    agedFromMs,
    replay,
    attempts: 0,
    firstFailedAtMs: null,
    letter: null,
    isParked: false,
    mark,
    onSettled,
  }
}
