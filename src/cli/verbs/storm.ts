import { randomInt } from 'node:crypto'
import { buildReportPage } from '../../../web/storm/build.ts'
import { runStorm, SCENARIOS } from '../../storm/index.ts'
import { compareCommand } from '../storm/compare-command.ts'
import { createInterrupts } from '../storm/interrupts.ts'
import { parseStormOptions, SEED_MAX } from '../storm/options.ts'
import { runCommand } from '../storm/run-command.ts'
import { runSelfTest } from '../storm/self-test.ts'
import { toTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import type { Verb } from './command.ts'

/** A crowd, a spike and faults on demand, and a verdict: exit code 0 when it passed. */
export const storm: Verb = async (invocation) => {
  const options = parseStormOptions(invocation.args)
  const { terminal } = invocation
  if (options.kind === 'list') return list(options.json, terminal)
  if (options.kind === 'compare') return await compareCommand(options, terminal)
  if (options.kind === 'self-test') return await selfTest(options, terminal)
  // With --json standard output is for the one line.
  const screen = options.json ? process.stderr : process.stdout
  return await runCommand(options, invocation, { runStorm, buildReportPage, screen })
}

function list(json: boolean, terminal: Terminal): number {
  const rows = SCENARIOS.map(({ name, description }) => ({ name, description }))
  if (json) terminal.print(JSON.stringify(rows))
  else
    for (const line of toTable(
      ['scenario', ''],
      rows.map(({ name, description }) => [name, description]),
    ))
      terminal.print(line)
  return 0
}

async function selfTest(options: { json: boolean; seed: number | null }, terminal: Terminal): Promise<number> {
  const interrupts = createInterrupts()
  try {
    const seed = options.seed ?? randomInt(SEED_MAX)
    if (!options.json) terminal.print('storm: a server that stalls 1 s of every 10 s, for 20 s')
    const result = await runSelfTest({ runStorm, seed, interrupt: interrupts.signal })
    const { expectedP99Ms, measuredP99Ms, lagP99Ms, invalidBecause, passed } = result
    if (options.json) terminal.print(JSON.stringify(result))
    else {
      terminal.print(
        `p99 ${measuredP99Ms ?? 'not measured'} ms, in theory ${expectedP99Ms} ms; generator lag p99 ${lagP99Ms} ms`,
      )
      for (const reason of invalidBecause) terminal.print(`invalid: ${reason}`)
      terminal.print(passed ? 'passed' : 'FAILED')
    }
    return passed ? 0 : 1
  } finally {
    interrupts.close()
  }
}
