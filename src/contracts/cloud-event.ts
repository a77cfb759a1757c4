/**
 * Any event on the log: CloudEvents 1.0 in the JSON format, its `data` not necessarily checked yet. Extension attributes
 * are lower-case letters and digits, as the specification asks for.
 */
export type AnyEvent = {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  /** Ends in its version, `.v1`. */
  readonly type: string
  readonly subject: string
  /** RFC 3339. */
  readonly time: string
  readonly datacontenttype?: string
  readonly data?: unknown
  /** Claim check (CloudEvents extension "dataref"): the key in `objects` of the data, which then is not in the event. */
  readonly dataref?: string
  /** Of what `dataref` names: bytes, and `sha-256=<hex>`. */
  readonly datasize?: number
  readonly datadigest?: string
  /** What it was made from, `<topic>:<partition>:<offset>`: a pipe's source record. */
  readonly causedby?: string
  /** The replay it is delivered by; never on the log. */
  readonly replayid?: string
}

/** What acknowledgements name, and headers and rows hold: ids beyond these are refused where events come in and where they are read. */
export const EVENT_ID_CHARACTERS_MAX = 255
/** `<event id>_<16 digits of its source>~<replay id>`. */
export const DELIVERY_ID_CHARACTERS_MAX = 320

/** Where an event is on the log. */
export type EventPosition = { readonly topic: string; readonly partition: number; readonly offset: number }

/** `titles:0:4711`; what publishers are told, and readers may ask a view to have reached. */
export function toPositionText({ topic, partition, offset }: EventPosition): string {
  return `${topic}:${partition}:${offset}`
}

const POSITION = /^([a-z0-9][a-z0-9._-]{0,99}):(\d{1,9}):(\d{1,15})$/

/** Null when the text is no position. */
export function parsePosition(text: string): EventPosition | null {
  const [, topic, partition, offset] = POSITION.exec(text) ?? []
  if (topic === undefined) return null
  return { topic, partition: Number(partition), offset: Number(offset) }
}
