import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutOf } from '../../roles/index.ts'
import type { Verb } from '../verbs/command.ts'

export type Asked = {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly contentType: string | null
}
export type Answer = (asked: Asked) => Response | Promise<Response>

/** For tests of verbs: a home as a running platform leaves it, and in control's place a server that says what the test wants. */
export type FakePlatform = {
  readonly home: string
  readonly asked: Asked[]
  answer: Answer
  run(
    verb: Verb,
    ...args: readonly string[]
  ): Promise<{ readonly exitCode: number; readonly printed: string[]; readonly complained: string[] }>
  close(): Promise<void>
}

export function startFakePlatform(): FakePlatform {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-verbs-'))
  const asked: Asked[] = []
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const contentType = request.headers.get('content-type')
      const each = { method: request.method, path: pathname + search, body: await request.text(), contentType }
      asked.push(each)
      if (request.headers.get('authorization') !== 'Bearer operator') return new Response(null, { status: 401 })
      return platform.answer(each)
    },
  })
  const url = `http://localhost:${server.port}`
  const urls = { watch: url, console: url }
  const runtime = { pid: process.pid, version: 'test', startedAtMs: 0, ports: { watch: 0, console: 0 }, urls }
  writeFileSync(layoutOf(home).runtimeFile, JSON.stringify(runtime))
  writeFileSync(layoutOf(home).operatorTokenFile, 'operator')
  const platform: FakePlatform = {
    home,
    asked,
    answer: () => new Response(null, { status: 404 }),
    async run(verb, ...args) {
      const [printed, complained]: [string[], string[]] = [[], []]
      const terminal = {
        print: (line: string) => void printed.push(line),
        complain: (line: string) => void complained.push(line),
        showProgress: null,
      }
      const exitCode = await verb({ args, environment: { TENTPOLE_HOME: home }, terminal })
      return { exitCode, printed, complained }
    },
    async close() {
      await server.stop(true)
      rmSync(home, { recursive: true, force: true })
    },
  }
  return platform
}

export function problem(status: number, body: Readonly<Record<string, unknown>>, headers: HeadersInit = {}): Response {
  return Response.json(body, { status, headers })
}
