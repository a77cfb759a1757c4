import { afterEach, expect, test } from 'bun:test'
import { openTestLog } from '../../../test/fixtures/log.ts'
import { createPublisher, toEvent } from '../../hub/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { followLog } from './log-tail.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

test('what staff do is shown whole, of the sessions that viewers end a sample', async () => {
  const { log, close } = await openTestLog()
  closers.push(close)
  const shown: string[] = []
  const tail = followLog({ log, eventsPerSecondMax: 5, logger: silentLogger, onMessage: (text) => shown.push(text) })
  closers.push(tail.close)
  const publisher = createPublisher({ log, source: 'test' })
  const revocations = Array.from({ length: 100 }, (_, at) => {
    const endedBy = at % 2 === 0 ? ('staff' as const) : ('viewer' as const)
    const data = { sessionId: `${endedBy}-${at}`, reason: '', revokedAtMs: 0, endedBy }
    return toEvent('tentpole.session.revoked.v1', data.sessionId, data, { source: 'test' })
  })
  await publisher.publishMany(revocations)
  await publisher.publish('tentpole.cache.purged.v1', 'tag', { scope: 'tag', value: 'last', reason: '' })
  const deadlineMs = performance.now() + 3_000
  while (!shown.some((text) => text.includes('"last"')) && performance.now() < deadlineMs) await Bun.sleep(5)
  const count = (what: string): number => shown.filter((text) => text.includes(what)).length
  expect([count('"staff-'), count('"last"')]).toEqual([50, 1])
  expect(count('"viewer-')).toBeGreaterThan(0)
  // Two seconds may have begun meanwhile.
  expect(count('"viewer-')).toBeLessThanOrEqual(10)
})
