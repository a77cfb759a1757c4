import { afterAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { get, openServer, post, readAnswers, text } from './testing/open-server.ts'
import { until } from './testing/raw-client.ts'

let handled = 0
const bed = openServer({
  limits: { edgeHeadTimeoutMs: 40, edgeIdleTimeoutMs: 40, edgeProgressWindowMs: 40 },
  handle: async ({ body }) => {
    handled += 1
    return text(body ? `${(await new Response(body).arrayBuffer()).byteLength}` : 'none')
  },
})
afterAll(() => bed.close())

const CHUNKED = 'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
const whole = fc.array(fc.constantFrom(get('/x'), post('abc'), CHUNKED, '\r\n', get('/y', 'Connection: close\r\n')), {
  maxLength: 5,
})
const damage = fc.record({
  at: fc.nat(400),
  drop: fc.nat(6),
  put: fc.constantFrom('', '\r', '\n', '\0', ' ', ':', '9', '\r\n\r\n'),
})
const damaged = fc
  .tuple(whole, fc.array(damage, { maxLength: 3 }))
  .map(([parts, hits]) =>
    hits.reduce((all, { at, drop, put }) => all.slice(0, at) + put + all.slice(at + drop), parts.join('')),
  )
const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

test('whatever comes, split anywhere: every answer is framed, there is at most one to a request, and others are served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, anything), fc.nat(300), fc.boolean(), async (sent, split, finishes) => {
      handled = 0
      const raw = await bed.client()
      raw.write(Buffer.from(sent.slice(0, split), 'latin1'))
      raw.write(Buffer.from(sent.slice(split), 'latin1'))
      if (finishes) raw.finish()
      await raw.ended()
      if (raw.fate() === 'ended') {
        const answers = readAnswers(raw.text())
        const refused = answers.filter(({ body }) => body.includes('urn:tentpole:problem:'))
        expect(refused.length).toBeLessThanOrEqual(1)
        expect(answers.length - refused.length).toBeLessThanOrEqual(handled)
      }
      raw.finish()
      await until(() => bed.server.connections() === 0 && bed.server.inFlight() === 0, 'the connection to be gone')
    }),
    { numRuns: 40 },
  )
  const other = await bed.client()
  other.write(get('/x'))
  await other.until((all) => all.endsWith('none'))
  expect(bed.logged.filter((line) => line.includes('a connection failed'))).toEqual([])
}, 15_000)
