import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PathKeys, parseNetwork, signPathToken, toTitlePrefix } from '../../contracts/index.ts'
import { type LogPort, openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects, type ObjectsPort } from '../../engines/objects/index.ts'
import { createPublisher, type Publisher } from '../../hub/index.ts'
import { DEFAULT_LIMITS, type Limits, silentLogger } from '../../kernel/index.ts'
import {
  createWireClient,
  createWireServer,
  decodeHttpRequest,
  encodeHttpResponse,
  type WireServer,
} from '../../wire/index.ts'
import { createEdge, type Edge } from '../index.ts'

export type CellHandler = (request: Request) => Response | Promise<Response>

/** A real edge over real sockets, log and objects; only what the cells answer is the test's. */
export type Bed = {
  readonly edge: Edge
  readonly objects: ObjectsPort
  readonly publisher: Publisher
  readonly url: (path: string) => string
  /** Every request a cell was handed, `<cell> <method> <path>`. */
  readonly asked: string[]
  /** Starts a cell, or starts it again; the handler of an earlier start is replaced. */
  startCell(name: string, handler?: CellHandler): Promise<void>
  stopCell(name: string): Promise<void>
  token(titleId: string, options?: { expiresInS?: number; cell?: string; sessionId?: string; network?: string }): string
  withdraw(titleId: string): Promise<void>
  /** What comes back for exactly these bytes. */
  raw(request: string): Promise<string>
  close(): Promise<void>
}

export const TITLE = '0123456789abcdef'
export const OTHER_TITLE = 'fedcba9876543210'
export const KEYS: PathKeys = { current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64url') } }

export async function openBed(
  options: {
    limits?: Partial<Limits>
    pathKeys?: () => PathKeys
    cells?: readonly string[]
    handler?: CellHandler
    /** Instead of a log of the bed's own. */
    openLog?: (directory: string) => Promise<LogPort>
    onRead?: (key: string) => void
  } = {},
): Promise<Bed> {
  const { cells = ['a', 'b'], openLog = openOwnLog } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-edge-'))
  mkdirSync(join(directory, 'web', 'watch'), { recursive: true })
  writeFileSync(join(directory, 'web', 'watch', 'index.html'), '<!doctype html>watch')
  const log = await openLog(join(directory, 'log'))
  const objects = countReads(createDirectoryObjects({ root: join(directory, 'objects') }), options.onRead)
  const publisher = createPublisher({ log, source: 'test' })
  const asked: string[] = []
  const servers = new Map<string, WireServer>()
  const socketOf = (name: string): string => join(directory, `${name}.sock`)
  const clients = cells.map((name) => ({ name, client: createWireClient({ path: socketOf(name), limits }) }))
  const edge = createEdge({
    port: 0,
    cells: clients,
    log,
    objects,
    pathKeys: options.pathKeys ?? (() => KEYS),
    webDirectory: join(directory, 'web'),
    exemptNetworks: ['127.0.0.0/8'],
    limits,
    logger: silentLogger,
    version: 'test',
  })

  const bed: Bed = {
    edge,
    objects,
    publisher,
    asked,
    url: (path) => `http://127.0.0.1:${edge.port}${path}`,
    async startCell(name, handler = options.handler ?? (() => new Response('ok'))) {
      const server = createWireServer({
        path: socketOf(name),
        limits,
        logger: silentLogger,
        onCall: async (payload, call) => {
          const request = decodeHttpRequest(payload, { signal: call.signal })
          const { pathname, search } = new URL(request.url)
          asked.push(`${name} ${request.method} ${pathname}${search}`)
          return await encodeHttpResponse(await handler(request))
        },
      })
      servers.set(name, server)
      const client = clients.find((each) => each.name === name)?.client
      await until(`cell ${name} to be connected`, () => client?.connected())
    },
    async stopCell(name) {
      await servers.get(name)?.close({ timeoutMs: 20 })
      servers.delete(name)
      const client = clients.find((each) => each.name === name)?.client
      await until(`cell ${name} to be gone`, () => !client?.connected())
    },
    token: (titleId, { expiresInS = 60, cell = 'a', sessionId = 'session', network } = {}) =>
      signPathToken(KEYS, {
        prefix: toTitlePrefix(titleId),
        sessionId,
        cell,
        expiresAtS: Math.floor(Date.now() / 1000) + expiresInS,
        network: network === undefined ? null : parseNetwork(network),
      }),
    async withdraw(titleId) {
      await publisher.publish('tentpole.title.withdrawn.v1', titleId, { titleId, reason: 'test' })
    },
    raw: (request) => exchangeRaw(edge.port, request),
    async close() {
      await edge.close()
      for (const { client } of clients) client.close()
      for (const server of servers.values()) await server.close({ timeoutMs: 20 })
      await log.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  for (const name of cells) await bed.startCell(name)
  await until('the edge to be well', () => edge.faults().length === 0)
  return bed
}

/** Waits until `probe` is true, two seconds at most unless told. */
export async function until(what: string, probe: () => unknown, timeoutMs = 2_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await Bun.sleep(5)
  }
}

function openOwnLog(directory: string): Promise<LogPort> {
  return openEmbeddedLog({ directory, limits: DEFAULT_LIMITS, logger: silentLogger, trimmedTopics: [] })
}

function countReads(objects: ObjectsPort, onRead: (key: string) => void = () => {}): ObjectsPort {
  return {
    ...objects,
    read(key, range) {
      onRead(key)
      return objects.read(key, range)
    },
  }
}

/** Until the server closes, or has answered and been quiet for a moment. */
async function exchangeRaw(port: number, request: string): Promise<string> {
  const ended = Promise.withResolvers<void>()
  let text = ''
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(_, data) {
        text += data.toString('latin1')
        if (/\r\n\r\n/.test(text)) setTimeout(ended.resolve, 20)
      },
      close: () => ended.resolve(),
      error: () => ended.resolve(),
    },
  })
  socket.write(Buffer.from(request, 'latin1'))
  await ended.promise
  socket.end()
  return text
}
