import { expect, test } from 'bun:test'
import type { ObjectsPort } from '../engines/objects/index.ts'
import { type Clock, DEFAULT_LIMITS, Fault } from '../kernel/index.ts'
import { encodeHttpResponse, type WireClient } from '../wire/index.ts'
import { createCells } from './cells.ts'
import { createMediaUpstream, type MediaWanted } from './media-upstream.ts'
import { createCacheStack } from './proxy/cache-stack.ts'
import { serverRequest, toResponse } from './testing/answers.ts'

const GROWING = 'public, max-age=1, stale-while-revalidate=5'
const INFO = { key: 'k', sizeBytes: 5, etag: 'e' }

type Bed = {
  /** What the client gets, and what it was asked for by. */
  ask(file: string): Promise<Response>
  /** How often the cell was asked. */
  calls(): number
  passMs(ms: number): void
}

/** The cache over the platform's upstream, with a cell and a store that are the test's. */
function openBed(options: {
  readonly cell: (file: string, call: number) => Promise<Response>
  readonly objects?: Partial<ObjectsPort>
}): Bed {
  const limits = DEFAULT_LIMITS
  let calls = 0
  let nowMs = 1_000_000
  const clock: Clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
  const client: WireClient = {
    connected: () => true,
    async call(payload) {
      calls += 1
      const file = /_media\/t\/([\w.]+)/.exec(Buffer.from(payload).toString('latin1'))?.[1] ?? ''
      return await encodeHttpResponse(await options.cell(file, calls))
    },
    close() {},
  }
  const upstream = createMediaUpstream({
    cells: createCells([{ name: 'a', client }], limits),
    // What a test does not name is not called.
    objects: { ...options.objects } as ObjectsPort,
    isWithdrawn: () => false,
    limits,
  })
  const { proxy } = createCacheStack<MediaWanted>({ upstream, limits, clock })
  return {
    calls: () => calls,
    passMs: (ms) => {
      nowMs += ms
    },
    async ask(file) {
      const path = `/v/t/${file}`
      const request = serverRequest(path)
      const head = { method: 'GET', uri: `http://media${path}`, fields: request.fields }
      const context = { titleId: 't', file, viewer: { sessionId: 's', cell: 'a' } }
      return toResponse(await proxy.handle({ request, head, path, cell: 'a', context }))
    },
  }
}

const told = async (response: Response): Promise<readonly unknown[]> => {
  const { code } = (await response.json()) as { code: string }
  return [response.status, code, response.headers.get('retry-after'), response.headers.get('cache-control')]
}

const FAULTS: readonly (readonly [fault: string, expected: readonly unknown[]])[] = [
  ['timeout', [504, 'cell-timeout', null, 'no-store']],
  ['wire-lost', [503, 'cell-lost', '1', 'no-store']],
  ['overloaded', [503, 'cell-overloaded', '1', 'no-store']],
  ['unheard-of', [502, 'cell-failed', null, 'no-store']],
]
test.each(FAULTS)('a cell that fails (%s), fails once for all who wait', async (fault, expected) => {
  const { promise, reject } = Promise.withResolvers<Response>()
  const bed = openBed({ cell: () => promise })
  const crowd = Array.from({ length: 200 }, () => bed.ask('1.m4s'))
  reject(new Fault(fault, 'late'))
  for (const response of await Promise.all(crowd)) expect(await told(response)).toEqual(expected)
  // `wire-lost` is tried on another cell, and there is none.
  expect(bed.calls()).toBe(1)
})

test.each([404, 410, 500, 503])('a %d of a cell is for all who wait, and not kept', async (status) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const bed = openBed({
    async cell(_, call) {
      await promise
      return new Response(`{"call":${call}}`, { status, headers: { 'retry-after': '2' } })
    },
  })
  const crowd = Array.from({ length: 200 }, () => bed.ask('1.m4s'))
  resolve()
  for (const response of await Promise.all(crowd))
    expect([response.status, await response.text(), response.headers.get('retry-after')]).toEqual([
      status,
      '{"call":1}',
      '2',
    ])
  expect(bed.calls()).toBe(1)
  expect(await (await bed.ask('1.m4s')).text()).toBe('{"call":2}')
  const again = await Promise.all(Array.from({ length: 50 }, () => bed.ask('1.m4s')))
  expect(again.map(({ status: got }) => got)).toEqual(Array(50).fill(status))
  expect(bed.calls()).toBe(3)
})

test('a playlist of which a cell says nothing, or no-store, is for whom it was asked for alone', async () => {
  const bed = openBed({ cell: (_, call) => Promise.resolve(new Response(`call ${call}`)) })
  const texts = await Promise.all(Array.from({ length: 20 }, async () => (await bed.ask('main.m3u8')).text()))
  expect(new Set(texts).size).toBe(20)
})

test.each(['timeout', 'wire-lost', 'draining', 'overloaded'])(
  'a playlist that grows is served stale while cells fail (%s)',
  async (fault) => {
    const bed = openBed({
      cell: (_, call) =>
        call === 1
          ? Promise.resolve(new Response('#EXTM3U', { headers: { 'tentpole-cache-control': GROWING } }))
          : Promise.reject(new Fault(fault, 'dead')),
    })
    expect(await (await bed.ask('main.m3u8')).text()).toBe('#EXTM3U')
    // Past what may be served while it is validated.
    bed.passMs(60_000)
    const stale = await bed.ask('main.m3u8')
    expect([stale.status, await stale.text(), stale.headers.get('cache-status')]).toEqual([
      200,
      '#EXTM3U',
      'tentpole; hit; detail=stale-on-error',
    ])
  },
)

const object = (): Promise<Response> =>
  Promise.resolve(new Response(null, { headers: { 'x-tentpole-object': 'k', 'content-type': 'video/mp4' } }))
const broken = (): Promise<never> => Promise.reject(new Fault('objects-unreachable', 'secret at /mnt'))
const BROKEN: readonly (readonly [name: string, objects: Partial<ObjectsPort>, code: string])[] = [
  ['head throws', { head: broken }, 'objects-failed'],
  ['read throws', { head: async () => INFO, read: broken }, 'objects-failed'],
  [
    'stream throws',
    { head: async () => ({ ...INFO, sizeBytes: 2 * DEFAULT_LIMITS.edgeSliceBytes }), stream: broken },
    'objects-failed',
  ],
  ['head finds nothing', { head: async () => null }, 'object-missing'],
  ['read finds nothing', { head: async () => INFO, read: async () => null }, 'object-missing'],
]
test.each(BROKEN)(
  'an object store that fails, fails once for all, and says nothing of itself: %s',
  async (_, objects, code) => {
    const bed = openBed({ cell: object, objects })
    for (const response of await Promise.all(Array.from({ length: 50 }, () => bed.ask('1.m4s')))) {
      const text = await response.clone().text()
      expect(text).not.toContain('secret')
      expect((await told(response)).slice(0, 2)).toEqual([502, code])
      expect(response.headers.get('retry-after')).toBe(code === 'objects-failed' ? '1' : null)
    }
    expect(bed.calls()).toBe(1)
  },
)
