import { afterEach, expect, test } from 'bun:test'
import { TEST_CERTIFICATE, TEST_KEY } from '../http/tls.fixture.ts'
import { checkTarget, type Target } from '../target.ts'
import type { Answer } from './answer.ts'
import { createSend } from './send.ts'
import { createSendRaw } from './send-raw.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** Says by which name it was asked. Only on IPv4, as are all addresses that names have here. */
function startFront(tls: boolean): { readonly port: number } {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls ? { tls: { key: TEST_KEY, cert: TEST_CERTIFICATE } } : {}),
    fetch: (request) => new Response(request.headers.get('host')),
  })
  closers.push(() => server.stop(true))
  return { port: server.port ?? 0 }
}

const COMMON = { answerBytesMax: 4_096, turn: async () => {}, stopped: new AbortController().signal, nowMs: () => 0 }
const senders: Record<string, (target: Target) => Promise<Answer>> = {
  'the client that reads': (target) =>
    createSend({ target, ...COMMON })({ method: 'GET', path: '/', token: null, body: null, timeoutMs: 5_000 }),
  'the client that sends paths as they are': (target) => createSendRaw({ target, timeoutMs: 5_000, ...COMMON })('/'),
}
/** A name that only this resolver knows: whoever asks the system finds nothing. */
const resolve = async (): Promise<readonly string[]> => ['127.0.0.1']
const textOf = (answer: Answer): string =>
  answer.kind === 'answered' ? new TextDecoder().decode(answer.bytes) : answer.kind

for (const [who, send] of Object.entries(senders)) {
  test(`${who} asks at the address that was checked, by the name that viewers use`, async () => {
    const { port } = startFront(false)
    const target = await checkTarget(`http://nowhere.invalid:${port}`, { resolve })
    expect(textOf(await send(target))).toBe(`nowhere.invalid:${port}`)
  })

  const trusted: [what: string, name: string, certificateAuthority: string | undefined, isAnswered: boolean][] = [
    ['of its name and a trusted authority', 'localhost', TEST_CERTIFICATE, true],
    ['of its address and a trusted authority', '127.0.0.1', TEST_CERTIFICATE, true],
    ['of another name', 'nowhere.invalid', TEST_CERTIFICATE, false],
    ['of an authority that the system does not know', 'localhost', undefined, false],
  ]
  test.each(trusted)(`${who} is shown a certificate %s`, async (_, name, certificateAuthority, isAnswered) => {
    const { port } = startFront(true)
    const target = await checkTarget(`https://${name}:${port}`, { resolve, certificateAuthority })
    const answer = await send(target)
    if (isAnswered) expect(textOf(answer)).toBe(`${name}:${port}`)
    else expect(answer).toMatchObject({ kind: 'silent', why: expect.stringContaining('connection failed') })
  })
}
