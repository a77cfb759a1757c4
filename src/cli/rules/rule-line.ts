/** What a line says EventBridge answers: that the event matches, that it does not, or that it refuses the pattern. */
export const VERDICTS = ['match', 'no', 'error'] as const
export type Verdict = (typeof VERDICTS)[number]

export type RuleLine = {
  readonly name: string
  readonly pattern: unknown
  readonly event: Readonly<Record<string, unknown>>
  readonly expect: Verdict
}

/** A line of a file of rules to try, or what is wrong with it. */
export function parseRuleLine(text: string): RuleLine | { readonly wrong: string } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { wrong: `expected a JSON object, got ${text.slice(0, SHOWN_CHARACTERS_MAX)}` }
  }
  if (!isObject(json)) return { wrong: `expected a JSON object, got ${show(json)}` }
  const { name, pattern, event, expect } = json as Readonly<Partial<Record<keyof RuleLine, unknown>>>
  if (typeof name !== 'string' || name === '') return { wrong: `name: expected a string, got ${show(name)}` }
  if (pattern === undefined) return { wrong: 'pattern: expected an event pattern, got nothing' }
  const verdict = VERDICTS.find((each) => each === expect)
  if (verdict === undefined) return { wrong: `expect: expected one of ${VERDICTS.join(', ')}, got ${show(expect)}` }
  if (!isObject(event)) return { wrong: `event: expected a JSON object, got ${show(event)}` }
  return { name, pattern, event, expect: verdict }
}

const SHOWN_CHARACTERS_MAX = 60

const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, SHOWN_CHARACTERS_MAX)

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)
