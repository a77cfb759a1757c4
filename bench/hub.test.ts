import { expect, test } from 'bun:test'
import { createMatcher, parsePattern } from '../src/hub/index.ts'
import { measureClaim, measureDurable, measureLatency } from './hub-flow.ts'
import { measureMatching } from './hub-matching.ts'
import { createDraw, createEvent, createRules } from './hub-rules.ts'

test('every rule is one that EventBridge would take, events are of about 1 KB, and rules match some of them', () => {
  const draw = createDraw(3)
  const matcher = createMatcher()
  for (const [at, rule] of createRules(200, draw).entries()) {
    const parsed = parsePattern(rule)
    expect(parsed.ok).toBe(true)
    if (parsed.ok) matcher.add(String(at), parsed.pattern)
  }
  const events = Array.from({ length: 50 }, () => createEvent(draw))
  const sizes = events.map((event) => JSON.stringify(event).length)
  expect(Math.min(...sizes)).toBeGreaterThan(900)
  expect(Math.max(...sizes)).toBeLessThan(1_100)
  expect(events.flatMap(matcher.matchParsed).length).toBeGreaterThan(5)
})

test('the benchmark at smoke size', () => {
  const rows = measureMatching({ events: 20, bursts: 4, rules: [10, 20, 40], say: () => {} })
  const metrics = ['match-1000-rules', 'match-1000-rules-parsed', 'match-growth', 'rules-10000-mb']
  expect(rows.map(({ metric }) => metric)).toEqual(metrics)
  for (const { metric, ours } of rows) expect([metric, Number.isFinite(ours) && ours >= 0]).toEqual([metric, true])
})

test('events through a store to their subscriber, at smoke size: all there, none twice', async () => {
  const row = await measureDurable('durable-events', {
    kind: 'title',
    events: 1_000,
    warmUp: 100,
    batch: 50,
    publishers: 2,
    aheadMax: 500,
    subscriptions: 5,
  })
  expect(row.detail).toMatchObject({ events: 1_000, subscriptions: 5 })
  expect(row.ours).toBeGreaterThan(0)
}, 20_000)

test('an open loop, at smoke size: a row, or the reason why there is none', async () => {
  const load = { perSecond: 200, warmUpMs: 200, measureMs: 500, subscriptions: 2 }
  const row = await measureLatency(load).catch((error: Error) => error.message)
  // A machine with much else to do makes the generator late: then no figure is given.
  if (typeof row === 'string') expect(row).toContain('the generator was')
  else expect([row.detail?.['events'], row.ours > 0]).toEqual([100, true])
}, 20_000)

test('a payload by claim check, at smoke size: every byte arrives', async () => {
  const row = await measureClaim({ bytes: 2 * 1024 * 1024 })
  expect(row.detail).toMatchObject({ 'payload-mb': 2.097152 })
}, 20_000)
