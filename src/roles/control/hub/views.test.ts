import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { z } from 'zod'
import type { AnyEvent } from '../../../contracts/index.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../../../engines/log/index.ts'
import { createDirectoryObjects } from '../../../engines/objects/index.ts'
import { createRegistry, defineView, platformDefinitions } from '../../../hub/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../../kernel/index.ts'
import type { AsCaller } from './caller.ts'
import { addHubViewRoutes } from './hub-view-routes.ts'
import { toHubProblem } from './problems.ts'
import { createHubViews, type HubViews } from './views.ts'

const TYPE = 'com.example.order.placed.v1'
const registry = createRegistry(platformDefinitions, {
  [TYPE]: { topic: 'orders', data: z.object({ amount: z.int() }) },
})
const amountOf = ({ data }: AnyEvent): number => (data as { amount: number }).amount // checked by the registry

const sum = defineView<{ sum: number }, AnyEvent>({
  name: 'orders',
  version: 1,
  topics: ['orders'],
  create: () => ({ sum: 0 }),
  apply: (state, event) => ({ sum: state.sum + amountOf(event) }),
})
const largest = defineView<number[], AnyEvent>({
  name: 'orders',
  version: 2,
  topics: ['orders'],
  create: () => [],
  apply: (state, event) => [...state, amountOf(event)].toSorted((a, b) => b - a).slice(0, 2),
  snapshot: { encode: (amounts) => ({ amounts }), decode: (json) => (json as { amounts: number[] }).amounts },
})

let directory: string
let log: EmbeddedLog
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-hub-views-'))
  const options = { directory: join(directory, 'log'), limits: DEFAULT_LIMITS, logger: silentLogger }
  log = await openEmbeddedLog({ ...options, trimmedTopics: [] })
})
afterAll(async () => {
  await log.close()
  rmSync(directory, { recursive: true, force: true })
})

let count = 0
/** Answers its position. */
async function place(amount: number): Promise<string> {
  const event = {
    ...{ specversion: '1.0', id: `order-${count++}`, source: 'test', type: TYPE, subject: 'o' },
    ...{ time: '2026-11-22T00:00:00Z', datacontenttype: 'application/json', data: { amount } },
  }
  const [offset] = await log.append('orders', [{ key: 'o', value: Buffer.from(JSON.stringify(event)) }])
  return `orders:0:${offset}`
}

function open(views: Parameters<typeof createHubViews>[0]['views']): {
  views: HubViews
  get(path: string): Promise<Response>
} {
  const hub = createHubViews({
    ...{ views, log, limits: DEFAULT_LIMITS, logger: silentLogger },
    events: { registry, loadClaim: () => Promise.reject(new Error('no claims here')) },
    snapshots: { objects: createDirectoryObjects({ root: join(directory, 'objects') }), isWriter: true },
  })
  const app = new Hono()
  const asCaller: AsCaller = (handle) => async (context) => {
    try {
      return await handle({ kind: 'operator' }, context.req.raw, (name) => context.req.param(name) ?? '')
    } catch (error) {
      return toHubProblem(error, silentLogger)
    }
  }
  addHubViewRoutes(app, { views: hub }, asCaller)
  return { views: hub, get: async (path) => app.request(`/hub/v1/views${path}`) }
}

test('a view is read at least up to an event, and says how far it is', async () => {
  const { views, get } = open([sum])
  for (let amount = 1; amount <= 20; amount++) {
    const position = await place(amount)
    const answer = await get(`/orders?after=${position}`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      ...{ name: 'orders', version: 1, next: null, leftOut: 0 },
      state: { sum: (amount * (amount + 1)) / 2 },
    })
  }
  const all = await get('/orders')
  expect(await all.json()).toMatchObject({ lagRecords: 0, lagMs: 0, state: { sum: 210 } })
  const list = await get('')
  expect(((await list.json()) as { views: { name: string }[] }).views.map(({ name }) => name)).toEqual(['orders'])
  await views.close()
})

test('a new version is built beside the old and read once it has caught up, as its snapshot says it', async () => {
  const position = await place(1_000)
  const { views, get } = open([largest, sum])
  for (;;) {
    const read = (await (await get(`/orders?after=${position}`)).json()) as {
      version: number
      next: string
      state: unknown
    }
    const expected = read.version === 1 ? { sum: 1_210 } : { amounts: [1_000, 20] }
    expect(read.state).toEqual(expected)
    if (read.version === 2) break
    // Reads that wait for nothing leave the loop no turn for the log.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await views.close()
})

test('what there is not, and what is no position, is told', async () => {
  const { views, get } = open([sum])
  const cases: readonly (readonly [string, number, string])[] = [
    ['/nothing', 404, 'view-unknown'],
    ['/orders?after=yesterday', 400, 'position-invalid'],
    ['/orders?after=others:0:1', 400, 'position-unknown'],
    ['/orders?after=orders:0:4711', 503, 'view-behind'],
  ]
  for (const [path, status, code] of cases) {
    const answer = await get(path)
    expect([path, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([path, status, code])
  }
  await views.close()
}, 20_000)
