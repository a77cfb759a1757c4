import { afterEach, expect, test } from 'bun:test'
import { openTestLog } from '../../../test/fixtures/log.ts'
import { createPublisher } from '../../hub/index.ts'
import { createId, DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { acceptSignals, createProgress, decideWatched, type Progress, type Signal, toResumeMs } from './index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const TITLE = '0123456789abcdef'
const HOUR_MS = 3_600_000
const title = { id: TITLE, durationMs: HOUR_MS }

async function open(limits = DEFAULT_LIMITS) {
  const { log, close } = await openTestLog()
  closers.push(close)
  const publisher = createPublisher({ log, source: 'test' })
  const watch = (): Progress => {
    const progress = createProgress({ log, logger: silentLogger, limits })
    closers.push(progress.close)
    return progress
  }
  const progress = watch()
  const send = async (viewerId: string, ...signals: Signal[]): Promise<void> => {
    await acceptSignals({ publisher, source: 'test' }, viewerId, signals)
    await progress.caughtUp()
  }
  return { progress, send, watch, log }
}
const signal = (positionMs: number, change: Partial<Signal> = {}): Signal => ({
  id: createId(),
  sessionId: 's1',
  titleId: TITLE,
  kind: 'progress',
  positionMs,
  ...change,
})

const resumes: readonly (readonly [string, number, boolean, number, number | null])[] = [
  ['the middle', 1_800_000, false, HOUR_MS, 1_800_000],
  ['the start', 0, false, HOUR_MS, null],
  ['the last 5% of a film', HOUR_MS * 0.95, false, HOUR_MS, null],
  ['just before the last 5%', HOUR_MS * 0.95 - 1, false, HOUR_MS, HOUR_MS * 0.95 - 1],
  ['the last 10 s of two minutes', 110_000, false, 120_000, null],
  ['before the last 10 s of two minutes', 109_999, false, 120_000, 109_999],
  ['most of a clip of 30 s', 26_999, false, 30_000, 26_999],
  ['the last tenth of a clip of 30 s', 27_000, false, 30_000, null],
  ['ended', 1_800_000, true, HOUR_MS, null],
]
test.each(resumes)('going on from %s', (_, positionMs, ended, durationMs, expected) => {
  expect(toResumeMs({ positionMs, ended }, durationMs)).toBe(expected)
})

test('started does not move a known position, and begins an unknown one', () => {
  const data = { sessionId: 's', viewerId: 'v', titleId: TITLE, positionMs: 0 } as const
  const before = { titleId: TITLE, positionMs: 900, ended: false }
  expect(decideWatched(before, { ...data, kind: 'started' })).toBe(before)
  expect(decideWatched(undefined, { ...data, kind: 'started' })).toEqual({ ...before, positionMs: 0 })
  expect(decideWatched(before, { ...data, kind: 'stalled', positionMs: 7 }).positionMs).toBe(7)
})

test('the last position counts, ended clears it, watching again brings it back', async () => {
  const { progress, send } = await open()
  await send('v1', signal(0, { kind: 'started' }), signal(10_000), signal(20_000))
  expect(progress.resumeMs('v1', title)).toBe(20_000)
  expect(progress.resumeMs('v2', title)).toBeNull()
  await send('v1', signal(HOUR_MS, { kind: 'ended' }))
  expect(progress.resumeMs('v1', title)).toBeNull()
  await send('v1', signal(5_000))
  expect(progress.resumeMs('v1', title)).toBe(5_000)
})

test('a batch sent again, late, moves nothing back', async () => {
  const { progress, send, watch } = await open()
  const old = [signal(10_000), signal(11_000)]
  await send('v1', ...old)
  await send('v1', signal(90_000))
  await send('v1', ...old)
  expect(progress.resumeMs('v1', title)).toBe(90_000)
  const rebuilt = watch()
  await rebuilt.caughtUp()
  expect(rebuilt.watched('v1')).toEqual(progress.watched('v1'))
})

test('one append for a batch, whatever its size', async () => {
  const { send, log } = await open()
  const batch = Array.from({ length: 50 }, (_, at) => signal(at))
  let appends = 0
  const append = log.append
  log.append = (topic, records) => {
    appends += 1
    return append(topic, records)
  }
  await send('v1', ...batch)
  expect(appends).toBe(1)
  expect(await log.bounds('signals')).toEqual({ 0: { first: 0, end: expect.any(Number) } })
  const records = await log.read({ topic: 'signals', from: 0, max: 100 })
  expect(records.map((record) => JSON.parse(Buffer.from(record.value).toString()).id)).toEqual(
    batch.map((each) => each.id),
  )
})

test('what was watched is newest first, and bounded in titles and viewers', async () => {
  const limits = { ...DEFAULT_LIMITS, progressTitlesPerViewerMax: 2, progressViewersMax: 2 }
  const { progress, send } = await open(limits)
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(16)) as [string, string, string]
  await send('v1', signal(1, { titleId: a }), signal(1, { titleId: b }), signal(2, { titleId: a }))
  expect(progress.watched('v1').map((each) => each.titleId)).toEqual([a, b])
  await send('v1', signal(3, { titleId: c }))
  expect(progress.watched('v1').map((each) => each.titleId)).toEqual([c, a])
  await send('v2', signal(1))
  await send('v3', signal(1))
  expect(['v1', 'v2', 'v3'].map((viewer) => progress.watched(viewer).length)).toEqual([0, 1, 1])
})
