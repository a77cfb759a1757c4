import { createId, describeError, Fault } from '../../kernel/index.ts'

export type EventToSend = {
  /** Where it stood: `line 3`, `event 3`, or the file as a whole. */
  readonly place: string
  readonly event: Readonly<Record<string, unknown>>
}

/** For events that do not say it themselves. */
export type EventDefaults = { readonly type?: string | undefined; readonly subject?: string | undefined }

/**
 * One event as JSON, an array of them, or one on each line. Each is given an id, so that the same can be sent again.
 * Fault `event-invalid` names the place of what is no event.
 */
export function parseEvents(text: string, defaults: EventDefaults): readonly EventToSend[] {
  const whole = tryJson(text)
  if (whole === undefined)
    return text
      .split('\n')
      .flatMap((line, at) => (line.trim() === '' ? [] : [toEvent(parseLine(line, at), `line ${at + 1}`, defaults)]))
  if (Array.isArray(whole)) return whole.map((event: unknown, at) => toEvent(event, `event ${at + 1}`, defaults))
  return [toEvent(whole, 'the event', defaults)]
}

/** In the order given, so many together as one request may hold. */
export function toBatches(
  events: readonly EventToSend[],
  { eventsMax, bytesMax }: { eventsMax: number; bytesMax: number },
): readonly (readonly EventToSend[])[] {
  const batches: EventToSend[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const each of events) {
    const length = Buffer.byteLength(JSON.stringify(each.event)) + 1
    const last = batches.at(-1)
    if (last && last.length < eventsMax && bytes + length <= bytesMax) last.push(each)
    else batches.push([each])
    bytes = last === batches.at(-1) ? bytes + length : length + 2
  }
  return batches
}

function toEvent(json: unknown, place: string, { type, subject }: EventDefaults): EventToSend {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Fault(
      'event-invalid',
      `${place}: expected an event as a JSON object, got ${JSON.stringify(json).slice(0, 60)}`,
    )
  const given = { specversion: '1.0', id: createId(), ...(type ? { type } : {}), ...(subject ? { subject } : {}) }
  return { place, event: { ...given, ...json } }
}

function parseLine(line: string, at: number): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new Fault('event-invalid', `line ${at + 1}: expected an event as JSON: ${describeError(cause)}`, { cause })
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
