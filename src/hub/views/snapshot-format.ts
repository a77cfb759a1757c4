import { createHash } from 'node:crypto'
import { z } from 'zod'
import { describeError } from '../../kernel/index.ts'
import { codecOf, PREFERRED_CODEC } from '../archive/compression.ts'
import type { Positions } from './positions.ts'
import type { RememberedIds } from './repeat-check.ts'

/** A view at one moment: everything before `positions` is in `state`, and nothing else. */
export type Snapshot = {
  readonly view: string
  readonly version: number
  /** The definition's pattern; null when it has none. */
  readonly on: unknown
  readonly positions: Positions
  /** Events applied so far. */
  readonly applied: number
  readonly takenAtMs: number
  readonly ids: RememberedIds
  /** JSON. */
  readonly state: unknown
}

/** Why bytes are no snapshot that can be used, for people. */
export type SnapshotRead =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly reason: string }

/*
 * Magic (8 bytes), format (u32), length of the header (u32), header (JSON), body (compressed JSON: ids and state), and the
 * SHA-256 of all that. Later formats keep magic, format and digest where they are, so that "newer" can be told from "damaged".
 */
const MAGIC = Buffer.from('TPVIEW\r\n')
const FORMAT = 1
const FIXED_BYTES = MAGIC.byteLength + 8
const DIGEST_BYTES = 32

const headerSchema = z.object({
  view: z.string(),
  version: z.int(),
  on: z.unknown(),
  positions: z.record(z.string(), z.record(z.string().regex(/^\d{1,9}$/), z.int().nonnegative())),
  applied: z.int().nonnegative(),
  takenAtMs: z.int(),
  codec: z.enum(['zstd', 'gzip']),
  bodyBytes: z.int().nonnegative(),
})
const bodySchema = z.object({
  ids: z.object({ old: z.array(z.string()), young: z.array(z.string()) }),
  state: z.unknown(),
})

/** The JSON of `state` is made before this returns; what changes it afterwards is not in the snapshot. Null when it would be larger than `bytesMax`. */
export function encodeSnapshot(snapshot: Snapshot, bytesMax: number): Promise<Uint8Array | null> {
  const { ids, state, ...about } = snapshot
  const body = Buffer.from(JSON.stringify({ ids, state }))
  return body.byteLength > bytesMax ? Promise.resolve(null) : seal(about, body)
}

async function seal(about: Omit<Snapshot, 'ids' | 'state'>, body: Buffer): Promise<Uint8Array> {
  const header = Buffer.from(JSON.stringify({ ...about, codec: PREFERRED_CODEC, bodyBytes: body.byteLength }))
  const fixed = Buffer.alloc(FIXED_BYTES)
  MAGIC.copy(fixed)
  fixed.writeUInt32BE(FORMAT, MAGIC.byteLength)
  fixed.writeUInt32BE(header.byteLength, MAGIC.byteLength + 4)
  const compressed = await codecOf(PREFERRED_CODEC).compress(body)
  const digest = createHash('sha256').update(fixed).update(header).update(compressed).digest()
  return Buffer.concat([fixed, header, compressed, digest])
}

/** Nothing of it is looked into before its digest holds. Never throws. */
export async function decodeSnapshot(bytes: Uint8Array, bytesMax: number): Promise<SnapshotRead> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const damage = findDamage(buffer)
  if (damage !== null) return { ok: false, reason: damage }
  const format = buffer.readUInt32BE(MAGIC.byteLength)
  if (format !== FORMAT)
    return { ok: false, reason: `expected format ${FORMAT}, got ${format}: another release wrote it` }
  try {
    const headerEnd = FIXED_BYTES + buffer.readUInt32BE(MAGIC.byteLength + 4)
    const header = headerSchema.parse(JSON.parse(buffer.toString('utf8', FIXED_BYTES, headerEnd)))
    const { codec, bodyBytes, ...about } = header
    if (bodyBytes > bytesMax)
      return { ok: false, reason: `it has ${bodyBytes} bytes, expected at most ${bytesMax} (hubViewSnapshotBytesMax)` }
    const compressed = buffer.subarray(headerEnd, buffer.byteLength - DIGEST_BYTES)
    const body = Buffer.from(await codecOf(codec).decompress(compressed, bytesMax))
    const { ids, state } = bodySchema.parse(JSON.parse(body.toString()))
    return { ok: true, snapshot: { ...about, ids, state } }
  } catch (error) {
    return { ok: false, reason: `it cannot be read: ${describeError(error)}` }
  }
}

function findDamage(buffer: Buffer): string | null {
  if (buffer.byteLength < FIXED_BYTES + DIGEST_BYTES) return `it is cut: ${buffer.byteLength} bytes`
  if (!buffer.subarray(0, MAGIC.byteLength).equals(MAGIC)) return 'it does not begin as a snapshot does'
  const end = buffer.byteLength - DIGEST_BYTES
  const digest = createHash('sha256').update(buffer.subarray(0, end)).digest()
  return digest.equals(buffer.subarray(end)) ? null : 'its digest does not hold'
}
