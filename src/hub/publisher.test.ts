import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createPublisher } from './publisher.ts'
import { numbered, numberOf, openTestEngines, readEvents, type TestEngines, titleIdOf } from './testing.ts'

let engines: TestEngines
beforeAll(async () => {
  engines = await openTestEngines()
})
afterAll(() => engines.close())

test('what is published is on its topic under its subject when the promise resolves, in the order of the calls', async () => {
  const publisher = createPublisher({ log: engines.log, source: 'cell-a' })
  const titleId = titleIdOf(3)
  const events = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      publisher.publish('tentpole.segment.wanted.v1', titleId, { titleId, track: 'v240', index }),
    ),
  )
  const found = await readEvents(engines.log, 'media')
  expect(found.map((event) => event.id)).toEqual(events.map((event) => event.id))
  expect(found[0]).toMatchObject({ source: 'cell-a', subject: titleId })
})

test('a bad event rejects and nothing is appended', async () => {
  const publisher = createPublisher({ log: engines.log, source: 'cell-a' })
  const before = (await readEvents(engines.log, 'media')).length
  const titleId = titleIdOf(3)
  await expect(
    publisher.publish('tentpole.segment.wanted.v1', titleId, { titleId, track: 'v240', index: -1 }),
  ).rejects.toMatchObject({ code: 'event-invalid' })
  expect((await readEvents(engines.log, 'media')).length).toBe(before)
})

test('many events go out with one append per topic', async () => {
  const appended: string[] = []
  const log = {
    ...engines.log,
    append(topic: string, records: readonly { key: string; value: Uint8Array }[]) {
      appended.push(`${topic} ${records.length}`)
      return engines.log.append(topic, records)
    },
  }
  await createPublisher({ log, source: 't' }).publishMany([numbered(1, 1), numbered(2, 2), numbered(1, 3)])
  expect(appended).toEqual(['titles 3'])
  expect((await readEvents(engines.log, 'titles')).map(numberOf)).toEqual([1, 2, 3])
})
