import { expect, test } from 'bun:test'
import { loopbackTarget, type Target } from '../target.ts'
import { createConnection, type ExchangeResult } from './connection.ts'
import { TEST_CERTIFICATE, TEST_KEY } from './tls.fixture.ts'

function ask(target: Target): Promise<ExchangeResult> {
  const connection = createConnection({ target })
  const { promise, resolve } = Promise.withResolvers<ExchangeResult>()
  connection.exchange(
    { head: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', body: null, keepBody: true, timeoutMs: 5_000 },
    resolve,
  )
  return promise.finally(() => connection.close())
}

test('an https target is spoken to in TLS, and its certificate is checked', async () => {
  const tls = { key: TEST_KEY, cert: TEST_CERTIFICATE }
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, tls, fetch: () => new Response('private') })
  const target = { ...loopbackTarget(server.port ?? 0), host: 'localhost', tls: true }

  const trusting = await ask({ ...target, certificateAuthority: TEST_CERTIFICATE })
  expect(trusting).toMatchObject({ ok: true, status: 200, body: Buffer.from('private') })
  expect(await ask(target)).toMatchObject({
    ok: false,
    failure: 'connection',
    why: expect.stringContaining('certificate'),
  })
  expect(await ask({ ...target, host: 'example.org', certificateAuthority: TEST_CERTIFICATE })).toMatchObject({
    ok: false,
    failure: 'connection',
    why: expect.stringContaining('example.org'),
  })
  await server.stop(true)
})
