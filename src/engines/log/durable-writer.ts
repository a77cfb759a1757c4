/** Run under strace by durable.test.ts: appends from several callers and says each acknowledged value on a line of its own. */
import { writeSync } from 'node:fs'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { openEmbeddedLog } from './index.ts'

const CALLERS = 8
const APPENDS = 25

const [directory = ''] = process.argv.slice(2)
// Small segments, so that files begin and end in the middle of it.
const limits = { ...DEFAULT_LIMITS, logSegmentBytes: 4_096 }
const log = await openEmbeddedLog({ directory, limits, logger: silentLogger, trimmedTopics: [] })

const caller = async (name: string): Promise<void> => {
  for (let count = 0; count < APPENDS; count++) {
    const value = `[${name}-${count}]`
    await log.append('titles', [{ key: name, value: Buffer.from(value) }])
    writeSync(1, `acknowledged ${value}\n`)
  }
}
await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(`caller-${index}`)))
await log.close()
