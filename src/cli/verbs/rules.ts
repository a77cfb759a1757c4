import { readFile } from 'node:fs/promises'
import { describeError, Fault } from '../../kernel/index.ts'
import { tryRules } from '../rules/try-rules.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

/** Event patterns tried on events, without a platform: exit code 0 if every line agrees. */
export const rules: Verb = async ({ args, terminal }) => {
  const [action, ...rest] = args
  if (action !== 'test') throw new UsageError(`rules: expected "test", got ${JSON.stringify(action) ?? 'nothing'}`)
  const { operands } = parseCommand(rest, {}, ['FILE.jsonl'])
  const { agree, disagree, bad, complaints } = tryRules(await read(operands[0] ?? ''))
  for (const complaint of complaints) terminal.print(complaint)
  terminal.print(`${agree} agree, ${disagree} disagree`)
  return disagree + bad === 0 ? 0 : 1
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Fault('file-unreadable', `${file}: expected a file of rules to try, ${describeError(cause)}`, { cause })
  }
}
