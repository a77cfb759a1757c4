import { expect, test } from 'bun:test'
import { DEFAULT_HABITS } from './habits.ts'
import { decideViewer } from './machine.ts'
import type { Failure, RequestKind, ViewerNote, ViewerRequest } from './protocol.ts'
import { createViewer } from './state.ts'
import { type Evening, liveThrough, ORIGIN } from './testing/evening.ts'
import { createSoundServer, FILM, PREMIERE_ID, SESSION_ID, TITLE_IDS, toHome } from './testing/film.ts'
import type { Server } from './testing/server.ts'

const kindsOf = ({ requests }: Evening): RequestKind[] => requests.map(({ kind }) => kind)
const countOf = (evening: Evening, kind: RequestKind): number => kindsOf(evening).filter((one) => one === kind).length
const noteOf = <T extends ViewerNote['type']>({ notes }: Evening, type: T) =>
  notes.find((note): note is Extract<ViewerNote, { type: T }> & { nowMs: number } => note.type === type)
const modesOf = ({ notes }: Evening) => notes.flatMap((note) => (note.type === 'mode' ? [note.mode] : []))
const playedOf = ({ notes }: Evening) => notes.reduce((sum, note) => sum + (note.type === 'played' ? note.ms : 0), 0)
const signalsOf = ({ requests }: Evening) =>
  requests
    .filter(({ kind }) => kind === 'signals')
    .flatMap(({ body }) => (body as { signals: { kind: string; positionMs: number }[] }).signals)
const status = (code: number, options: { word?: string; retryAfterMs?: number } = {}): Failure => ({
  kind: 'status',
  status: code,
  code: options.word ?? null,
  retryAfterMs: options.retryAfterMs ?? null,
})

/** A sound server that fails where it is told to. */
function failing(
  fails: (request: ViewerRequest, nowMs: number) => Failure | null,
  sound = createSoundServer(),
): Server {
  return (request, nowMs) => {
    const failure = fails(request, nowMs)
    return failure === null ? sound(request, nowMs) : { ok: false, afterMs: 5, failure }
  }
}

test('an evening from the front door to the end of the film', () => {
  const evening = liveThrough({ habits: { returnHomeShare: 1 } })
  const start: RequestKind[] = ['session', 'home', 'art', 'art', 'art', 'title', 'playback']
  const media: RequestKind[] = ['playlist', 'playlist', 'playlist', 'init', 'init', 'segment', 'segment', 'signals']
  expect(kindsOf(evening).slice(0, 15)).toEqual([...start, ...media])
  expect(kindsOf(evening).slice(-2)).toEqual(['signals', 'home'])
  expect(modesOf(evening)).toEqual(['browsing', 'starting', 'playing', 'browsing', 'gone'])
  // 20 s of film in segments of 2 s, sound and picture.
  expect(countOf(evening, 'segment')).toBe(20)
  expect(signalsOf(evening).map(({ kind }) => kind)).toEqual(['started', 'progress', 'ended'])
  expect(evening.requests[0]?.body).toEqual({ country: 'DE', tier: 'standard', platform: 'web' })
  expect(evening.violations).toEqual([])
})

test('who has a catalogue to choose from takes a title of it that home does not show', () => {
  const choices = [{ id: 'found-by-search', posterUrl: '/art/found-by-search/poster.jpg' }]
  const { requests } = liveThrough({ origin: { choices } })
  const paths = requests.map(({ path }) => path)
  expect(paths).toContain('/v1/titles/found-by-search')
  expect(paths.filter((path) => path.endsWith('/main.m3u8'))).toEqual(['/v/token-0/found-by-search/main.m3u8'])
  // On home they see its picture, and the first of those that it does show.
  expect(paths.filter((path) => path.startsWith('/art/')).length).toBe(3)
})

test('who only looks around presses nothing', () => {
  const evening = liveThrough({ habits: { browseOnlyShare: 1 } })
  expect(new Set(kindsOf(evening))).toEqual(new Set(['session', 'home', 'art']))
  expect(modesOf(evening)).toEqual(['browsing', 'gone'])
  expect(noteOf(evening, 'gave-up')).toBeUndefined()
})

test('a platform without titles is looked at and left', () => {
  const sound = createSoundServer()
  const server: Server = (request, nowMs) =>
    request.kind === 'home' ? { ok: true, afterMs: 5, content: toHome([]), bytes: 2 } : sound(request, nowMs)
  expect(kindsOf(liveThrough({ server }))).toEqual(['session', 'home'])
})

test('startup counts from the click, and the click is due when the hesitation ends', () => {
  const evening = liveThrough({ server: createSoundServer(FILM, { afterMs: 50 }) })
  const click = evening.requests.find(({ kind }) => kind === 'playback')
  const started = noteOf(evening, 'started')
  expect(started?.ms).toBeCloseTo((started?.nowMs ?? 0) - (click?.dueMs ?? 0), 6)
  // Eight answers of 50 ms; the line is faster than that.
  expect(started?.ms).toBeGreaterThan(399)
  expect(started?.ms).toBeLessThan(450)
})

test('an alarm that rings late shifts neither the playhead nor what a request is due at', () => {
  const onTime = liveThrough()
  const late = liveThrough({ wakeLagMs: () => 3 })
  const clickOf = (evening: Evening) => evening.requests.find(({ kind }) => kind === 'title')?.dueMs
  expect(clickOf(late)).toBe(clickOf(onTime))
  expect(late.violations).toEqual([])
  expect(playedOf(late)).toBeCloseTo(playedOf(onTime), 3)
})

test('a segment is there when the line has carried it, and nothing is asked for meanwhile', () => {
  const population = { ...ORIGIN.population, lineBps: 800_000 }
  const evening = liveThrough({ origin: { population }, server: createSoundServer(FILM, { afterMs: 1 }) })
  const segments = evening.requests.filter(({ kind }) => kind === 'segment')
  // 2 s of 400 kbit/s over 800 kbit/s take 1 s, of which the answer took a millisecond.
  expect((segments[1]?.dueMs ?? 0) - (segments[0]?.dueMs ?? 0)).toBeCloseTo(1_000, 6)
  const firstMs = segments[0]?.dueMs ?? 0
  expect(evening.requests.filter(({ dueMs }) => dueMs > firstMs && dueMs < firstMs + 999)).toEqual([])
  // Sound: 2 s of 64 kbit/s take 160 ms.
  expect((noteOf(evening, 'started')?.nowMs ?? 0) - firstMs).toBeCloseTo(1_160, 6)
  expect(segments.every(({ path }) => !path.includes('/v1/'))).toBe(true)
})

test('a wide line is used, and each playlist and init is fetched once', () => {
  const evening = liveThrough()
  const video = evening.requests.filter(({ kind, path }) => kind === 'segment' && path.includes('/v'))
  expect(video.map(({ path }) => path.split('/').at(-2)).filter((track) => track === 'v1')).toHaveLength(9)
  const setup = evening.requests.filter(({ kind }) => kind === 'playlist' || kind === 'init').map(({ path }) => path)
  expect(new Set(setup).size).toBe(setup.length)
  expect(setup).toHaveLength(7)
})

test('the heartbeat renews the token, and media is asked for under the newest', () => {
  const evening = liveThrough({ server: createSoundServer({ ...FILM, durationMs: 40_000 }) })
  const beats = evening.requests.filter(({ kind }) => kind === 'heartbeat')
  expect(beats.map(({ body }) => (body as { token: string }).token).slice(0, 3)).toEqual([
    'token-0',
    'token-1',
    'token-2',
  ])
  expect(beats[0]?.path).toBe(`/v1/playback/${SESSION_ID}/heartbeat`)
  expect((beats[1]?.dueMs ?? 0) - (beats[0]?.dueMs ?? 0)).toBeCloseTo(7_005, 6)
  let renewals = 0
  for (const { kind, path } of evening.requests) {
    if (kind === 'heartbeat') renewals += 1
    if (kind === 'segment') expect(path).toStartWith(`/v/token-${renewals}/${PREMIERE_ID}/`)
  }
  expect(renewals).toBeGreaterThan(3)
})

test('a token that has expired is renewed at once and the segment asked for again', () => {
  let refused = false
  const server = failing(({ kind, path }) => {
    if (kind !== 'segment' || refused || !path.includes('/v1/3.m4s')) return null
    refused = true
    return status(403, { word: 'token-expired' })
  })
  const evening = liveThrough({ server })
  const at = evening.requests.findIndex(({ path }) => path.includes('/v1/3.m4s'))
  expect(kindsOf(evening).slice(at, at + 3)).toEqual(['segment', 'heartbeat', 'segment'])
  expect(evening.requests[at + 2]?.path).toBe(`/v/token-1/${PREMIERE_ID}/v1/3.m4s`)
  expect(modesOf(evening)).not.toContain('stalled')
})

test('what fails is asked for again, later and later, and Retry-After is kept', () => {
  const dues = (failure: Failure) => {
    let left = 3
    const server = failing(({ kind }) => (kind === 'home' && left-- > 0 ? failure : null))
    const homes = liveThrough({ server }).requests.filter(({ kind }) => kind === 'home')
    return homes.slice(1).map(({ dueMs }, at) => Math.round(dueMs - (homes[at]?.dueMs ?? 0)))
  }
  expect(dues({ kind: 'timeout' })).toEqual([505, 1_005, 2_005])
  expect(dues(status(503, { retryAfterMs: 1_500 }))).toEqual([1_505, 1_505, 2_005])
})

const IMPATIENT = [
  [0, 0],
  [2_000, 0],
  [2_001, 1],
] as const

test('patience ends wherever a viewer waits', () => {
  const cases: readonly [kind: RequestKind, during: string][] = [
    ['session', 'browsing'],
    ['home', 'browsing'],
    ['title', 'browsing'],
    ['playback', 'startup'],
    ['playlist', 'startup'],
    ['init', 'startup'],
    ['segment', 'startup'],
  ]
  for (const [down, during] of cases) {
    for (const failure of [{ kind: 'timeout' } as const, status(503)]) {
      const server = failing(({ kind }) => (kind === down ? failure : null))
      const evening = liveThrough({ server, habits: { patience: IMPATIENT } })
      const { during: told, waitedMs, nowMs } = noteOf(evening, 'gave-up') ?? { during: '', waitedMs: 0, nowMs: -1 }
      expect<unknown>([down, told, Math.floor(waitedMs)]).toEqual([down, during, 2_000])
      expect(evening.leftMs).toBe(nowMs)
      expect(evening.log.at(-1)?.effect.type).toBe('leave')
    }
  }
})

test('patience ends with a request under way, too', () => {
  const sound = createSoundServer()
  const server: Server = (request, nowMs) => ({
    ...sound(request, nowMs),
    afterMs: request.kind === 'home' ? 9_000 : 5,
  })
  const evening = liveThrough({ server, habits: { patience: IMPATIENT } })
  expect(Math.floor(evening.leftMs ?? 0)).toBe(2_005)
})

test('what is refused for good is given up at once', () => {
  for (const kind of ['session', 'home', 'title', 'playback', 'playlist', 'segment'] as const) {
    const evening = liveThrough({ server: failing((request) => (request.kind === kind ? status(401) : null)) })
    expect(countOf(evening, kind)).toBe(1)
    expect(noteOf(evening, 'gave-up')).toBeDefined()
  }
})

test('pictures that do not come are not asked for again', () => {
  const evening = liveThrough({ server: failing(({ kind }) => (kind === 'art' ? status(500) : null)) })
  expect(countOf(evening, 'art')).toBe(3)
  expect(noteOf(evening, 'started')).toBeDefined()
})

test('a title that is gone sends the viewer back to the home page, a few times', () => {
  let gone = 1
  const once = liveThrough({ server: failing(({ kind }) => (kind === 'title' && gone-- > 0 ? status(410) : null)) })
  expect(kindsOf(once).slice(5, 8)).toEqual(['title', 'home', 'title'])
  expect(noteOf(once, 'started')).toBeDefined()
  const always = liveThrough({ server: failing(({ kind }) => (kind === 'title' ? status(404) : null)) })
  expect(countOf(always, 'title')).toBe(4)
  expect(noteOf(always, 'gave-up')?.during).toBe('browsing')
})

test('a film resumes where it stood', () => {
  const evening = liveThrough({ server: createSoundServer(FILM, { resumeMs: 9_000 }) })
  const segments = evening.requests.filter(({ kind }) => kind === 'segment').map(({ path }) => path.split('/').at(-1))
  expect(segments.slice(0, 2)).toEqual(['4.m4s', '4.m4s'])
  expect(signalsOf(evening)[0]).toMatchObject({ kind: 'started', positionMs: 9_000 })
  expect(noteOf(evening, 'started')).toBeDefined()
})

test('a stall is told when it begins and counted when it ends', () => {
  let cutMs = Number.POSITIVE_INFINITY
  const server = failing(({ kind, path }, nowMs) => {
    if (kind === 'segment' && path.endsWith('/5.m4s')) cutMs = Math.min(cutMs, nowMs)
    return kind === 'segment' && nowMs - cutMs < 15_000 && nowMs >= cutMs ? status(503) : null
  })
  const evening = liveThrough({ server, habits: { player: { progressEveryMs: 60_000 } } })
  expect(modesOf(evening)).toEqual(['browsing', 'starting', 'playing', 'stalled', 'playing', 'browsing', 'gone'])
  const signal = signalsOf(evening).find(({ kind }) => kind === 'stalled')
  expect(signal?.positionMs).toBe(10_000)
  const stalled = noteOf(evening, 'stalled')
  const begin = evening.notes.find((note) => note.type === 'mode' && note.mode === 'stalled')
  expect(playedOf({ ...evening, notes: evening.notes.filter(({ nowMs }) => nowMs <= (begin?.nowMs ?? 0)) })).toBe(
    10_000,
  )
  expect(stalled?.cause).toBe('dry')
  expect(stalled?.ms).toBeCloseTo((stalled?.nowMs ?? 0) - (begin?.nowMs ?? 0), 6)
})

test('who gives up in a stall tells how long it was', () => {
  const server = failing(({ kind, path }) => (kind === 'segment' && path.endsWith('/5.m4s') ? status(503) : null))
  const evening = liveThrough({ server, habits: { patience: IMPATIENT } })
  expect(Math.floor(noteOf(evening, 'stalled')?.ms ?? 0)).toBe(2_000)
  expect(noteOf(evening, 'gave-up')).toMatchObject({ during: 'stall' })
  expect(evening.notes.map(({ type }) => type).slice(-3)).toEqual(['stalled', 'gave-up', 'mode'])
})

test('a seek drops the buffer and plays from another place', () => {
  const server = createSoundServer({ ...FILM, durationMs: 120_000 })
  const evening = liveThrough({ server, habits: { seeksPerMinute: 6 } })
  const waits = evening.notes.filter((note) => note.type === 'stalled' && note.cause === 'seek')
  expect(waits.length).toBeGreaterThan(2)
  // Not a stall for the platform: the viewer caused it, and is told from there.
  const signals = signalsOf(evening)
  expect(signals.map(({ kind }) => kind)).not.toContain('stalled')
  expect(signals.length).toBeGreaterThan(waits.length)
  // A seek back does not make an evening endless.
  expect(playedOf(evening)).toBeLessThanOrEqual(120_001)
  const segments = evening.requests.filter(({ kind }) => kind === 'segment').map(({ path }) => path)
  const jumps = segments.filter((path, at) => {
    const number = (text: string) => Number(/(\d+)\.m4s$/.exec(text)?.[1])
    return at > 0 && Math.abs(number(path) - number(segments[at - 1] ?? path)) > 1
  })
  expect(jumps.length).toBeGreaterThan(0)
  expect(evening.violations).toEqual([])
})

test('who means to watch for a while does, and tells where they were', () => {
  const server = createSoundServer({ ...FILM, durationMs: 600_000 })
  const evening = liveThrough({ server, habits: { watchToEndShare: 0, watchMeanMs: 30_000, returnHomeShare: 0 } })
  const played = playedOf(evening)
  const last = signalsOf(evening).at(-1)
  expect(last).toEqual({ ...last, kind: 'progress', positionMs: Math.round(played) } as typeof last & object)
  expect(kindsOf(evening).at(-1)).toBe('signals')
})

test('when the premiere ends, whoever watches it goes home', () => {
  const server = createSoundServer({ ...FILM, durationMs: 600_000 })
  const evening = liveThrough({ server, premiereEnded: { toldMs: 20_000, atMs: 21_500 } })
  const home = evening.requests.findLast(({ kind }) => kind === 'home')
  expect(kindsOf(evening).slice(-2)).toEqual(['signals', 'home'])
  expect(home?.dueMs).toBeGreaterThanOrEqual(21_500)
  expect(home?.dueMs).toBeLessThan(21_600)
  expect(signalsOf(evening).at(-1)?.kind).toBe('ended')
  const others = { premiereShare: 0, zipfExponent: 1 }
  const other = liveThrough({ server, origin: { titles: others }, premiereEnded: { toldMs: 20_000, atMs: 21_500 } })
  expect(other.leftMs).toBeGreaterThan(600_000)
  expect(other.requests.find(({ kind }) => kind === 'title')?.path).not.toContain(TITLE_IDS[0] ?? '')
})

test('who leaves a film does not wait for the segment that is still on the line', () => {
  const population = { ...ORIGIN.population, lineBps: 450_000 }
  const film = { ...FILM, hasAudio: false, durationMs: 600_000 }
  const server = createSoundServer(film, { afterMs: 1 })
  const evening = liveThrough({ origin: { population }, server, premiereEnded: { toldMs: 20_000, atMs: 21_500 } })
  expect(evening.requests.at(-2)).toMatchObject({ kind: 'signals', dueMs: 21_500 })
})

test('a premiere that ends before its first picture sends everyone home without a signal', () => {
  const sound = createSoundServer()
  const server: Server = (request, nowMs) => ({
    ...sound(request, nowMs),
    afterMs: request.kind === 'init' ? 20_000 : 5,
  })
  const evening = liveThrough({ server, premiereEnded: { toldMs: 5_000, atMs: 5_000 } })
  expect(countOf(evening, 'signals')).toBe(0)
  expect(modesOf(evening)).toEqual(['browsing', 'starting', 'browsing', 'gone'])
  expect(kindsOf(evening).at(-1)).toBe('home')
})

test('alarms that nobody set, answers that nobody waits for and arrivals after the first do no harm', () => {
  const viewer = createViewer(ORIGIN, DEFAULT_HABITS)
  const unborn = decideViewer(viewer, { type: 'wake' }, 0, DEFAULT_HABITS)
  expect(unborn.effects).toEqual([])
  const { state } = decideViewer(unborn.state, { type: 'arrive' }, 0, DEFAULT_HABITS)
  const frozen = structuredClone(state)
  const woken = decideViewer(state, { type: 'wake' }, 1, DEFAULT_HABITS)
  expect(woken.effects.every(({ type }) => type === 'wake')).toBe(true)
  expect(decideViewer(state, { type: 'arrive' }, 1, DEFAULT_HABITS).effects).toEqual([])
  expect(decideViewer(state, { type: 'premiere-ended', atMs: 2 }, 1, DEFAULT_HABITS).effects).toEqual([])
  expect(state).toEqual(frozen)
  const stray = { type: 'answer', status: 200, content: null, bytes: 0, tookMs: 0 } as const
  expect(decideViewer(viewer, stray, 1, DEFAULT_HABITS).effects).toEqual([])
})
