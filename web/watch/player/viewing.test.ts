import { expect, test } from 'bun:test'
import type { Problem, Result } from '../../common/problem.ts'
import type { Heartbeat, Playback } from '../api/types.ts'
import { openViewing } from './viewing.ts'

const playback = (name: string, heartbeatMs = 60_000): Result<Playback> => ({
  ok: true,
  value: {
    sessionId: name,
    manifestUrl: `/v/${name}-token/t/main.m3u8`,
    heartbeatMs,
    expiresAtMs: 0,
    resumeMs: 0,
    durationMs: 1,
  },
})
const beat = (token: string, heartbeatMs: number): Result<Heartbeat> => ({
  ok: true,
  value: { token, expiresAtMs: 0, heartbeatMs },
})
const problem = (status: number, code = 'x'): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { status, code, detail: 'x' },
})

/** A server that answers from two lists, the last answer for ever. */
async function open(plays: Result<Playback>[], beats: Result<Heartbeat>[]) {
  const { opened, ...rest } = await tryOpen(plays, beats)
  if (!opened.ok) throw new Error('the viewing did not open')
  return { viewing: opened.value, ...rest }
}

async function tryOpen(plays: Result<Playback>[], beats: Result<Heartbeat>[] = []) {
  const asked: string[] = []
  const played: string[] = []
  const next = <T>(answers: T[]): T => (answers.length > 1 ? answers.shift() : answers[0]) as T
  const clock = { nowMs: 0 }
  const waited: number[] = []
  const gone = Promise.withResolvers<Problem>()
  const opened = await openViewing({
    api: {
      play: async (titleId) => {
        played.push(titleId)
        return next(plays)
      },
      heartbeat: async (sessionId, token) => {
        asked.push(`${sessionId} ${token}`)
        return next(beats)
      },
    },
    titleId: 't',
    now: () => clock.nowMs,
    wait: async (ms) => void waited.push(ms),
    onGone: gone.resolve,
  })
  return { opened, waited, asked, played, clock, gone: gone.promise }
}

test('a heartbeat renews the token with the newest one', async () => {
  const { viewing, asked } = await open([playback('one')], [beat('second', 60_000), beat('third', 60_000)])
  expect(await viewing.freshToken()).toBe('one-token')
  await viewing.renew()
  await viewing.renew()
  expect(await viewing.freshToken()).toBe('third')
  expect(asked).toEqual(['one one-token', 'one second'])
  viewing.close()
})

test('renewals at once are one heartbeat', async () => {
  const { viewing, asked } = await open([playback('one')], [beat('second', 60_000)])
  await Promise.all([viewing.renew(), viewing.renew()])
  expect(asked).toHaveLength(1)
  viewing.close()
})

test('a session that is over is begun anew', async () => {
  const { viewing } = await open([playback('one'), playback('two')], [problem(403), beat('x', 60_000)])
  expect((await viewing.renew()).ok).toBe(true)
  expect([viewing.sessionId(), await viewing.freshToken()]).toEqual(['two', 'two-token'])
  viewing.close()
})

test('a server out of reach keeps the session', async () => {
  const { viewing } = await open([playback('one'), playback('two')], [problem(503)])
  expect((await viewing.renew()).ok).toBe(false)
  expect(viewing.sessionId()).toBe('one')
  viewing.close()
})

test('the heartbeat by itself tells when the title is gone', async () => {
  const { viewing, gone } = await open([playback('one', 1), problem(410)], [problem(410)])
  expect((await gone).status).toBe(410)
  viewing.close()
})

test('a session that was ended on purpose is told, never begun anew', async () => {
  const { viewing, gone, played } = await open([playback('one', 1), playback('two')], [problem(410, 'session-revoked')])
  expect((await gone).code).toBe('session-revoked')
  expect(await viewing.renew()).toMatchObject({ ok: false, problem: { code: 'session-revoked' } })
  expect([viewing.sessionId(), played]).toEqual(['one', ['t']])
  viewing.close()
})

test('a machine that slept renews before it asks for media', async () => {
  const { viewing, clock, asked } = await open([playback('one')], [beat('second', 60_000)])
  clock.nowMs = 60_000
  expect(await viewing.freshToken()).toBe('one-token')
  clock.nowMs = 3_600_000
  expect(await viewing.freshToken()).toBe('second')
  expect(await viewing.freshToken()).toBe('second')
  expect(asked).toHaveLength(1)
  viewing.close()
})

test('a cell that restarts is waited for, a refusal is not, and patience ends', async () => {
  const restarted = await tryOpen([problem(503), problem(0), playback('one')])
  expect([restarted.opened.ok, restarted.waited]).toEqual([true, [300, 1_000]])
  if (restarted.opened.ok) restarted.opened.value.close()
  const refused = await tryOpen([problem(404)])
  expect([refused.opened.ok, refused.waited]).toEqual([false, []])
  const down = await tryOpen([problem(503)])
  expect([down.opened.ok, down.waited]).toEqual([false, [300, 1_000, 2_500]])
})
