import { expect, test } from 'bun:test'
import { signalsRequestSchema } from '../../contracts/index.ts'
import { liveThrough } from './testing/evening.ts'
import { createSoundServer, FILM } from './testing/film.ts'
import type { Server } from './testing/server.ts'

type Body = { signals: { id: string; kind: string; positionMs: number }[] }

/** A server whose answers to signals are taken from a list of statuses, 200 when it is used up. */
function refusing(statuses: number[]): Server {
  const sound = createSoundServer({ ...FILM, durationMs: 20_000 })
  return (request, nowMs) => {
    const status = request.kind === 'signals' ? (statuses.shift() ?? 200) : 200
    if (status === 200) return sound(request, nowMs)
    return { ok: false, afterMs: 5, failure: { kind: 'status', status, code: null, retryAfterMs: null } }
  }
}

function sentBy(statuses: number[]) {
  const evening = liveThrough({ server: refusing(statuses), habits: { player: { progressEveryMs: 5_000 } } })
  const bodies = evening.requests.filter(({ kind }) => kind === 'signals').map(({ body }) => body as Body)
  const told = (type: 'signals-sent' | 'signals-acknowledged') =>
    evening.notes.flatMap((note) => (note.type === type ? note.ids : []))
  return { evening, bodies, sent: told('signals-sent'), acknowledged: told('signals-acknowledged') }
}

test('signals are what the contract says, and each is told to the journal once', () => {
  const { evening, bodies, sent, acknowledged } = sentBy([])
  for (const body of bodies) expect(signalsRequestSchema.safeParse(body).error).toBeUndefined()
  const kinds = bodies.flatMap(({ signals }) => signals.map(({ kind, positionMs }) => `${kind} ${positionMs}`))
  expect(kinds).toEqual(['started 0', 'progress 5000', 'progress 10000', 'progress 15000', 'ended 20000'])
  expect(sent).toEqual(acknowledged)
  expect(new Set(sent).size).toBe(5)
  expect(evening.violations).toEqual([])
})

test('what could not be delivered is sent again under the same id, what was refused is not', () => {
  const again = sentBy([503, 503])
  expect(again.bodies.slice(0, 3).map(({ signals }) => signals.map(({ id }) => id))).toEqual([
    [again.sent[0] ?? ''],
    [again.sent[0] ?? ''],
    [again.sent[0] ?? ''],
  ])
  expect(again.acknowledged).toEqual(again.sent)
  expect(new Set(again.sent).size).toBe(5)
  const refused = sentBy([400])
  expect(refused.acknowledged).toEqual(refused.sent.slice(1))
})

test('signals that never get through stay within bounds and keep nobody from leaving', () => {
  const { evening, bodies, sent, acknowledged } = sentBy(new Array<number>(1_000).fill(503))
  expect(acknowledged).toEqual([])
  expect(new Set(sent).size).toBe(sent.length)
  expect(Math.max(...bodies.map(({ signals }) => signals.length))).toBeLessThanOrEqual(50)
  expect(evening.leftMs).toBeLessThan(30_000)
})
