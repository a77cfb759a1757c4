import { expect, test } from 'bun:test'
import { createMatcher, parsePattern } from '../src/hub/index.ts'
import { measureMatching } from './hub.ts'
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
