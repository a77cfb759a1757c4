import { expect, test } from 'bun:test'
import { faultCode } from '../../../kernel/index.ts'
import { createWholeBodies } from './request-body.ts'

const LIMITS = {
  hubRequestBytesMax: 1_000,
  hubRequestsBytesMax: 4_000,
  hubRequestIdleMs: 100,
  hubRequestMs: 200,
  hubBusyRetryMs: 500,
}

/** A request of a thousand bytes, sent as the test likes. */
function toRequest(body: ReadableStream<Uint8Array>): Request {
  return new Request('http://hub/', { method: 'POST', body, headers: { 'content-length': '1000' } })
}
const silent = (): Request => toRequest(new ReadableStream({ pull: () => new Promise<void>(() => {}) }))
const whole = (): Request => toRequest(new Blob(['x'.repeat(1_000)]).stream())

test('one caller has half of the room, the others the rest; it is given back', async () => {
  const bodies = createWholeBodies(LIMITS)
  const slow = [bodies.read(silent(), 'slow'), bodies.read(silent(), 'slow')].map((each) => each.catch(faultCode))
  expect(await bodies.read(whole(), 'slow').catch(faultCode)).toBe('hub-busy')
  const other = await bodies.read(whole(), 'other')
  expect(other.text.length).toBe(1_000)
  other.release()
  other.release()
  expect(await Promise.all(slow)).toEqual(['body-silent', 'body-silent'])
  const again = await Promise.all([bodies.read(whole(), 'slow'), bodies.read(whole(), 'slow')])
  expect(await bodies.read(whole(), 'slow').catch(faultCode)).toBe('hub-busy')
  for (const { release } of again) release()
  expect((await bodies.read(whole(), 'slow')).text.length).toBe(1_000)
})

test('a body that drips is cut when its time is over, however regularly it drips', async () => {
  const bodies = createWholeBodies(LIMITS)
  const dripping = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(20)
      controller.enqueue(Uint8Array.of(0x20))
    },
  })
  const begunAtMs = performance.now()
  expect(await bodies.read(toRequest(dripping), 'slow').catch(faultCode)).toBe('body-silent')
  expect(performance.now() - begunAtMs).toBeWithin(LIMITS.hubRequestMs - 5, LIMITS.hubRequestMs + 500)
})
