import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot-format.ts'

const MAX = 1_000_000
const json = fc.jsonValue({ maxDepth: 3 })
const snapshots: fc.Arbitrary<Snapshot> = fc.record({
  view: fc.constantFrom('catalog', 'history'),
  version: fc.nat(9),
  on: fc.constantFrom(null, { type: ['a'] }),
  positions: fc.dictionary(fc.constantFrom('titles', 'media'), fc.dictionary(fc.constantFrom('0', '7'), fc.nat())),
  applied: fc.nat(),
  takenAtMs: fc.nat(),
  ids: fc.record({ old: fc.array(fc.string()), young: fc.array(fc.string()) }),
  state: json,
})
const encode = async (snapshot: Snapshot): Promise<Buffer> => Buffer.from((await encodeSnapshot(snapshot, MAX)) ?? [])
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('what was written is read', () =>
  fc.assert(
    fc.asyncProperty(snapshots, async (snapshot) => {
      const read = await decodeSnapshot(await encode(snapshot), MAX)
      expect(read.ok && plain(read.snapshot)).toEqual(plain(snapshot))
    }),
  ))

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const damages = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: share, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: share }),
  fc.record({ kind: fc.constant('noise' as const), at: share, bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  fc.record({ kind: fc.constant('append' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
)
type Damage = typeof damages extends fc.Arbitrary<infer T> ? T : never
function apply(whole: Buffer, damage: Damage): Buffer {
  const bytes = Buffer.from(whole)
  if (damage.kind === 'append') return Buffer.concat([bytes, damage.bytes])
  const at = Math.floor(damage.at * bytes.byteLength)
  if (damage.kind === 'cut') return bytes.subarray(0, at)
  if (damage.kind === 'flip') bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << damage.bit), at)
  else bytes.set(damage.bytes.subarray(0, bytes.byteLength - at), at)
  return bytes
}

test('damaged bytes are never read as a snapshot', () =>
  fc.assert(
    fc.asyncProperty(snapshots, damages, async (snapshot, damage) => {
      const whole = await encode(snapshot)
      const bytes = apply(whole, damage)
      fc.pre(!bytes.equals(whole))
      expect((await decodeSnapshot(bytes, MAX)).ok).toBe(false)
    }),
    { numRuns: 500 },
  ))

test('any bytes at all are no snapshot, and never throw', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect((await decodeSnapshot(bytes, MAX)).ok).toBe(false)
    }),
  ))

const SAMPLE: Snapshot = {
  view: 'v',
  version: 1,
  on: null,
  positions: { titles: { 0: 3 } },
  applied: 3,
  takenAtMs: 5,
  ids: { old: [], young: ['a'] },
  state: 'x'.repeat(1_000),
}
const seal = (bytes: Buffer): Buffer => {
  const digest = new Bun.CryptoHasher('sha256').update(bytes.subarray(0, -32)).digest()
  return Buffer.concat([bytes.subarray(0, -32), digest])
}

test('a later format, and a body larger than is taken, are told apart from damage', async () => {
  const bytes = await encode(SAMPLE)
  bytes.writeUInt32BE(2, 8)
  expect(await decodeSnapshot(seal(bytes), MAX)).toEqual({
    ok: false,
    reason: 'expected format 1, got 2: another release wrote it',
  })
  const large = await decodeSnapshot(await encode(SAMPLE), 100)
  expect(!large.ok && large.reason).toContain('expected at most 100 (hubViewSnapshotBytesMax)')
  expect(await encodeSnapshot(SAMPLE, 100)).toBeNull()
})

test('what changes while it is written is not in it', async () => {
  const state = ['before']
  const writing = encodeSnapshot({ ...SAMPLE, state }, MAX)
  state[0] = 'after'
  const read = await decodeSnapshot((await writing) ?? new Uint8Array(0), MAX)
  expect(read.ok && read.snapshot.state).toEqual(['before'])
})
