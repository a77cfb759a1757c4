import { setTimeout as wait } from 'node:timers/promises'
import { Fault } from '../../kernel/index.ts'
import type { FieldError, Staff } from '../staff.ts'
import type { EventToSend } from './parse-events.ts'

export type PublishedEvent = { readonly id: string; readonly position: string }

const TRIES_MAX = 8
const RETRY_MAX_MS = 10_000

/** One request's worth: all of them on disk when it resolves, or none. A busy hub is asked again, with the same ids. */
export async function publishBatch(staff: Staff, batch: readonly EventToSend[]): Promise<readonly PublishedEvent[]> {
  const request = {
    method: 'POST',
    path: '/hub/v1/events',
    contentType: 'application/cloudevents-batch+json',
    body: JSON.stringify(batch.map(({ event }) => event)),
  } as const
  for (let tries = 1; ; tries += 1) {
    try {
      return (await staff.send<{ events: readonly PublishedEvent[] }>(request)).events
    } catch (error) {
      const retryAfterMs = error instanceof Fault ? error.detail['retryAfterMs'] : undefined
      if (typeof retryAfterMs !== 'number' || tries >= TRIES_MAX) throw withPlaces(error, batch)
      await wait(Math.min(retryAfterMs, RETRY_MAX_MS) * (0.5 + Math.random()))
    }
  }
}

/** The fields at fault by the line they are on, instead of their place in the request. */
function withPlaces(error: unknown, batch: readonly EventToSend[]): unknown {
  const errors = error instanceof Fault ? error.detail['errors'] : undefined
  if (!(error instanceof Fault) || !Array.isArray(errors) || errors.length === 0) return error
  const sentences = (errors as readonly FieldError[]).map(({ pointer, detail }) => {
    const [, index = '', field = ''] = /^\/(\d+)(.*)$/.exec(pointer) ?? []
    return `${batch[Number(index)]?.place ?? 'the request'}: ${field || pointer || 'the event'}: ${detail}`
  })
  return new Fault(error.code, sentences.join('\n'), { cause: error })
}
