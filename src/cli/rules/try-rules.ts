import { createMatcher, parsePattern } from '../../hub/index.ts'
import { parseRuleLine, type RuleLine, type Verdict } from './rule-line.ts'

export type RulesTried = {
  readonly agree: number
  readonly disagree: number
  /** A sentence for each disagreement and each line that is none. */
  readonly complaints: readonly string[]
  readonly bad: number
}

/** Every line's event against its pattern. Empty lines are nothing. */
export function tryRules(text: string): RulesTried {
  const tried = { agree: 0, disagree: 0, bad: 0, complaints: [] as string[] }
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const parsed = parseRuleLine(line)
    if ('wrong' in parsed) {
      tried.bad += 1
      tried.complaints.push(`line ${at + 1}: ${parsed.wrong}`)
      continue
    }
    const { verdict, reason } = judge(parsed)
    if (verdict === parsed.expect) tried.agree += 1
    else {
      tried.disagree += 1
      tried.complaints.push(`line ${at + 1}: ${parsed.name}: expected ${parsed.expect}, got ${verdict}${reason}`)
    }
  }
  return tried
}

/** As the bus does it: from the event's bytes. */
function judge({ pattern, event }: RuleLine): { readonly verdict: Verdict; readonly reason: string } {
  const parsed = parsePattern(pattern)
  if (!parsed.ok) return { verdict: 'error', reason: ` (${parsed.code}: ${parsed.detail})` }
  const matcher = createMatcher()
  matcher.add('rule', parsed.pattern)
  const names = matcher.match(Buffer.from(JSON.stringify(event)))
  return { verdict: names.length > 0 ? 'match' : 'no', reason: '' }
}
