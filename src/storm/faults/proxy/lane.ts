import type { LinkConditions } from '../plan.ts'

/** What one direction of one connection may hold; a link of 100 ms then carries at most 40 MB/s per connection, as a TCP window would have it. */
export const LANE_BYTES_MAX: number = 4 * 1024 * 1024
/** How much may leave at once after a pause, in time at the full rate: timers are no finer. */
const BURST_MS = 20
const BURST_BYTES_MIN = 4 * 1024

/** What all lanes of a proxy hold together; a lane that holds nothing may always take one more read. */
export type Budget = { usedBytes: number; readonly bytesMax: number }

export type LaneOptions = {
  readonly budget: Budget
  readonly nowMs: () => number
  /** From 0 up to 1, for the jitter. */
  readonly random: () => number
  /** Hands bytes to the receiver; says how many it took, negative when it is gone. */
  readonly write: (bytes: Uint8Array) => number
  /** The sender has ended and everything it sent was handed over. False when there is no receiver yet; `drained` comes later. */
  readonly finish: () => boolean
  /** Stops the sender, and lets it go on. */
  readonly pause: () => void
  readonly resume: () => void
  /** The receiver is gone. */
  readonly lost: () => void
}

/** One direction of one connection: delays, paces and bounds what passes, and never changes its order. */
export type Lane = {
  receive(bytes: Uint8Array): void
  /** The sender will send no more. */
  end(): void
  setConditions(conditions: LinkConditions): void
  /** The receiver takes bytes again. */
  drained(): void
  queuedBytes(): number
  /** Forgets what is on its way. */
  clear(): void
}

type Parcel = { bytes: Uint8Array; dueMs: number }

export function createLane(options: LaneOptions): Lane {
  const { budget, nowMs } = options
  const parcels: Parcel[] = []
  let head = 0
  let queued = 0
  let conditions: LinkConditions = {}
  let lastDueMs = 0
  let tokens = 0
  let filledMs = nowMs()
  let timer: ReturnType<typeof setTimeout> | null = null
  let blocked = false
  let paused = false
  let ended = false
  let finished = false

  const burst = (bytesPerSecond: number): number => Math.max(BURST_BYTES_MIN, (bytesPerSecond * BURST_MS) / 1_000)

  const refill = (now: number): void => {
    const { bytesPerSecond } = conditions
    if (bytesPerSecond === undefined) return
    tokens = Math.min(burst(bytesPerSecond), tokens + ((now - filledMs) * bytesPerSecond) / 1_000)
    filledMs = now
  }

  const take = (bytes: number): void => {
    queued -= bytes
    budget.usedBytes -= bytes
    if (conditions.bytesPerSecond !== undefined) tokens -= bytes
  }

  /** How long the first parcel still has to wait; 0 when some of it may go now. */
  const waitMs = (parcel: Parcel, now: number): number => {
    if (parcel.dueMs > now) return parcel.dueMs - now
    const { bytesPerSecond } = conditions
    if (bytesPerSecond === undefined) return 0
    const wanted = Math.min(parcel.bytes.byteLength, burst(bytesPerSecond) / 2)
    return tokens >= wanted ? 0 : ((wanted - tokens) * 1_000) / bytesPerSecond
  }

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    while (!blocked && head < parcels.length) {
      const parcel = parcels[head] as Parcel // below the length
      const now = nowMs()
      refill(now)
      const wait = waitMs(parcel, now)
      if (wait > 0) {
        timer = setTimeout(flush, wait)
        break
      }
      if (!hand(parcel)) return
    }
    compact()
    steerSender()
    finishIfDone()
  }

  /** False when the receiver is gone. */
  const hand = (parcel: Parcel): boolean => {
    const allowed =
      conditions.bytesPerSecond === undefined
        ? parcel.bytes.byteLength
        : Math.min(parcel.bytes.byteLength, Math.floor(tokens))
    const offered = allowed === parcel.bytes.byteLength ? parcel.bytes : parcel.bytes.subarray(0, allowed)
    const written = options.write(offered)
    if (written < 0) {
      clear()
      options.lost()
      return false
    }
    take(written)
    if (written < allowed) blocked = true
    if (written === parcel.bytes.byteLength) head += 1
    else parcel.bytes = parcel.bytes.subarray(written)
    return true
  }

  const compact = (): void => {
    if (head === 0) return
    if (head === parcels.length) parcels.length = 0
    else if (head >= 64) parcels.splice(0, head)
    else return
    head = 0
  }

  const steerSender = (): void => {
    const full = queued >= LANE_BYTES_MAX || (queued > 0 && budget.usedBytes >= budget.bytesMax)
    if (full && !paused) {
      paused = true
      options.pause()
    } else if (paused && (queued === 0 || (queued <= LANE_BYTES_MAX / 2 && budget.usedBytes < budget.bytesMax))) {
      paused = false
      options.resume()
    }
  }

  const finishIfDone = (): void => {
    if (!ended || finished || queued > 0) return
    const waitMs = lastDueMs - nowMs()
    if (waitMs > 0) timer ??= setTimeout(flush, waitMs)
    else finished = options.finish()
  }

  /** When what is sent now arrives: never before what was sent before it. */
  const stamp = (): number => {
    const { latencyMs = 0, jitterMs = 0 } = conditions
    const delayMs = latencyMs + (jitterMs > 0 ? jitterMs * options.random() : 0)
    const dueMs = delayMs > 0 ? nowMs() + delayMs : 0
    lastDueMs = Math.max(lastDueMs, dueMs)
    return lastDueMs
  }

  const clear = (): void => {
    budget.usedBytes -= queued
    queued = 0
    parcels.length = 0
    head = 0
    if (timer !== null) clearTimeout(timer)
    timer = null
    steerSender()
  }

  return {
    receive(bytes) {
      const wasIdle = head === parcels.length
      parcels.push({ bytes, dueMs: stamp() })
      queued += bytes.byteLength
      budget.usedBytes += bytes.byteLength
      if (wasIdle) flush()
      else steerSender()
    },
    end() {
      ended = true
      stamp()
      finishIfDone()
    },
    setConditions(next) {
      const now = nowMs()
      if (next.bytesPerSecond !== conditions.bytesPerSecond) tokens = 0
      filledMs = now
      conditions = next
      // What is on its way arrives no later than if it were sent now.
      const latestMs = now + (next.latencyMs ?? 0) + (next.jitterMs ?? 0)
      for (let at = head; at < parcels.length; at++) {
        const parcel = parcels[at] as Parcel // below the length
        parcel.dueMs = Math.min(parcel.dueMs, latestMs)
      }
      lastDueMs = Math.min(lastDueMs, latestMs)
      flush()
    },
    drained() {
      blocked = false
      flush()
    },
    queuedBytes: () => queued,
    clear,
  }
}
