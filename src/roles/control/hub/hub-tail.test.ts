import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Hono } from 'hono'
import { silentLogger } from '../../../kernel/index.ts'
import { problemOf, until } from '../testing.ts'
import { createHubTail, type HubTail } from './hub-tail.ts'
import { addTailRoute } from './tail-routes.ts'
import { OPERATOR, startTestHub, type TestHub, titleAdded, toJson } from './testing.ts'

const LIMITS = { hubStreamBeatMs: 50, tailClientsMax: 3, tailBufferBytesMax: 100_000, hubTailEventsPerSecondMax: 5 }

let hub: TestHub
let tail: HubTail
let app: Hono
beforeAll(async () => {
  hub = await startTestHub()
  const limits = { ...hub.ports.limits, ...LIMITS }
  tail = createHubTail({ log: hub.log, registry: hub.ports.registry, limits, logger: silentLogger })
  app = new Hono()
  addTailRoute(app, { ...hub.ports, limits, tail })
})
afterAll(async () => {
  await tail.close()
  await hub.close()
})

const ask = async (query: string, token = OPERATOR): Promise<Response> =>
  app.request(`/hub/v1/tail${query}`, { headers: { authorization: `Bearer ${token}` } })
const publish = async (...ids: readonly number[]): Promise<void> => {
  const events = ids.map((id) => titleAdded(id))
  expect((await hub.call('/events', toJson('POST', events, 'application/cloudevents-batch+json'))).status).toBe(200)
}

/** Reads in the background; what it said so far. */
async function follow(query: string): Promise<{ said(): string; end(): Promise<void> }> {
  const answer = await ask(query)
  expect(answer.status).toBe(200)
  const reader = answer.body?.getReader()
  let said = ''
  const read = async (): Promise<void> => {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read())
      said += new TextDecoder().decode(chunk.value)
  }
  const reading = read()
  await until('it follows', () => said.includes('event: ready'))
  return {
    said: () => said,
    async end() {
      await reader?.cancel()
      await reading
    },
  }
}
const idsIn = (said: string): string[] => [...said.matchAll(/^id: (\S+)$/gm)].map(([, id = '']) => id)

test('each is shown what its pattern and topic let through', async () => {
  const seven = await follow(`?pattern=${encodeURIComponent('{"subject":["t1"]}')}`)
  const other = await follow('?topic=org-other')
  const all = await follow('?topic=com-example')
  await publish(1, 2, 8)
  await until('events are shown', () => idsIn(all.said()).length === 3)
  await until('events are shown', () => idsIn(seven.said()).length === 2)
  expect(idsIn(all.said())).toEqual(['e1', 'e2', 'e8'])
  expect(idsIn(seven.said())).toEqual(['e1', 'e8'])
  expect(idsIn(other.said())).toEqual([])
  const [, data = ''] = /^data: (\{"position".*)$/m.exec(seven.said()) ?? []
  expect(JSON.parse(data)).toMatchObject({ position: 'com-example:0:0', event: { id: 'e1', data: { titleId: 't1' } } })
  expect((await problemOf(await ask(''))).code).toBe('too-many-tails')
  await Promise.all([seven.end(), other.end(), all.end()])
})

test('what is above the bound is counted and told', async () => {
  const all = await follow('')
  await publish(...Array.from({ length: 40 }, (_, n) => n))
  const skipped = (): number =>
    [...all.said().matchAll(/"count":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  await until('it says what it left out', () => idsIn(all.said()).length + skipped() === 40)
  expect(skipped()).toBeGreaterThan(0)
  await all.end()
})

test('a spoke, a stranger, a bad pattern and an unknown topic get nothing', async () => {
  const spoke = await hub.createSpoke()
  expect((await problemOf(await ask('', spoke))).code).toBe('operator-only')
  expect((await problemOf(await ask('', 'nonsense'))).code).toBe('token-needed')
  expect((await problemOf(await ask('?pattern={"type":"x"}'))).code).toBe('pattern-invalid')
  expect((await problemOf(await ask('?topic=..'))).code).toBe('topic-invalid')
  expect((await problemOf(await ask('?topic=nowhere'))).code).toBe('topic-unknown')
})
