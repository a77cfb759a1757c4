import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { DEFAULT_LIMITS, Fault, silentLogger } from '../kernel/index.ts'
import { createFrameReader, encodeFrame } from './frame.ts'
import { createWireClient, createWireServer, type WireHandler } from './index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const socketPath = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-wire-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 's.sock')
}
const serve = (path: string, onCall: WireHandler, limits = DEFAULT_LIMITS) => {
  const server = createWireServer({ path, limits, logger: silentLogger, onCall })
  closers.push(() => server.close({ timeoutMs: 100 }))
  return server
}
const dial = (path: string, limits = DEFAULT_LIMITS) => {
  const client = createWireClient({ path, limits })
  closers.push(() => client.close())
  return client
}
const text = (value: Uint8Array): string => Buffer.from(value).toString()
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as Fault).code,
  )

test('frames survive any cut of the byte stream', () => {
  const frames = fc.array(
    fc.record({ id: fc.nat(0xffff), kind: fc.integer({ min: 1, max: 6 }), payload: fc.uint8Array({ maxLength: 50 }) }),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(frames, fc.array(fc.nat(40), { maxLength: 60 }), (sent, cuts) => {
      const got: unknown[] = []
      const read = createFrameReader({
        frameBytesMax: 100,
        onFrame: (id, kind, payload) => got.push({ id, kind, payload: new Uint8Array(payload) }),
      })
      let rest = Buffer.concat(sent.map(({ id, kind, payload }) => encodeFrame(id, kind, payload)))
      for (const cut of cuts) {
        expect(read(Uint8Array.from(rest.subarray(0, cut)))).toBe(true)
        rest = rest.subarray(cut)
      }
      expect(read(Uint8Array.from(rest))).toBe(true)
      expect(got).toEqual(sent)
    }),
  )
})

test('an impossible length closes the stream', () => {
  const read = createFrameReader({ frameBytesMax: 100, onFrame: () => {} })
  expect(read(Buffer.from([0, 0, 1, 0, 0, 0, 0, 1, 1]))).toBe(false)
})

test('answers each of many concurrent calls with its own', async () => {
  const path = socketPath()
  serve(path, async (payload) => {
    await Bun.sleep(Number(text(payload)) % 7)
    return payload
  })
  const client = dial(path)
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => client.call(Buffer.from(String(n)))))
  expect(answers.map(text)).toEqual(Array.from({ length: 1000 }, (_, n) => String(n)))
})

test('large payloads pass both ways', async () => {
  const path = socketPath()
  serve(path, (payload) => payload)
  const big = new Uint8Array(20 * 1024 * 1024).map((_, index) => index & 0xff)
  const back = await dial(path).call(big)
  expect(Buffer.compare(Buffer.from(back), Buffer.from(big))).toBe(0)
})

test('a fault keeps code, message and detail; a bug arrives as internal', async () => {
  const path = socketPath()
  serve(path, (payload) => {
    if (text(payload) === 'bug') throw new TypeError('oops')
    throw new Fault('no-room', 'no room left', { detail: { bytes: 7 } })
  })
  const client = dial(path)
  const fault = (await client.call(Buffer.from('x')).catch((error: unknown) => error)) as Fault
  expect([fault.code, fault.message, fault.detail]).toEqual(['no-room', 'no room left', { bytes: 7 }])
  expect(await rejection(client.call(Buffer.from('bug')))).toBe('internal')
})

test('a call times out, is cancelled at the server, and others go on', async () => {
  const path = socketPath()
  const aborted = Promise.withResolvers<void>()
  serve(path, (payload, call) => {
    if (text(payload) !== 'hang') return payload
    call.signal.addEventListener('abort', () => aborted.resolve())
    return new Promise(() => {})
  })
  const client = dial(path)
  expect(await rejection(client.call(Buffer.from('hang'), { timeoutMs: 80 }))).toBe('timeout')
  await aborted.promise
  expect(text(await client.call(Buffer.from('ok')))).toBe('ok')
})

test('a call waits for a server that is not there yet, and a lost one is reported', async () => {
  const path = socketPath()
  const client = dial(path)
  const early = client.call(Buffer.from('early'))
  await Bun.sleep(30)
  const server = serve(path, (payload) => (text(payload) === 'hang' ? new Promise<Uint8Array>(() => {}) : payload))
  expect(text(await early)).toBe('early')
  const hanging = rejection(client.call(Buffer.from('hang')))
  await server.close({ timeoutMs: 10 })
  expect(await hanging).toBe('wire-lost')
  serve(path, (payload) => payload)
  expect(text(await client.call(Buffer.from('again')))).toBe('again')
})

test('pushes come one at a time, in order, and wait for the receiver', async () => {
  const path = socketPath()
  let unacknowledged = 0
  let peak = 0
  serve(path, async (payload, call) => {
    for (let n = 0; n < 20; n++) {
      peak = Math.max(peak, ++unacknowledged)
      await call.push(Buffer.from(String(n)))
      unacknowledged--
    }
    return payload
  })
  const got: string[] = []
  await dial(path).call(Buffer.from('go'), {
    onPush: async (item) => {
      await Bun.sleep(1)
      got.push(text(item))
    },
  })
  expect(got).toEqual(Array.from({ length: 20 }, (_, n) => String(n)))
  expect(peak).toBe(1)
})

test('in-flight calls are bounded', async () => {
  const path = socketPath()
  serve(path, () => new Promise(() => {}))
  const client = dial(path, { ...DEFAULT_LIMITS, wireInFlightMax: 2 })
  const codes = [1, 2, 3].map(() => rejection(client.call(Buffer.from('x'), { timeoutMs: 100 })))
  expect(await Promise.all(codes)).toEqual(['timeout', 'timeout', 'overloaded'])
})
