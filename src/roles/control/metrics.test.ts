import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type EdgeView, edgeViewSchema } from '../../contracts/index.ts'
import { createEdgeMeter, type EdgeMeter } from '../../edge/index.ts'
import { DEFAULT_LIMITS, silentLogger, systemClock } from '../../kernel/index.ts'
import type { WireServer } from '../../wire/index.ts'
import { layoutOf } from '../layout.ts'
import { serveMeter } from '../meter-socket.ts'
import { METRICS_TOKEN, problemOf, startTestControl, type TestControl, TOKEN, until } from './testing.ts'
import { parsePrometheus } from './testing-prometheus.ts'

type Recorded = Parameters<EdgeMeter['record']>[0]

/** An edge's counting alone: a real meter on the socket of a real edge. */
let control: TestControl
let meter: EdgeMeter
let socket: WireServer
const serve = (): WireServer =>
  serveMeter({
    path: layoutOf(control.home).roleSocket('edge'),
    meter,
    labels: { edge: 'edge' },
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
  })
beforeAll(async () => {
  control = await startTestControl({ limits: { metricsPeriodMs: 40, metricsTimeoutMs: 30, metricsSamplesMax: 5 } })
  meter = createEdgeMeter({
    clock: systemClock,
    limits: DEFAULT_LIMITS,
    sources: {
      cells: () => [{ name: 'a', connected: true }],
      server: { connections: () => 3, inFlight: () => 1, refusals: () => ({ 'head-too-large': 2 }) },
    },
  })
  socket = serve()
})
afterAll(async () => {
  await socket.close({ timeoutMs: 100 })
  await control.close()
})

const exchangeOf = (title: string, status = 200): Recorded =>
  ({
    request: { method: 'GET', path: `/v/secret-token/${title}/1.m4s`, query: '?secret', clientAddress: '192.0.2.7' },
    answer: { status, report: { cache: 'hit', key: `${title}/1.m4s`, tags: [title], cell: 'a' } },
    bytes: 1_000,
    durationMs: 2,
    complete: true,
    // What the meter does not read is left out.
  }) as unknown as Recorded

const scrape = (authorization?: string): Promise<Response> =>
  fetch(`${control.url}/metrics`, authorization === undefined ? {} : { headers: { authorization } })

test('metrics are for the operator and for who has their token, and for nobody else', async () => {
  for (const token of [TOKEN, METRICS_TOKEN]) {
    const answer = await scrape(`Bearer ${token}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
  }
  for (const refused of [undefined, 'Bearer wrong', `Basic ${METRICS_TOKEN}`, `Bearer ${METRICS_TOKEN}x`, 'Bearer']) {
    const answer = await scrape(refused)
    expect([answer.status, (await problemOf(answer)).code]).toEqual([401, 'operator-needed'])
  }
})

test('the token for metrics opens nothing else', async () => {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` }
  for (const [method, path] of [
    ['GET', '/api/titles'],
    ['GET', '/api/edge'],
    ['GET', '/api/status'],
    ['POST', '/api/console-links'],
    ['POST', '/uploads/'],
    ['POST', '/metrics'],
    ['GET', '/metrics/more'],
  ] as const)
    expect((await fetch(control.url + path, { method, headers })).status).toBe(401)
})

test('a strict reader understands every line, whatever titles are called', async () => {
  const hostile = 'a"b\\c\nd{e="f"} 1\n# HELP x'
  for (const title of ['premiere', 'premiere', hostile, 'other']) meter.record(exchangeOf(title))
  meter.record(exchangeOf('premiere', 503))
  const text = await (await scrape(`Bearer ${METRICS_TOKEN}`)).text()
  const families = parsePrometheus(text)
  const figureOf = (name: string, labels: Readonly<Record<string, string>>): number | undefined =>
    [...families.values()]
      .flatMap(({ samples }) => samples)
      .find((sample) => sample.name === name && Bun.deepEquals(sample.labels, labels))?.value
  const edge = { edge: 'edge' }
  expect(figureOf('tentpole_edge_requests_total', { ...edge, cache: 'hit', method: 'GET', status: '2xx' })).toBe(4)
  expect(figureOf('tentpole_edge_tag_requests_total', { ...edge, tag: hostile, cache: 'hit' })).toBe(1)
  expect(figureOf('tentpole_edge_tag_requests_total', { ...edge, tag: 'premiere', cache: 'hit' })).toBe(3)
  expect(figureOf('tentpole_edge_cell_answer_bytes_total', { ...edge, cell: 'a' })).toBe(5_000)
  expect(figureOf('tentpole_edge_request_duration_seconds_bucket', { ...edge, cache: 'hit', le: '0.0025' })).toBe(5)
  expect(figureOf('tentpole_edge_refusals_total', { ...edge, code: 'head-too-large' })).toBe(2)
  expect(figureOf('tentpole_edge_answered', {})).toBe(1)
  expect(figureOf('tentpole_role_up', { role: 'edge', kind: 'edge' })).toBe(1)
  expect(figureOf('tentpole_role_restarts_total', { role: 'edge', kind: 'edge' })).toBe(0)
  expect(text).not.toContain('secret')
  expect(text).not.toContain('192.0.2')
})

test('the strict reader is strict', () => {
  const head = '# HELP a_total A.\n# TYPE a_total counter\n'
  expect(parsePrometheus(`${head}a_total 1\n`).get('a_total')?.samples).toHaveLength(1)
  for (const bad of [
    'a_total 1\n',
    `${head}a_total 1`,
    `${head}a_total  1\n`,
    `${head}b_total 1\n`,
    `${head}a_total 1\na_total 2\n`,
    `${head}a_total{x="y} 1\n`,
    `${head}a_total{x="\\q"} 1\n`,
    `${head}a_total -1\n`,
    `${head}a_total 1\n${head}`,
    `${head}a_total one\n`,
  ])
    expect(() => parsePrometheus(bad)).toThrow()
})

const view = async (): Promise<EdgeView> => edgeViewSchema.parse(await (await control.call('/api/edge')).json())

test('the console is told the figures of now and how the sums went, of bounded length', async () => {
  await until('samples are as many as are kept', async () => (await view()).samples.length === 5)
  meter.record(exchangeOf('premiere'))
  await until('the last sample has the request', async () => (await view()).samples.at(-1)?.requests === 6)
  const { metrics, samples, heardAtMs } = await view()
  expect(metrics?.topByRequests[0]).toMatchObject({ key: 'premiere/1.m4s', requests: 4, hits: 4, bytes: 4_000 })
  expect(samples.at(-1)).toMatchObject({ requests: 6, hits: 6, stale: 0, misses: 0, errors: 1, bytes: 6_000 })
  expect(samples.length).toBe(5)
  expect(Date.now() - (heardAtMs ?? 0)).toBeLessThan(5_000)
})

test('an edge that does not answer is said to be so, and its last figures keep their time', async () => {
  await socket.close({ timeoutMs: 100 })
  const before = await view()
  const families = parsePrometheus(await (await scrape(`Bearer ${TOKEN}`)).text())
  expect(families.get('tentpole_edge_answered')?.samples[0]?.value).toBe(0)
  expect(families.has('tentpole_edge_requests_total')).toBe(false)
  expect(families.has('tentpole_role_up')).toBe(true)
  const after = await view()
  expect(after.heardAtMs).toBe(before.heardAtMs)
  expect(after.metrics).toEqual(before.metrics)
  socket = serve()
  await until('the edge is heard again', async () => ((await view()).heardAtMs ?? 0) > (before.heardAtMs ?? 0))
})
