import { parsePattern } from '../../hub/index.ts'
import { UsageError } from '../usage.ts'

export type PatternJson = Readonly<Record<string, unknown>>

/** An event pattern on the command line. A `UsageError` says where it is none, before anybody is asked. */
export function toPattern(flag: string, text: string): PatternJson {
  const parsed = parsePattern(text)
  if (!parsed.ok) throw new UsageError(`${flag}: ${parsed.detail}`)
  return JSON.parse(text) as PatternJson // a pattern is an object
}
