import { createMatcher, type Matcher, parsePattern } from '../src/hub/index.ts'
import { createDraw, createEvent, createRules } from './hub-rules.ts'
import type { BenchRow } from './report.ts'

const RULES_SEED = 1
const EVENTS_SEED = 2

export type MatchingLoad = {
  readonly events: number
  readonly bursts: number
  /** Few, the usual number, and many. */
  readonly rules: readonly [number, number, number]
  readonly say: (message: string) => void
}

export function measureMatching({ events, bursts, rules, say }: MatchingLoad): readonly BenchRow[] {
  const [few, usual, many] = rules
  const draw = createDraw(EVENTS_SEED)
  const texts = Array.from({ length: events }, () => JSON.stringify(createEvent(draw)))
  const bytes = texts.map((text) => new Uint8Array(Buffer.from(text)))
  say(`${many} rules in memory`)
  const memory = measureMemory(many)
  say(`${usual} rules, events as bytes`)
  const matcher = fill(usual)
  const usualBytes = measure(bursts, () => bytes, matcher.match)
  say(`${usual} rules, parsed events`)
  const usualParsed = measure(bursts, () => texts.map((text): unknown => JSON.parse(text)), matcher.matchParsed)
  say(`${few} rules beside ${many}`)
  const growth = compare(bursts, bytes, fill(few), memory.matcher)
  const detail = { 'event-bytes': Math.round(bytes.reduce((sum, { length }) => sum + length, 0) / events) }
  return [
    toRate('match-1000-rules', usualBytes, detail),
    toRate('match-1000-rules-parsed', usualParsed),
    {
      metric: 'match-growth',
      ours: growth.many.us / growth.few.us,
      unit: 'ratio',
      detail: {
        'us-100-rules': growth.few.us,
        'us-10000-rules': growth.many.us,
        'matches-100-rules': growth.few.matches,
        'matches-10000-rules': growth.many.matches,
      },
    },
    { metric: 'rules-10000-mb', ours: memory.mb, unit: 'MB', detail: { 'add-us': memory.addUs } },
  ]
}

/** Processor time for an event, in the median burst and in the quickest tenth of them, and rules that it matched. */
type Figure = { readonly us: number; readonly quickUs: number; readonly matches: number }

function toRate(
  metric: string,
  { us, quickUs, matches }: Figure,
  detail: Readonly<Record<string, number>> = {},
): BenchRow {
  return {
    metric,
    ours: Math.round(1e6 / us),
    unit: '1/s',
    detail: { us, 'us-quickest-tenth': quickUs, matches, ...detail },
  }
}

/**
 * The median of bursts, of which the first half compiles the code. Two threads that share a core take up to twice as long each, by the
 * processor's own count too: the quickest tenth, which had a core to itself, stands beside it.
 */
function measure<T>(bursts: number, make: () => readonly T[], match: (event: T) => readonly string[]): Figure {
  const taken: number[] = []
  let matches = 0
  for (let burst = 0; burst < bursts; burst += 1) {
    const events = make()
    const figure = run(events, match)
    matches = figure.matches
    if (burst >= bursts / 2) taken.push(figure.us)
  }
  return summarise(taken, matches)
}

function compare(
  bursts: number,
  events: readonly Uint8Array[],
  few: Matcher,
  many: Matcher,
): { few: Figure; many: Figure } {
  const taken: { few: number[]; many: number[] } = { few: [], many: [] }
  let matches = { few: 0, many: 0 }
  for (let burst = 0; burst < bursts; burst += 1) {
    // In turn, so that what else the machine does falls on both.
    const [one, other] = [run(events, few.match), run(events, many.match)]
    matches = { few: one.matches, many: other.matches }
    if (burst < bursts / 2) continue
    taken.few.push(one.us)
    taken.many.push(other.us)
  }
  return { few: summarise(taken.few, matches.few), many: summarise(taken.many, matches.many) }
}

function run<T>(events: readonly T[], match: (event: T) => readonly string[]): { us: number; matches: number } {
  const before = process.cpuUsage()
  let matches = 0
  for (const event of events) matches += match(event).length
  const { user, system } = process.cpuUsage(before)
  return { us: (user + system) / events.length, matches: matches / events.length }
}

function summarise(taken: readonly number[], matches: number): Figure {
  const sorted = [...taken].sort((one, other) => one - other)
  return { us: sorted[sorted.length >> 1] ?? 0, quickUs: sorted[Math.floor(sorted.length / 10)] ?? 0, matches }
}

function fill(count: number): Matcher {
  const matcher = createMatcher()
  for (const [at, rule] of createRules(count, createDraw(RULES_SEED)).entries()) {
    const parsed = parsePattern(rule)
    if (!parsed.ok) throw new Error(`rule ${at}: ${parsed.detail}`)
    matcher.add(`rule-${at}`, parsed.pattern)
  }
  // The first event has the tree built.
  matcher.matchParsed({})
  return matcher
}

/** By how much the process grew, rules' patterns and names included. */
function measureMemory(count: number): { matcher: Matcher; mb: number; addUs: number } {
  Bun.gc(true)
  const before = process.memoryUsage().rss
  const start = process.cpuUsage()
  const matcher = fill(count)
  const { user, system } = process.cpuUsage(start)
  Bun.gc(true)
  const mb = (process.memoryUsage().rss - before) / 1e6
  return { matcher, mb: Math.max(0, mb), addUs: (user + system) / count }
}
