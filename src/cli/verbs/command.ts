import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { describeError } from '../../kernel/index.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage.ts'

export type Invocation = {
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly terminal: Terminal
}

/** Resolves to the exit code. Faults it throws are said on standard error, exit code 1; a `UsageError` gives 2. */
export type Verb = (invocation: Invocation) => Promise<number>

/** The command line, checked: unknown options, missing values and a wrong number of operands are a `UsageError`. `NAME...` takes what is left, or nothing. */
export function parseCommand<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  operands: readonly string[] = [],
): { values: ReturnType<typeof parseArgs<{ options: T }>>['values']; operands: string[] } {
  let parsed: { values: ReturnType<typeof parseArgs<{ options: T }>>['values']; positionals: string[] }
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(describeError(error))
  }
  const missing = operands[parsed.positionals.length]
  if (missing !== undefined && !missing.endsWith('...')) throw new UsageError(`expected ${missing}`)
  const extra = parsed.positionals[operands.length]
  if (extra !== undefined && !operands.at(-1)?.endsWith('...'))
    throw new UsageError(`unexpected ${JSON.stringify(extra)}`)
  return { values: parsed.values, operands: parsed.positionals }
}
