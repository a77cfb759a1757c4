import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRole } from '../../src/roles/context.ts'
import { runRole } from '../../src/roles/supervisor/run-role.ts'

const KEYS_WRITTEN_MS = 20

/**
 * A role that does nothing, so that the supervisor can be tested by itself. What it was given lands in
 * `<home>/<name>.context.json`; the file's time says when it started. The path keys of the moment land in `<name>.keys.json`.
 */
const start: StartRole = async (context) => {
  const { logger, layout: _, pathKeys, ...data } = context
  const given = join(context.config.home, `${context.name}.context.json`)
  writeFileSync(given, JSON.stringify({ ...data, pathKeys: pathKeys?.() ?? null }))
  const keys = join(context.config.home, `${context.name}.keys.json`)
  let written: unknown = null
  const writeKeys = (): void => {
    const now = pathKeys?.() ?? null
    if (now !== written) writeFileSync(keys, JSON.stringify(now))
    written = now
  }
  setInterval(writeKeys, KEYS_WRITTEN_MS)
  logger.info('started')
  process.stderr.write('a stray line\n')
  return {
    port: context.port === 0 ? null : context.port,
    health: () => ({ faults: [] }),
    drain: async () => logger.info('drained'),
  }
}

runRole(async () => ({ start }))
