import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { z } from 'zod'
import type { EventDefinitions, ReplayView } from '../../../contracts/index.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../../../engines/log/index.ts'
import { createDirectoryObjects } from '../../../engines/objects/index.ts'
import { openSqliteTables, type TablesPort } from '../../../engines/tables/index.ts'
import {
  claimOf,
  createBus,
  createClaims,
  createDeadLetters,
  createProducer,
  createRecordAppender,
  createRegistry,
  createSpokes,
  createStreamHub,
  createSubscriptions,
  hubMigrations,
  platformDefinitions,
  viewSubscriptions,
  withSpokeSight,
} from '../../../hub/index.ts'
import { DEFAULT_LIMITS, type Limits, silentLogger, systemClock } from '../../../kernel/index.ts'
import { createAuth } from '../auth.ts'
import { watchBus } from './bus-watch.ts'
import { createHubTail } from './hub-tail.ts'
import { addHubRoutes, type HubPorts } from './index.ts'

export const OPERATOR = 'operator-token-for-tests'

const EVENTS: EventDefinitions = {
  'com.example.title.added.v1': {
    topic: 'com-example',
    data: z.object({ titleId: z.string(), day: z.string(), price: z.number().positive() }),
  },
  'com.example.poster.drawn.v1': { topic: 'com-example', data: null, contentTypes: ['image/png'] },
  'org.other.thing.v1': { topic: 'org-other', data: z.object({ n: z.int() }) },
}

/** For tests: the contract over real HTTP, on the real embedded engines. */
export type TestHub = {
  readonly url: string
  readonly ports: HubPorts
  readonly log: EmbeddedLog
  readonly tables: TablesPort
  addLetters: ReturnType<typeof createDeadLetters>['add']
  call(path: string, init?: RequestInit, token?: string): Promise<Response>
  createSpoke(request?: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

export async function startTestHub(more: Partial<Limits> = {}): Promise<TestHub> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-spoke-'))
  const limits: Limits = { ...DEFAULT_LIMITS, hubStreamBeatMs: 100, hubBusSweepMs: 10, ...more }
  const shared = { limits, logger: silentLogger, clock: systemClock }
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), trimmedTopics: [], ...shared })
  const tables = openSqliteTables({ path: join(directory, 't.sqlite'), migrations: hubMigrations })
  const registry = createRegistry(platformDefinitions, EVENTS)
  const claims = createClaims({
    objects: createDirectoryObjects({ root: join(directory, 'objects') }),
    tables,
    ...shared,
  })
  const producer = createProducer({ log, registry, claims, source: 'tests', ...shared })
  const records = createRecordAppender({ log, claims, ...shared })
  const spokes = createSpokes({ tables, ...shared })
  const streams = createStreamHub()
  const subscriptions = createSubscriptions({ tables, registry, log, ...shared })
  const deadLetters = createDeadLetters({ tables, log, ...shared })
  const bus = createBus({
    ...{ log, tables, registry, owner: 'tests', ...shared },
    loadClaim: (event) => {
      const claim = claimOf(event)
      return claim ? claims.bytes(claim, limits.hubRecordBytesMax) : Promise.reject(new Error('no claim'))
    },
    targets({ name, owner, target }) {
      if (target.kind !== 'stream') return null
      const stream = streams.target(name)
      return owner === null
        ? stream
        : withSpokeSight(stream, { spoke: owner, spokes, withData: async (event) => event })
    },
  })
  const busWatch = watchBus({
    holds: bus.holds,
    limits,
    clock: systemClock,
    onGone: () => streams.end('closing', () => true),
  })
  spokes.onHeard(({ isCurrent }) =>
    streams.end('revoked', ({ owner, tokenId }) => owner !== null && tokenId !== null && !isCurrent(owner, tokenId)),
  )
  const replays: ReplayView[] = []
  const ports: HubPorts = {
    auth: createAuth({ operatorToken: OPERATOR, metricsToken: 'metrics', ...shared }),
    registry,
    spokes,
    streams,
    subscriptions,
    claims,
    publish: producer.publish,
    appendRecords: records.append,
    replays: createReplayList(replays),
    deadLetters,
    isBusHere: busWatch.isHere,
    cut: (request, idleMs = 0) => server.timeout(request, Math.max(1, Math.ceil(idleMs / 1_000))),
    withData: async (event) => event,
    tail: createHubTail({ log, registry, limits, logger: silentLogger }),
    views: { list: async () => [], read: async () => null },
    journey: async () => null,
    async overview() {
      const views = await viewSubscriptions({ subscriptions, bus, tables, log })
      return { producers: [], pipes: [], subscriptions: [...views], topics: [] }
    },
    limits,
    logger: silentLogger,
  }
  const app = new Hono()
  addHubRoutes(app, ports)
  const server = Bun.serve({ port: 0, idleTimeout: 0, maxRequestBodySize: Number.MAX_SAFE_INTEGER, fetch: app.fetch })
  const url = `http://localhost:${server.port}`
  const call: TestHub['call'] = (path, init = {}, token = OPERATOR) =>
    fetch(`${url}/hub/v1${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })

  return {
    url,
    ports,
    log,
    tables,
    addLetters: deadLetters.add,
    call,
    async createSpoke(request = {}) {
      const body = {
        name: 'them',
        publishes: ['com.example.*'],
        patterns: [{ type: [{ prefix: 'com.example.' }] }],
        ...request,
      }
      const answer = await call('/spokes', toJson('POST', body))
      if (!answer.ok) throw new Error(await answer.text())
      return ((await answer.json()) as { token: string }).token
    },
    async close() {
      streams.end('closing', () => true)
      await ports.tail.close()
      busWatch.close()
      await bus.close()
      await server.stop(true)
      spokes.close()
      await log.close()
      await tables.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function toJson(method: string, body: unknown, type = 'application/json'): RequestInit {
  return { method, headers: { 'content-type': type }, body: JSON.stringify(body) }
}

export function titleAdded(n: number, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const data = { titleId: `t${n}`, day: `2026-01-0${1 + (n % 3)}`, price: 1 }
  return {
    specversion: '1.0',
    id: `e${n}`,
    source: 'x',
    type: 'com.example.title.added.v1',
    subject: `t${n % 7}`,
    data,
    ...more,
  }
}

function createReplayList(replays: ReplayView[]): HubPorts['replays'] {
  return {
    list: async () => replays,
    get: async (id) => replays.find((replay) => replay.id === id) ?? null,
    async create(subscription, { fromMs, toMs, eventsPerSecond }) {
      const replay: ReplayView = {
        ...{ id: `r${replays.length}`, subscription, fromMs, toMs, eventsPerSecond, state: 'running', detail: null },
        ...{ read: 0, delivered: 0, createdAtMs: 0 },
      }
      replays.push(replay)
      return replay
    },
    async cancel(id) {
      const replay = replays.find((each) => each.id === id)
      return replay ? { ...replay, state: 'cancelled' } : null
    },
  }
}
