import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { type Clock, createShortId, describeError, Fault, type Limits, type Logger } from '../../kernel/index.ts'
import { type Claim, isClaimRef, toRef } from './claim.ts'
import { toExpired } from './freshness.ts'
import { type Measured, measureBytes, measureStream, toTooLarge } from './measure.ts'
import { condemnStatement, forgetStatement, intentStatement, referenceStatement } from './rows.ts'
import { toMissing, verifyBytes, verifyStream } from './verify.ts'

/**
 * Claim check: a payload goes into `objects`, and what goes onto the log refers to it. A reference never dangles: a claim
 * that something on the log refers to is kept for good. One that nothing refers to is removed in the end, by the sweeper
 * (`createClaimSweeper`), since its row was there before its object.
 */
export type Claims = {
  /**
   * On disk when it resolves; streamed, never gathered. It takes whole bytes or none: when it rejects, nothing is left but
   * what a dead engine could not remove, which the sweeper does. Faults: `payload-too-large`, `payload-interrupted` (the
   * source broke off), `claim-expired` (the source was too slow), those of the engines.
   */
  put(
    body: Uint8Array | ReadableStream<Uint8Array>,
    options: { readonly bytesMax: number; readonly eventId: string },
  ): Promise<Claim>
  /**
   * The payload, to be read once. The stream errors with `claim-damaged` in place of its end when the bytes are not those
   * that were put, so nothing is good before it has ended. Fault `claim-missing`.
   */
  stream(claim: Claim): Promise<ReadableStream<Uint8Array>>
  /** The payload whole, checked. Faults: `claim-missing`, `claim-damaged`, `payload-too-large` above `bytesMax`. */
  bytes(claim: Claim, bytesMax: number): Promise<Uint8Array>
  /** By the reference alone, not checked: for whoever passes it on to somebody who knows the digest. Null when there is none. */
  unchecked(ref: string): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> } | null>
  /** From here on they are kept. For what is on the log, or is about to be and must not expire. False when one is not there any more. */
  reference(claims: readonly Claim[]): Promise<boolean>
  /** As `reference`, of what has just come onto the log. Does not reject: the sweeper finds what this could not mark. */
  confirm(claims: readonly Claim[]): Promise<void>
  /** Removes what certainly nothing refers to; never what is referenced. Does not reject: what cannot be removed now is the sweeper's. */
  discard(claims: readonly Pick<Claim, 'ref'>[]): Promise<void>
}

export function createClaims(options: {
  objects: ObjectsPort
  tables: TablesPort
  limits: Pick<Limits, 'hubClaimGraceMs'>
  clock: Clock
  logger: Logger
}): Claims {
  const { objects, tables, limits, clock, logger } = options

  const discard: Claims['discard'] = async (claims) => {
    if (claims.length === 0) return
    try {
      const { failed, error } = await removeClaims(
        { objects, tables },
        claims.map(({ ref }) => ref),
      )
      if (failed.length > 0) throw error
    } catch (error) {
      logger.warn('objects that nothing refers to could not be removed; the sweeper will', {
        first: claims[0]?.ref,
        count: claims.length,
        error: describeError(error),
      })
    }
  }

  const reference: Claims['reference'] = async (claims) => {
    const refs = [...new Set(claims.map(({ ref }) => ref))]
    if (refs.length === 0) return true
    const marks = refs.map(() => '?').join(', ')
    const result = await tables.batch([
      referenceStatement(refs),
      {
        sql: `SELECT ref FROM hub_claims WHERE state = 'referenced' AND ref IN (${marks})`,
        parameters: refs,
      },
    ])
    return result.ok && result.results[1]?.rows.length === refs.length
  }

  const store = (ref: string, body: Uint8Array | ReadableStream<Uint8Array>, bytesMax: number): Promise<Measured> =>
    body instanceof Uint8Array
      ? objects.put(ref, body).then(() => measureBytes(body))
      : storeStream(objects, { ref, body, bytesMax, waitMs: limits.hubClaimGraceMs / 2 })

  return {
    async put(body, { bytesMax, eventId }) {
      if (body instanceof Uint8Array && body.byteLength > bytesMax) throw toTooLarge(bytesMax, `${body.byteLength}`)
      const nowMs = clock.nowMs()
      const ref = toRef(createShortId(), nowMs)
      await writeIntent(tables, { ref, eventId, createdAtMs: nowMs }, body)
      try {
        return { ref, ...(await store(ref, body, bytesMax)) }
      } catch (error) {
        await discard([{ ref }])
        throw error
      }
    },
    async stream(claim) {
      const source = isClaimRef(claim.ref) ? await objects.stream(claim.ref) : null
      if (!source) throw toMissing(claim)
      return verifyStream(claim, source)
    },
    async bytes(claim, bytesMax) {
      if (claim.size > bytesMax) throw toTooLarge(bytesMax, `${claim.size}`)
      const info = isClaimRef(claim.ref) ? await objects.head(claim.ref) : null
      // An object that grew is damaged, and must not be read whole to find that out.
      const bytes = info
        ? await objects.read(claim.ref, info.sizeBytes > 0 ? { start: 0, end: claim.size + 1 } : undefined)
        : null
      if (!bytes) throw toMissing(claim)
      return verifyBytes(claim, bytes)
    },
    async unchecked(ref) {
      const info = isClaimRef(ref) ? await objects.head(ref) : null
      const body = info ? await objects.stream(ref) : null
      return info && body ? { size: info.sizeBytes, body } : null
    },
    reference,
    async confirm(claims) {
      try {
        if (await reference(claims)) return
        logger.error('a payload was removed before the event that refers to it came onto the log', {
          first: claims[0]?.ref,
        })
      } catch (error) {
        logger.warn('claims could not be marked; the sweeper will', { error: describeError(error) })
      }
    },
    discard,
  }
}

/**
 * Rows are condemned before their objects go and forgotten after, so that a death in between leaves a row that says what
 * is still to be done, and nothing that is referenced is touched.
 */
export async function removeClaims(
  { objects, tables }: { objects: ObjectsPort; tables: TablesPort },
  refs: readonly string[],
): Promise<Removal> {
  const condemned = await tables.batch([condemnStatement(refs)])
  if (!condemned.ok) return { removed: [], failed: [], error: null }
  const rows = condemned.results[0]?.rows ?? []
  return finishRemoval(
    { objects, tables },
    rows.map((row) => String(row['ref'])),
  )
}

/** `error` is of the last of those that failed; they stay condemned. */
export type Removal = {
  readonly removed: readonly string[]
  readonly failed: readonly string[]
  readonly error: unknown
}

/** For rows that are condemned. One object that cannot be deleted keeps no other. */
export async function finishRemoval(
  { objects, tables }: { objects: ObjectsPort; tables: TablesPort },
  refs: readonly string[],
): Promise<Removal> {
  const removed: string[] = []
  const failed: string[] = []
  let last: unknown = null
  for (const ref of refs) {
    try {
      await objects.delete(ref)
      removed.push(ref)
    } catch (error) {
      failed.push(ref)
      last = error
    }
  }
  if (removed.length > 0) await tables.batch([forgetStatement(removed)])
  return { removed, failed, error: last }
}

async function writeIntent(
  tables: TablesPort,
  row: { ref: string; eventId: string; createdAtMs: number },
  body: Uint8Array | ReadableStream<Uint8Array>,
): Promise<void> {
  try {
    const written = await tables.batch([intentStatement(row)])
    if (!written.ok) throw new Fault('internal', `the row of claim ${row.ref} could not be written: ${written.message}`)
  } catch (error) {
    if (!(body instanceof Uint8Array)) await body.cancel(error).catch(() => {})
    throw error
  }
}

async function storeStream(
  objects: ObjectsPort,
  options: { ref: string; body: ReadableStream<Uint8Array>; bytesMax: number; waitMs: number },
): Promise<Measured> {
  const { ref, body, bytesMax, waitMs } = options
  const measure = measureStream(body, bytesMax)
  const timer = setTimeout(() => measure.fail(toExpired(waitMs)), waitMs)
  try {
    await objects.put(ref, measure.stream)
    return measure.measured()
  } catch (error) {
    const failure = measure.failure()
    if (failure) throw failure
    measure.fail(new Fault('objects-unavailable', 'the payload is not stored', { cause: error }))
    throw error
  } finally {
    clearTimeout(timer)
  }
}
