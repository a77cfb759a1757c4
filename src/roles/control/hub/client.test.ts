import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHubClient, type Delivery, DeliveryRefused, type HubError } from '../../../client/index.ts'
import { until } from '../testing.ts'
import { startTestHub, type TestHub } from './testing.ts'

type Events = {
  'com.example.title.added.v1': { titleId: string; day: string; price: number }
  'com.example.poster.drawn.v1': unknown
}
type Client = ReturnType<typeof createHubClient<Events>>

let hub: TestHub
let token: string
let client: Client
beforeAll(async () => {
  hub = await startTestHub()
  token = await hub.createSpoke()
  client = createHubClient<Events>({ url: hub.url, token })
})
afterAll(() => hub.close())

const added = (subject: string, n: number) =>
  ({ type: 'com.example.title.added.v1', subject, data: { titleId: `${n}`, day: 'd', price: 1 + n } }) as const

/** A subscription to what is about `name-…`, at work until `stop`. */
function follow(
  name: string,
  more: { handler?(delivery: Delivery<Events>): Promise<void> | void; client?: Client } = {},
) {
  const got: Delivery<Events>[] = []
  const states: string[] = []
  const abort = new AbortController()
  const done = (more.client ?? client).subscribe({
    name,
    pattern: { subject: [{ prefix: `${name}-` }] },
    start: 'beginning',
    concurrency: 4,
    policy: { backoffMinMs: 10, backoffMaxMs: 20 },
    signal: abort.signal,
    onState: ({ state }) => states.push(state),
    async handler(delivery) {
      got.push(delivery)
      await more.handler?.(delivery)
    },
  })
  // Awaited by the test; a rejection before that must not end the run.
  done.catch(() => {})
  const stop = (): Promise<void> => {
    abort.abort()
    return done
  }
  return { got, states, done, stop }
}

test('what is published comes to the subscriber, in order per subject', async () => {
  const { got, stop } = follow('order')
  const published = await client.publish(Array.from({ length: 60 }, (_, n) => added(`order-${n % 3}`, n)))
  expect(published).toHaveLength(60)
  await until('all came', () => got.length === 60)
  for (const subject of ['order-0', 'order-1', 'order-2']) {
    const ids = got.filter(({ event }) => event.subject === subject).map(({ event }) => event.id)
    expect(ids).toEqual(published.map(({ id }) => id).filter((id) => ids.includes(id)))
  }
  await stop()
  // All of it was acknowledged: who comes next gets nothing of it.
  const next = follow('order')
  await client.publish([added('order-last', 1)])
  await until('the last came', () => next.got.length > 0)
  expect(next.got.map(({ event }) => event.subject)).toEqual(['order-last'])
  await next.stop()
})

test('a handler that throws gets it again, one that refuses does not', async () => {
  const { got, stop } = follow('throws', {
    handler({ event, attempt }) {
      if (event.subject === 'throws-a' && attempt < 3) throw new Error('not yet')
      if (event.subject === 'throws-b') throw new DeliveryRefused('never')
    },
  })
  await client.publish([added('throws-a', 1), added('throws-b', 1)])
  await until('the third attempt', () => got.some(({ attempt }) => attempt === 3))
  const letters = async () =>
    (await (await hub.call('/dead-letters?name=throws', {}, token)).json()) as {
      deadLetters: { code: string; reason: string }[]
    }
  await until('the refused is a dead letter', async () => (await letters()).deadLetters.length === 1)
  expect((await letters()).deadLetters[0]?.reason).toContain('never')
  expect(got.filter(({ event }) => event.subject === 'throws-b')).toHaveLength(1)
  await stop()
})

test('what is wrong with an event is named', async () => {
  const wrong = client.publish([added('x', 1), { ...added('x', 1), data: { titleId: 't', day: 'd', price: -1 } }])
  const error: HubError = await wrong.then(
    () => {
      throw new Error('it was taken')
    },
    (reason) => reason,
  )
  expect([error.code, error.status, error.errors[0]?.pointer]).toEqual(['event-invalid', 400, '/1/data/price'])
})

test('a large payload is published as bytes and read as a stream', async () => {
  const bytes = new Uint8Array(700_000).map((_, at) => at % 251)
  const { got, stop } = follow('payload')
  await client.publishPayload({
    ...{ type: 'com.example.poster.drawn.v1', subject: 'payload-ü', contentType: 'image/png' },
    body: new Blob([bytes]).stream(),
  })
  await until('it came', () => got.length === 1)
  expect(got[0]?.event.data).toBeUndefined()
  expect(await new Response(await got[0]?.payload()).bytes()).toEqual(bytes)
  await stop()
})

test('busy and broken answers are tried again under the same ids, others are not', async () => {
  const answers = [429, 503, 0, 200]
  const bodies: string[] = []
  const flaky = createHubClient<Events>({
    ...{ url: hub.url, token },
    async fetch(input, init) {
      bodies.push(String(init?.body))
      const status = answers.shift()
      if (status === 0) throw new Error('connection reset')
      return status === 200 ? fetch(input, init) : new Response('', { status: status ?? 500 })
    },
  })
  const [published] = await flaky.publish([added('flaky', 1)])
  expect([bodies.length, new Set(bodies).size]).toEqual([4, 1])
  expect(bodies[0]).toContain(published?.id ?? '?')
  answers.push(403)
  await expect(flaky.publish([added('flaky', 1)])).rejects.toMatchObject({ status: 403 })
  expect(bodies).toHaveLength(5)
})

test('it comes back after the connection was lost, and what was at work is not handled twice at once', async () => {
  const cut: AbortController[] = []
  const breaking = createHubClient<Events>({
    ...{ url: hub.url, token },
    fetch(input, init) {
      const broken = new AbortController()
      if (input.includes('/events?window')) cut.push(broken)
      return fetch(input, { ...init, signal: AbortSignal.any([broken.signal, ...(init?.signal ? [init.signal] : [])]) })
    },
  })
  const hold = Promise.withResolvers<void>()
  let atWork = 0
  const { got, states, stop } = follow('breaks', {
    client: breaking,
    async handler() {
      atWork += 1
      expect(atWork).toBe(1)
      await hold.promise
      atWork -= 1
    },
  })
  await client.publish([added('breaks-a', 1)])
  await until('it is at work', () => atWork === 1)
  cut[0]?.abort()
  await until('it is back', () => states.join() === 'connected,disconnected,connected')
  hold.resolve()
  await client.publish([added('breaks-a', 2)])
  await until('the next came', () => got.length === 2)
  await stop()
})

test('another reader takes over: the first ends and says so', async () => {
  const first = follow('over')
  await until('it reads', () => first.states.includes('connected'))
  const second = follow('over')
  await expect(first.done).rejects.toMatchObject({ code: 'replaced' })
  await second.stop()
})

test('what coming back cannot help ends it at once: a token that is worth nothing, a pattern that is none, a removal', async () => {
  const stranger = createHubClient<Events>({ url: hub.url, token: 'tps_nothing' })
  await expect(stranger.subscribe({ name: 'x', pattern: { id: ['x'] }, handler() {} })).rejects.toMatchObject({
    status: 401,
  })
  await expect(client.subscribe({ name: 'x', pattern: { id: 'x' }, handler() {} })).rejects.toMatchObject({
    code: 'subscription-invalid',
  })
  const removed = follow('removed')
  await until('it reads', () => removed.states.length > 0)
  await hub.call('/subscriptions/removed', { method: 'DELETE' }, token)
  await expect(removed.done).rejects.toMatchObject({ code: 'removed' })
})

test('a replay is asked for', async () => {
  const { states, stop } = follow('again')
  await until('it reads', () => states.length > 0)
  expect(await client.replay({ subscription: 'again', fromMs: 0, toMs: 1 })).toMatchObject({ state: 'running' })
  await stop()
})

test('the client uses nothing that is not a web standard, and runs in Node', async () => {
  const { outputs } = await Bun.build({
    entrypoints: [`${import.meta.dir}/../../../client/index.ts`],
    target: 'browser',
  })
  const text = (await outputs[0]?.text()) ?? ''
  expect(text.length).toBeGreaterThan(1_000)
  for (const word of ['node:', 'Bun.', 'Buffer', 'process.', 'require(']) expect(text).not.toContain(word)
  const script = `${text}
    const hub = createHubClient(${JSON.stringify({ url: hub.url, token })})
    const stop = new AbortController()
    await hub.publish([${JSON.stringify(added('node-a', 1))}])
    await hub.subscribe({
      name: 'node', pattern: { subject: [{ prefix: 'node-' }] }, start: 'beginning', signal: stop.signal,
      handler({ event }) { console.log(event.subject); stop.abort() },
    })`
  const node = Bun.spawn(['node', '--input-type=module', '-'], { stdin: new Blob([script]), stderr: 'inherit' })
  expect([await new Response(node.stdout).text(), await node.exited]).toEqual(['node-a\n', 0])
})
