import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '../../random.ts'
import type { LinkConditions } from '../plan.ts'
import type { Address } from './address.ts'
import { LANE_BYTES_MAX } from './lane.ts'
import { createProxy, type FaultProxy } from './proxy.ts'

const SEED = Number(process.env['SEED'] ?? 7)
const MIB = 1024 * 1024
const directory = mkdtempSync(join(tmpdir(), 'storm-proxy-'))
const toClose: (() => void)[] = []
let sockets = 0

afterEach(() => {
  for (const close of toClose.splice(0).reverse()) close()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const KINDS = ['tcp', 'unix'] as const
type Kind = (typeof KINDS)[number]

/** A server that does `serve` with every connection, a proxy before it, and a way to connect. */
async function stage(
  kind: Kind,
  serve: (socket: net.Socket) => void,
): Promise<{ proxy: FaultProxy; connect(): net.Socket }> {
  const accepted = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    accepted.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  const target = await listen(kind, server)
  toClose.push(() => {
    server.close()
    for (const socket of accepted) socket.destroy()
  })
  const front: Address = kind === 'unix' ? { unix: nextSocket() } : { hostname: '127.0.0.1', port: 0 }
  const proxy = createProxy({ listen: front, target, random: createRandom(SEED) })
  toClose.push(() => proxy.close())
  return {
    proxy,
    connect() {
      const socket =
        'unix' in front
          ? net.connect({ path: front.unix, allowHalfOpen: true })
          : net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
      toClose.push(() => socket.destroy())
      return socket
    },
  }
}

const nextSocket = (): string => {
  sockets += 1
  return join(directory, `${sockets}.sock`)
}

async function listen(kind: Kind, server: net.Server): Promise<Address> {
  const listening = Promise.withResolvers<void>()
  server.on('listening', listening.resolve)
  const path = nextSocket()
  if (kind === 'unix') server.listen(path)
  else server.listen(0, '127.0.0.1')
  await listening.promise
  const address = server.address()
  return typeof address === 'object' && address !== null
    ? { hostname: '127.0.0.1', port: address.port }
    : { unix: path }
}

const echo = (socket: net.Socket): void => void socket.pipe(socket)

const nextData = (socket: net.Socket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    socket.once('data', resolve)
    socket.once('error', reject)
  })

async function roundTripMs(socket: net.Socket): Promise<number> {
  const began = performance.now()
  socket.write('x')
  await nextData(socket)
  return performance.now() - began
}

/** What becomes of a connection: the code it breaks with, or `closed`. */
const fateOf = (socket: net.Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('close', () => resolve('closed'))
    socket.once('end', () => socket.end())
    socket.resume()
  })

async function until(what: string, holds: () => boolean, timeoutMs = 5_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await Bun.sleep(5)
  }
}

async function received(socket: net.Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer) // no encoding is set
  return Buffer.concat(parts)
}

/** Bytes whose place in the stream can be told. */
function pattern(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) buffer.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at)
  return buffer
}

for (const kind of KINDS)
  describe(`${kind}`, () => {
    test('passes bytes on as they are, both ways, and half-closing with them', async () => {
      const { proxy, connect } = await stage(kind, echo)
      const sent = pattern(20 * MIB)
      const socket = connect()
      socket.end(sent)
      expect((await received(socket)).equals(sent)).toBe(true)
      await until('no connection left', () => proxy.connections() === 0)
      expect(proxy.bufferedBytes()).toBe(0)
    })

    test('latency is added in each direction, may change at once, and ends', async () => {
      const { proxy, connect } = await stage(kind, echo)
      const socket = connect()
      const plainMs = await roundTripMs(socket)
      proxy.setConditions({ latencyMs: 60 })
      const slowMs = await roundTripMs(socket)
      proxy.setConditions({})
      const againMs = await roundTripMs(socket)
      expect({ plainMs, againMs, isFast: plainMs < 50 && againMs < 50 }).toMatchObject({ isFast: true })
      expect(slowMs).toBeGreaterThanOrEqual(120)
      expect(slowMs).toBeLessThan(170)
    })

    test('what is on its way when latency ends comes at once', async () => {
      const { proxy, connect } = await stage(kind, echo)
      const socket = connect()
      await roundTripMs(socket)
      proxy.setConditions({ latencyMs: 20_000 })
      const began = performance.now()
      socket.write('x')
      await until('the proxy holds it', () => proxy.bufferedBytes() === 1)
      proxy.setConditions({})
      await nextData(socket)
      expect(performance.now() - began).toBeLessThan(2_000)
    })

    test(`jitter keeps the order (seed ${SEED})`, async () => {
      const { proxy, connect } = await stage(kind, echo)
      proxy.setConditions({ latencyMs: 2, jitterMs: 15 })
      const sent = pattern(256 * 1024)
      const socket = connect()
      const got = received(socket)
      for (let at = 0; at < sent.length; at += 4_096) {
        socket.write(sent.subarray(at, at + 4_096))
        if (at % 32_768 === 0) await Bun.sleep(1)
      }
      socket.end()
      expect((await got).equals(sent)).toBe(true)
    })

    test('bandwidth is what was asked for within 10%, for each connection', async () => {
      const { proxy, connect } = await stage(kind, (socket) => void socket.end(pattern(2 * MIB)))
      proxy.setConditions({ bytesPerSecond: 2 * MIB })
      const began = performance.now()
      const ms = await Promise.all(
        [connect(), connect()].map(async (socket) => {
          expect((await received(socket)).length).toBe(2 * MIB)
          return performance.now() - began
        }),
      )
      for (const took of ms) {
        expect(took).toBeGreaterThan(900)
        expect(took).toBeLessThan(1_100)
      }
    })

    test('a reader that stops stops its sender; memory stays bounded; nothing is lost', async () => {
      let sent = 0
      const part = Buffer.alloc(256 * 1024, 1)
      const { proxy, connect } = await stage(kind, (socket) => {
        const more = (): void => {
          while (sent < 64 * MIB) {
            sent += part.length
            if (!socket.write(part)) return
          }
          socket.end()
        }
        socket.on('drain', more)
        more()
      })
      const socket = connect()
      socket.pause()
      let [before, stoodMs] = [-1, performance.now()]
      await until('the sender to stand still for 300 ms', () => {
        if (before !== sent) stoodMs = performance.now()
        before = sent
        return performance.now() - stoodMs > 300
      })
      expect(sent).toBeLessThan(40 * MIB)
      expect(proxy.bufferedBytes()).toBeLessThanOrEqual(LANE_BYTES_MAX + MIB)
      expect((await received(socket)).length).toBe(64 * MIB)
    })

    test('half-open: silence, nothing closed; a stream with a hole is reset when the link is whole again', async () => {
      const { proxy, connect } = await stage(kind, echo)
      const [used, idle] = [connect(), connect()]
      await Promise.all([roundTripMs(used), roundTripMs(idle)])
      proxy.setConditions({ cut: 'half-open' })
      const fate = fateOf(used)
      const late = connect()
      const lateFate = fateOf(late)
      used.write('into the void')
      late.write('into the void')
      const heard = await Promise.race([
        nextData(used),
        nextData(late),
        fate,
        lateFate,
        Bun.sleep(300).then(() => null),
      ])
      expect(heard).toBeNull()
      expect(proxy.connections()).toBe(3)
      proxy.setConditions({})
      expect(['ECONNRESET', 'closed']).toContain(await fate)
      expect(['ECONNRESET', 'closed']).toContain(await lateFate)
      expect(await roundTripMs(idle)).toBeLessThan(1_000)
    })

    test('a target that is not there: the caller is reset', async () => {
      const target: Address = kind === 'unix' ? { unix: nextSocket() } : { hostname: '127.0.0.1', port: 1 }
      const proxy = createProxy({ listen: { hostname: '127.0.0.1', port: 0 }, target })
      toClose.push(() => proxy.close())
      expect(await fateOf(net.connect(proxy.port, '127.0.0.1'))).toBe('ECONNRESET')
      await until('no connection left', () => proxy.connections() === 0)
    })

    test('closing breaks what there is and refuses what comes', async () => {
      const { proxy, connect } = await stage(kind, echo)
      const socket = connect()
      await roundTripMs(socket)
      const fate = fateOf(socket)
      proxy.close()
      proxy.close()
      expect(kind === 'tcp' ? ['ECONNRESET'] : ['ECONNRESET', 'closed']).toContain(await fate)
      expect(['ECONNREFUSED', 'ENOENT']).toContain(await fateOf(connect()))
    })

    test('a server that is killed ends its callers', async () => {
      const accepted: net.Socket[] = []
      const { connect } = await stage(kind, (socket) => {
        accepted.push(socket)
        echo(socket)
      })
      const socket = connect()
      await roundTripMs(socket)
      const fate = fateOf(socket)
      for (const end of accepted) end.destroy()
      expect(['ECONNRESET', 'EPIPE', 'closed']).toContain(await fate)
    })
  })

test('reset over TCP is ECONNRESET, for connections there are and those that come, and ends', async () => {
  const { proxy, connect } = await stage('tcp', echo)
  const socket = connect()
  await roundTripMs(socket)
  const fate = fateOf(socket)
  proxy.setConditions({ cut: 'reset' })
  expect(await fate).toBe('ECONNRESET')
  expect(await fateOf(connect())).toBe('ECONNRESET')
  proxy.setConditions({})
  expect(await roundTripMs(connect())).toBeLessThan(1_000)
})

test('reset over a Unix socket breaks what there is and what comes', async () => {
  const { proxy, connect } = await stage('unix', echo)
  const socket = connect()
  await roundTripMs(socket)
  const gone = Promise.all([new Promise((resolve) => socket.once('end', resolve)), fateOf(socket)])
  proxy.setConditions({ cut: 'reset' })
  await gone
  const late = connect()
  const lateFate = fateOf(late)
  late.write('hello')
  expect(['ECONNRESET', 'EPIPE', 'closed']).toContain(await lateFate)
  proxy.setConditions({})
  expect(await roundTripMs(connect())).toBeLessThan(1_000)
})

test('conditions that change all the time lose and swap nothing', async () => {
  const { proxy, connect } = await stage('tcp', echo)
  const random = createRandom(SEED)
  const menu: LinkConditions[] = [{}, { latencyMs: 5, jitterMs: 10 }, { bytesPerSecond: 30 * MIB }, { latencyMs: 1 }]
  const changing = setInterval(() => proxy.setConditions(menu[Math.floor(random() * menu.length)] ?? {}), 3)
  const sent = pattern(16 * MIB)
  const socket = connect()
  socket.end(sent)
  const got = await received(socket)
  clearInterval(changing)
  expect(got.equals(sent)).toBe(true)
})
