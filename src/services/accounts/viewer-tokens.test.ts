import { expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { type Clock, DEFAULT_LIMITS, Fault } from '../../kernel/index.ts'
import { createViewerTokens, type Viewer } from './index.ts'

const VIEWER: Viewer = { country: 'DE', tier: 'standard', platform: 'web', cell: 'b' }
const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
const key: JsonWebKey = { ...(await exportJWK(privateKey)), kty: 'OKP' }

function createClock(nowMs = Date.now()): Clock & { advance(ms: number): void } {
  let at = nowMs
  return {
    nowMs: () => at,
    elapsedMs: () => at,
    advance(ms) {
      at += ms
    },
  }
}
const open = (clock = createClock(), limits = DEFAULT_LIMITS) => createViewerTokens({ key, limits, clock })

test('what one cell issues, every cell of the platform believes', async () => {
  const clock = createClock()
  const [issuer, other] = await Promise.all([open(clock), open(clock)])
  const issued = await issuer.issue(VIEWER)
  const claims = { sub: issued.viewerId, ...VIEWER, exp: issued.expiresAtMs / 1000 }
  expect(issued.expiresAtMs).toBeLessThanOrEqual(clock.nowMs() + DEFAULT_LIMITS.viewerTokenTtlMs)
  expect(issuer.verify(issued.token)).toEqual(claims)
  expect(other.verify(issued.token)).toBeInstanceOf(Promise)
  expect(await other.verify(issued.token)).toEqual(claims)
  expect((await issuer.issue(VIEWER)).viewerId).not.toBe(issued.viewerId)
})

test('a token seen before is known at once, but not beyond its time', async () => {
  const clock = createClock()
  const [issuer, other] = await Promise.all([open(clock), open(clock)])
  const { token, expiresAtMs } = await issuer.issue(VIEWER)
  await other.verify(token)
  for (const tokens of [issuer, other]) expect(tokens.verify(token)).toMatchObject(VIEWER)
  clock.advance(expiresAtMs - clock.nowMs())
  for (const tokens of [issuer, other]) {
    expect(tokens.verify(token)).toBeNull()
    expect(await tokens.verify(token)).toBeNull()
  }
})

test('the memory of tokens is bounded; what fell out is verified again', async () => {
  const tokens = await open(createClock(), { ...DEFAULT_LIMITS, viewerTokensMemoMax: 2 })
  const issued = await Promise.all([1, 2, 3].map(() => tokens.issue(VIEWER)))
  const known = issued.filter(({ token }) => !(tokens.verify(token) instanceof Promise))
  expect(known).toHaveLength(2)
  for (const { token } of issued) expect(await tokens.verify(token)).toMatchObject(VIEWER)
})

test('anything but a genuine token is refused', async () => {
  const tokens = await open()
  const stranger = await generateKeyPair('EdDSA')
  const claims = { sub: 'v', ...VIEWER, exp: Math.floor(Date.now() / 1000) + 60 }
  const { token } = await tokens.issue(VIEWER)
  const [head = '', payload = '', signature = ''] = token.split('.')
  const raised = Buffer.from(payload, 'base64url').toString().replace('standard', 'premium')
  const bad: Readonly<Record<string, string>> = {
    'no token': 'x.y.z',
    'another key': await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(stranger.privateKey),
    'changed claims': [head, Buffer.from(raised).toString('base64url'), signature].join('.'),
    'no signature': new UnsecuredJWT(claims).encode(),
    'cut signature': `${head}.${payload}.`,
    'the public key as a secret': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(String(key.x), 'base64url')),
    'claims that miss a cell': await new SignJWT({ sub: 'v', country: 'DE', tier: 'free', platform: 'web' })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setExpirationTime('1m')
      .sign(privateKey),
    'no expiry': await new SignJWT({ sub: 'v', ...VIEWER }).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey),
  }
  for (const [name, text] of Object.entries(bad)) {
    expect([name, await tokens.verify(text)]).toEqual([name, null])
    expect([name, await tokens.verify(text)]).toEqual([name, null])
  }
})

test('a key that cannot sign is refused when the cell starts', async () => {
  const { d: _, ...publicOnly } = key
  for (const bad of [publicOnly, { kty: 'oct', k: 'AAAA' }, {}]) {
    const error = await createViewerTokens({ key: bad, limits: DEFAULT_LIMITS }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Fault)
    expect((error as Fault).code).toBe('viewer-key-invalid')
    expect((error as Fault).message).not.toContain('AAAA')
  }
})
