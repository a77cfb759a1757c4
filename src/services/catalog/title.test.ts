import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createFilm, VIDEO_SEGMENTS } from '../../../test/fixtures/film.ts'
import type { CloudEvent, TitleState } from '../../contracts/index.ts'
import { catalogView } from './catalog.ts'
import { type CatalogTitle, isListed } from './title.ts'

const ID = '0123456789abcdef'
const film = createFilm(ID)

function tell(events: readonly CloudEvent[]): CatalogTitle {
  const state = catalogView.create()
  for (const event of events) catalogView.apply(state, event)
  const title = state.get(ID)
  if (!title) throw new Error('the events name no title')
  return title
}

const states: readonly (readonly [string, readonly CloudEvent[], TitleState, boolean])[] = [
  ['an upload', [film.uploaded()], 'processing', false],
  ['a plan', [film.uploaded(), film.planned()], 'processing', false],
  ['segments before it is playable', film.first().slice(0, -1), 'processing', false],
  ['playable', film.first(), 'playable', true],
  ['published', [...film.first(), ...film.rest()], 'published', true],
  ['playable said again after published', [...film.first(), film.published(), film.playable()], 'published', true],
  ['refused', [film.uploaded(), film.failed()], 'failed', false],
  ['failed after playable', [...film.first(), film.failed()], 'failed', false],
  ['playable after failed', [film.uploaded(), film.planned(), film.failed(), film.playable()], 'failed', false],
  ['withdrawn', [...film.first(), film.withdrawn()], 'withdrawn', false],
  ['withdrawn after failed', [film.uploaded(), film.failed(), film.withdrawn()], 'withdrawn', false],
  ['withdrawn before anything else is heard', [film.withdrawn(), ...film.first(), ...film.rest()], 'withdrawn', false],
  ['the upload heard last', [...film.first().slice(1), film.uploaded()], 'playable', true],
  ['a failure heard before the upload', [film.failed(), film.uploaded()], 'failed', false],
]
test.each(states)('%s', (_, events, state, listed) => {
  const title = tell(events)
  expect([title.state, isListed(title)]).toEqual([state, listed])
})

test('withdrawn is final, whatever is said before and after', () => {
  const all = [...film.first(), ...film.rest(), film.failed(), film.progress(40)]
  fc.assert(
    fc.property(fc.shuffledSubarray(all), fc.shuffledSubarray(all), (before, after) => {
      const title = tell([...before, film.withdrawn(), ...after])
      expect([title.state, isListed(title), title.readiness.size]).toEqual(['withdrawn', false, 0])
    }),
    { numRuns: 50 },
  )
})

test('the upload may be heard at any point among what is said of the title', () => {
  for (const story of [
    [...film.first().slice(1), ...film.rest()],
    [film.failed()],
    [film.planned(), film.failed(), film.withdrawn()],
    [film.withdrawn()],
  ]) {
    const told = tell([film.uploaded(), ...story])
    for (let at = 0; at <= story.length; at++)
      expect(tell([...story.slice(0, at), film.uploaded(), ...story.slice(at)])).toEqual({
        ...told,
        updatedAtMs: expect.any(Number),
      })
  }
})

test('what the staff sees: file, percent, stages, why it failed', () => {
  expect(tell([film.uploaded(), film.planned(), film.progress(40)])).toMatchObject({
    fileName: 'film.mp4',
    percent: 40,
    stages: [{ name: 'encode', done: 1, total: 2 }],
    metadata: { name: `Film ${ID}` },
  })
  expect(tell([film.failed(), film.uploaded()])).toMatchObject({
    code: 'no-video',
    reason: 'there is no picture',
    fileName: 'film.mp4',
  })
  expect(tell([...film.first(), film.published(), film.progress(99)]).percent).toBe(100)
  expect(tell([...film.first(), film.withdrawn()])).toMatchObject({ code: 'withdrawn', reason: 'rights ended' })
})

test('readiness counts each segment once, in whatever order they come', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(Array.from({ length: VIDEO_SEGMENTS }, (_, index) => index)), (indexes) => {
      const events = indexes.map((index) => film.segments('v240', index, index + 1))
      const track = tell([film.planned(), ...events, ...events]).readiness.get('v240')
      let contiguous = 0
      while (indexes.includes(contiguous)) contiguous += 1
      if (indexes.length === 0) expect(track).toBeUndefined()
      else
        expect(track).toMatchObject({
          made: indexes.length,
          contiguous,
          bytes: indexes.length * 50_000,
          codec: 'avc1.64000d',
          initKey: `titles/${ID}/v240/1/init.mp4`,
        })
      for (const index of indexes) expect(track?.segments[index]?.objectKey).toEndWith(`/${index}.m4s`)
    }),
  )
})

test('a change makes a new object of the title', () => {
  const state = catalogView.create()
  const seen = new Set<unknown>()
  for (const event of film.first()) {
    catalogView.apply(state, event)
    seen.add(state.get(ID))
  }
  expect(seen.size).toBe(film.first().length)
})
