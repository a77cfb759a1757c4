import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createFilm } from '../../../test/fixtures/film.ts'
import { openTestLog } from '../../../test/fixtures/log.ts'
import type { CloudEvent } from '../../contracts/index.ts'
import { createDirectoryObjects } from '../../engines/objects/index.ts'
import { createPublisher } from '../../hub/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { catalogView, createCatalog } from './catalog.ts'
import { decodeTitles, encodeTitles } from './snapshot.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const film = createFilm('0123456789abcdef')
const other = createFilm('zzzzzzzzzzzzzzzz')
const told = (events: readonly CloudEvent[]): ReturnType<typeof catalogView.create> => {
  const state = catalogView.create()
  for (const event of events) catalogView.apply(state, event)
  return state
}
const again = (state: ReturnType<typeof told>): ReturnType<typeof told> =>
  decodeTitles(JSON.parse(JSON.stringify(encodeTitles(state))))

test('a catalogue that went through a snapshot at any point ends as one that did not', () => {
  const story = [...film.first(), film.segments('v480', 7, 9), ...film.rest(), film.progress(40), film.withdrawn()]
  const stories = fc.shuffledSubarray([...story, ...other.first(), other.failed()])
  fc.assert(
    fc.property(stories, fc.nat(30), (events, cut) => {
      const kept = again(told(events.slice(0, cut)))
      for (const event of events.slice(cut)) catalogView.apply(kept, event)
      expect(kept).toEqual(told(events))
    }),
    { numRuns: 100 },
  )
})

/** What version 1 is: when this has to change, raise the version of `catalogView`. */
test('version 1 of the view is kept like this', () => {
  expect(catalogView.version).toBe(1)
  const events = [film.uploaded(), film.segments('v240', 1, 2), film.captions('c0'), film.failed()]
  expect(encodeTitles(told(events))).toEqual([
    {
      id: film.id,
      metadata: { name: `Film ${film.id}`, description: 'A film', createdAtMs: 1_000 },
      state: 'failed',
      plan: null,
      readiness: [
        [
          'v240',
          {
            codec: 'avc1.64000d',
            initKey: `titles/${film.id}/v240/1/init.mp4`,
            segments: [null, { objectKey: `titles/${film.id}/v240/1/1.m4s`, bytes: 50_000 }],
            made: 1,
            contiguous: 0,
            bytes: 50_000,
          },
        ],
      ],
      captions: [['c0', `titles/${film.id}/c0/1/captions.vtt`]],
      poster: null,
      percent: 0,
      stages: [],
      code: 'no-video',
      reason: 'there is no picture',
      fileName: 'film.mp4',
      updatedAtMs: Math.max(...events.map((event) => Date.parse(event.time))),
    },
  ])
})

test("a cell's catalogue goes on from what control wrote, and tells of every title in it", async () => {
  const { log, close } = await openTestLog()
  const root = mkdtempSync(join(tmpdir(), 'tentpole-catalog-'))
  closers.push(() => rmSync(root, { recursive: true, force: true }), close)
  const objects = createDirectoryObjects({ root })
  const limits = { ...DEFAULT_LIMITS, hubViewSnapshotEvents: 3 }
  const open = (isWriter: boolean, reads = log) => {
    const catalog = createCatalog({ log: reads, logger: silentLogger, limits, snapshots: { objects, isWriter } })
    closers.push(catalog.close)
    return catalog
  }
  const control = open(true)
  await createPublisher({ log, source: 'test' }).publishMany([...film.first(), ...film.rest(), ...other.first()])
  await control.caughtUp()
  // Awaits the snapshot under way.
  await control.close()
  expect(await objects.list('views/catalog/v1/')).not.toEqual([])

  const starts: unknown[] = []
  const cell = open(false, {
    ...log,
    subscribe(options) {
      starts.push(options.start)
      return log.subscribe(options)
    },
  })
  const heard = new Set<string>()
  cell.onChange((title) => heard.add(title.id))
  await cell.caughtUp()
  expect(cell.listed().map(({ id }) => id)).toEqual([film.id, other.id])
  expect(cell.list()).toEqual(control.list() as never)
  expect([...heard].sort()).toEqual([film.id, other.id].sort())
  expect(starts).toContainEqual({ offsets: { 0: 16 } })
})
