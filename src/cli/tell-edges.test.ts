import { afterEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Revoked, revokedResponseSchema } from '../contracts/index.ts'
import { openEmbeddedLog } from '../engines/log/index.ts'
import { createStoreHandler } from '../engines/store/index.ts'
import { openSqliteTables } from '../engines/tables/index.ts'
import { decodeEvent } from '../hub/index.ts'
import { DEFAULT_LIMITS, faultCode, silentLogger } from '../kernel/index.ts'
import { layoutOf } from '../roles/index.ts'
import { createWireServer } from '../wire/index.ts'
import { decideAnswer } from './tell-edges.ts'
import { UsageError } from './usage.ts'
import { purge } from './verbs/purge.ts'
import { revoke } from './verbs/revoke.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A home as a running platform leaves it, with control at `consoleUrl`. */
function openHome(consoleUrl: string): string {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-tell-'))
  closers.push(() => rmSync(home, { recursive: true, force: true }))
  const runtime = {
    pid: process.pid,
    version: 'test',
    startedAtMs: 0,
    ports: { watch: 0, console: 0 },
    urls: { watch: consoleUrl, console: consoleUrl },
  }
  writeFileSync(layoutOf(home).runtimeFile, JSON.stringify(runtime))
  writeFileSync(layoutOf(home).operatorTokenFile, 'operator')
  return home
}
async function startStore(home: string): Promise<() => Promise<string[]>> {
  const { storeSocket, socketDirectory, logDirectory } = layoutOf(home)
  mkdirSync(socketDirectory, { recursive: true })
  const log = await openEmbeddedLog({
    directory: logDirectory,
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    trimmedTopics: [],
  })
  const tables = openSqliteTables({ path: join(home, 'tables.sqlite'), migrations: [] })
  const handler = createStoreHandler({ log, tables, logger: silentLogger })
  const server = createWireServer({
    path: storeSocket,
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    onCall: handler,
  })
  closers.push(async () => {
    handler.endStreams()
    await server.close({ timeoutMs: 100 })
    await log.close()
    await tables.close()
  })
  return async () =>
    (await log.read({ topic: 'edge', from: 0, max: 10 })).map((record) => JSON.stringify(decodeEvent(record).data))
}
async function say(verb: typeof revoke, args: readonly string[], home: string): Promise<string> {
  const lines: string[] = []
  const terminal = {
    print: (line: string) => void lines.push(line),
    complain: (line: string) => void lines.push(line),
    showProgress: null,
  }
  expect(await verb({ args, environment: { TENTPOLE_HOME: home }, terminal })).toBe(0)
  return lines.join('\n')
}
const NOBODY = 'http://127.0.0.1:1'

test('with control there, control is told, and what it refuses is said', async () => {
  const asked: string[] = []
  const control = Bun.serve({
    port: 0,
    async fetch(request) {
      asked.push(`${request.headers.get('authorization')} ${new URL(request.url).pathname} ${await request.text()}`)
      if (request.url.endsWith('/api/purges'))
        return Response.json({ code: 'body-invalid', detail: 'not that' }, { status: 400 })
      return Response.json({ sessionId: 's1', revokedAtMs: 5 } satisfies Revoked, { status: 202 })
    },
  })
  closers.push(() => control.stop(true))
  const home = openHome(`http://127.0.0.1:${control.port}`)
  expect(await say(revoke, ['s1', '--json'], home)).toBe('{"sessionId":"s1","revokedAtMs":5}')
  const refused = say(purge, ['--tag', 't'], home)
  expect(await refused.catch(faultCode)).toBe('body-invalid')
  expect(asked).toEqual([
    'Bearer operator /api/sessions/s1/revoke {"reason":""}',
    'Bearer operator /api/purges {"scope":"tag","value":"t","reason":""}',
  ])
})

const answered: readonly (readonly [string, number, string, 'done' | 'refused' | 'not-done'])[] = [
  ['what it says of it', 202, '{"sessionId":"s1","revokedAtMs":5}', 'done'],
  ['a refusal of its own', 400, '{"code":"body-invalid","detail":"not that"}', 'refused'],
  ['that it asks too often', 429, '{"code":"too-many-requests","detail":"wait"}', 'refused'],
  ['a fault of its own', 500, '{"code":"internal","detail":"sorry"}', 'not-done'],
  ['that it cannot for now', 503, '{"code":"unavailable","detail":"the store"}', 'not-done'],
  ['that it does not know the token', 401, '{"code":"token-invalid","detail":"no"}', 'not-done'],
  ['a page', 200, '<!doctype html>', 'not-done'],
  ['nothing', 204, '', 'not-done'],
  ['JSON about something else', 200, '{"ok":true}', 'not-done'],
  ['a page that there is nothing', 404, '<h1>Not found</h1>', 'not-done'],
  ['null', 404, 'null', 'not-done'],
  ['that it is elsewhere', 302, '', 'not-done'],
]
test.each(answered)('whoever has the port of control answers %s (%p): %p', (_, status, text, kind) => {
  expect(decideAnswer({ status, text }, revokedResponseSchema).kind).toBe(kind)
})

test('control that fails, or another program in its place, does not keep it from the log', async () => {
  let answer = (): Response => new Response()
  const other = Bun.serve({ port: 0, fetch: () => answer() })
  closers.push(() => other.stop(true))
  const home = openHome(`http://127.0.0.1:${other.port}`)
  const said = await startStore(home)
  const answers = [
    () => Response.json({ code: 'internal', detail: 'sorry' }, { status: 500 }),
    () => new Response('<!doctype html>'),
    () => Response.redirect('/login'),
  ]
  for (const [at, next] of answers.entries()) {
    answer = next
    await say(revoke, [`s${at}`], home)
  }
  expect((await said()).map((data) => JSON.parse(data).sessionId)).toEqual(['s0', 's1', 's2'])
})

test('what is too long is said by its name before anybody is asked', async () => {
  const home = openHome(NOBODY)
  const said = await startStore(home)
  const reason = 'x'.repeat(501)
  for (const [verb, args] of [
    [revoke, ['s1', '--reason', reason]],
    [purge, ['--tag', 't', '--reason', reason]],
  ] as const) {
    const error = await say(verb, args, home).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toMatch(/^reason: .*500.*got 501/)
  }
  expect(await said()).toEqual([])
})

test('with control dead, or deaf, it is put onto the log itself', async () => {
  const deaf = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => {}) })
  closers.push(() => deaf.stop(true))
  const home = openHome(NOBODY)
  const said = await startStore(home)
  expect(await say(revoke, ['s1', '--reason', 'shared'], home)).toContain('s1')
  expect((await said())[0]).toMatch(/^\{"sessionId":"s1","reason":"shared","revokedAtMs":\d+,"endedBy":"staff"\}$/)
  const runtime = await Bun.file(layoutOf(home).runtimeFile).text()
  writeFileSync(layoutOf(home).runtimeFile, runtime.replaceAll(NOBODY, `http://127.0.0.1:${deaf.port}`))
  await say(purge, ['--prefix', '/films/'], home)
  expect((await said())[1]).toBe('{"scope":"prefix","value":"/films/","reason":""}')
}, 15_000)
