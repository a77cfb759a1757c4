import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import type { CloudEvent, StaffTitle } from '../../contracts/index.ts'
import { createPublisher } from '../../hub/index.ts'
import { createId } from '../../kernel/index.ts'
import { startTestControl, statusOf, type TestControl, TOKEN, toPost, until } from './testing.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl({ limits: { tailClientsMax: 3, tailBufferBytesMax: 500_000 } })
})
afterAll(() => control.close())

test('healthy when this role and the platform are; else it says what is not', async () => {
  const health = async () => {
    const response = await fetch(`${control.url}/healthz`)
    return [response.status, ((await response.json()) as { status: string; faults: string[] }).faults] as const
  }
  await until('healthy', async () => (await health())[0] === 200)
  control.setStatus(statusOf('backoff'))
  await until('unhealthy', async () => (await health())[0] === 503)
  expect((await health())[1]).toEqual(['edge is backoff'])
  expect(((await (await control.call('/api/status')).json()) as { healthy: boolean }).healthy).toBe(false)
  expect((await control.role.health()).faults).toEqual([])
  control.setStatus(statusOf('healthy'))
  await until('healthy again', async () => (await health())[0] === 200)
})

/** Reads messages of `/api/events` until the test has seen enough. */
const follow = async () => {
  const stopping = new AbortController()
  const response = await control.call('/api/events', { signal: stopping.signal })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const messages: { event: string; id: string; data: string }[] = []
  const read = async (): Promise<void> => {
    let rest = ''
    for await (const chunk of response.body ?? []) {
      const parts = (rest + Buffer.from(chunk).toString()).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const field = (name: string) => part.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1] ?? ''
        if (field('data')) messages.push({ event: field('event'), id: field('id'), data: field('data') })
      }
    }
  }
  const reading = read().catch(() => {})
  return {
    messages,
    async stop() {
      stopping.abort()
      await reading
    },
  }
}

test('first everything, then each change and each event as it happens', async () => {
  const before = await control.createTitle('There before')
  const tail = await follow()
  await until('the snapshot', () => tail.messages.length >= 2)
  expect(tail.messages.slice(0, 2).map((message) => message.event)).toEqual(['titles', 'status'])
  expect((JSON.parse(tail.messages[0]?.data ?? '') as StaffTitle[]).map((title) => title.id)).toContain(before.id)
  const title = await control.createTitle('New')
  await control.call(`/api/titles/${title.id}/withdraw`, toPost({ reason: 'rights' }))
  const titlesSeen = () =>
    tail.messages
      .filter((message) => message.event === 'title')
      .map((message) => JSON.parse(message.data) as StaffTitle)
  await until('the withdrawal is seen', () =>
    titlesSeen().some((seen) => seen.id === title.id && seen.state === 'withdrawn'),
  )
  const eventOf = () => tail.messages.find((message) => message.event === '' && message.data.includes(title.id))
  await until('its event is seen', () => eventOf() !== undefined)
  const event = JSON.parse(eventOf()?.data ?? '') as CloudEvent
  expect([event.type, event.id]).toEqual(['tentpole.title.withdrawn.v1', eventOf()?.id ?? ''])
  control.setStatus(statusOf('draining'))
  await until('the status is seen', () =>
    tail.messages.some((message) => message.event === 'status' && message.data.includes('draining')),
  )
  control.setStatus(statusOf('healthy'))
  await tail.stop()
})

test('what edges are told is seen, all of it', async () => {
  const tail = await follow()
  await until('the snapshot', () => tail.messages.length >= 2)
  const publisher = createPublisher({ log: control.store.log, source: 'control' })
  const purge = (value: string) =>
    publisher.publish('tentpole.cache.purged.v1', 'tag', { scope: 'tag', value, reason: 'a test' })
  const isSeen = (value: string): boolean => tail.messages.some((message) => message.data.includes(`"${value}"`))
  await until('the tail follows the edge', async () => {
    await purge('before')
    return isSeen('before')
  })
  const values = Array.from({ length: 50 }, (_, at) => `tag-${at}`)
  await Promise.all(values.map(purge))
  await until('all of them are seen', () => values.every(isSeen))
  await tail.stop()
})

test("viewers' events are a sample: a crowd does not drown the console", async () => {
  const tail = await follow()
  await until('the snapshot', () => tail.messages.length >= 2)
  const titleId = (await control.createTitle()).id
  const publisher = createPublisher({ log: control.store.log, source: 'cell-a' })
  const play = () =>
    publisher.publish('tentpole.playback.started.v1', createId(), {
      sessionId: 's',
      viewerId: 'v',
      titleId,
      country: 'DE',
      tier: 'free',
      platform: 'web',
      cell: 'a',
    })
  const plays = () => tail.messages.filter((message) => message.data.includes('playback.started')).length
  await until('the tail follows sessions', async () => {
    await play()
    return plays() > 0
  })
  await Promise.all(Array.from({ length: 500 }, play))
  await publisher.publish('tentpole.title.playable.v1', titleId, { titleId })
  await until('later events arrive', () => tail.messages.some((message) => message.data.includes('title.playable')))
  expect(plays()).toBeLessThan(150)
  await tail.stop()
})

test('a tail that is not read is cut; there may be only so many', async () => {
  const stuck: Socket[] = []
  /** Who came before may not be gone yet: whoever is refused comes again. */
  const follow = (): void => {
    const socket = connect(Number(new URL(control.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.once('data', (data) => {
      socket.pause()
      if (data.toString().startsWith('HTTP/1.1 200')) return void stuck.push(socket)
      socket.destroy()
      setTimeout(follow, 20)
    })
    socket.write(`GET /api/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`)
  }
  for (let tail = 0; tail < 3; tail++) follow()
  const open = async (): Promise<number> => {
    const stopping = new AbortController()
    const response = await control.call('/api/events', { signal: stopping.signal })
    stopping.abort()
    return response.status
  }
  await until('all follow', () => stuck.length === 3)
  expect(await open()).toBe(429)
  const titleId = (await control.createTitle()).id
  const publisher = createPublisher({ log: control.store.log, source: 'worker-0' })
  const reason = 'x'.repeat(100_000)
  await until('those who do not read are cut', async () => {
    await Promise.all(
      Array.from({ length: 20 }, () =>
        publisher.publish('tentpole.title.failed.v1', titleId, { titleId, code: 'x', reason }),
      ),
    )
    return (await open()) === 200
  })
  for (const socket of stuck) socket.destroy()
}, 15_000)
