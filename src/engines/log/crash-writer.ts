/** Run by crash.test.ts: appends from many callers as fast as it can and says each acknowledged value on a line, until it is killed. */
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { openEmbeddedLog } from './index.ts'

const [directory = '', round = ''] = process.argv.slice(2)
const limits = { ...DEFAULT_LIMITS, logSegmentBytes: 100_000 }
const log = await openEmbeddedLog({ directory, limits, logger: silentLogger, trimmedTopics: [] })

const caller = async (topic: string, name: string): Promise<void> => {
  for (let count = 0; ; count++) {
    const text = `${round} ${name} ${count}`
    const [offset] = await log.append(topic, [{ key: name, value: Buffer.from(text.padEnd(80 + (count % 200), '.')) }])
    process.stdout.write(`${topic} ${offset} ${text}\n`)
  }
}
await Promise.all(
  Array.from({ length: 40 }, (_, index) => caller(index % 2 === 0 ? 'titles' : 'sessions', `caller-${index}`)),
)
