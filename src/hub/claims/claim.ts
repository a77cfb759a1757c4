import { Fault } from '../../kernel/index.ts'

/** What stands for bytes that are in `objects`: their key there, how many, and `sha-256=<hex>`. */
export type Claim = { readonly ref: string; readonly size: number; readonly digest: string }

/** The header of a raw record whose body is in `objects`; its value then is empty. */
export const CLAIM_HEADER = 'tentpole-claim'

/** Where all claims are among the objects. */
export const CLAIM_PREFIX = 'claims/'

const ID_CHARACTERS = '[0-9a-hjkmnp-tv-z]{16}'
const REF = new RegExp(`^${CLAIM_PREFIX}\\d{4}-\\d{2}-\\d{2}/${ID_CHARACTERS}$`)
const REFS_INSIDE = new RegExp(`${CLAIM_PREFIX}\\d{4}-\\d{2}-\\d{2}/${ID_CHARACTERS}`, 'g')
const DIGEST = /^sha-256=[0-9a-f]{64}$/

export function toRef(id: string, nowMs: number): string {
  return `${CLAIM_PREFIX}${new Date(nowMs).toISOString().slice(0, 10)}/${id}`
}

/** Whoever reads an object by a reference that came from outside asks first: films are objects too. */
export function isClaimRef(text: unknown): text is string {
  return typeof text === 'string' && REF.test(text)
}

/** All references that a text has anywhere inside, JSON included. */
export function findRefs(text: string): readonly string[] {
  return text.match(REFS_INSIDE) ?? []
}

export function toClaimHeader({ ref, size, digest }: Claim): string {
  return JSON.stringify({ ref, size, digest })
}

/** The claim in a record's header. Fault `claim-invalid`. */
export function parseClaimHeader(text: string): Claim {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw toInvalid(text, cause)
  }
  const claim = toClaim(parsed)
  if (!claim) throw toInvalid(text)
  return claim
}

/** The claim an event carries; null when its data is in itself. Fault `claim-invalid` when the attributes make none. */
export function claimOf(event: {
  readonly id: string
  readonly dataref?: string
  readonly datasize?: number
  readonly datadigest?: string
}): Claim | null {
  if (event.dataref === undefined) return null
  const claim = toClaim({ ref: event.dataref, size: event.datasize, digest: event.datadigest })
  if (!claim) throw toInvalid(`the attributes of event ${event.id}`)
  return claim
}

function toClaim(value: unknown): Claim | null {
  if (typeof value !== 'object' || value === null) return null
  const { ref, size, digest } = value as Record<string, unknown> // any object can be looked at by name
  const sized = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
  if (!isClaimRef(ref) || !sized || typeof digest !== 'string' || !DIGEST.test(digest)) return null
  return { ref, size, digest }
}

function toInvalid(text: string, cause?: unknown): Fault {
  return new Fault(
    'claim-invalid',
    `expected a claim of ref (${CLAIM_PREFIX}<day>/<id>), size and digest (sha-256=<hex>), got ${text.slice(0, 200)}`,
    { cause },
  )
}
