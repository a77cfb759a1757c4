import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeError } from '../src/kernel/index.ts'
import { nginx } from './peers/nginx.ts'
import { GENERATOR_CORE, type Running } from './peers/server.ts'
import { tentpole } from './peers/tentpole.ts'
import { varnish } from './peers/varnish.ts'
import type { Bench, BenchMissing, BenchRow } from './report.ts'

const CONNECTIONS = 64
const SECONDS = { default: 2, full: 8 } as const
const ROUNDS = 3
const CROWD = 1_000

/** The edge alone, in front of the same origin as its peers: what is stored already, from memory. No signatures on either side. */
type Load = { readonly metric: string; readonly path: string; readonly range?: string; readonly unit: 'req/s' | 'MB/s' }
const LOADS: readonly Load[] = [
  { metric: 'proxy-hit-4k', path: '/4k', unit: 'req/s' },
  { metric: 'proxy-hit-1m', path: '/1m', unit: 'MB/s' },
  { metric: 'proxy-range-64k', path: '/1m', range: 'bytes=131072-196607', unit: 'MB/s' },
]
const SIZES: Readonly<Record<string, number>> = { '/4k': 4_096, '/1m': 1_048_576, '/ready': 1 }

export const runEdgeBench: Bench = async ({ full, say }) => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  const origin = startOrigin()
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const running = new Map<string, Running>()
  try {
    for (const peer of [tentpole, nginx, varnish]) {
      try {
        running.set(peer.name, await peer.start({ port: freePort(), originPort: origin.port, directory }))
      } catch (error) {
        missing.push({ metric: peer.name, why: describeError(error) })
      }
    }
    for (const load of LOADS) {
      say(load.metric)
      rows.push(...(await compare({ load, running, directory, seconds: full ? SECONDS.full : SECONDS.default })))
    }
    say('a crowd for something cold')
    const edge = running.get(tentpole.name)
    if (edge) rows.push(await coalesce(edge, origin))
  } finally {
    for (const server of running.values()) await server.stop()
    await origin.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  return { rows, missing }
}

/** In turn, so that whatever else the machine does meets them all; medians. */
async function compare(options: {
  readonly load: Load
  readonly running: ReadonlyMap<string, Running>
  readonly directory: string
  readonly seconds: number
}): Promise<BenchRow[]> {
  const { load, running } = options
  const figures = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, server] of running) {
      const figure = await saturate({ ...options, port: server.port })
      figures.set(name, [...(figures.get(name) ?? []), figure])
    }
  const ours = median(figures.get(tentpole.name) ?? [])
  return [...figures.keys()]
    .filter((name) => name !== tentpole.name)
    .map((peer) => {
      const theirs = median(figures.get(peer) ?? [])
      return { metric: load.metric, ours, unit: load.unit, peer, theirs, ratio: ours / theirs }
    })
}

async function saturate(options: {
  readonly load: Load
  readonly directory: string
  readonly port: number
  readonly seconds: number
}): Promise<number> {
  const { load, directory, port, seconds } = options
  const script = join(directory, `${load.metric}.lua`)
  const headers = load.range ? `wrk.headers['Range'] = '${load.range}'` : ''
  writeFileSync(
    script,
    `${headers}\nfunction done(s)\n local e = s.errors\n print('result ' .. s.requests .. ' ' .. s.duration .. ' ' .. s.bytes .. ' ' .. (e.connect + e.read + e.write + e.status + e.timeout))\nend\n`,
  )
  const url = `http://127.0.0.1:${port}${load.path}`
  await (await fetch(url)).bytes()
  const child = Bun.spawn(
    [...GENERATOR_CORE, 'wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url],
    { stdout: 'pipe', stderr: 'pipe' },
  )
  const output = await new Response(child.stdout).text()
  const line = /^result (\d+) (\d+) (\d+) (\d+)$/m.exec(output)
  if ((await child.exited) !== 0 || !line) throw new Error(`wrk: ${output}`)
  const [, requests = 0, microseconds = 1, bytes = 0, errors = 0] = line.map(Number)
  if (errors > 0) throw new Error(`${load.metric} on port ${port}: ${errors} of ${requests} requests failed`)
  return load.unit === 'req/s' ? (requests / microseconds) * 1e6 : bytes / microseconds
}

export async function coalesce(edge: Running, origin: Origin, crowd: number = CROWD): Promise<BenchRow> {
  const before = origin.fetches('/cold')
  const answers = await Promise.all(
    Array.from({ length: crowd }, async () => (await fetch(`http://127.0.0.1:${edge.port}/cold`)).bytes()),
  )
  if (answers.some((bytes) => bytes.byteLength !== COLD_BYTES)) throw new Error('an answer of the crowd was cut off')
  const ours = origin.fetches('/cold') - before
  return { metric: 'coalesce-1000-origin-fetches', ours, unit: 'fetches', detail: { crowd } }
}

const COLD_BYTES = 20_000
const COLD_WAIT_MS = 500

export type Origin = { readonly port: number; fetches(path: string): number; stop(): Promise<void> }

export function startOrigin(): Origin {
  const counts = new Map<string, number>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      counts.set(pathname, (counts.get(pathname) ?? 0) + 1)
      if (pathname === '/cold') await Bun.sleep(COLD_WAIT_MS)
      const size = pathname === '/cold' ? COLD_BYTES : (SIZES[pathname] ?? 0)
      const headers = { 'cache-control': 'public, max-age=3600', etag: `"${pathname}"`, 'content-type': 'video/mp4' }
      return new Response(new Uint8Array(size), { headers })
    },
  })
  return { port: server.port ?? 0, fetches: (path) => counts.get(path) ?? 0, stop: () => server.stop(true) }
}

/** One that nobody has at this moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
