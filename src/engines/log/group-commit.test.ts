import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS, Fault, faultCode, systemClock } from '../../kernel/index.ts'
import { createGroupCommit, decideGatherMs } from './group-commit.ts'
import type { Measured, Topic } from './topic.ts'

const append = { key: 'k', value: Buffer.from('x') }

/** Groups as the disk sees them; `write` is how long, or how badly, it takes. */
function commitTo(write: (group: readonly Measured[]) => Promise<void>, limits = DEFAULT_LIMITS) {
  let end = 0
  const groups: number[] = []
  const topic = {
    name: 't',
    async writeGroup(group: readonly Measured[]) {
      groups.push(group.length)
      await write(group)
      const offsets = group.map((_, index) => end + index)
      end += group.length
      return offsets
    },
  } as unknown as Topic
  return { commits: createGroupCommit({ topic, limits, clock: systemClock, onEnd: () => {} }), groups }
}

test('no group waits longer for company than logGroupCommitMs, and a lone append not at all', () => {
  const counts = fc.record({
    lastGroup: fc.nat(10_000),
    waiting: fc.nat(10_000),
    logGroupCommitMs: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(counts, (state) => decideGatherMs(state) >= 0 && decideGatherMs(state) <= state.logGroupCommitMs),
  )
  expect(decideGatherMs({ lastGroup: 1, waiting: 1, logGroupCommitMs: 2 })).toBe(0)
  expect(decideGatherMs({ lastGroup: 200, waiting: 3, logGroupCommitMs: 2 })).toBeGreaterThan(0)
})

test('an append reaches the disk within 2 ms, alone and in a crowd', async () => {
  for (const callers of [1, 300]) {
    const begun: number[] = []
    const waits: number[] = []
    const { commits } = commitTo(async () => {
      const now = performance.now()
      waits.push(...begun.splice(0).map((at) => now - at))
    })
    for (let round = 0; round < 40; round++) {
      const all = Array.from({ length: callers }, () => {
        begun.push(performance.now())
        return commits.append([append])
      })
      await Promise.all(all)
    }
    waits.sort((a, b) => a - b)
    expect(waits).toHaveLength(40 * callers)
    // A busy machine adds waits that are not ours to most of them, hardly to the lower quarter.
    expect(waits[waits.length >> 2]).toBeLessThan(2)
  }
})

test('what is called while a group is written shares the next one', async () => {
  const gate = Promise.withResolvers<void>()
  const { commits, groups } = commitTo(() => gate.promise)
  const first = commits.append([append])
  while (groups.length === 0) await Bun.sleep(0)
  const rest = Array.from({ length: 50 }, () => commits.append([append, append]))
  gate.resolve()
  expect(await first).toEqual([0])
  expect((await Promise.all(rest)).flat()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  expect(groups).toEqual([1, 100])
})

test('a failed group fails its own appends and not the next', async () => {
  let fail = true
  const { commits } = commitTo(async () => {
    if (fail) throw new Fault('log-full', 'no room')
  })
  const failed = [commits.append([append]), commits.append([append])]
  expect(await Promise.all(failed.map((one) => one.catch(faultCode)))).toEqual(['log-full', 'log-full'])
  fail = false
  expect(await commits.append([append])).toEqual([0])
})

test('a disk that hangs costs its callers logAppendTimeoutMs, and the queue has an end', async () => {
  const gate = Promise.withResolvers<void>()
  const limits = { ...DEFAULT_LIMITS, logAppendTimeoutMs: 150, logBatchBytesMax: 1_000, logRecordBytesMax: 2_000 }
  const { commits, groups } = commitTo(() => gate.promise, limits)
  const hanging = commits.append([append])
  while (groups.length === 0) await Bun.sleep(0)
  const queued = Array.from({ length: 40 }, () => commits.append([{ key: 'k', value: Buffer.alloc(900) }]))
  const codes = await Promise.all([hanging, ...queued].map((one) => one.then(() => 'resolved', faultCode)))
  expect(codes[0]).toBe('timeout')
  expect(new Set(codes)).toEqual(new Set(['timeout', 'log-unavailable']))
  gate.resolve()
  await commits.close()
  expect(await commits.append([append]).catch(faultCode)).toBe('log-unavailable')
})
