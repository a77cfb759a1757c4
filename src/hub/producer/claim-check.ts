import type { AnyEvent } from '../../contracts/index.ts'
import { type Clock, Fault, type Limits } from '../../kernel/index.ts'
import { type Claim, type Claims, checkFresh } from '../claims/index.ts'
import type { Draft } from './new-event.ts'
import { isClaim } from './payloads.ts'

/** An event as it goes onto the log, its data in it or in `objects`. */
export type Checked = { readonly topic: string; readonly event: AnyEvent; readonly value: Uint8Array }

/** A draft with its text; `data` is there when it is too large to be in the event. */
export type Encoded = { readonly draft: Draft; readonly value: Uint8Array; readonly data: Uint8Array | null }

export type ClaimChecked = {
  readonly checked: readonly Checked[]
  /** Objects made for these events, by event; nobody else refers to them. */
  readonly made: ReadonlyMap<AnyEvent, Claim>
}

export function encodeDraft(draft: Draft, claimBytesMin: number): Encoded {
  const value = encode(draft.event)
  if (draft.payload || value.byteLength <= claimBytesMin) return { draft, value, data: null }
  const data = encode(draft.event.data)
  return { draft, value, data: data.byteLength > claimBytesMin ? data : null }
}

/**
 * Puts into `objects` what must not be in the event: large data, opaque payloads. When one of them cannot be put, or it
 * took so long that they must not be appended, those that were put are removed.
 */
export async function claimCheck(
  encoded: readonly Encoded[],
  parts: {
    readonly claims: Claims
    readonly limits: Pick<Limits, 'hubRecordBytesMax' | 'hubClaimGraceMs'>
    readonly clock: Clock
    /** When the first of them may have been begun. */
    readonly begunAtMs: number
  },
): Promise<ClaimChecked> {
  const made = new Map<AnyEvent, Claim>()
  const checked: Checked[] = []
  try {
    for (const one of encoded) {
      const { draft } = one
      const body = draft.payload?.body ?? one.data
      if (!body) {
        checked.push({ topic: draft.topic, event: draft.event, value: one.value })
        continue
      }
      const claim = await toClaim(body, draft.event.id, parts)
      const event = refer(draft.event, claim)
      if (claim !== body) made.set(event, claim)
      checked.push({ topic: draft.topic, event, value: encode(event) })
    }
    if (made.size > 0) checkFresh(parts.begunAtMs, parts)
  } catch (error) {
    await parts.claims.discard([...made.values()])
    throw error
  }
  return { checked, made }
}

async function toClaim(
  body: Uint8Array | ReadableStream<Uint8Array> | Claim,
  eventId: string,
  { claims, limits }: { readonly claims: Claims; readonly limits: Pick<Limits, 'hubRecordBytesMax'> },
): Promise<Claim> {
  if (body instanceof Uint8Array || !isClaim(body))
    return claims.put(body, { bytesMax: limits.hubRecordBytesMax, eventId })
  // Kept from here on, whatever becomes of this event: it must not go between the two.
  if (await claims.reference([body])) return body
  throw new Fault('claim-missing', `event ${eventId}: its payload ${body.ref} is not there any more`, {
    detail: { ref: body.ref },
  })
}

function refer({ data: _, ...event }: AnyEvent, { ref, size, digest }: Claim): AnyEvent {
  return { ...event, dataref: ref, datasize: size, datadigest: digest }
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
