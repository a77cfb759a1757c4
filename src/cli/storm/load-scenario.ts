import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeError, Fault } from '../../kernel/index.ts'
import { defineStorm, parseTrace, SCENARIOS, type Scenario, type StormInput, withTrace } from '../../storm/index.ts'
import { UsageError } from '../usage.ts'
import type { RunOptions } from './options.ts'

/** The scenario that was asked for, with the baseline and the trace of the command line. Faults `scenario-invalid`, `trace-invalid`, `trace-window`. */
export async function loadScenario(
  options: Pick<RunOptions, 'scenario' | 'baselinePerSecond' | 'trace'>,
): Promise<Scenario> {
  const { baselinePerSecond, trace } = options
  const named = SCENARIOS.find(({ name }) => name === options.scenario) ?? (await importScenario(options.scenario))
  const scenario = baselinePerSecond === null ? named : defineStorm({ ...named, baselinePerSecond })
  if (trace === null) return scenario
  const text = await readFile(trace.file, 'utf8').catch((error: unknown) => {
    throw new Fault('trace-invalid', `--trace: ${trace.file} cannot be read: ${describeError(error)}`, { cause: error })
  })
  return defineStorm(withTrace(scenario, parseTrace(text), trace))
}

async function importScenario(file: string): Promise<Scenario> {
  if (!existsSync(file)) {
    const names = SCENARIOS.map(({ name }) => name).join(', ')
    throw new UsageError(`--scenario: expected one of ${names}, or a file; got ${JSON.stringify(file)}`)
  }
  let module: { default?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown }
  } catch (error) {
    throw new Fault('scenario-invalid', `${file} cannot be loaded: ${describeError(error)}`, { cause: error })
  }
  if (module.default === undefined)
    throw new Fault(
      'scenario-invalid',
      `${file}: expected "export default defineStorm({ ... })", got no default export`,
    )
  return defineStorm(module.default as StormInput) // checked whole, whatever it is
}
