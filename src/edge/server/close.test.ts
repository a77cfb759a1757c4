import { expect, test } from 'bun:test'
import { get, openServer, readAnswers, text } from './testing/open-server.ts'
import { openRawClient, until } from './testing/raw-client.ts'

test('closing: nobody new, those at rest let go, those with a request answered and told so', async () => {
  let release = (): void => {}
  const bed = openServer({
    handle: async ({ path }) => {
      if (path === '/held') await new Promise<void>((resolve) => (release = resolve))
      return text(path)
    },
  })
  const idle = await bed.client()
  idle.write(get('/x'))
  await idle.until((all) => all.endsWith('/x'))
  const half = await bed.client()
  half.write('GET / HTT')
  const busy = await bed.client()
  busy.write(`${get('/held')}${get('/never')}`)
  await until(() => bed.server.inFlight() === 1, 'the request')
  const closing = bed.server.close({ drainMs: 4_000 })
  expect(bed.server.close({ drainMs: 1 })).toBe(closing)
  await Promise.all([idle.ended(), half.ended()])
  await expect(openRawClient(bed.server.port)).rejects.toThrow()
  release()
  const got = await busy.ended()
  expect(readAnswers(got).map(({ body }) => body)).toEqual(['/held'])
  expect(got).toContain('connection: close')
  busy.finish()
  await closing
  expect([bed.server.connections(), bed.server.inFlight()]).toEqual([0, 0])
})

test('closing while an answer streams: its connection, promised to be kept, is closed with it', async () => {
  const gate = Promise.withResolvers<void>()
  const bed = openServer({
    handle: ({ path }) =>
      text('', {
        lengthBytes: 4,
        body: new ReadableStream({
          async pull(controller) {
            await gate.promise
            controller.enqueue(Buffer.from(path.padEnd(4)))
            controller.close()
          },
        }),
      }),
  })
  const raw = await bed.client()
  raw.write(get('/one') + get('/two'))
  const head = await raw.until((all) => all.endsWith('\r\n\r\n'))
  expect(head).not.toContain('connection: close')
  const startedMs = performance.now()
  const closing = bed.server.close({ drainMs: 30_000 })
  gate.resolve()
  expect(readAnswers(await raw.ended()).map(({ body }) => body)).toEqual(['/one'])
  raw.finish()
  await closing
  expect(performance.now() - startedMs).toBeLessThan(3_000)
})

test('closing under load: cut after drainMs, and nothing of ours is left', async () => {
  const bed = openServer({
    handle: ({ path }) =>
      path === '/never' ? new Promise(() => {}) : text('', { body: Buffer.alloc(path === '/big' ? 16_000_000 : 10) }),
  })
  const clients = await Promise.all(
    Array.from({ length: 60 }, (_, index) => bed.client({ reads: index % 3 !== 0, keeps: false })),
  )
  for (const [index, raw] of clients.entries()) raw.write(get(['/big', '/never', '/x'][index % 3] ?? '/x').repeat(20))
  await until(() => bed.server.inFlight() > 20, 'load')
  await bed.server.close({ drainMs: 30 })
  expect([bed.server.connections(), bed.server.inFlight()]).toEqual([0, 0])
  for (const raw of clients) raw.socket.destroy()
})

test('a process whose server closed ends by itself', async () => {
  const script = `
    import { createHttpServer } from ${JSON.stringify(`${import.meta.dir}/index.ts`)}
    import { DEFAULT_LIMITS, silentLogger } from ${JSON.stringify(`${import.meta.dir}/../../kernel/index.ts`)}
    const handle = () => ({ status: 200, head: '', body: null, lengthBytes: null })
    const server = createHttpServer({ port: 0, hostname: '127.0.0.1', limits: DEFAULT_LIMITS, logger: silentLogger, handle })
    const response = await fetch('http://127.0.0.1:' + server.port, { keepalive: false })
    await server.close({ drainMs: 0 })
    process.stdout.write('closed ' + response.status)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  expect(await new Response(child.stdout).text()).toBe('closed 200')
  expect(await child.exited).toBe(0)
})
