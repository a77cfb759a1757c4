import { expect, test } from 'bun:test'
import { DEFAULT_POPULATIONS, STORM_DEFAULTS } from '../define.ts'
import { DEFAULT_HABITS, type ViewerHabits, type ViewerRequest } from '../viewer/index.ts'
import type { Reply } from './ask.ts'
import { createCrowd } from './crowd.ts'
import { createRecorder } from './recorder.ts'

type Sent = { readonly request: ViewerRequest; readonly reply: (reply: Reply) => void; closed: boolean }

/** A crowd on a clock that the test turns, and lines on which nothing comes back but what the test says. */
function openCrowd(options: {
  arrivalsMs: readonly number[]
  habits?: Partial<ViewerHabits>
  bounds?: { viewersMax?: number; requestsMax?: number }
}) {
  let nowMs = 0
  const sent: Sent[] = []
  const bounds: string[] = []
  const recorder = createRecorder()
  const crowd = createCrowd({
    scenario: {
      populations: DEFAULT_POPULATIONS.slice(0, 1),
      titles: STORM_DEFAULTS.titles,
      habits: {
        ...DEFAULT_HABITS,
        hesitationMs: [100, 100],
        browseOnlyShare: 1,
        patience: [[60_000, 0]],
        ...options.habits,
      },
      bounds: { viewersMax: 100, requestsMax: 1_000, durationMsMax: 60_000, ...options.bounds },
    },
    seed: 1,
    arrivalsMs: Float64Array.from(options.arrivalsMs),
    premiereId: null,
    connect: () => {
      const own: Sent[] = []
      return {
        send(request, reply) {
          const one = { request, reply, closed: false }
          own.push(one)
          sent.push(one)
        },
        sweep() {},
        close() {
          for (const one of own) one.closed = true
        },
      }
    },
    recorder,
    onNote: () => {},
    onBound: (bound) => bounds.push(bound),
    nowMs: () => nowMs,
    random: () => 0.5,
  })
  return {
    crowd,
    recorder,
    sent,
    bounds,
    tickAt(ms: number) {
      nowMs = ms
      crowd.tick()
    },
    at(ms: number) {
      nowMs = ms
    },
  }
}

const fine = (content: unknown): Reply => ({ ok: true, status: 200, content, bytes: 10, tookMs: 1, cacheStatus: null })
const SESSION = { viewerId: 'v', token: 't', cell: 'a' }
const HOME = { hero: null, rails: [] }
const failed = (status: number): Reply => ({
  ok: false,
  bytes: 0,
  failure: { kind: 'status', status, code: null, retryAfterMs: null },
})

test('who arrives is asked for when it was due, not when the generator got round to it: latency counts from there', () => {
  const { crowd, recorder, sent, tickAt, at } = openCrowd({ arrivalsMs: [10, 20] })
  tickAt(500)
  expect(sent.map(({ request }) => [request.kind, request.dueMs])).toEqual([
    ['session', 10],
    ['session', 20],
  ])
  at(900)
  sent[0]?.reply(fine(SESSION))
  const session = recorder.requests().find(({ kind }) => kind === 'session')
  expect(session?.maxMs).toBeCloseTo(890, -1)
  expect(recorder.lags().maxMs).toBeCloseTo(490, -1)
  expect([crowd.arrived(), recorder.totals().viewers]).toEqual([2, 2])
})

test('arrivals do not wait for answers', () => {
  const { sent, tickAt } = openCrowd({ arrivalsMs: Array.from({ length: 50 }, (_, index) => index * 10) })
  for (let ms = 0; ms <= 500; ms += 5) tickAt(ms)
  expect(sent.length).toBe(50)
})

test('who leaves with a request under way is counted with the time they waited, as no error', () => {
  const { recorder, sent, tickAt } = openCrowd({
    arrivalsMs: [0],
    habits: {
      patience: [
        [0, 0],
        [1_000, 1],
      ],
    },
  })
  tickAt(0)
  tickAt(1_100)
  const totals = recorder.totals()
  expect(totals).toMatchObject({ requests: 1, abandoned: 1, errors: 0, gaveUp: 1 })
  expect(sent[0]?.closed).toBe(true)
  const session = recorder.requests()[0]
  expect([session?.kind, session?.count, (session?.maxMs ?? 0) > 0]).toEqual(['session', 1, true])
  // What comes after is nobody's.
  sent[0]?.reply(fine(SESSION))
  expect(recorder.totals().requests).toBe(1)
})

test('a sign-in that fails counts in the cell where others of its kind live', () => {
  const { recorder, sent, tickAt } = openCrowd({ arrivalsMs: [0, 1] })
  tickAt(1)
  sent[0]?.reply(fine(SESSION))
  sent[1]?.reply(failed(503))
  expect(recorder.cells()).toMatchObject([{ cell: 'a', errors: 1 }])
})

test('bounds stop arrivals and requests, and are told once', () => {
  const viewers = openCrowd({ arrivalsMs: [0, 0, 0], bounds: { viewersMax: 2 } })
  viewers.tickAt(1)
  viewers.tickAt(2)
  expect([viewers.crowd.present(), viewers.bounds]).toEqual([2, ['viewersMax']])
  const requests = openCrowd({ arrivalsMs: [0, 0, 0], bounds: { requestsMax: 2 } })
  requests.tickAt(1)
  expect([requests.sent.length, requests.bounds]).toEqual([2, ['requestsMax']])
})

test('in the end nobody asks any more; answers are waited for, and what does not come is an error', async () => {
  const { crowd, recorder, sent, tickAt } = openCrowd({ arrivalsMs: [0, 0, 9_000] })
  tickAt(1)
  const closing = crowd.close()
  sent[0]?.reply(fine(SESSION))
  tickAt(9_500)
  expect(sent.length).toBe(2)
  await closing
  expect(recorder.totals()).toMatchObject({ viewers: 2, requests: 2, errors: 1, errorsByReason: { unanswered: 1 } })
  expect([crowd.present(), sent.every(({ closed }) => closed)]).toEqual([0, true])
  await crowd.close()
  expect(recorder.totals().requests).toBe(2)
})

test('a viewer who only looks around is gone after the home page', () => {
  const { crowd, recorder, sent, tickAt, at } = openCrowd({ arrivalsMs: [0] })
  tickAt(1)
  at(5)
  sent[0]?.reply(fine(SESSION))
  sent[1]?.reply(fine(HOME))
  for (let ms = 10; ms < 300; ms += 10) tickAt(ms)
  expect([crowd.present(), sent.map(({ request }) => request.kind)]).toEqual([0, ['session', 'home']])
  expect(recorder.sample(1_000, { cpu: 0, rssBytes: 0, rolesDown: null })).toMatchObject({ browsing: 0, requests: 2 })
})
