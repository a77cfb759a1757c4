import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type WrkResult = {
  readonly requestsPerSecond: number
  readonly requests: number
  /** Answers that were not 2xx, and connections that failed. */
  readonly errors: number
}

/**
 * Saturates `POST /v1/playback` with wrk, a closed loop, over the tokens of a file in turn. The requests are made before
 * the run: a generator that builds text while it measures takes its time from what it measures.
 */
export async function runWrk(options: {
  port: number
  tokensFile: string
  tokensFrom: number
  titleId: string
  seconds: number
  connections: number
  directory: string
}): Promise<WrkResult> {
  const script = join(options.directory, 'play.lua')
  writeFileSync(script, toScript(options))
  const child = Bun.spawn(
    [
      ...['wrk', '-t1', `-c${options.connections}`, `-d${options.seconds}s`, '--timeout', '10s', '-s', script],
      `http://127.0.0.1:${options.port}/v1/playback`,
    ],
    { stdout: 'pipe', stderr: 'pipe' },
  )
  const [output, complaints, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const line = /^result (\d+) (\d+) (\d+)$/m.exec(output)
  if (exitCode !== 0 || !line) throw new Error(`wrk ended with ${exitCode}: ${complaints}${output}`)
  const [, requests, microseconds, errors] = line.map(Number) as [number, number, number, number]
  return { requests, errors, requestsPerSecond: (requests / microseconds) * 1_000_000 }
}

function toScript(options: { tokensFile: string; tokensFrom: number; titleId: string }): string {
  return `
local requests = {}
local at = ${options.tokensFrom}
function init(args)
  local body = '${JSON.stringify({ titleId: options.titleId })}'
  for token in io.lines('${options.tokensFile}') do
    requests[#requests + 1] = wrk.format('POST', nil, {
      ['Authorization'] = 'Bearer ' .. token,
      ['Content-Type'] = 'application/json',
    }, body)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary)
  local e = summary.errors
  print('result ' .. summary.requests .. ' ' .. summary.duration .. ' ' .. (e.connect + e.read + e.write + e.status + e.timeout))
end
`
}
