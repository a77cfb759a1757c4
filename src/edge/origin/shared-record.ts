import { type CancelSignal, createCanceller } from '../server/cancel.ts'
import type { ChunkWindow } from './chunk-window.ts'
import { cancelContent } from './content.ts'
import type { Accepts, ChunkStore, Fetched, FetchFailure, Joined, Reread, StartFetch } from './fetched.ts'
import { createSharedReader, type SharedReader } from './shared-reader.ts'
import { decideShared, NEW_SHARED, type Pace, type SharedEffect, type SharedEvent } from './shared-state.ts'

export type SharedRecord<Head> = {
  readonly key: string
  /** Null until it is there. */
  head(): Head | null
  canJoin(): boolean
  join(joining: Joining<Head>): Promise<Joined<Head>>
  /** A reader of what is under way from this byte on; null where that is not to be had, or is still more than `aheadMax` to come. */
  follow(from: Following<Head>): ReadableStream<Uint8Array> | null
  detach(): void
  abort(failure: FetchFailure): void
  readers(): number
}

export type Joining<Head> = {
  readonly start: StartFetch<Head>
  readonly signal: CancelSignal
  /** The request that is sent is this one's. */
  readonly isOwner: boolean
  /** Whether the response fits this one's request, too (RFC 9111, 4.1). */
  readonly accepts: Accepts<Head>
  /** It was not given what an earlier fetch brought. */
  readonly isSecond: boolean
}

export type Following<Head> = {
  readonly fromByte: number
  readonly aheadMax: number
  readonly signal: CancelSignal
  /** Another fetch may have taken the key meanwhile. */
  readonly isMeant: (head: Head) => boolean
}

export type RecordContext<Head> = {
  readonly key: string
  /** Of one client only: never joined, nothing kept for others. */
  readonly isAlone: boolean
  /** Asked for at most once, when a body comes in pieces. */
  readonly openWindow: () => ChunkWindow
  /** How far a reader may be behind before nobody reads ahead for the cache alone. */
  readonly leadBytes: () => number
  readonly startAlone: (start: StartFetch<Head>, signal: CancelSignal) => Promise<Joined<Head>>
  /** For who was not given what may not be shared, though the next may. */
  readonly joinNext: (joining: Joining<Head>) => Promise<Joined<Head>>
  readonly onShare: (share: Landed<Head>['share']) => void
  readonly onDoorClosed: () => void
  /** Nobody is served from it any more. */
  readonly onOver: () => void
}

type Waiter<Head> = Joining<Head> & {
  readonly resolve: (joined: Joined<Head> | Promise<Joined<Head>>) => void
  readonly reject: (bug: unknown) => void
}

type Landed<Head> = Extract<Fetched<Head>, { ok: true }>

/** Performs what `decideShared` decides for one fetch. */
export function startRecord<Head>(start: StartFetch<Head>, context: RecordContext<Head>): SharedRecord<Head> {
  const { isAlone } = context
  let opened: ChunkWindow | null = null
  const window = (): ChunkWindow => {
    opened ??= context.openWindow()
    return opened
  }
  const controller = createCanceller()
  const waiters = new Set<Waiter<Head>>()
  const readers = new Set<SharedReader>()
  let state = NEW_SHARED
  let landed: Landed<Head> | null = null
  let store: ChunkStore | null = null
  let body: ReadableStreamDefaultReader<Uint8Array> | null = null
  let failure: FetchFailure = { ok: false, code: 'cancelled', why: 'nobody waits for it any more' }
  let bug: { readonly error: unknown } | null = null
  let isDetached = false
  let isComplete = false
  let furthestByte = 0

  const step = (event: SharedEvent): void => {
    const decision = decideShared(state, event)
    state = decision.state
    for (const effect of decision.effects) perform[effect.kind]()
    if (state.phase !== 'ended') return
    if (state.reading === 0) opened?.clear()
    if (readers.size === 0) context.onOver()
  }
  /** How far behind the furthest reader is; those at the tip, and those who read elsewhere, do not count. */
  const paceNow = (): Pace => {
    const endByte = window().endByte()
    furthestByte = endByte
    for (const reader of readers) furthestByte = Math.min(furthestByte, reader.position() ?? endByte)
    const behindBytes = endByte - furthestByte
    // Only where it could ever matter: asking what is stored is not for every piece.
    const isFar = behindBytes > 0 && behindBytes >= context.leadBytes()
    const canGoElsewhere = !isFar || (landed?.reread?.canServe(furthestByte, endByte) ?? false)
    window().setNeed(behindBytes, !canGoElsewhere)
    if (!isFar) return 'free'
    return canGoElsewhere ? 'readers' : 'held'
  }
  const settlePace = (): void => {
    if (state.phase !== 'streaming' || isAlone) return
    const pace = paceNow()
    if (pace !== state.pace) step({ kind: 'pace', pace })
  }
  const openReader = (
    signal: CancelSignal,
    from: { readonly fromByte: number; readonly behind: Reread | 'end' | null },
  ): ReadableStream<Uint8Array> => {
    const cancel = (): void => reader.fail(new Error('the client went away'))
    const reader = createSharedReader({
      ...from,
      window: window(),
      isAlone,
      isComplete: () => isComplete,
      onHungry: () => step({ kind: 'hungry' }),
      onTaken(fromByte) {
        // Whoever is not the furthest behind changes nothing.
        if (state.pace !== 'free' && fromByte <= furthestByte) settlePace()
      },
      onLeave(hungry) {
        step({ kind: 'left-reading', hungry })
        if (state.pace !== 'free') settlePace()
      },
      onClosed() {
        readers.delete(reader)
        signal.removeEventListener('abort', cancel)
        if (state.phase === 'ended' && readers.size === 0) context.onOver()
      },
    })
    readers.add(reader)
    signal.addEventListener('abort', cancel)
    return reader.stream
  }
  const toJoined = (found: Landed<Head>, signal: CancelSignal, isOwner: boolean): Joined<Head> => {
    const isStream = found.body instanceof ReadableStream
    const content = isStream ? openReader(signal, { fromByte: 0, behind: found.reread }) : found.body
    return { ok: true, head: found.head, body: content, role: isOwner ? 'first' : 'collapsed' }
  }
  const takeWaiters = (): Waiter<Head>[] => {
    const taken = [...waiters]
    waiters.clear()
    return taken
  }
  const handOut = (mayShare: boolean): void => {
    for (const waiter of takeWaiters()) {
      const { resolve, signal, isOwner } = waiter
      if (landed && takes(waiter, landed, mayShare)) resolve(toJoined(landed, signal, isOwner))
      else if (landed?.share === 'not-this-time') resolve(context.joinNext(waiter))
      else resolve(context.startAlone(waiter.start, signal))
    }
  }
  const pull = (): void => {
    body?.read().then(
      (part) => {
        if (part.done) step({ kind: 'completed' })
        else takeIn(part.value)
      },
      (error: unknown) => fail(toFailure(error)),
    )
  }
  const takeIn = (chunk: Uint8Array): void => {
    if (state.phase === 'ended') return
    const startByte = window().endByte()
    window().append(chunk)
    for (const reader of readers) reader.give(chunk, startByte)
    if (store && !store.append(chunk)) {
      store = null
      step({ kind: 'store-gone' })
    }
    // What was given right now is taken a moment later: a reader at the tip is not behind.
    settlePace()
    step({ kind: 'chunk' })
  }
  const stopFetching = (): void => {
    controller.abort()
    // Its failure was told already, or nobody is left to hear of it.
    body?.cancel().catch(() => {})
  }
  const cutReaders = (): void => {
    const error = Object.assign(new Error(failure.why), { code: failure.code })
    for (const reader of [...readers]) reader.fail(error)
  }
  const fail = (reason: FetchFailure): void => {
    failure = reason
    step({ kind: 'failed' })
  }
  const perform: Record<SharedEffect['kind'], () => void> = {
    'hand-out': () => handOut(true),
    disperse: () => handOut(false),
    'close-door': context.onDoorClosed,
    pull,
    finish() {
      isComplete = true
      store?.end()
      for (const reader of [...readers]) reader.wake()
    },
    'fail-all'() {
      store?.fail(failure.why)
      for (const { resolve, reject } of takeWaiters()) bug ? reject(bug.error) : resolve(failure)
      cutReaders()
      stopFetching()
    },
    abandon: stopFetching,
  }
  const land = (fetched: Fetched<Head>): void => {
    if (state.phase === 'ended') {
      if (fetched.ok) giveBack(fetched)
      return
    }
    if (!fetched.ok) {
      fail(fetched)
      return
    }
    if (isDetached) fetched.store?.fail(PURGED)
    landed = fetched
    store = isDetached ? null : fetched.store
    if (fetched.body instanceof ReadableStream) body = fetched.body.getReader()
    // All of it is here: it is stored at once, and what everyone is given are these bytes.
    else if (fetched.body && store && !store.append(fetched.body)) store = null
    context.onShare(fetched.share)
    const share = fetched.share === true || isAlone
    step({
      kind: 'head',
      share,
      takers: [...waiters].filter((waiter) => takes(waiter, fetched, share)).length,
      storing: store !== null && body !== null,
      hasBody: body !== null,
    })
  }

  start(controller.signal).then(land, (error: unknown) => {
    bug = { error }
    fail({ ok: false, code: 'fetch-failed', why: 'the fetch threw' })
  })

  return {
    key: context.key,
    head: () => landed?.head ?? null,
    canJoin() {
      if (state.phase === 'asking' || window().firstByte() === 0) return true
      return landed?.reread?.canBegin(window().firstByte()) ?? false
    },
    join(joining) {
      const { start: startOwn, signal, isOwner } = joining
      if (landed && !takes(joining, landed, true)) return context.startAlone(startOwn, signal)
      step({ kind: 'joined' })
      if (landed) {
        const joined = toJoined(landed, signal, isOwner)
        settlePace()
        return Promise.resolve(joined)
      }
      return new Promise((resolve, reject) => {
        const waiter: Waiter<Head> = {
          ...joining,
          resolve(joined) {
            signal.removeEventListener('abort', leave)
            resolve(joined)
          },
          reject(error) {
            signal.removeEventListener('abort', leave)
            reject(error)
          },
        }
        const leave = (): void => {
          if (!waiters.delete(waiter)) return
          resolve({ ok: false, code: 'cancelled', why: 'the client went away' })
          step({ kind: 'left-waiting' })
        }
        waiters.add(waiter)
        signal.addEventListener('abort', leave)
      })
    },
    follow({ fromByte, aheadMax, signal, isMeant }) {
      if (!landed || !isMeant(landed.head)) return null
      if (state.phase !== 'streaming' || window().at(fromByte) === 'dropped') return null
      if (signal.aborted || fromByte > window().endByte() + aheadMax) return null
      step({ kind: 'joined' })
      return openReader(signal, { fromByte, behind: 'end' })
    },
    detach() {
      isDetached = true
      context.onDoorClosed()
      if (!store) return
      store.fail(PURGED)
      store = null
      step({ kind: 'store-gone' })
    },
    abort(reason) {
      fail(reason)
      // Those still reading a body that had come whole, or reading elsewhere.
      cutReaders()
    },
    readers: () => readers.size,
  }
}

function takes<Head>(one: Joining<Head>, { head }: Landed<Head>, mayShare: boolean): boolean {
  return one.isOwner || (mayShare && one.accepts(head))
}

const PURGED = 'purged while it was being fetched'

function giveBack<Head>(fetched: Landed<Head>): void {
  fetched.store?.fail('nobody waits for it any more')
  cancelContent(fetched.body)
}

/** A broken body carries its code, as `response-body.ts` gives it; anything else is the origin's connection. */
function toFailure(error: unknown): FetchFailure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
  const why = error instanceof Error ? error.message : String(error)
  return { ok: false, code: code ?? 'origin-unreachable', why }
}
