import type { AcknowledgeRequest } from '../../contracts/index.ts'
import type { Delivery, Outcome, Target } from '../bus/target.ts'
import { createStreamMachine, type StreamEffect, type StreamInput, type StreamMachine } from './stream-machine.ts'

/** Why a stream ends from our side. */
export type StreamEnd = 'replaced' | 'revoked' | 'removed' | 'closing'

/** Where a reader's deliveries are written to. None is sent while it has no room. */
export type StreamSink = { hasRoom(): boolean; send(delivery: Delivery): void; end(reason: StreamEnd): void }

export type StreamReader = {
  /** Its sink has room again. */
  drained(): void
  close(): void
}

export type AcknowledgeCounts = {
  readonly acknowledged: number
  readonly refused: number
  /** Not under way (any more): settled before, timed out, or never sent. */
  readonly unknown: number
}

/** Subscriptions whose readers are connected to this process: what the bus delivers goes to the one reader there is. */
export type StreamHub = {
  target(subscription: string): Target
  /** Takes over from a reader that is there. `window`: deliveries sent and not acknowledged yet. */
  connect(options: {
    readonly subscription: string
    readonly owner: string | null
    /** Of a spoke, the token it came with. */
    readonly tokenId: string | null
    readonly window: number
    readonly sink: StreamSink
  }): StreamReader
  acknowledge(subscription: string, request: AcknowledgeRequest): AcknowledgeCounts
  /** Ends the streams for which it holds. */
  end(
    reason: StreamEnd,
    which: (stream: { subscription: string; owner: string | null; tokenId: string | null }) => boolean,
  ): void
  readers(): number
}

type Pending = { readonly delivery: Delivery; tried: boolean; settle(outcome: Outcome): void }
type Connected = { readonly sink: StreamSink; readonly owner: string | null; readonly tokenId: string | null }
type Channel = {
  readonly machine: StreamMachine
  readonly pending: Map<number, Pending>
  readonly readers: Map<number, Connected>
  readonly listeners: Set<() => void>
  readonly inputs: StreamInput[]
  isFeeding: boolean
  /** What a nack said, until the machine has settled it. */
  nack: AcknowledgeRequest['nacks'][number] | null
}

export function createStreamHub(): StreamHub {
  const channels = new Map<string, Channel>()
  let count = 0

  const channelOf = (subscription: string): Channel => {
    const channel = channels.get(subscription) ?? createChannel()
    channels.set(subscription, channel)
    return channel
  }
  /** What nobody uses is forgotten, so that names which come and go do not add up. */
  const forgetUnused = (subscription: string): void => {
    const channel = channels.get(subscription)
    if (channel && channel.readers.size + channel.pending.size + channel.listeners.size === 0)
      channels.delete(subscription)
  }

  return {
    target(subscription) {
      return {
        kind: 'stream',
        description: 'the reader of its stream',
        ready: () => (channels.get(subscription)?.machine.reader() ?? null) !== null,
        onReady(listener) {
          const { listeners } = channelOf(subscription)
          listeners.add(listener)
          return () => {
            listeners.delete(listener)
            forgetUnused(subscription)
          }
        },
        async deliver(delivery) {
          count += 1
          const outcome = await deliver(channelOf(subscription), count, delivery)
          forgetUnused(subscription)
          return outcome
        },
        // The reader stays: the same subscription may be given a new target, such as after a change of its policy.
        async close() {
          const channel = channels.get(subscription)
          if (channel) feed(channel, { kind: 'abandon' })
        },
      }
    },
    connect({ subscription, owner, tokenId, window, sink }) {
      const channel = channelOf(subscription)
      count += 1
      const reader = count
      channel.readers.set(reader, { sink, owner, tokenId })
      feed(channel, { kind: 'connect', reader, window })
      for (const listener of [...channel.listeners]) listener()
      return {
        drained: () => feed(channel, { kind: 'room' }),
        close() {
          channel.readers.delete(reader)
          feed(channel, { kind: 'disconnect', reader })
          forgetUnused(subscription)
        },
      }
    },
    acknowledge(subscription, request) {
      const channel = channels.get(subscription)
      return channel
        ? acknowledge(channel, request)
        : { acknowledged: 0, refused: 0, unknown: request.acks.length + request.nacks.length }
    },
    end(reason, which) {
      for (const [subscription, channel] of [...channels])
        for (const { sink, owner, tokenId } of [...channel.readers.values()])
          if (which({ subscription, owner, tokenId })) sink.end(reason)
    },
    readers: () => [...channels.values()].reduce((sum, { readers }) => sum + readers.size, 0),
  }
}

function createChannel(): Channel {
  return {
    machine: createStreamMachine(),
    pending: new Map(),
    readers: new Map(),
    listeners: new Set(),
    inputs: [],
    isFeeding: false,
    nack: null,
  }
}

function deliver(channel: Channel, ticket: number, delivery: Delivery): Promise<Outcome> {
  const { id, signal } = delivery
  return new Promise((resolve) => {
    const expire = (): void => feed(channel, { kind: 'expire', ticket, id })
    channel.pending.set(ticket, {
      delivery,
      tried: false,
      settle(outcome) {
        signal.removeEventListener('abort', expire)
        resolve(outcome)
      },
    })
    signal.addEventListener('abort', expire)
    feed(channel, { kind: 'deliver', ticket, id })
    if (signal.aborted) expire()
  })
}

function acknowledge(channel: Channel, { acks, nacks }: AcknowledgeRequest): AcknowledgeCounts {
  const settledBy = (input: StreamInput): boolean => {
    const before = channel.pending.size
    feed(channel, input)
    return channel.pending.size < before
  }
  const acknowledged = acks.filter((id) => settledBy({ kind: 'acknowledge', id })).length
  let refused = 0
  for (const nack of nacks) {
    channel.nack = nack
    if (settledBy({ kind: 'refuse', id: nack.id })) refused += 1
    channel.nack = null
  }
  return { acknowledged, refused, unknown: acks.length + nacks.length - acknowledged - refused }
}

/** A sink may close its reader while it is written to: such an input waits until the one before is done. */
function feed(channel: Channel, input: StreamInput): void {
  channel.inputs.push(input)
  if (channel.isFeeding) return
  channel.isFeeding = true
  try {
    for (let next = channel.inputs.shift(); next !== undefined; next = channel.inputs.shift()) {
      for (const effect of channel.machine.step(next)) perform(channel, effect)
      sendWhileRoom(channel)
    }
  } finally {
    channel.isFeeding = false
  }
}

function sendWhileRoom(channel: Channel): void {
  while (channel.readers.get(channel.machine.reader() ?? 0)?.sink.hasRoom()) {
    const effects = channel.machine.step({ kind: 'room' })
    if (effects.length === 0) return
    for (const effect of effects) perform(channel, effect)
  }
}

function perform(channel: Channel, effect: StreamEffect): void {
  if (effect.kind === 'replace') {
    channel.readers.get(effect.reader)?.sink.end('replaced')
    return
  }
  const pending = channel.pending.get(effect.ticket)
  if (!pending) return
  if (effect.kind === 'settle') {
    channel.pending.delete(effect.ticket)
    pending.settle(pending.tried ? toOutcome(effect.how, channel.nack) : { kind: 'interrupted' })
  } else if (!pending.delivery.signal.aborted) {
    pending.tried = true
    send(channel, effect.reader, pending.delivery)
  }
}

/** A reader that cannot be written to is one that went away, with what it could not be sent. */
function send(channel: Channel, reader: number, delivery: Delivery): void {
  const sink = channel.readers.get(reader)?.sink
  try {
    sink?.send(delivery)
  } catch {
    channel.readers.delete(reader)
    feed(channel, { kind: 'disconnect', reader })
    sink?.end('closing')
  }
}

function toOutcome(how: Extract<StreamEffect, { kind: 'settle' }>['how'], nack: Channel['nack']): Outcome {
  if (how === 'acknowledged') return { kind: 'done' }
  if (how === 'untried') return { kind: 'interrupted' }
  if (how === 'lost') return { kind: 'failed', reason: 'its readers went away with it, again and again' }
  if (how === 'late') return { kind: 'failed', reason: 'the reader did not acknowledge it in time' }
  const reason = nack?.reason ?? 'the reader refused it'
  if (nack?.final) return { kind: 'refused', reason }
  return { kind: 'failed', reason, ...(nack?.retryAfterMs === undefined ? {} : { retryAfterMs: nack.retryAfterMs }) }
}
