import { afterEach, beforeEach, expect, test } from 'bun:test'
import { DEFAULT_LADDER } from '../../contracts/index.ts'
import { type Clock, DEFAULT_LIMITS } from '../../kernel/index.ts'
import type { Outcome } from './decide.ts'
import { createLeases, type Leases } from './leases.ts'
import { type Planned, plan } from './plan.ts'
import { type Task, URGENT_PRIORITY } from './task.ts'
import { createPlatform, type Platform } from './testing.ts'
import { type Committed, createTitles, type Titles } from './titles.ts'

let platform: Platform
let clock: Clock & { nowMs(): number }
let now: number
let titles: Titles
beforeEach(async () => {
  platform = await createPlatform()
  // Ahead of the planner's real clock, which stamps what it makes.
  now = Date.now() + 60_000
  clock = { nowMs: () => now, elapsedMs: () => now }
  titles = createTitles({ tables: platform.tables, source: 'test', clock })
})
afterEach(() => platform.close())

const leasesOf = (owner: string): Leases =>
  createLeases({ tables: platform.tables, owner, limits: DEFAULT_LIMITS, clock })

/** A 40 s film with sound, five chunks in two renditions. */
const planned = (): Planned => {
  const made = plan(
    {
      container: 'mov',
      startSeconds: 0,
      streamCount: 2,
      video: {
        index: 0,
        codec: 'h264',
        width: 640,
        height: 360,
        sampleAspect: 1,
        rotation: 0,
        interlaced: false,
        highDynamicRange: false,
        average: { numerator: 25, denominator: 1 },
        nominal: null,
        startSeconds: 0,
      },
      audio: [{ index: 1, codec: 'aac', channels: 2, language: 'en', isDefault: true, startSeconds: 0 }],
      captions: [],
      videoEndSeconds: 40,
      declaredEndSeconds: 40,
      endSeconds: 40,
    },
    [],
    { ladder: DEFAULT_LADDER, limits: DEFAULT_LIMITS },
  )
  if (!made.ok) throw new Error(made.reason)
  return made
}

const addTitle = async (name: string): Promise<string> => {
  const source = new URL(import.meta.url).pathname
  const titleId = await platform.upload(source)
  await platform.until(`the probe task of ${name}`, async () => (await titles.load(titleId)) !== null)
  return titleId
}

const only = (tasks: readonly Task[]): Task => {
  const [task] = tasks
  if (!task || tasks.length !== 1) throw new Error(`expected one task, got ${tasks.length}`)
  return task
}

const toPlanned = (): Outcome => ({ kind: 'planned', plan: planned().plan, recipe: planned().recipe })

test('a lease that ran out is taken over; what its first holder then reports does not count', async () => {
  const titleId = await addTitle('a film')
  const [one, two] = [leasesOf('one'), leasesOf('two')]
  const first = only(await one.claim(5, []))
  expect(await two.claim(5, [])).toEqual([])
  now += DEFAULT_LIMITS.taskLeaseMs - 1
  expect(await one.renew([first])).toEqual([])
  now += DEFAULT_LIMITS.taskLeaseMs - 1
  expect(await two.claim(5, [])).toEqual([])
  now += 2
  const second = only(await two.claim(5, []))
  expect([second.id, second.fence, second.attempts]).toEqual([first.id, first.fence + 1, 1])
  expect(await one.renew([first])).toEqual([first])
  expect((await titles.commit(first, toPlanned())).kind).toBe('lost')
  expect((await titles.load(titleId))?.plan).toBeNull()
  expect((await titles.commit(second, toPlanned())).kind).toBe('committed')
  // The answer to a commit may be lost; asked again, it still says that it counts.
  expect((await titles.commit(second, toPlanned())).kind).toBe('committed')
  await platform.until('the plan to be announced', () => platform.of(titleId, 'planned').length > 0)
  expect(platform.of(titleId, 'planned').length).toBe(1)
})

test('a worker that comes back under its name takes its old tasks over without waiting', async () => {
  await addTitle('a film')
  const before = only(await leasesOf('one').claim(5, []))
  const after = only(await leasesOf('one').claim(5, []))
  expect([after.id, after.fence]).toEqual([before.id, before.fence + 1])
  expect(await leasesOf('one').claim(5, [after])).toEqual([])
})

test('what is given back is there at once, no attempt counted; what failed waits', async () => {
  await addTitle('a film')
  const leases = leasesOf('one')
  const first = only(await leases.claim(1, []))
  await leases.release([first])
  const again = only(await leasesOf('two').claim(1, []))
  expect(again.attempts).toBe(0)
  await leases.retryLater(again, 1_000, true)
  expect(await leases.claim(1, [])).toEqual([])
  now += 1_001
  expect(only(await leases.claim(1, [])).attempts).toBe(1)
})

test('first what makes a title playable, titles in turn, and before all what a viewer waits for', async () => {
  const leases = leasesOf('one')
  const ids = [await addTitle('one'), await addTitle('two')]
  for (const probe of await leases.claim(2, [])) await titles.commit(probe, toPlanned())
  const held: Task[] = [...(await leases.claim(1, []))]
  const claimOne = async (): Promise<Task> => {
    const task = only(await leases.claim(1, held))
    held.push(task)
    return task
  }
  const rest = [await claimOne(), await claimOne(), await claimOne(), await claimOne(), await claimOne()]
  const kinds = [...held].map(({ kind, ordinal, input }) => `${kind} ${ordinal} ${input.renditions ?? ''}`)
  expect(kinds).toEqual(['video 0 v240', 'video 0 v240', 'audio 0 ', 'audio 0 ', 'video 1 v240', 'video 1 v240'])
  expect(
    new Set(
      rest
        .slice(0, 1)
        .concat(held.slice(0, 1))
        .map(({ titleId }) => titleId),
    ).size,
  ).toBe(2)

  const titleId = ids[1] ?? ''
  await platform.publish('tentpole.segment.wanted.v1', titleId, { titleId, track: 'v240', index: 17 })
  await platform.publish('tentpole.segment.wanted.v1', titleId, { titleId, track: 'v240', index: 18 })
  await platform.until('the wish to be heard', async () => {
    const rows = await platform.tables.query({ sql: 'SELECT id FROM media_tasks WHERE priority = 95' })
    return rows.length === 1
  })
  const wanted = await claimOne()
  expect([wanted.titleId, wanted.kind, wanted.input]).toEqual([
    titleId,
    'wanted',
    { track: 'v240', span: { firstSegment: 17, segments: 3 } },
  ])
  const soon = await platform.tables.query({
    sql: "SELECT kind, ordinal FROM media_tasks WHERE title_id = ? AND state = 'pending' AND priority = 70",
    parameters: [titleId],
  })
  expect(soon).toEqual([{ kind: 'video', ordinal: 4 }])
  // What is not urgent is not for the extra slots.
  expect(await leases.claim(5, held, URGENT_PRIORITY)).toEqual([])
})

const makeSegments = (track: string, first: number, count: number, attempt: string): Outcome => ({
  kind: 'segments',
  final: true,
  tracks: [
    {
      track,
      init: { objectKey: `init-${track}`, codec: 'avc1.640015' },
      segments: Array.from({ length: count }, (_, at) => ({
        index: first + at,
        objectKey: `${attempt}/${track}/${first + at}`,
        bytes: 1,
        start: 0,
        duration: 1,
      })),
    },
  ],
})

test('a wanted segment is made while its chunk is under way; what comes second is superseded; no wish after that', async () => {
  const titleId = await addTitle('a film')
  const leases = leasesOf('one')
  await titles.commit(only(await leases.claim(1, [])), toPlanned())
  const others = await leases.claim(100, [])
  const ladder = others.find(({ kind, ordinal }) => kind === 'video' && ordinal === 3)
  if (!ladder) throw new Error('expected the ladder of a chunk')
  const want = async (index: number): Promise<void> => {
    await platform.publish('tentpole.segment.wanted.v1', titleId, { titleId, track: 'v240', index })
  }
  await want(14)
  await platform.until('the wish to be heard', async () => (await wantedCount()) === 1)
  const wanted = only(await leases.claim(5, others, URGENT_PRIORITY))
  expect(wanted.input.span).toEqual({ firstSegment: 14, segments: 6 })
  expect(await titles.commit(wanted, makeSegments('v240', 14, 6, 'first'))).toEqual({
    kind: 'committed',
    superseded: [],
  })
  expect(await titles.commit(ladder, makeSegments('v240', 12, 4, 'second'))).toEqual({
    kind: 'committed',
    superseded: ['second/v240/14', 'second/v240/15'],
  })
  // Its answer lost, a commit is asked for again: what it made itself stays.
  expect(await titles.commit(ladder, makeSegments('v240', 12, 4, 'second'))).toMatchObject({ kind: 'committed' })
  const rows = await platform.tables.query({
    sql: "SELECT segment, object_key FROM media_segments WHERE title_id = ? AND track = 'v240' ORDER BY segment",
    parameters: [titleId],
  })
  expect(rows.map((row) => row['object_key'])).toEqual([
    'second/v240/12',
    'second/v240/13',
    ...[14, 15, 16, 17, 18, 19].map((index) => `first/v240/${index}`),
  ])
  await platform.until('the segments to be announced', () => platform.of(titleId, 'segments').length === 2)
  const announced = platform.of(titleId, 'segments').flatMap((event) => {
    if (event.type !== 'tentpole.title.segments.v1') return []
    return event.data.segments.map(({ index }) => index)
  })
  expect(announced).toEqual([14, 15, 16, 17, 18, 19, 12, 13])
  await want(14)
  await want(11)
  await platform.until('the second wish to be heard', async () => (await wantedCount()) === 2)
  expect(only(await leases.claim(5, others, URGENT_PRIORITY)).input.span).toEqual({ firstSegment: 11, segments: 1 })
})

const wantedCount = async (): Promise<number> =>
  (await platform.tables.query({ sql: "SELECT id FROM media_tasks WHERE kind = 'wanted'" })).length

test('two different initialisation segments of one track contradict each other', async () => {
  const titleId = await addTitle('a film')
  const leases = leasesOf('one')
  await titles.commit(only(await leases.claim(1, [])), toPlanned())
  const tasks = (await leases.claim(6, [])).filter(({ input }) => input.renditions?.includes('v240'))
  const report = (task: Task, init: string): Promise<Committed> =>
    titles.commit(task, {
      kind: 'segments',
      final: true,
      tracks: [
        {
          track: 'v240',
          init: { objectKey: init, codec: 'avc1.640015' },
          segments: [
            { index: 4 * task.ordinal, objectKey: `${titleId}/${task.ordinal}`, bytes: 1, start: 0, duration: 1 },
          ],
        },
      ],
    })
  const [first, second] = tasks
  if (!first || !second) throw new Error('expected two chunks')
  expect((await report(first, 'init-a')).kind).toBe('committed')
  expect(report(second, 'init-b')).rejects.toThrow(/contradict/)
  expect((await report(second, 'init-a')).kind).toBe('committed')
})
