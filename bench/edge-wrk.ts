import { writeFileSync } from 'node:fs'
import { GENERATOR_CORE } from './peers/server.ts'

export type WrkCount = {
  readonly requests: number
  readonly seconds: number
  /** As they came over the wire, heads included. */
  readonly bytes: number
  /** Of wrk itself. */
  readonly cpuSeconds: number
}

const CONNECTIONS = 64

/** A closed loop of GETs by wrk, on the generators' core, for addresses in turn. Throws when any request failed. */
export async function runWrkGets(options: {
  readonly port: number
  readonly addresses: readonly string[]
  readonly range: string | undefined
  readonly seconds: number
  /** Where its script goes, and the addresses beside it. */
  readonly script: string
}): Promise<WrkCount> {
  const { port, addresses, range, seconds, script } = options
  writeFileSync(`${script}.txt`, addresses.join('\n'))
  writeFileSync(script, toScript(`${script}.txt`, range))
  // wrk counts in whole seconds: it is told more than enough, and ends at SIGINT with what it measured until then.
  const limits = ['-t1', `-c${CONNECTIONS}`, `-d${Math.ceil(seconds) + 5}s`, '--timeout', '10s']
  const command = [...GENERATOR_CORE, 'wrk', ...limits, '-s', script, `http://127.0.0.1:${port}`]
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
  const end = setTimeout(() => child.kill('SIGINT'), seconds * 1_000)
  const output = await new Response(child.stdout).text()
  clearTimeout(end)
  const line = /^result (\d+) (\d+) (\d+) (\d+)$/m.exec(output)
  if ((await child.exited) !== 0 || !line) throw new Error(`wrk: ${output}`)
  const [, requests = 0, microseconds = 1, bytes = 0, errors = 0] = line.map(Number)
  if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`)
  const cpuSeconds = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6
  return { requests, seconds: microseconds / 1e6, bytes, cpuSeconds }
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
