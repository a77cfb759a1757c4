import { afterEach, expect, test } from 'bun:test'
import { systemClock } from '../../kernel/index.ts'
import type { OriginRequest } from './exchange.ts'
import { createOrigins, type OriginsOptions } from './origins.ts'
import { deadUrl, type RawOrigin, type Step, startRawOrigin } from './testing/raw-origin.ts'
import { textOf } from './testing/read-content.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})
const origin = async (script: (request: number, text: string) => readonly Step[]): Promise<RawOrigin> => {
  const started = await startRawOrigin(script)
  open.push(started)
  return started
}
const originsOf = (urls: readonly string[], more: Partial<OriginsOptions> = {}) => {
  // Equal chances keep the order given.
  const created = createOrigins({
    origins: urls.map((url) => ({ url })),
    clock: systemClock,
    random: () => 0.5,
    ...more,
  })
  open.push(created)
  return created
}
const toRequest = (more: Partial<OriginRequest> = {}): OriginRequest => {
  return { method: 'GET', path: '/', lines: [], body: null, signal: new AbortController().signal, ...more }
}
const answer = (text: string, status = '200 OK'): Step[] => [
  `HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
]
const outcomeOf = async (result: Awaited<ReturnType<ReturnType<typeof originsOf>['fetch']>>): Promise<string> =>
  result.ok ? `${result.status} ${await textOf(result.body)}` : result.code

const FIRST: readonly [name: string, steps: readonly Step[] | null, status: string][] = [
  ['refuses connections', null, '200 b'],
  ['accepts and says nothing', [], '200 b'],
  ['closes without an answer', ['end'], '200 b'],
  ['answers 503', answer('a', '503 Service Unavailable'), '200 b'],
  ['answers what is not HTTP', ['junk\r\n\r\n'], '200 b'],
  ['answers 500, which is an answer', answer('a', '500 Internal Server Error'), '500 a'],
]
for (const [name, steps, expected] of FIRST)
  test(`a request is repeated within a second when the first origin ${name}`, async () => {
    const first = steps ? (await origin(() => steps)).url : await deadUrl()
    const second = await origin(() => answer('b'))
    const origins = originsOf([first, second.url])
    const startedMs = performance.now()
    expect(await outcomeOf(await origins.fetch(toRequest()))).toBe(expected)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })

test('a slow but honest origin is not cut off when the others fail', async () => {
  const slow = await origin(() => [150, ...answer('slow')])
  const origins = originsOf([slow.url, await deadUrl()], { limits: { edgeOriginFailoverMs: 50 } })
  expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('200 slow')
})

test('all answer 503: the first such answer is given, with its body', async () => {
  const first = await origin(() => answer('a', '503 Service Unavailable'))
  const second = await origin(() => answer('b', '502 Bad Gateway'))
  expect(await outcomeOf(await originsOf([first.url, second.url]).fetch(toRequest()))).toBe('503 a')
})

test('what is not safe goes to one origin only, unless no byte of it was sent', async () => {
  const first = await origin(() => ['end'])
  const second = await origin(() => answer('b'))
  const post = toRequest({ method: 'POST', body: new TextEncoder().encode('x') })
  expect(await outcomeOf(await originsOf([first.url, second.url]).fetch(post))).toBe('origin-unreachable')
  expect(second.received).toEqual([])
  expect(await outcomeOf(await originsOf([await deadUrl(), second.url]).fetch(post))).toBe('200 b')
})

test('a kept connection that the origin closes under a request costs the client nothing', async () => {
  const kept = await origin((request) => (request === 1 ? ['reset'] : answer('a')))
  const origins = originsOf([kept.url])
  expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('200 a')
  expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('200 a')
  expect(origins.health()[0]?.health.failures).toBe(0)
})

test('after failures in a row an origin is down and not asked; it comes back by a trial', async () => {
  let works = false
  const nowMs = { value: 0 }
  const flaky = await origin(() => (works ? answer('flaky') : ['end']))
  const good = await origin(() => answer('good'))
  const seen: string[] = []
  const origins = originsOf([flaky.url, good.url], {
    clock: { nowMs: () => nowMs.value, elapsedMs: () => nowMs.value },
    limits: { edgeOriginFailuresMax: 2 },
    onHealth: (_url, { state }) => seen.push(state),
  })
  for (let each = 0; each < 3; each += 1) expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('200 good')
  expect(flaky.received.length).toBe(2)
  works = true
  nowMs.value = 10_000
  expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('200 flaky')
  expect(seen).toEqual(['down', 'trial', 'up'])
})

test('a single dead origin is reported at once; one that answers 503 is still asked', async () => {
  const still = { nowMs: () => 0, elapsedMs: () => 0 }
  const dead = originsOf([await deadUrl()], { clock: still, limits: { edgeOriginFailuresMax: 1 } })
  await dead.fetch(toRequest())
  expect(await dead.fetch(toRequest())).toMatchObject({ ok: false, why: 'every origin is down' })
  const busy = await origin(() => answer('a', '503 Service Unavailable'))
  const origins = originsOf([busy.url], { clock: still, limits: { edgeOriginFailuresMax: 1 } })
  expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('503 a')
  expect(await outcomeOf(await origins.fetch(toRequest()))).toBe('503 a')
})

test('an active check finds a dead origin before a client does', async () => {
  const down = Promise.withResolvers<string>()
  originsOf([await deadUrl()], {
    limits: { edgeOriginFailuresMax: 1 },
    check: { path: '/healthz', everyMs: 20 },
    onHealth: (_url, { state }) => down.resolve(state),
  })
  expect(await down.promise).toBe('down')
})

test('options that cannot work are refused with every fault', () => {
  const create = () => createOrigins({ origins: [{ url: 'ftp://a', weight: 0 }], clock: systemClock })
  expect(create).toThrow(/origin: expected.*weight/)
})
