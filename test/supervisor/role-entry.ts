import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRole } from '../../src/roles/context.ts'
import { runRole } from '../../src/roles/supervisor/run-role.ts'

/**
 * A role that does nothing, so that the supervisor can be tested by itself. What it was given lands in
 * `<home>/<name>.context.json`; the file's time says when it started.
 */
const start: StartRole = async (context) => {
  const { logger, layout: _, ...data } = context
  writeFileSync(join(context.config.home, `${context.name}.context.json`), JSON.stringify(data))
  logger.info('started')
  process.stderr.write('a stray line\n')
  return {
    port: context.port === 0 ? null : context.port,
    health: () => ({ faults: [] }),
    drain: async () => logger.info('drained'),
  }
}

runRole(async () => ({ start }))
