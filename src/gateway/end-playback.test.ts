import { afterEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { openTestLog } from '../../test/fixtures/log.ts'
import { playbackEndedResponseSchema, playbackResponseSchema, type problemSchema } from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import { decodeEvent } from '../hub/index.ts'
import { createId } from '../kernel/index.ts'
import { createTestClock, openTestCell, type TestCell, type TestCellOptions, tokenOf } from './test-cell.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const ID = '0123456789abcdef'

async function open(options?: TestCellOptions): Promise<TestCell> {
  const cell = await openTestCell(options)
  closers.push(cell.close)
  return cell
}
async function play(cell: TestCell, token: string): Promise<{ sessionId: string; media: string }> {
  const answer = await cell.ask('/v1/playback', { token, body: { titleId: ID } })
  const { sessionId, manifestUrl } = playbackResponseSchema.parse(await answer.json())
  return { sessionId, media: tokenOf(manifestUrl).text }
}
const end = async (cell: TestCell, sessionId: string, token?: string): Promise<Response> =>
  cell.gateway(
    new Request(`http://cell/v1/playback/${sessionId}`, {
      method: 'DELETE',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }),
  )
const beat = (cell: TestCell, { sessionId, media }: { sessionId: string; media: string }): Promise<Response> =>
  cell.ask(`/v1/playback/${sessionId}/heartbeat`, { body: { token: media } })
const codeOf = async (answer: Response): Promise<[number, string]> => {
  const { status, code } = (await answer.json()) as z.infer<typeof problemSchema>
  expect(status).toBe(answer.status)
  return [status, code]
}
const revokedOn = async (log: LogPort): Promise<string[]> =>
  (await log.read({ topic: 'edge', from: 0, max: 100 })).map((record) => decodeEvent(record).subject)

test('one ends his own session, from any cell and any device of his; it is on the log when the answer comes', async () => {
  const { log, close } = await openTestLog()
  closers.push(close)
  const [a, b] = [await open({ log, cell: 'a' }), await open({ log, cell: 'b' })]
  await a.tell(a.film.first())
  await b.tell([])
  const token = await a.signIn()
  const [ended, going] = [await play(a, token), await play(a, token)]
  const answer = await end(b, ended.sessionId, token)
  expect(await revokedOn(log)).toEqual([ended.sessionId])
  expect(playbackEndedResponseSchema.parse(await answer.json()).sessionId).toBe(ended.sessionId)
  expect(await codeOf(await beat(b, ended))).toEqual([410, 'session-revoked'])
  await a.tell([])
  expect(await codeOf(await beat(a, ended))).toEqual([410, 'session-revoked'])
  expect((await beat(a, going)).status).toBe(200)
  expect((await end(a, ended.sessionId, token)).status).toBe(200)

  const later = await open({ log, cell: 'a' })
  expect(await codeOf(await beat(later, ended))).toEqual([410, 'session-revoked'])
})

test('nobody ends the session of another, or one that never was', async () => {
  const cell = await open()
  await cell.tell(cell.film.first())
  const [token, other] = [await cell.signIn(), await cell.signIn()]
  const session = await play(cell, token)
  const flipped = session.sessionId.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  for (const id of [createId(), flipped, 'x', session.sessionId.toUpperCase().replace(/^./, 'G'), '%00'])
    expect(await codeOf(await end(cell, id, token))).toEqual([404, 'session-not-found'])
  expect(await codeOf(await end(cell, session.sessionId, other))).toEqual([404, 'session-not-found'])
  expect(await codeOf(await end(cell, session.sessionId))).toEqual([401, 'token-missing'])
  expect(await codeOf(await end(cell, session.sessionId, session.media))).toEqual([401, 'token-invalid'])
  expect(await revokedOn(cell.log)).toEqual([])
  expect((await beat(cell, session)).status).toBe(200)
})

test('an id that its viewer made up, or of before ids were signed, ends nothing and puts nothing onto the log', async () => {
  const cell = await open()
  await cell.tell(cell.film.first())
  const token = await cell.signIn()
  const viewerId = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub as string
  const { sessionId } = await play(cell, token)
  const head = sessionId.slice(0, 24)
  const madeUp = head + createHash('sha256').update(head).update(viewerId).digest('hex').slice(0, 12)
  expect(await codeOf(await end(cell, madeUp, token))).toEqual([404, 'session-not-found'])
  expect(await revokedOn(cell.log)).toEqual([])
})

test('a repeat puts nothing onto the log, on whichever cell', async () => {
  const { log, close } = await openTestLog()
  closers.push(close)
  const [a, b] = [await open({ log, cell: 'a' }), await open({ log, cell: 'b' })]
  await a.tell(a.film.first())
  const token = await a.signIn()
  const { sessionId } = await play(a, token)
  await end(a, sessionId, token)
  await b.tell([])
  for (const cell of [a, b, a]) expect((await end(cell, sessionId, token)).status).toBe(200)
  expect(await revokedOn(log)).toEqual([sessionId])
})

test('one viewer ends so many, all of a cell so many a second; beyond that nothing is said to the log', async () => {
  const clock = createTestClock()
  const limits = { viewerSessionEndsMax: 2, sessionEndsPerSecondMax: 3 }
  const cell = await open({ limits, clock })
  await cell.tell(cell.film.first())
  const endOne = async (token: string): Promise<Response> => end(cell, (await play(cell, token)).sessionId, token)
  const [token, other] = [await cell.signIn(), await cell.signIn()]
  expect([(await endOne(token)).status, (await endOne(token)).status]).toEqual([200, 200])
  const refused = await endOne(token)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60)
  expect(await codeOf(refused)).toEqual([429, 'too-many-requests'])
  expect((await endOne(other)).status).toBe(200)
  const crowded = await endOne(other)
  expect([crowded.status, crowded.headers.get('retry-after')]).toEqual([429, '1'])
  expect(await revokedOn(cell.log)).toHaveLength(3)
  clock.advance(1_000)
  expect((await endOne(other)).status).toBe(200)
})

test('made-up ids do not use up what the cell takes of endings', async () => {
  const cell = await open({ limits: { sessionEndsPerSecondMax: 2 }, clock: createTestClock() })
  await cell.tell(cell.film.first())
  const [token, other] = [await cell.signIn(), await cell.signIn()]
  for (let at = 0; at < 20; at++) expect((await end(cell, createId(), other)).status).toBe(404)
  expect((await end(cell, (await play(cell, token)).sessionId, token)).status).toBe(200)
})

test('a cell that has not heard the log for too long renews nothing, and does again when it hears', async () => {
  const { log, close } = await openTestLog()
  closers.push(close)
  let silentMs = 0
  const subscribe: LogPort['subscribe'] = (options) => {
    const subscription = log.subscribe(options)
    return { ...subscription, silentForMs: () => subscription.silentForMs() + silentMs }
  }
  let elapsedMs = performance.now()
  const clock = { nowMs: () => Date.now(), elapsedMs: () => elapsedMs }
  const cell = await open({ log: { ...log, subscribe }, clock, limits: { pathTokenGraceMs: 1_000 } })
  await cell.tell(cell.film.first())
  const session = await play(cell, await cell.signIn())
  expect((await beat(cell, session)).status).toBe(200)
  silentMs = 2_000
  elapsedMs += 2_000
  const unsure = await beat(cell, session)
  expect(unsure.headers.get('retry-after')).toBe('1')
  expect(await codeOf(unsure)).toEqual([503, 'unavailable'])
  silentMs = 0
  expect((await beat(cell, session)).status).toBe(200)
})
