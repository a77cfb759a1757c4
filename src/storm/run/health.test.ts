import { expect, test } from 'bun:test'
import type { PlatformStatus, RoleStatus } from '../../contracts/index.ts'
import { watchHealth } from './health.ts'

type Look = Pick<RoleStatus, 'state' | 'restarts'>

/** Plays `looks` one per question, then says the last one again; resolves `played` once the last was given. */
function playStatus(looks: readonly (Look | null)[]): {
  inside: { status(): Promise<PlatformStatus> }
  played: Promise<void>
} {
  const played = Promise.withResolvers<void>()
  let asked = 0
  const status = async (): Promise<PlatformStatus> => {
    const look = looks[Math.min(asked++, looks.length - 1)]
    if (asked > looks.length) played.resolve()
    if (!look) throw new Error('no answer')
    const role: RoleStatus = { name: 'store', role: 'store', pid: 1, sinceMs: 0, detail: null, ...look }
    return { healthy: true, version: '0', startedAtMs: 0, watchUrl: '', consoleUrl: '', roles: [role] }
  }
  return { inside: { status }, played: played.promise }
}

const healthy: Look = { state: 'healthy', restarts: 0 }
const cases: readonly (readonly [string, readonly (Look | null)[], readonly string[] | null])[] = [
  ['never down', [healthy, healthy], []],
  ['down at one look only', [healthy, { state: 'backoff', restarts: 0 }, healthy], ['store']],
  ['died and was back between two looks', [healthy, { state: 'healthy', restarts: 1 }], ['store']],
  ['was restarted before anybody looked', [{ state: 'healthy', restarts: 3 }], []],
  ['nobody answers', [null], null],
]
for (const [name, looks, expected] of cases)
  test(`which roles were down: ${name}`, async () => {
    const { inside, played } = playStatus(looks)
    const watch = watchHealth(inside, () => performance.now())
    await played
    expect(watch.takeDown()).toEqual(expected)
    if (expected !== null) expect(watch.takeDown()).toEqual([])
    watch.close()
  })
