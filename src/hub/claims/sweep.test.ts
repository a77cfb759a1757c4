import { afterEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault, silentLogger } from '../../kernel/index.ts'
import type { Claim } from './claim.ts'
import { CLAIM_HEADER, toClaimHeader } from './claim.ts'
import { type Claims, createClaims } from './claims.ts'
import { createClaimSweep, type SweepReport } from './sweep.ts'
import { createClaimSweeper } from './sweeper.ts'
import {
  type ClaimBed,
  claimStates,
  createManualClock,
  findDangling,
  type ManualClock,
  newDirectory,
  openClaimBed,
  TEST_LIMITS,
} from './testing.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const TOPICS = ['orders', 'raw', 'trimmed'] as const
const GRACE_MS = TEST_LIMITS.hubClaimGraceMs

type SweepBed = ClaimBed & {
  claims: Claims
  clock: ManualClock
  sweep(): Promise<SweepReport>
  newSweep(): () => Promise<SweepReport>
}

async function open(limits = TEST_LIMITS): Promise<SweepBed> {
  const { directory, remove } = newDirectory()
  const bed = await openClaimBed(directory, limits)
  closers.push(remove, bed.close)
  const clock = createManualClock()
  const options = { ...bed, limits, clock, logger: silentLogger }
  const { signal } = new AbortController()
  const newSweep = (): (() => Promise<SweepReport>) => {
    const sweep = createClaimSweep({ ...options, topics: () => TOPICS })
    return () => sweep(signal)
  }
  return { ...bed, clock, claims: createClaims(options), newSweep, sweep: newSweep() }
}

const put = (claims: Claims, text: string): Promise<Claim> =>
  claims.put(Buffer.from(text), { bytesMax: 1_000, eventId: text })
const eventBytes = (claim: Claim): Uint8Array => Buffer.from(JSON.stringify({ specversion: '1.0', dataref: claim.ref }))

/** Sees the rows, lets the grace pass, and sweeps. */
async function sweepOld({ sweep, clock }: Pick<SweepBed, 'sweep' | 'clock'>): Promise<SweepReport> {
  await sweep()
  clock.advance(GRACE_MS)
  return sweep()
}

test('an orphan goes after the grace, what an event or a record on the log refers to stays', async () => {
  const bed = await open()
  const { claims, log, objects, tables, clock, sweep } = bed
  const [orphan, ofEvent, ofRecord] = [await put(claims, 'a'), await put(claims, 'b'), await put(claims, 'c')]
  await log.append('orders', [{ key: 'k', value: eventBytes(ofEvent) }])
  await log.append('raw', [
    { key: 'k', value: new Uint8Array(0), headers: { [CLAIM_HEADER]: toClaimHeader(ofRecord) } },
  ])
  await sweep()
  clock.advance(GRACE_MS - 1)
  expect(await sweep()).toEqual({ removed: [], waiting: 3 })
  clock.advance(1)
  // The two were found meanwhile.
  expect(await sweep()).toEqual({ removed: [orphan.ref], waiting: 0 })
  expect(await objects.list('claims/')).toEqual([ofEvent.ref, ofRecord.ref].sort())
  expect(await claimStates(tables)).toEqual({ [ofEvent.ref]: 'referenced', [ofRecord.ref]: 'referenced' })
})

test('what comes onto the log after a search is found by the next one', async () => {
  const bed = await open()
  const { claims, log, clock, sweep } = bed
  const [first, second] = [await put(claims, 'a'), await put(claims, 'b')]
  await sweep()
  clock.advance(GRACE_MS)
  await log.append('orders', [{ key: 'k', value: eventBytes(first) }])
  const young = await put(claims, 'young')
  expect((await sweep()).removed).toEqual([second.ref])
  await log.append('orders', [{ key: 'k', value: eventBytes(young) }])
  clock.advance(GRACE_MS)
  expect((await sweep()).removed).toEqual([])
  expect((await findDangling(bed, TOPICS)).dangling).toEqual([])
})

test('outbox rows, parked events and dead letters keep what they name', async () => {
  const bed = await open()
  const { claims, tables, objects } = bed
  const [waiting, parked, dead, orphan] = [
    await put(claims, 'a'),
    await put(claims, 'b'),
    await put(claims, 'c'),
    await put(claims, 'd'),
  ]
  const inserted = await tables.batch([
    {
      sql: 'INSERT INTO hub_outbox (position, event_id, topic, event_key, event) VALUES (?, ?, ?, ?, ?)',
      parameters: [1, 'e', 'orders', 'k', Buffer.from(eventBytes(waiting)).toString()],
    },
    {
      sql: `INSERT INTO hub_parked (subscription, generation, delivery_id, seq, event_key, topic, partition_number, event_offset,
        attempts, appended_at_ms, aged_from_ms, claim_ref, event) VALUES ('s', 1, 'd', 1, 'k', 'orders', 0, 0, 1, 0, 0, ?, '{}')`,
      parameters: [parked.ref],
    },
    {
      sql: `INSERT INTO hub_dead_letters (id, kind, name, event_key, topic, partition_number, event_offset, code, reason,
        attempts, bytes, first_failed_at_ms, dead_at_ms, state, headers, claim_ref, appended_at_ms)
        VALUES ('l', 'pipe', 'p', 'k', 'orders', 0, 0, 'c', 'r', 1, 0, 0, 0, 'open', '{}', ?, 0)`,
      parameters: [dead.ref],
    },
  ])
  expect(inserted).toMatchObject({ ok: true })
  expect((await sweepOld(bed)).removed).toEqual([orphan.ref])
  expect(await objects.list('claims/')).toEqual([waiting.ref, parked.ref, dead.ref].sort())
})

test('records trimmed before they were searched: what they may have referred to is kept', async () => {
  const limits = { ...TEST_LIMITS, logSegmentBytes: 10_000, logRetentionBytes: 20_000 }
  const bed = await open(limits)
  const { claims, log, objects } = bed
  const claim = await put(claims, 'a')
  await log.append('trimmed', [{ key: 'k', value: eventBytes(claim) }])
  for (let count = 0; count < 20; count++) await log.append('trimmed', [{ key: 'k', value: new Uint8Array(5_000) }])
  expect((await log.bounds('trimmed'))[0]?.first).toBeGreaterThan(0)
  expect((await sweepOld(bed)).removed).toEqual([])
  expect(await objects.list('claims/')).toEqual([claim.ref])
  const orphan = await put(claims, 'b')
  expect((await sweepOld(bed)).removed).toEqual([orphan.ref])
})

test('on a topic that forgets more within the grace than it keeps an orphan goes all the same, and what is referred to stays', async () => {
  const limits = { ...TEST_LIMITS, logSegmentBytes: 2_000, logRetentionBytes: 10_000 }
  const bed = await open(limits)
  const { claims, log, objects, clock, sweep } = bed
  const fill = async (): Promise<void> => {
    for (let count = 0; count < 5; count++) await log.append('trimmed', [{ key: 'k', value: new Uint8Array(1_000) }])
  }
  await fill()
  for (let at = 0; at < 3; at++) await sweep()
  const [kept, orphan] = [await put(claims, 'kept'), await put(claims, 'orphan')]
  await log.append('trimmed', [{ key: 'k', value: eventBytes(kept) }])
  const removed: string[] = []
  for (let atMs = 0; atMs <= 2 * GRACE_MS; atMs += GRACE_MS / 5) {
    removed.push(...(await sweep()).removed)
    await fill()
    clock.advance(GRACE_MS / 5)
  }
  expect((await log.bounds('trimmed'))[0]?.first).toBeGreaterThan(20)
  expect(removed).toEqual([orphan.ref])
  expect(await objects.list('claims/')).toEqual([kept.ref])
})

test('one object that cannot be deleted keeps no other, and is tried again', async () => {
  const bed = await open()
  const { claims, objects, clock, tables } = bed
  const refs = [await put(claims, 'a'), await put(claims, 'b'), await put(claims, 'c')].map(({ ref }) => ref)
  let stuck: string | undefined = refs[1]
  const stubborn: ClaimBed['objects'] = {
    ...objects,
    async delete(key) {
      if (key === stuck) throw new Fault('objects-unavailable', `object ${key} could not be deleted`)
      await objects.delete(key)
    },
  }
  const sweep = createClaimSweep({
    ...bed,
    objects: stubborn,
    limits: TEST_LIMITS,
    logger: silentLogger,
    topics: () => TOPICS,
  })
  const { signal } = new AbortController()
  await sweep(signal)
  clock.advance(GRACE_MS)
  expect([...(await sweep(signal)).removed].sort()).toEqual(refs.filter((ref) => ref !== stuck).sort())
  expect(await claimStates(tables)).toEqual({ [refs[1] ?? '']: 'condemned' })
  const late = await put(claims, 'd')
  await sweep(signal)
  clock.advance(GRACE_MS)
  expect((await sweep(signal)).removed).toEqual([late.ref])
  stuck = undefined
  await sweep(signal)
  expect(await objects.list('claims/')).toEqual([])
  expect(await claimStates(tables)).toEqual({})
})

test('a sweep that was broken off while removing is finished by the next, another process’s too', async () => {
  const bed = await open()
  const { claims, objects, tables, newSweep } = bed
  const claim = await put(claims, 'a')
  await tables.batch([{ sql: "UPDATE hub_claims SET state = 'condemned'" }])
  expect(await claims.reference([claim])).toBe(false)
  await newSweep()()
  expect(await objects.list('claims/')).toEqual([])
  expect(await claimStates(tables)).toEqual({})
})

test('a closed sweeper sweeps no more, and one that runs removes by itself', async () => {
  const bed = await open()
  const { claims, objects, clock } = bed
  await put(claims, 'a')
  const limits = { ...TEST_LIMITS, hubClaimSweepMs: 5 }
  const sweeper = createClaimSweeper({ ...bed, topics: () => TOPICS, limits, clock, logger: silentLogger })
  const deadlineMs = performance.now() + 5_000
  while ((await objects.list('claims/')).length > 0 && performance.now() < deadlineMs) {
    clock.advance(GRACE_MS)
    await Bun.sleep(2)
  }
  expect(await objects.list('claims/')).toEqual([])
  await sweeper.close()
  await put(claims, 'b')
  clock.advance(GRACE_MS * 3)
  await Bun.sleep(30)
  expect(await objects.list('claims/')).toHaveLength(1)
})

/** What publishers, the relay and two sweepers may do, in any order; a publisher appends within half the grace or never. */
type Step =
  | { readonly kind: 'put' | 'sweep' | 'sweep-other' | 'restart' }
  | { readonly kind: 'append' | 'confirm' | 'discard'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number }

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: 'put' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('append' as const), pick: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('confirm' as const, 'discard' as const), pick: fc.nat() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('sweep' as const, 'sweep-other' as const, 'restart' as const) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1_000, GRACE_MS / 2, GRACE_MS) }),
  },
)

test('whatever happens in whatever order: no reference dangles, and every orphan goes in the end', async () => {
  const property = fc.asyncProperty(fc.array(stepArbitrary, { minLength: 5, maxLength: 30 }), async (steps) => {
    const bed = await open()
    const { claims, log, clock, objects, newSweep } = bed
    let [sweep, other] = [bed.sweep, newSweep()]
    const made: { claim: Claim; atMs: number; state: 'made' | 'appended' | 'discarded' }[] = []
    const acts: { readonly [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => unknown } = {
      put: async () => made.push({ claim: await put(claims, 'x'), atMs: clock.elapsedMs(), state: 'made' }),
      wait: ({ ms }) => clock.advance(ms),
      sweep: () => sweep(),
      'sweep-other': () => other(),
      restart: () => {
        sweep = other
        other = newSweep()
      },
      append: async ({ pick }) => {
        const fresh = made.filter(({ state, atMs }) => state === 'made' && clock.elapsedMs() - atMs <= GRACE_MS / 2)
        const one = fresh[pick % Math.max(1, fresh.length)]
        if (!one) return
        await log.append(TOPICS[pick % 2] ?? 'orders', [{ key: 'k', value: eventBytes(one.claim) }])
        one.state = 'appended'
      },
      confirm: async ({ pick }) => {
        const appended = made.filter(({ state }) => state === 'appended')
        const one = appended[pick % Math.max(1, appended.length)]
        if (one) await claims.confirm([one.claim])
      },
      discard: async ({ pick }) => {
        const idle = made.filter(({ state }) => state === 'made')
        const one = idle[pick % Math.max(1, idle.length)]
        if (!one) return
        await claims.discard([one.claim])
        one.state = 'discarded'
      },
    }
    const act = <K extends Step['kind']>(step: Extract<Step, { kind: K }>): unknown => acts[step.kind as K](step)
    for (const step of steps) {
      await act(step)
      expect((await findDangling(bed, TOPICS)).dangling).toEqual([])
    }
    await sweepOld({ sweep: newSweep(), clock })
    const { refs, dangling } = await findDangling(bed, TOPICS)
    expect({ dangling, objects: [...(await objects.list('claims/'))] }).toEqual({
      dangling: [],
      objects: [...refs].sort(),
    })
    for (const close of closers.splice(0).reverse()) await close()
  })
  await fc.assert(property, { numRuns: 12 })
}, 30_000)
