import { expect, test } from 'bun:test'
import type { SubscriptionView } from '../../../src/contracts/index.ts'
import { decidePolled } from '../shell/use-polled.ts'
import { FIRST_FLOW, FIRST_LETTERS, flowPath, lettersPath, parseFlowView, parseLettersView } from './address.ts'
import { formatLatency, layOut, nameTopics, ROWS_MAX, selectSubscriptions, sumFlow, toneOf, toVisible } from './view.ts'

const view = (name: string, more: Partial<SubscriptionView> = {}): SubscriptionView => ({
  ...{ name, owner: null, kind: 'stream', pattern: { type: ['a'] }, target: 'stream', state: 'active', detail: null },
  ...{ lagRecords: 0, parked: 0, parkedKeys: 0, deadLetters: 0, delivered: 0, failed: 0, deliveredPerSecond: 0 },
  ...{ failedPerSecond: 0, latencyP50Ms: null, latencyP99Ms: null, lastError: null },
  ...more,
})
const names = (all: readonly SubscriptionView[], more = {}): string =>
  selectSubscriptions(all, { ...FIRST_FLOW, ...more })
    .rows.map(({ name }) => name)
    .join(' ')

test('amber before red', () => {
  expect(toneOf(view('a'))).toBe('good')
  expect(toneOf(view('a', { state: 'waiting' }))).toBe('warn')
  expect(toneOf(view('a', { parked: 1 }))).toBe('warn')
  expect(toneOf(view('a', { failedPerSecond: 0.1 }))).toBe('warn')
  expect(toneOf(view('a', { state: 'disabled', parked: 1 }))).toBe('bad')
})

test('what needs somebody comes first; words narrow by name, owner, target and pattern', () => {
  const all = [
    view('fine'),
    view('slow', { lagRecords: 9, owner: 'them' }),
    view('stuck', { parked: 2 }),
    view('gone', { state: 'disabled', target: 'webhook https://x' }),
  ]
  expect(names(all)).toBe('gone stuck fine slow')
  expect(names(all, { sort: 'lag' })).toBe('slow fine gone stuck')
  expect(names(all, { sort: 'name', descending: false })).toBe('fine gone slow stuck')
  expect([names(all, { text: 'THEM' }), names(all, { text: 'https' }), names(all, { text: '"type" sl' })]).toEqual([
    'slow',
    'gone',
    'slow',
  ])
})

test('a long table is cut, and says by how much', () => {
  const all = Array.from({ length: 400 }, (_, n) => view(`s${n}`))
  const { rows, more } = selectSubscriptions(all, FIRST_FLOW)
  expect([rows.length, more, all[0]?.name]).toEqual([ROWS_MAX, 300, 's0'])
})

test('the hub in four figures', () => {
  const sums = sumFlow({
    producers: [{ source: 'a', events: 5, eventsPerSecond: 2, lastAtMs: 0 }],
    pipes: [],
    subscriptions: [view('a', { lagRecords: 3, deliveredPerSecond: 1 }), view('b', { parked: 2, deadLetters: 1 })],
    topics: [],
  })
  expect(sums).toEqual({
    ...{ publishedPerSecond: 2, deliveredPerSecond: 1, failedPerSecond: 0, lagRecords: 3, parked: 2, deadLetters: 1 },
    unwell: 1,
  })
})

test('partitions of one topic are told apart', () => {
  const topic = (name: string) => ({ name, first: 0, end: 1, archivedTo: null })
  expect(nameTopics([topic('a'), topic('a'), topic('b')]).map(({ key }) => key)).toEqual(['a', 'a 1', 'b'])
})

test('every view is an address, and back', () => {
  for (const flow of [FIRST_FLOW, { text: 'a & b', sort: 'p99', descending: false } as const])
    expect(parseFlowView(flowPath(flow))).toEqual(flow)
  for (const letters of [
    FIRST_LETTERS,
    { state: null, kind: 'pipe', name: 'orders' },
    { state: 'redriven', kind: null, name: '' },
  ] as const)
    expect(parseLettersView(lettersPath(letters))).toEqual(letters)
  expect([flowPath(), lettersPath()]).toEqual(['/events', '/events/dead-letters'])
  expect(parseFlowView('/events?sort=-constructor')).toEqual(FIRST_FLOW)
  expect(parseLettersView('/events/dead-letters?state=lost&kind=x')).toEqual(FIRST_LETTERS)
})

test('what strangers wrote is seen as it is', () => {
  expect(toVisible('a\nb\tc ü 漢')).toBe('a\nb\tc ü 漢')
  expect(toVisible('\u202egpj.exe\u0000\u200b')).toBe('⟨202E⟩gpj.exe⟨0000⟩⟨200B⟩')
  expect(layOut('{"a":1}')).toBe('{\n  "a": 1\n}')
  expect(layOut('{"a":')).toBe('{"a":')
})

test.each([
  [null, '–'],
  [0.84, '0.8 ms'],
  [42.4, '42 ms'],
  [12_400, '12.4 s'],
])('%p ms is %p', (ms, expected) => expect(formatLatency(ms)).toBe(expected))

test('what is shown is kept when a later question fails', () => {
  const first = decidePolled({ value: null, heardAtMs: 0, problem: null }, { ok: true, value: 5 }, 7)
  expect(first).toEqual({ value: 5, heardAtMs: 7, problem: null })
  const problem = { status: 0, code: 'timeout', detail: 'Too long.' }
  expect(decidePolled(first, { ok: false, problem }, 9)).toEqual({ value: 5, heardAtMs: 7, problem })
})
