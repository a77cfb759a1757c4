import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHubClient, type HubClient } from '../../src/client/index.ts'
import { layoutOf } from '../../src/roles/layout.ts'
import { ORDER_TYPE } from '../fixtures/hub/orders.ts'
import { eventually, type Platform, PROJECT, startPlatform } from './platform.ts'

const EVENTS = 10_000
const KILLS = 100
const BATCH = 20
const PUBLISHERS = 4
/** Batches are acknowledged and processes killed in step: so many events to a kill. */
const EVENTS_PER_KILL = EVENTS / KILLS

type Orders = { readonly [ORDER_TYPE]: { readonly number: number; readonly amount: number } }

let platform: Platform
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-hub-'))
  platform = await startPlatform({
    config: {
      hub: { modules: [join(PROJECT, 'test', 'fixtures', 'hub', 'orders.ts')] },
      // A hundred kills in two minutes are no reason to wait longer and longer.
      limits: { restartBackoffMaxMs: 200 },
    },
  })
}, 120_000)

const started: Subscriber[] = []

afterAll(async () => {
  for (const subscriber of started) await subscriber.stop()
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A spoke's token, made by the operator. */
async function addSpoke(name: string): Promise<string> {
  const made = await platform.staff('/hub/v1/spokes', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, publishes: ['com.example.*'], patterns: [{ type: [{ prefix: 'com.example.' }] }] }),
  })
  expect(made.status).toBe(201)
  return ((await made.json()) as { token: string }).token
}

type Subscriber = { readonly file: string; kill(): Promise<void>; stop(): Promise<void> }

function startSubscriber(name: string, token: string): Subscriber {
  const file = join(directory, `${name}.sqlite`)
  const program = join(PROJECT, 'test', 'fixtures', 'hub', 'subscriber.ts')
  const spawn = () =>
    Bun.spawn([process.execPath, program, platform.consoleUrl, token, name, file], {
      stdout: 'inherit',
      stderr: 'inherit',
    })
  let child = spawn()
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  const subscriber: Subscriber = {
    file,
    async kill() {
      await end()
      child = spawn()
    },
    stop: end,
  }
  started.push(subscriber)
  return subscriber
}

function readOrders(file: string): readonly { number: number; amount: number; effects: number }[] {
  const database = new Database(file)
  try {
    return database.query('SELECT number, amount, effects FROM orders ORDER BY number').all() as {
      number: number
      amount: number
      effects: number
    }[]
  } finally {
    database.close()
  }
}

const amountOf = (number: number): number => (number % 997) + 1

/** Publishes every order until it is acknowledged, and journals on disk what was tried, acknowledged and left unknown. */
function createPublishing(client: HubClient<Orders>, journal: string) {
  const counts = { acknowledged: 0 }
  const kills = { done: 0 }
  let waiting: (() => void)[] = []
  let next = 0
  const step = (): void => {
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }
  const mayGoOn = (): boolean => counts.acknowledged < (kills.done + 1) * EVENTS_PER_KILL
  const publisher = async (): Promise<void> => {
    while (next < EVENTS) {
      if (!mayGoOn()) {
        await new Promise<void>((resolve) => waiting.push(resolve))
        continue
      }
      const numbers = Array.from({ length: BATCH }, (_, index) => next + index)
      next += BATCH
      const events = numbers.map((number) => ({
        type: ORDER_TYPE,
        subject: `order-${number % 50}`,
        id: `order-${number}`,
        data: { number, amount: amountOf(number) },
      }))
      for (let isDone = false; !isDone; ) {
        appendFileSync(journal, `try ${numbers.join(',')}\n`)
        try {
          await client.publish(events)
          isDone = true
        } catch {
          // Nobody knows whether they are on the log: they are said again, under the same ids.
        }
      }
      appendFileSync(journal, `acknowledged ${numbers.join(',')}\n`)
      counts.acknowledged += BATCH
      step()
    }
  }
  const finished = Promise.all(Array.from({ length: PUBLISHERS }, publisher))
  return {
    counts,
    finished,
    /** Resolves when publishing has come so far that the next kill hits it in the middle. */
    async readyForKill() {
      while (counts.acknowledged < kills.done * EVENTS_PER_KILL)
        await new Promise<void>((resolve) => waiting.push(resolve))
    },
    killed() {
      kills.done += 1
      step()
    },
  }
}

async function killRole(role: string): Promise<void> {
  const { rolesFile } = layoutOf(platform.home)
  const before = (JSON.parse(readFileSync(rolesFile, 'utf8')) as Record<string, number>)[role] ?? 0
  process.kill(before, 'SIGKILL')
  await eventually(`${role} is started again`, () => {
    const now = (JSON.parse(readFileSync(rolesFile, 'utf8')) as Record<string, number>)[role]
    return now !== undefined && now !== before
  })
}

test('10,000 acknowledged publishes while store, control and subscribers are killed -9 a hundred times: none lost, no effect doubled', async () => {
  const token = await addSpoke('orders-team')
  const subscribers = ['orders-a', 'orders-b'].map((name) => startSubscriber(name, token))
  const [first, second] = subscribers
  if (!first || !second) throw new Error('expected two subscribers')
  const journal = join(directory, 'journal')
  const unknown = { attempts: 0 }
  const client = createHubClient<Orders>({
    url: platform.consoleUrl,
    token,
    // The client repeats by itself what it does not know the outcome of.
    async fetch(input, init) {
      const answer = await fetch(input, init).catch((error: unknown) => {
        unknown.attempts += 1
        throw error
      })
      if (!answer.ok) unknown.attempts += 1
      return answer
    },
  })
  await eventually('both subscriptions are there', async () => {
    const answer = await platform.staff('/hub/v1/subscriptions')
    return ((await answer.json()) as { subscriptions: unknown[] }).subscriptions.length === 2
  })
  const victims = [() => killRole('store'), () => killRole('control'), () => first.kill(), () => second.kill()]
  const publishing = createPublishing(client, journal)
  for (let kill = 0; kill < KILLS; kill++) {
    await publishing.readyForKill()
    await victims[kill % victims.length]?.()
    publishing.killed()
  }
  await publishing.finished

  const acknowledged = new Set(
    readFileSync(journal, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('acknowledged '))
      .flatMap((line) => line.slice('acknowledged '.length).split(',').map(Number)),
  )
  console.log(`${acknowledged.size} acknowledged, ${unknown.attempts} attempts of unknown outcome, ${KILLS} kills`)
  expect(acknowledged.size).toBe(EVENTS)
  // Kills that nobody noticed would show nothing.
  expect(unknown.attempts).toBeGreaterThan(KILLS / 10)
  for (const { file } of subscribers) {
    await eventually(`every order is in ${file}`, () => readOrders(file).length >= EVENTS, 120_000)
    const orders = readOrders(file)
    const there = new Set(orders.map(({ number }) => number))
    expect([...acknowledged].filter((number) => !there.has(number))).toEqual([])
    expect(orders.filter(({ effects }) => effects !== 1)).toEqual([])
    expect(orders.filter(({ number, amount }) => amount !== amountOf(number))).toEqual([])
  }
  const dead = await platform.staff('/hub/v1/dead-letters?max=10')
  expect(((await dead.json()) as { deadLetters: unknown[] }).deadLetters).toEqual([])
}, 400_000)
