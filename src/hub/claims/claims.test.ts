import { afterEach, expect, test } from 'bun:test'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { Fault, faultCode, silentLogger, systemClock } from '../../kernel/index.ts'
import { type Claim, claimOf, findRefs, isClaimRef, parseClaimHeader, toClaimHeader } from './claim.ts'
import { type Claims, createClaims } from './claims.ts'
import { type ClaimBed, claimStates, drain, newDirectory, openClaimBed, streamOf, TEST_LIMITS } from './testing.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const OPTIONS = { bytesMax: 1_000_000, eventId: 'e1' }

async function open(
  change: { objects?: Partial<ObjectsPort>; tables?: Partial<TablesPort>; graceMs?: number } = {},
): Promise<ClaimBed & { claims: Claims }> {
  const { directory, remove } = newDirectory()
  const bed = await openClaimBed(directory)
  closers.push(remove, bed.close)
  const claims = createClaims({
    objects: { ...bed.objects, ...change.objects },
    tables: { ...bed.tables, ...change.tables },
    limits: { hubClaimGraceMs: change.graceMs ?? TEST_LIMITS.hubClaimGraceMs },
    clock: systemClock,
    logger: silentLogger,
  })
  return { ...bed, claims }
}

async function expectNothingLeft({ objects, tables }: ClaimBed): Promise<void> {
  expect(await objects.list('')).toEqual([])
  expect(await claimStates(tables)).toEqual({})
}

const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'resolved', faultCode)

test('whatever is put comes back the same, by value and as a stream, whichever way it came in', async () => {
  const { claims, tables } = await open()
  const cases = fc.asyncProperty(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.integer({ min: 1, max: 999 }),
    async (bytes, chunkBytes) => {
      const whole = await claims.put(bytes, OPTIONS)
      const streamed = await claims.put(streamOf(bytes, chunkBytes), OPTIONS)
      expect({ ...whole, ref: streamed.ref }).toEqual(streamed)
      expect(whole.size).toBe(bytes.byteLength)
      for (const claim of [whole, streamed]) {
        expect(Buffer.from(await claims.bytes(claim, 3_000))).toEqual(Buffer.from(bytes))
        expect(await drain(await claims.stream(claim))).toEqual(Buffer.from(bytes))
      }
    },
  )
  await fc.assert(cases, { numRuns: 15 })
  expect(new Set(Object.values(await claimStates(tables)))).toEqual(new Set(['written']))
})

test('the digest is SHA-256, and the key says the day', async () => {
  const { claims } = await open()
  const claim = await claims.put(Buffer.from('abc'), OPTIONS)
  expect(claim.digest).toBe('sha-256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(claim.ref).toStartWith(`claims/${new Date().toISOString().slice(0, 10)}/`)
  expect(isClaimRef(claim.ref)).toBe(true)
})

test.each([
  ['bytes', () => new Uint8Array(1_001)],
  ['a stream', () => streamOf(new Uint8Array(1_001), 100)],
] as const)('%s over the limit: payload-too-large, nothing left behind', async (_, body) => {
  const bed = await open()
  expect(await codeOf(bed.claims.put(body(), { bytesMax: 1_000, eventId: 'e' }))).toBe('payload-too-large')
  await expectNothingLeft(bed)
  expect((await bed.claims.put(streamOf(new Uint8Array(1_000), 100), { bytesMax: 1_000, eventId: 'e' })).size).toBe(
    1_000,
  )
})

test('a stream over the limit is not read on', async () => {
  const { claims } = await open()
  let [pulled, cancelled] = [0, false]
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1
      controller.enqueue(new Uint8Array(100))
    },
    cancel() {
      cancelled = true
    },
  })
  expect(await codeOf(claims.put(endless, { bytesMax: 1_000, eventId: 'e' }))).toBe('payload-too-large')
  expect(cancelled).toBe(true)
  expect(pulled).toBeLessThan(15)
})

test.each(['payload-too-large', 'body-silent'])(
  'a source that breaks off with the Fault %s: that is it',
  async (code) => {
    const { claims } = await open()
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Fault(code, 'because'))
      },
    })
    expect(await codeOf(claims.put(broken, OPTIONS))).toBe(code)
  },
)

test('a source that breaks off: payload-interrupted, nothing left behind', async () => {
  const bed = await open()
  let at = 0
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at++ < 3) controller.enqueue(new Uint8Array(10))
      else controller.error(new Error('connection reset'))
    },
  })
  expect(await codeOf(bed.claims.put(broken, OPTIONS))).toBe('payload-interrupted')
  await expectNothingLeft(bed)
})

test('a source that says nothing for half the grace: claim-expired, it is told, nothing left behind', async () => {
  const bed = await open({ graceMs: 60 })
  let cancelled = false
  const silent = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel() {
      cancelled = true
    },
  })
  expect(await codeOf(bed.claims.put(silent, OPTIONS))).toBe('claim-expired')
  expect(cancelled).toBe(true)
  await expectNothingLeft(bed)
})

test('objects are full: its code passes, the source is told, no row is left', async () => {
  const full = async (): Promise<never> => {
    throw new Fault('objects-full', 'no room')
  }
  const bed = await open({ objects: { put: full } })
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true
    },
  })
  expect(await codeOf(bed.claims.put(body, OPTIONS))).toBe('objects-full')
  expect(await codeOf(bed.claims.put(new Uint8Array(1), OPTIONS))).toBe('objects-full')
  expect(cancelled).toBe(true)
  await expectNothingLeft(bed)
})

test('tables away: nothing is written, and the source is told', async () => {
  const away = async (): Promise<never> => {
    throw new Fault('tables-unavailable', 'away')
  }
  const bed = await open({ tables: { batch: away } })
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true
    },
  })
  expect(await codeOf(bed.claims.put(body, OPTIONS))).toBe('tables-unavailable')
  expect(cancelled).toBe(true)
  await expectNothingLeft(bed)
})

const damages: readonly (readonly [string, (bytes: Buffer) => Uint8Array])[] = [
  ['a flipped bit', (bytes) => Buffer.from(bytes).fill((bytes[500] ?? 0) ^ 1, 500, 501)],
  ['a cut tail', (bytes) => bytes.subarray(0, -1)],
  ['one byte more', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
  ['nothing left', () => new Uint8Array(0)],
]
test.each(damages)('%s: claim-damaged, by value and as a stream', async (_, damage) => {
  const { claims, directory } = await open()
  const bytes = Buffer.alloc(300_000, 'tentpole')
  const claim = await claims.put(bytes, OPTIONS)
  const path = join(directory, 'objects', 'data', `${claim.ref}~`)
  chmodSync(path, 0o600)
  writeFileSync(path, damage(bytes))
  expect(await codeOf(claims.bytes(claim, 1_000_000))).toBe('claim-damaged')
  expect(await codeOf(claims.stream(claim).then(drain))).toBe('claim-damaged')
})

test('what is not there is claim-missing, and no object but a claim is ever read', async () => {
  const { claims, objects } = await open()
  await objects.put('titles/film', Buffer.from('a film'))
  const claim = await claims.put(Buffer.from('a film'), OPTIONS)
  const foreign: Claim = { ...claim, ref: 'titles/film' }
  for (const missing of [
    foreign,
    { ...claim, ref: `${claim.ref.slice(0, -1)}_` },
    { ...claim, ref: 'claims/../titles/film' },
  ]) {
    expect(await codeOf(claims.bytes(missing, 100))).toBe('claim-missing')
    expect(await codeOf(claims.stream(missing))).toBe('claim-missing')
    expect(await claims.unchecked(missing.ref)).toBeNull()
  }
  expect(await codeOf(claims.bytes(claim, 5))).toBe('payload-too-large')
  const passed = await claims.unchecked(claim.ref)
  expect(passed?.size).toBe(6)
  expect(String(await drain(passed?.body ?? new ReadableStream()))).toBe('a film')
})

test('what is referenced is never removed; what is discarded is gone; both may be repeated', async () => {
  const { claims, objects, tables } = await open()
  const kept = await claims.put(Buffer.from('kept'), OPTIONS)
  const gone = await claims.put(Buffer.from('gone'), OPTIONS)
  expect(await claims.reference([kept, kept])).toBe(true)
  for (let time = 0; time < 2; time++) await claims.discard([kept, gone])
  expect(await objects.list('claims/')).toEqual([kept.ref])
  expect(await claimStates(tables)).toEqual({ [kept.ref]: 'referenced' })
  expect(await claims.reference([kept])).toBe(true)
  expect(await claims.reference([kept, gone])).toBe(false)
})

test('a claim survives its header; anything else in a header is claim-invalid', () => {
  const claim: Claim = { ref: 'claims/2026-03-01/0123456789abcdef', size: 3, digest: `sha-256=${'a'.repeat(64)}` }
  expect(parseClaimHeader(toClaimHeader(claim))).toEqual(claim)
  expect(claimOf({ id: 'e', dataref: claim.ref, datasize: 3, datadigest: claim.digest })).toEqual(claim)
  expect(claimOf({ id: 'e' })).toBeNull()
  expect(() => claimOf({ id: 'e', dataref: claim.ref })).toThrow('attributes of event e')
  const refuses = (text: string): void => {
    try {
      expect(parseClaimHeader(text)).toEqual(claim)
    } catch (error) {
      expect(faultCode(error)).toBe('claim-invalid')
    }
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), refuses))
  for (const wrong of [
    { ref: 'titles/x' },
    { size: -1 },
    { size: 1.5 },
    { digest: 'md5=1' },
    { ref: `${claim.ref}/..` },
  ])
    refuses(JSON.stringify({ ...claim, ...wrong }))
})

test('references are found wherever they are in a text', () => {
  const [one, two] = ['claims/2026-03-01/0123456789abcdef', 'claims/2026-12-31/zzzzzzzzzzzzzzzz']
  expect(findRefs(`{"dataref":"${one}","x":["${two}"]}claims/2026-03-01/short`)).toEqual([one, two])
})
