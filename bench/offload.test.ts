import { describe, expect, test } from 'bun:test'
import { defineStorm, type Reply, SCENARIOS } from '../src/storm/index.ts'
import { eveningOf, measureOffload } from './offload.ts'
import { bytesOffloadOf, createOffloadTally, offloadOf } from './offload-tally.ts'

const said = (cacheStatus: string | null, bytes = 100): Reply => ({
  ok: true,
  status: 200,
  content: null,
  bytes,
  tookMs: 1,
  cacheStatus,
})

describe('what counts as forwarded', () => {
  const cases: [what: string, cacheStatus: string | null, outcome: string, forwarded: number][] = [
    ['from memory', 'tentpole; hit', 'segment-hit', 0],
    ["with another's fetch", 'tentpole; fwd=uri-miss; collapsed', 'segment-collapsed', 0],
    ['a fetch of its own', 'tentpole; fwd=uri-miss', 'segment-uri-miss', 1],
    ['a fetch that was stored', 'tentpole; fwd=uri-miss; stored', 'segment-uri-miss', 1],
    ['never kept', 'tentpole; fwd=bypass', 'segment-bypass', 1],
    ['a hit of a cache behind the edge', 'shield; hit, tentpole; fwd=uri-miss', 'segment-uri-miss', 1],
    ['a word that only begins so', 'tentpole; hitherto', 'segment-unsaid', 1],
    ['nothing said', null, 'segment-unsaid', 1],
  ]
  for (const [what, cacheStatus, outcome, forwarded] of cases)
    test(what, () => {
      const tally = createOffloadTally()
      tally.note({ kind: 'segment', path: '/v/t/title/v1/0.m4s' }, said(cacheStatus))
      expect(tally.take()).toMatchObject({ answers: 1, forwarded, byOutcome: { [outcome]: 1 } })
    })
})

test('the tally: by requests, by bytes, files by what is behind the token; refusals and the API do not count', () => {
  const tally = createOffloadTally()
  tally.note({ kind: 'playlist', path: '/v/one/title/main.m3u8' }, said('tentpole; fwd=bypass', 10))
  tally.note({ kind: 'playlist', path: '/v/two/title/main.m3u8' }, said('tentpole; fwd=bypass', 10))
  tally.note({ kind: 'segment', path: '/v/two/title/v1/0.m4s' }, said('tentpole; hit', 60))
  tally.note({ kind: 'art', path: '/art/title/poster.jpg' }, said('tentpole; hit', 20))
  tally.note({ kind: 'home', path: '/v1/home' }, said(null))
  tally.note({ kind: 'segment', path: '/v/two/title/v1/1.m4s' }, { ok: false, bytes: 9, failure: { kind: 'timeout' } })
  const figures = tally.take()
  expect(figures).toMatchObject({ answers: 4, forwarded: 2, bytes: 100, bytesForwarded: 20, filesNew: 3, titles: 1 })
  expect([offloadOf(figures), bytesOffloadOf(figures)]).toEqual([0.5, 0.8])
  // Taken: counts begin anew, what was asked for stays known.
  tally.note({ kind: 'segment', path: '/v/three/title/v1/0.m4s' }, said('tentpole; hit'))
  expect(tally.take()).toMatchObject({ answers: 1, forwarded: 0, filesNew: 0, byOutcome: { 'segment-hit': 1 } })
})

test('the benchmark at smoke size: 20 titles, most of them copies, a storm of seconds; the copies play', async () => {
  const [premiere] = SCENARIOS
  const { rows, missing } = await measureOffload(
    {
      titles: 20,
      filmsMs: [2_000],
      evening: eveningOf(1_000),
      premiere: defineStorm({
        ...premiere,
        name: 'premiere',
        baselinePerSecond: 4,
        phases: [{ name: 'spike', durationMs: 4_000, arrivals: 3 }],
        operations: [],
        habits: { hesitationMs: [50, 200] },
        objectives: {},
        platform: { workers: 2, premiereMs: 4_000, titles: 1, titleMs: 2_000 },
      }),
      sample: 5,
      anyTitle: true,
    },
    () => {},
  )
  // A machine that is busy with other tests may lag: then there is no figure, and it says so.
  const measured = [...rows, ...missing].map(({ metric }) => metric)
  expect(measured.sort()).toEqual(['offload', 'offload-any-title'])
  for (const { why } of missing)
    expect(why).toMatch(/^the storm was invalid: the generator's lag .* would have been 0\.\d+$/)
  for (const { ours, unit, detail } of rows) {
    expect([unit, ours > 0 && ours < 1]).toEqual(['ratio', true])
    const { answers = 0, forwarded = 0, titles, errors } = detail ?? {}
    expect([titles, errors, answers > 20, forwarded > 0]).toEqual([20, 0, true, true])
    expect(ours).toBeCloseTo(1 - forwarded / answers, 9)
  }
}, 60_000)
