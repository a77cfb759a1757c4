/** Run by crash.test.ts: runs the pipe over the log in a directory and says how many events each publishing had, until it is killed or has caught up. */
import { openPipeBench, pricePipe, publishTo } from './testing.ts'

const [directory = ''] = process.argv.slice(2)
const bench = await openPipeBench(directory)
const publish = publishTo(bench.log)
const pipe = bench.run(pricePipe({ batchMax: 10 }), {
  async publishEvents(events) {
    await publish(events)
    process.stdout.write(`${events.length}\n`)
  },
  async addDeadLetters(letters) {
    await bench.log.append(
      'letters',
      letters.map(({ id, key, position }) => ({ key, value: Buffer.from(JSON.stringify({ id, position })) })),
    )
  },
})
await pipe.caughtUp({ timeoutMs: 20_000 })
await pipe.close()
await bench.log.close()
