import { expect, test } from 'bun:test'
import { faultCode, systemClock } from '../../kernel/index.ts'
import { keepPace } from './keep-pace.ts'
import { openProducerBed } from './testing.ts'

const limits = { hubRequestIdleMs: 60, hubPayloadBytesPerSecondMin: 10_000 }
const TYPE = 'com.example.note.v1'

type Source = { readonly stream: ReadableStream<Uint8Array>; readonly ended: Promise<unknown> }
/** `bytes` each `everyMs`, `count` times; `ended` is told why it was cancelled. */
function trickle(bytes: number, everyMs: number, count = Number.POSITIVE_INFINITY): Source {
  const ended = Promise.withResolvers<unknown>()
  let left = count
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, everyMs))
        if (left-- > 0) controller.enqueue(new Uint8Array(bytes).fill(32))
        else controller.close()
      },
      cancel: (reason) => ended.resolve(reason),
    },
    { highWaterMark: 0 },
  )
  return { stream, ended: ended.promise }
}
const read = (stream: ReadableStream<Uint8Array>): Promise<unknown> =>
  new Response(keepPace(stream, { limits, clock: systemClock })).bytes().then(({ byteLength }) => byteLength, faultCode)

test('what keeps up passes whole, however long it takes', async () => {
  expect(await read(trickle(400, 10, 20).stream)).toBe(8_000)
})

test('what is silent or trickles is broken off, and told so', async () => {
  for (const { stream, ended } of [trickle(1, 5), trickle(1_000, 10_000)]) {
    expect(await read(stream)).toBe('payload-interrupted')
    expect(faultCode(await ended)).toBe('payload-interrupted')
  }
})

test('a reader that is slow is not held against the source', async () => {
  const reader = keepPace(trickle(100, 1, 8).stream, { limits, clock: systemClock }).getReader()
  let bytes = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    bytes += next.value.byteLength
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(bytes).toBe(800)
})

test('whoever trickles gives back the room, and nothing of it stays', async () => {
  const bed = await openProducerBed({ limits: { ...limits, hubPublishCallsMax: 3 } })
  const payload = (contentType: string) => ({ body: trickle(1, 5).stream, contentType })
  const slow = [
    bed.producer.publish([{ type: TYPE, subject: 's', payload: payload('application/json') }]),
    bed.producer.publish([{ type: 'com.example.film.v1', subject: 's', payload: payload('video/mp4') }]),
    bed.records.append('raw', [{ key: 'k', body: trickle(1, 5).stream }]),
  ]
  expect(await Promise.all(slow.map((one) => one.then(() => 'taken', faultCode)))).toEqual(
    slow.map(() => 'payload-interrupted'),
  )
  expect(await bed.objects.list('')).toEqual([])
  const published = await bed.producer.publish([{ type: TYPE, subject: 's', data: { text: 'a' } }])
  expect(published[0]?.position.offset).toBe(0)
  await bed.remove()
})
