import { expect, test } from 'bun:test'
import { systemClock } from '../../kernel/index.ts'
import { createEdgeMeter, type EdgeMeterOptions } from './meter.ts'
import { toExchange } from './testing.ts'

const LIMITS = { meterObjectsMax: 8, meterObjectsPerSecondMax: 1e9, meterTagsMax: 4 }

const open = (options: Partial<EdgeMeterOptions> = {}) =>
  createEdgeMeter({ clock: systemClock, limits: LIMITS, ...options })

test('requests are counted by what the cache did, method and class of status', () => {
  const meter = open()
  const cases = [
    [toExchange({ report: { cache: 'hit' } }), 'hit GET 2xx'],
    [toExchange({ report: { cache: 'hit' } }), 'hit GET 2xx'],
    [toExchange({ report: { cache: 'revalidated' }, method: 'HEAD', status: 304 }), 'revalidated HEAD 3xx'],
    [toExchange({ method: 'get' }), 'none other 2xx'],
    [toExchange({ method: 'BREW', status: 418 }), 'none other 4xx'],
    [toExchange({ status: 999 }), 'none GET other'],
    [toExchange({ status: 503, report: { cache: 'bypass' } }), 'bypass GET 5xx'],
  ] as const
  for (const [exchange] of cases) meter.record(exchange)
  const told = meter
    .snapshot()
    .requests.flatMap(({ cache, method, status, count }) =>
      Array.from({ length: count }, () => `${cache} ${method} ${status}`),
    )
  expect(told.sort()).toEqual(cases.map(([, expected]) => expected as string).sort())
})

test('bytes, durations and unfinished answers', () => {
  const meter = open()
  for (const durationMs of [0.5, 0.51, 40_000])
    meter.record(toExchange({ bytes: 100, durationMs, complete: durationMs < 1, report: { cache: 'miss' } }))
  const { outcomes, incomplete } = meter.snapshot()
  const miss = outcomes.find(({ cache }) => cache === 'miss')
  expect(miss?.bytes).toBe(300)
  expect(miss?.durationSumS).toBeCloseTo(40.00101)
  expect(miss?.durationCounts).toEqual([1, 1, ...Array<number>(13).fill(0), 1])
  expect(incomplete).toBe(1)
})

test('by cell, tag and object, with what is beyond the bound counted together', () => {
  const meter = open({ limits: { ...LIMITS, meterTagsMax: 2 } })
  const outcomes = ['hit', 'stale', 'miss', 'bypass'] as const
  for (const cache of outcomes)
    meter.record(toExchange({ bytes: 10, report: { cache, key: 'http://h/film?a=1', tags: ['film'], cell: 'a' } }))
  for (const title of ['one', 'film', 'one', 'two', 'film'])
    meter.record(toExchange({ bytes: 1, report: { tags: [title] } }))
  const told = meter.snapshot()
  const film = { requests: 4, hits: 1, stale: 1, misses: 1, bytes: 40 }
  expect(told.cells).toEqual([{ name: 'a', ...film }])
  expect(told.tags[0]).toEqual({ ...film, name: 'film', requests: 6, bytes: 42 })
  expect(told.tags.at(-1)).toMatchObject({ name: 'other', requests: 1 })
  expect(told.tags.reduce((sum, { requests }) => sum + requests, 0)).toBe(9)
  for (const list of [told.topByRequests, told.topByBytes])
    expect(list).toEqual([{ key: 'http://h/film', errorMax: 0, ...film }])
})

test('neither token, address, query nor field is in what is told', () => {
  const meter = open({ sources: { origins: () => [{ url: 'http://user:secret@o.example/x', health: UP }] } })
  meter.record(
    toExchange({
      path: '/v/secret.mac/t1/main.m3u8',
      query: '?token=secret',
      clientAddress: '192.0.2.77',
      report: { cache: 'hit', key: 'http://h/t1/main.m3u8?token=secret', tags: ['t1'], cell: 'a' },
    }),
  )
  for (const text of [JSON.stringify(meter.snapshot()), meter.prometheus({ edge: 'edge' })]) {
    expect(text).not.toContain('secret')
    expect(text).not.toContain('192.0.2')
    expect(text).not.toContain('nobody may see')
  }
})

const UP = { state: 'up', failures: 0, downs: 0, retryAtMs: 0, reachable: true } as const

test('what parts of the edge know is asked for when it is told', () => {
  let connections = 1
  const meter = open({
    sources: {
      memory: () => ({ ...MEMORY, bytesMax: 100 }),
      fetches: () => ({ fetches: 1, readers: 2, bufferedBytes: 3 }),
      cells: () => [{ name: 'a', connected: false }],
      origins: () => [{ url: 'http://o:8080', health: UP }],
      server: { connections: () => connections, inFlight: () => 0, refusals: () => ({ 'head-too-large': 2 }) },
    },
  })
  connections = 5
  const told = meter.snapshot()
  expect(told.memory).toEqual({
    bytes: 60,
    bytesMax: 100,
    entries: 2,
    slices: 3,
    admitted: 4,
    refused: 5,
    evicted: 6,
    purged: 7,
  })
  expect(told.server).toEqual({ connections: 5, inFlight: 0, refusals: { 'head-too-large': 2 } })
  expect(told.origins).toEqual([{ name: 'o:8080', state: 'up' }])
  const text = meter.prometheus({ edge: 'e' })
  expect(text).toContain('tentpole_edge_memory_limit_bytes{edge="e"} 100\n')
  expect(text).toContain('tentpole_edge_cell_connected{edge="e",cell="a"} 0\n')
  expect(text).toContain('tentpole_edge_refusals_total{edge="e",code="head-too-large"} 2\n')
  expect(open().snapshot()).toMatchObject({ memory: null, fetches: null, origins: null, cellLinks: null, server: null })
})

const MEMORY = {
  ...{ hits: 0, misses: 0, sliceHits: 0, sliceMisses: 0 },
  ...{ admitted: 4, refused: 5, evicted: 6, purged: 7, entries: 2, slices: 3, bytes: 60 },
}

test('counting costs no more, however many objects and titles there are', () => {
  const meter = open({ limits: { ...LIMITS, meterObjectsMax: 1_024, meterTagsMax: 1_024 } })
  for (let at = 0; at < 20_000; at++)
    meter.record(
      toExchange({ bytes: 1, report: { cache: 'miss', key: `http://h/${at}`, tags: [`t${at}`], cell: `c${at}` } }),
    )
  const told = meter.snapshot()
  expect(told.tags.length).toBe(1_024)
  expect(told.cells.length).toBe(64)
  expect(told.topByRequests.length).toBe(50)
})
