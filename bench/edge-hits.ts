import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toRows } from './edge-compare.ts'
import { toOriginPath } from './edge-origin.ts'
import { GENERATOR_CORE, type Running } from './peers/server.ts'
import { tentpole } from './peers/tentpole.ts'
import type { BenchRow } from './report.ts'

/** What is stored already, from memory, as fast as a closed loop can ask. Ours checks a signature each time, theirs none. */
export type HitLoad = {
  readonly metric: string
  readonly sizeBytes: number
  readonly range?: string
  readonly unit: 'req/s' | 'MB/s'
  readonly seconds: number
}
export const HIT_LOADS: readonly HitLoad[] = [
  { metric: 'hit-4k', sizeBytes: 4_096, unit: 'req/s', seconds: 1.4 },
  { metric: 'hit-1m', sizeBytes: 1_048_576, unit: 'MB/s', seconds: 0.7 },
  { metric: 'range-64k', sizeBytes: 1_048_576, range: 'bytes=131072-196607', unit: 'MB/s', seconds: 0.7 },
]
const ROUNDS = 3
const CONNECTIONS = 64
/** Different addresses of one object, asked for in turn: on our side each has a token of its own. */
const VIEWERS = 1_000

/** In turn, so that whatever else the machine does meets them all. */
export async function compareHits(options: {
  readonly load: HitLoad
  readonly servers: readonly Running[]
  readonly directory: string
  readonly seconds: number
}): Promise<BenchRow[]> {
  const { load, servers } = options
  const figures = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round++)
    for (const server of servers) {
      const figure = await saturate({ ...options, server })
      figures.set(server.name, [...(figures.get(server.name) ?? []), figure])
    }
  return toRows({ metric: load.metric, unit: load.unit, ours: tentpole.name, figures })
}

/** Saturates one server with wrk: requests or megabytes a second. Throws when any request failed. */
export async function saturate(options: {
  readonly load: HitLoad
  readonly server: Running
  readonly directory: string
  readonly seconds: number
}): Promise<number> {
  const { load, server, directory, seconds } = options
  const script = join(directory, `${load.metric}-${server.name}.lua`)
  const addressesFile = `${script}.txt`
  const path = toOriginPath('films', load.sizeBytes, 'hit')
  const addresses = Array.from({ length: VIEWERS }, (_, viewer) => server.address(path, viewer))
  writeFileSync(addressesFile, addresses.join('\n'))
  writeFileSync(script, toScript(addressesFile, load.range))
  const base = `http://127.0.0.1:${server.port}`
  await (await fetch(`${base}${addresses[0]}`)).bytes()
  // wrk counts in whole seconds: it is told more than enough, and ends at SIGINT with what it measured until then.
  const command = [
    'wrk',
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${Math.ceil(seconds) + 5}s`,
    '--timeout',
    '10s',
    '-s',
    script,
    base,
  ]
  const child = Bun.spawn([...GENERATOR_CORE, ...command], { stdout: 'pipe', stderr: 'pipe' })
  const end = setTimeout(() => child.kill('SIGINT'), seconds * 1_000)
  const output = await new Response(child.stdout).text()
  clearTimeout(end)
  const line = /^result (\d+) (\d+) (\d+) (\d+)$/m.exec(output)
  if ((await child.exited) !== 0 || !line) throw new Error(`wrk: ${output}`)
  const [, requests = 0, microseconds = 1, bytes = 0, errors = 0] = line.map(Number)
  if (errors > 0) throw new Error(`${load.metric}, ${server.name}: ${errors} of ${requests} requests failed`)
  return load.unit === 'req/s' ? (requests / microseconds) * 1e6 : bytes / microseconds
}

/** Requests are made before the run, in the same way for all: what a generator does while it measures, it takes from what it measures. */
function toScript(addressesFile: string, range: string | undefined): string {
  return `
local requests = {}
local at = 0
function init(args)
  ${range === undefined ? '' : `wrk.headers['Range'] = '${range}'`}
  for address in io.lines('${addressesFile}') do requests[#requests + 1] = wrk.format('GET', address) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(s)
  local e = s.errors
  print('result ' .. s.requests .. ' ' .. s.duration .. ' ' .. s.bytes .. ' ' .. (e.connect + e.read + e.write + e.status + e.timeout))
end
`
}
