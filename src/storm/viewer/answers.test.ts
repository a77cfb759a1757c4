import { expect, test } from 'bun:test'
import { isReadable, readHome, readPlayback } from './answers.ts'
import type { RequestKind } from './protocol.ts'
import { PREMIERE_ID, SESSION_ID, toHome } from './testing/film.ts'

const playback = {
  sessionId: SESSION_ID,
  manifestUrl: `/v/abc.def/${PREMIERE_ID}/main.m3u8`,
  heartbeatMs: 1,
  resumeMs: 0,
  durationMs: 5,
}

test('the path of media is taken apart', () => {
  expect(readPlayback(playback)).toMatchObject({
    token: 'abc.def',
    directory: `${PREMIERE_ID}/`,
    manifestFile: 'main.m3u8',
  })
})

test('a home page lists each title once, hero first', () => {
  const ids = readHome({
    hero: { id: 'b' },
    rails: [{ titles: [{ id: 'a' }, { id: 'b' }] }, { titles: [{ id: 'c' }] }],
  })
  expect(ids?.map(({ id }) => id)).toEqual(['b', 'a', 'c'])
})

test('what the contract does not say is not readable', () => {
  const cases: readonly [kind: RequestKind, content: unknown, readable: boolean][] = [
    ['session', { viewerId: 'v', token: 't.t.t', cell: 'a' }, true],
    ['session', { viewerId: 'v', token: 't\r\nhost: x', cell: 'a' }, false],
    ['session', null, false],
    ['home', toHome(), true],
    ['home', toHome([]), true],
    ['home', { hero: null }, false],
    ['home', { hero: { name: 'no id' }, rails: [] }, false],
    ['title', { id: PREMIERE_ID }, true],
    ['title', {}, false],
    ['playback', playback, true],
    ['playback', { ...playback, manifestUrl: 'http://elsewhere/v/t/x/main.m3u8' }, false],
    ['playback', { ...playback, manifestUrl: '/v/token' }, false],
    ['playback', { ...playback, durationMs: 'long' }, false],
    ['playback', { ...playback, durationMs: Number.NaN }, false],
    ['heartbeat', { token: 't', heartbeatMs: 1 }, true],
    ['heartbeat', { heartbeatMs: 1 }, false],
    ['signals', null, true],
  ]
  for (const [kind, content, readable] of cases) {
    expect({ kind, content, readable: isReadable({ kind, read: 'json' }, content) }).toEqual({
      kind,
      content,
      readable,
    })
  }
  expect(isReadable({ kind: 'playlist', read: 'main-playlist' }, { variants: [] })).toBe(false)
  expect(isReadable({ kind: 'playlist', read: 'media-playlist' }, { segmentFiles: [], endsMs: [] })).toBe(false)
  expect(isReadable({ kind: 'playlist', read: 'media-playlist' }, { segmentFiles: ['a'], endsMs: [1] })).toBe(true)
})
