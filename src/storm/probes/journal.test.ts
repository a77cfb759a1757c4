import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { openTestLog } from '../../../test/fixtures/log.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { encodeEvent, toEvent } from '../../hub/index.ts'
import { createId, Fault } from '../../kernel/index.ts'
import type { ViewerNote } from '../viewer/protocol.ts'
import { checkJournal, createJournal } from './journal.ts'

const TITLE = '0123456789abcdef'
const SETTLE_MS = 600

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function openLog(): Promise<LogPort> {
  const { log, close } = await openTestLog()
  closers.push(close)
  return log
}

const session = (viewerId: string, sessionId: string) => ({
  topic: 'sessions',
  value: encodeEvent(
    toEvent(
      'tentpole.playback.started.v1',
      sessionId,
      { sessionId, viewerId, titleId: TITLE, country: 'DE', tier: 'free', platform: 'web', cell: 'a' },
      { source: 'cell-a', id: sessionId },
    ),
  ),
})
const signal = (viewerId: string, sessionId: string, id: string) => ({
  topic: 'signals',
  value: encodeEvent(
    toEvent(
      'tentpole.playback.signal.v1',
      viewerId,
      { sessionId, viewerId, titleId: TITLE, kind: 'progress', positionMs: 1 },
      { source: 'cell-a', id },
    ),
  ),
})
type OnLog = ReturnType<typeof session>

async function put(log: LogPort, events: readonly OnLog[]): Promise<void> {
  for (const { topic, value } of events) await log.append(topic, [{ key: 'k', value }])
}

/** `v` a viewer, `s` its session, `a` to `c` signals of it; `x` someone else's. */
const id = { v: createId(), s: createId(), t: createId(), a: createId(), b: createId(), c: createId(), x: createId() }
const played: ViewerNote[] = [
  { type: 'playback-sent', viewerId: id.v },
  { type: 'playback-acknowledged', viewerId: id.v, sessionId: id.s },
]
const signalled: ViewerNote[] = [
  { type: 'signals-sent', ids: [id.a, id.b] },
  { type: 'signals-acknowledged', ids: [id.a, id.b] },
]
const all = [session(id.v, id.s), signal(id.v, id.s, id.a), signal(id.v, id.s, id.b)]
const clean = { acknowledged: 3, lost: 0, doubled: 0, redelivered: 0, notChecked: null }

describe('the journal finds', () => {
  const cases: [string, ViewerNote[], OnLog[], Partial<typeof clean>][] = [
    ['nothing when all is there', [...played, ...signalled], all, {}],
    ['a lost session', [...played, ...signalled], all.slice(1), { lost: 1 }],
    ['a lost signal', [...played, ...signalled], all.slice(0, 2), { lost: 1 }],
    ['a redelivery, which is none of the two', [...played, ...signalled], [...all, ...all], { redelivered: 3 }],
    ['a session nobody asked for', [...played, ...signalled], [...all, session(id.v, id.t)], { doubled: 1 }],
    ['a signal nobody sent', [...played, ...signalled], [...all, signal(id.v, id.s, id.c)], { doubled: 1 }],
    [
      'a signal nobody sent, under a stranger in a session of its own',
      [...played, ...signalled],
      [...all, signal(id.x, id.s, id.c)],
      { doubled: 1 },
    ],
    [
      'nothing in what strangers do',
      [...played, ...signalled],
      [...all, session(id.x, id.t), signal(id.x, id.t, id.c)],
      {},
    ],
    [
      'nothing in a playback whose answer was lost and that was tried again',
      [{ type: 'playback-sent', viewerId: id.v }, ...played, ...signalled],
      [session(id.v, id.t), ...all],
      {},
    ],
    [
      'nothing in signals that were sent and never acknowledged, there or not',
      [...played, ...signalled, { type: 'signals-sent', ids: [id.c, id.x] }],
      [...all, signal(id.v, id.s, id.c)],
      {},
    ],
    [
      'a lost event in one that no reader understands',
      [...played, ...signalled],
      [...all.slice(0, 2), { topic: 'signals', value: Buffer.from(`{"id":"${id.b}"}`) }],
      { lost: 1 },
    ],
  ]
  test.each(cases)('%s', async (_, notes, events, expected) => {
    const log = await openLog()
    // What was there before is not the storm's.
    await put(log, [session(id.v, id.c), signal(id.v, id.c, id.x)])
    const journal = createJournal()
    await journal.begin(log)
    for (const note of notes) journal.note(note)
    await put(log, events)
    expect(await checkJournal({ journal, log, settleMs: 0 })).toEqual({ ...clean, ...expected })
  })

  test('the same as a plain model does, whatever happened', async () => {
    const step = fc.record({
      viewer: fc.nat(4),
      kind: fc.constantFrom<'session' | 'signal'>('session', 'signal'),
      sent: fc.boolean(),
      acknowledged: fc.boolean(),
      copies: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { log, close } = await openTestLog()
        const journal = createJournal()
        await journal.begin(log)
        const viewers = Array.from({ length: 5 }, () => createId())
        for (const viewerId of viewers) journal.note({ type: 'playback-sent', viewerId })
        const surplus = new Map(viewers.map((viewer) => [viewer, -1]))
        const expected = { acknowledged: 0, lost: 0, doubled: 0, redelivered: 0, notChecked: null }
        for (const { viewer, kind, sent, acknowledged, copies } of steps) {
          const viewerId = viewers[viewer] ?? ''
          const eventId = createId()
          const isSession = kind === 'session'
          if (sent && isSession) {
            journal.note({ type: 'playback-sent', viewerId })
            surplus.set(viewerId, (surplus.get(viewerId) ?? 0) - 1)
          } else if (sent) journal.note({ type: 'signals-sent', ids: [eventId] })
          if (sent && acknowledged) {
            if (isSession) journal.note({ type: 'playback-acknowledged', viewerId, sessionId: eventId })
            else journal.note({ type: 'signals-acknowledged', ids: [eventId] })
            expected.acknowledged += 1
            if (copies === 0) expected.lost += 1
          }
          if (copies > 0 && isSession) surplus.set(viewerId, (surplus.get(viewerId) ?? 0) + 1)
          if (copies > 0 && !isSession && !sent) expected.doubled += 1
          expected.redelivered += Math.max(0, copies - 1)
          const event = isSession ? session(viewerId, eventId) : signal(viewerId, id.s, eventId)
          await put(log, Array(copies).fill(event))
        }
        for (const over of surplus.values()) expected.doubled += Math.max(0, over)
        expect(await checkJournal({ journal, log, settleMs: 0 })).toEqual(expected)
        await close()
      }),
      { numRuns: 25 },
    )
  })

  test('each of 200,000 ids again, in less than 100 bytes for each', () => {
    const journal = createJournal()
    const ids = Array.from({ length: 200_000 }, () => createId())
    Bun.gc(true)
    const before = process.memoryUsage().arrayBuffers
    for (let at = 0; at < ids.length; at += 50) {
      journal.note({ type: 'signals-sent', ids: ids.slice(at, at + 50) })
      journal.note({ type: 'signals-acknowledged', ids: ids.slice(at, at + 50) })
    }
    Bun.gc(true)
    expect((process.memoryUsage().arrayBuffers - before) / ids.length).toBeLessThan(100)
    expect(journal.acknowledged()).toBe(ids.length)
    expect(journal.tally().lost()).toBe(ids.length)
  })
})

describe('a log', () => {
  test('that is behind is waited for', async () => {
    const log = await openLog()
    const journal = createJournal()
    await journal.begin(log)
    for (const note of [...played, ...signalled]) journal.note(note)
    const checking = checkJournal({ journal, log, settleMs: 20_000 })
    await put(log, all)
    expect(await checking).toEqual(clean)
  })

  test('that fails for a moment is asked again from where it failed', async () => {
    const log = await openLog()
    const journal = createJournal()
    await journal.begin(log)
    for (const note of [...played, ...signalled]) journal.note(note)
    await put(log, all)
    let failures = 2
    const shaky: LogPort = {
      ...log,
      async read(options) {
        if (options.topic === 'signals' && failures-- > 0) throw new Fault('log-unavailable', 'the store is away')
        return await log.read(options)
      },
    }
    expect(await checkJournal({ journal, log: shaky, settleMs: 20_000 })).toEqual(clean)
  })

  const broken = (log: LogPort, part: Partial<LogPort>): LogPort => ({ ...log, ...part })
  const away = async (): Promise<never> => {
    throw new Fault('log-unavailable', 'the store is away')
  }
  test.each([
    ['that stays away', (log: LogPort) => broken(log, { read: away }), 'the store is away'],
    ['whose bounds stay away', (log: LogPort) => broken(log, { bounds: away }), 'the store is away'],
    [
      'that was trimmed',
      (log: LogPort) =>
        broken(log, { bounds: async () => ({ 0: { first: 9, end: 12 } }), read: ({ topic }) => readFrom9(topic) }),
      'the log begins at 9',
    ],
  ])('%s is not judged', async (_, spoil, why) => {
    const log = await openLog()
    const journal = createJournal()
    await journal.begin(log)
    for (const note of [...played, ...signalled]) journal.note(note)
    await put(log, all)
    const result = await checkJournal({ journal, log: spoil(log), settleMs: SETTLE_MS })
    expect(result).toMatchObject({ acknowledged: 3, lost: 0, doubled: 0 })
    expect(result.notChecked).toContain(why)
  })

  test('with damage has lost what is in it, and is read on behind it', async () => {
    const log = await openLog()
    const journal = createJournal()
    await journal.begin(log)
    for (const note of [...played, ...signalled]) journal.note(note)
    await put(log, all)
    const damaged = broken(log, {
      async read(options) {
        if (options.topic === 'signals' && options.from === 0)
          throw new Fault('log-damaged', 'lost', { detail: { from: 0, to: 1 } })
        return await log.read(options)
      },
    })
    expect(await checkJournal({ journal, log: damaged, settleMs: 0 })).toEqual({ ...clean, lost: 1 })
  })

  test('that could not be asked before the storm is not judged', async () => {
    const log = await openLog()
    const journal = createJournal()
    await journal.begin(broken(log, { bounds: away }))
    expect((await checkJournal({ journal, log, settleMs: 0 })).notChecked).toContain('before the storm')
  })
})

async function readFrom9(topic: string): Promise<Awaited<ReturnType<LogPort['read']>>> {
  return [{ topic, partition: 0, offset: 9, appendedAtMs: 0, key: 'k', headers: {}, value: Buffer.from('{}') }]
}
