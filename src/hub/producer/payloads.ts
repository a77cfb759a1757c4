import type { Registry } from '../../contracts/index.ts'
import { isJsonTextDeep, type Limits, PATTERN_LIMITS } from '../../kernel/index.ts'
import type { Claim, Claims } from '../claims/index.ts'
import { gather } from './gather.ts'
import { type EventError, type NewEvent, type NewPayload, toInvalid } from './new-event.ts'

type PayloadLimits = Pick<Limits, 'hubClaimBytesMin' | 'hubRecordBytesMax'>
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i
const decoder = new TextDecoder('utf-8', { fatal: true })

export function isClaim(body: NewPayload['body']): body is Claim {
  return 'ref' in body
}

/** What the payloads will take in memory at most: an opaque one that is streamed is never there whole, JSON is. */
export function measurePayloads(events: readonly NewEvent[], registry: Registry, limits: PayloadLimits): number {
  return events.reduce((sum, { type, payload }) => {
    if (!payload) return sum
    const { body } = payload
    if (body instanceof Uint8Array) return sum + body.byteLength
    const opaque = registry.get(type)?.data === null
    if (isClaim(body)) return sum + (opaque ? 0 : Math.min(body.size, limits.hubRecordBytesMax))
    return sum + (opaque ? limits.hubClaimBytesMin : limits.hubRecordBytesMax)
  }, 0)
}

/** Puts JSON payloads in as data, so that they are checked like any other. Faults: `event-invalid`, `payload-too-large`. */
export async function loadJsonPayloads(
  events: readonly NewEvent[],
  parts: { readonly registry: Registry; readonly claims: Claims; readonly limits: PayloadLimits },
): Promise<readonly NewEvent[]> {
  const isWanted = ({ type, payload }: NewEvent): boolean => {
    const definition = parts.registry.get(type)
    return payload !== undefined && definition !== undefined && definition.data !== null
  }
  if (!events.some(isWanted)) return events
  const errors: EventError[] = []
  const loaded: NewEvent[] = []
  for (const [index, event] of events.entries()) {
    const { payload, ...rest } = event
    if (!payload || !isWanted(event)) {
      loaded.push(event)
      continue
    }
    const found = checkJsonPayload(event, payload)
    const parsed = found ?? (await parsePayload(payload.body, parts))
    if ('detail' in parsed) errors.push({ index, ...parsed })
    else loaded.push({ ...rest, data: parsed.data })
  }
  if (errors.length > 0) throw toInvalid(errors)
  return loaded
}

function checkJsonPayload(event: NewEvent, { contentType }: NewPayload): Omit<EventError, 'index'> | null {
  if (event.data !== undefined) return { path: 'payload', detail: 'expected either data or a payload, got both' }
  if (JSON_TYPE.test(contentType)) return null
  const got = JSON.stringify(contentType).slice(0, 200)
  return {
    path: 'datacontenttype',
    detail: `expected application/json, since the data of this type is checked; got ${got}`,
  }
}

async function parsePayload(
  body: NewPayload['body'],
  { claims, limits }: { readonly claims: Claims; readonly limits: PayloadLimits },
): Promise<{ readonly data: unknown } | Omit<EventError, 'index'>> {
  const bytes = isClaim(body)
    ? await claims.bytes(body, limits.hubRecordBytesMax)
    : await gather(body, limits.hubRecordBytesMax)
  try {
    const text = decoder.decode(bytes)
    if (isJsonTextDeep(text, PATTERN_LIMITS.eventDepthMax))
      return {
        path: 'data',
        detail: `expected at most ${PATTERN_LIMITS.eventDepthMax} objects and arrays inside one another`,
      }
    const data: unknown = JSON.parse(text)
    return { data }
  } catch {
    return { path: 'data', detail: `expected JSON in UTF-8, got ${bytes.byteLength} bytes that are not` }
  }
}
