/**
 * Run by crash.test.ts: publishes events and keeps a view of them, with a snapshot every few events, until it is killed. With `STAGE`
 * it stops for good when a snapshot is half written (`half`), there (`put`), or an old one is about to go (`delete`), and says `reached`.
 */
import { join } from 'node:path'
import { type EmbeddedLog, openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects, type ObjectsPort } from '../../engines/objects/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { numbered } from '../testing.ts'
import { createView } from './index.ts'
import { defineHistory, publish, SMALL_VIEW_LIMITS } from './testing.ts'

const [directory = '', stage = ''] = process.argv.slice(2)
const real = createDirectoryObjects({ root: join(directory, 'objects') })
const log: EmbeddedLog = await openEmbeddedLog({
  directory: join(directory, 'log'),
  limits: SMALL_VIEW_LIMITS,
  logger: silentLogger,
  trimmedTopics: [],
})

const stopForGood = (): Promise<never> => {
  process.stdout.write('reached\n')
  setInterval(() => {}, 1_000)
  return new Promise(() => {})
}
function toHalf(body: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(body.slice(0, body.byteLength >> 1)),
    pull: stopForGood,
  })
}
let puts = 0
const objects: ObjectsPort = {
  ...real,
  async put(key, body) {
    puts += 1
    if (stage === 'half' && puts === 3 && body instanceof Uint8Array) return real.put(key, toHalf(body))
    const done = await real.put(key, body)
    return stage === 'put' && puts === 3 ? stopForGood() : done
  },
  delete: (key) => (stage === 'delete' ? stopForGood() : real.delete(key)),
}

const definition = defineHistory(1, { topics: ['titles'] })
const snapshots = { objects, isWriter: true }
const view = createView({ log, definition, logger: silentLogger, limits: SMALL_VIEW_LIMITS, snapshots })
for (let n = (await log.bounds('titles'))[0]?.end ?? 0; ; n += 1) {
  await publish(log, [numbered(n % 3, n)])
  await view.caughtUp()
  if (stage === '') process.stdout.write(`${n}\n`)
}
