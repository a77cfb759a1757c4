import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countCopies, fillBeyondBound } from './edge-accounts.ts'
import { coalesce } from './edge-coalesce.ts'
import { cpuSecondsOf } from './edge-cpu.ts'
import { compareHitRatios } from './edge-hit-ratio.ts'
import { checkHit, compareHits, HIT_LOADS, type HitFigures, toHitRows } from './edge-hits.ts'
import { compareLatency, LATENCY_LOAD, toLatencyRows } from './edge-latency.ts'
import { freePort, startOrigin } from './edge-origin.ts'
import { nginx } from './peers/nginx.ts'
import { tentpole } from './peers/tentpole.ts'

/** The benchmark of the edge at smoke size: what it measures with works; no figure of these means anything. */
const directory = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
const origin = startOrigin()
const place = { origin, directory }
afterAll(async () => {
  await origin.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('signed hits and ranges are asked for by a closed loop, and a crowd for something cold is one fetch', async () => {
  const edge = await tentpole.start({ port: freePort(), originPort: origin.port, directory, memoryMib: 64 })
  try {
    const row = await coalesce(edge, origin, 200)
    expect([row.metric, row.ours]).toEqual(['coalesce-1000-origin-fetches', 1])
    for (const load of HIT_LOADS) {
      const few = { ...load, warmUpSeconds: 0.1 }
      const { missing } = await compareHits({ ...place, load: few, servers: [edge], seconds: 0.1 })
      expect(missing).toEqual([])
    }
    const unsigned = await fetch(`http://127.0.0.1:${edge.port}/films/4096/hit`)
    expect(unsigned.status).toBe(403)
  } finally {
    await edge.stop()
  }
}, 30_000)

test('nginx answers the same ranges, and what is measured of both is there', async () => {
  const at = { originPort: origin.port, directory, memoryMib: 64 }
  const servers = [await tentpole.start({ ...at, port: freePort() }), await nginx.start({ ...at, port: freePort() })]
  try {
    const load = HIT_LOADS.find(({ range }) => range !== undefined)
    if (!load) throw new Error('no load asks for ranges')
    const { rows, missing } = await compareHits({
      ...place,
      load: { ...load, warmUpSeconds: 0.1 },
      servers,
      seconds: 0.2,
    })
    expect(missing).toEqual([])
    expect(rows.map(({ metric, peer }) => [metric, peer])).toEqual([['range-64k', 'nginx']])
    for (const [name, value] of Object.entries(rows[0]?.detail ?? {})) expect([name, value > 0]).toEqual([name, true])
    const wrong = { ...load, range: { field: 'bytes=0-9', bytes: 11 } }
    for (const server of servers)
      expect(checkHit({ ...place, load: wrong, server, seconds: 1 })).rejects.toThrow('expected')
  } finally {
    for (const server of servers) await server.stop()
  }
}, 30_000)

test('who is in the wrong has no row, and the others have', () => {
  const figures: HitFigures = {
    ...{ 'req-per-second': 100, 'mb-per-second': 10, 'mb-per-cpu-second': 20, 'req-per-cpu-second': 200 },
    ...{ 'server-cpu-share': 0.5, 'generator-cpu-share': 1 },
  }
  const twice = { ...figures, 'mb-per-second': 20 }
  const rounds = new Map([
    ['tentpole', [twice, twice, figures]] as const,
    ['nginx', []] as const,
    ['varnish', [figures]] as const,
  ])
  const load = { metric: 'hit-1m', unit: 'MB/s' } as const
  const { rows, missing } = toHitRows(load, rounds, new Map([['nginx', 'nginx: wrk: 3 requests failed']]))
  expect(rows.map(({ peer, ours, theirs, ratio }) => [peer, ours, theirs, ratio])).toEqual([['varnish', 20, 10, 2]])
  expect(missing).toEqual([{ metric: 'hit-1m beside nginx', why: 'nginx: wrk: 3 requests failed' }])
  expect(toHitRows(load, rounds, new Map([['tentpole', 'tentpole: gone']])).missing).toHaveLength(2)
})

test("a process' time on the processor grows as it works, that of its children included", async () => {
  // The inner shell counts, and waits then; both end with their input.
  const count = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; read -r end'
  const child = Bun.spawn(['sh', '-c', 'sh -c "$COUNT"; :'], { env: { COUNT: count }, stdin: 'pipe', stdout: 'ignore' })
  const deadline = performance.now() + 5_000
  while (cpuSecondsOf(child.pid) < 0.05 && performance.now() < deadline) await Bun.sleep(20)
  const seconds = cpuSecondsOf(child.pid)
  child.stdin.end()
  await child.exited
  expect(seconds).toBeGreaterThanOrEqual(0.05)
  expect(cpuSecondsOf(child.pid)).toBe(0)
})

test('an open loop beside nginx: both answer all of it, and what each left to the origin is known', async () => {
  const load = { ...LATENCY_LOAD, ratePerSecond: 200, warmUpMs: 100, durationMs: 300, objects: 2_000, rounds: 1 }
  const { rows, missing } = await compareLatency({ ...place, load, peers: [tentpole, nginx] })
  // A machine that is busy with other tests makes the generator late, and then it has to say so.
  for (const { why } of missing) expect(why).toContain('the generator was late by itself')
  for (const { peer, detail } of rows) expect([peer, detail?.['errors']]).toEqual(['nginx', 0])
  expect(rows.length + missing.length).toBe(1)
}, 30_000)

test('tokens make no copies, and no more than the bound is kept', async () => {
  const copies = await countCopies({ ...place, tokens: 500 })
  expect([copies.ours, copies.detail?.['originFetches']]).toEqual([1, 1])
  const bound = await fillBeyondBound({ ...place, boundMib: 16 })
  expect(bound.ours).toBeLessThanOrEqual(1)
  expect(bound.ours).toBeGreaterThan(0.5)
}, 30_000)

test('hit ratios are measured beside the least recently used', () => {
  expect(compareHitRatios(20_000).map(({ metric, peer }) => [metric, peer])).toEqual([
    ['hit-ratio-zipf', 'lru'],
    ['hit-ratio-scan', 'lru'],
  ])
})

test('no row comes of a run with errors, or of a generator that was late by itself', () => {
  const round = {
    ...{ sent: 1_000, ratePerSecond: 20_000, errors: {}, offload: 0.8, cpuUs: 50 },
    ...{ p50Ms: 1, p99Ms: 2, p999Ms: 3, maxMs: 4, lagP99Ms: 1 },
  }
  const late = { ...round, lagP99Ms: 60 }
  const cases = [
    { ours: [round, round, late], theirs: [round], rows: 1, why: null },
    { ours: [round, late, late], theirs: [round], rows: 0, why: 'late by itself' },
    { ours: [round], theirs: [{ ...round, errors: { '502': 1 } }], rows: 0, why: 'failed run' },
    { ours: [{ ...round, errors: { closed: 1 } }, round], theirs: [round], rows: 0, why: 'failed run' },
    { ours: null, theirs: [round], rows: 0, why: 'tentpole did not start' },
  ]
  for (const { ours, theirs, rows, why } of cases) {
    const rounds = new Map([...(ours === null ? [] : [['tentpole', ours] as const]), ['nginx', theirs] as const])
    const result = toLatencyRows({ load: LATENCY_LOAD, subject: 'tentpole', rounds, faults: new Map() })
    expect(result.rows).toHaveLength(rows)
    expect(result.missing[0]?.why ?? '').toContain(why ?? '')
  }
})
