import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { silentLogger } from '../../kernel/index.ts'
import { claimOf, createClaimSweep, createClaims } from '../claims/index.ts'
import {
  claimStates,
  createManualClock,
  findDangling,
  newDirectory,
  openClaimBed,
  TEST_LIMITS,
} from '../claims/testing.ts'
import { parseEvent } from '../registry/index.ts'
import { testRegistry } from './testing.ts'

const TOPICS = testRegistry.topics()
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
function newPlace(): string {
  const { directory, remove } = newDirectory()
  closers.push(remove)
  return directory
}

/** Kills a publisher with -9 once it has said so many whole lines, and returns those. */
async function killPublisher(directory: string, options: { stage?: string; linesMin: number }): Promise<string[]> {
  const command = [process.execPath, join(import.meta.dir, 'crash-publisher.ts'), directory, options.stage ?? '']
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' })
  let said = ''
  for await (const chunk of child.stdout) {
    said += Buffer.from(chunk).toString()
    if (said.split('\n').length > options.linesMin) child.kill('SIGKILL')
  }
  await child.exited
  return said.split('\n').slice(0, -1)
}

/** What is found after the death, and what is left once the sweeper has had its time. */
async function inspect(directory: string) {
  const bed = await openClaimBed(directory)
  try {
    const clock = createManualClock()
    const options = { ...bed, clock, limits: TEST_LIMITS, logger: silentLogger }
    const sweep = createClaimSweep({ ...options, topics: () => TOPICS })
    const { signal } = new AbortController()
    const objectsBefore = (await bed.objects.list('claims/')).length
    await sweep(signal)
    clock.advance(TEST_LIMITS.hubClaimGraceMs)
    await sweep(signal)
    const { refs, dangling } = await findDangling(bed, TOPICS)
    const claims = createClaims(options)
    for (const record of await bed.log.read({ topic: 'films', from: 0, max: 1_000 })) {
      const claim = claimOf(parseEvent(testRegistry, record.value))
      if (claim) expect((await claims.bytes(claim, 1_000_000)).byteLength).toBe(300_000)
    }
    const objects = await bed.objects.list('claims/', { max: 10_000 })
    const states = await claimStates(bed.tables)
    return { objectsBefore, refs: [...refs].sort(), dangling, objects: [...objects], states }
  } finally {
    await bed.close()
  }
}

test.each([
  ['row', 0, 0],
  ['streaming', 0, 0],
  ['put', 1, 0],
  ['appended', 1, 1],
  ['marked', 1, 1],
  ['condemned', 1, 0],
  ['deleted', 0, 0],
  ['forgotten', 0, 0],
] as const)(
  'killed at %s: no reference dangles, and what nothing refers to is gone after the sweep',
  async (stage, before, after) => {
    const directory = newPlace()
    expect(await killPublisher(directory, { stage, linesMin: 1 })).toEqual(['reached'])
    const { objectsBefore, refs, dangling, objects, states } = await inspect(directory)
    expect({ objectsBefore, dangling, left: objects.length }).toEqual({
      objectsBefore: before,
      dangling: [],
      left: after,
    })
    expect(objects).toEqual(refs)
    expect(states).toEqual(Object.fromEntries(refs.map((ref) => [ref, 'referenced'])))
  },
  20_000,
)

test('killed at any moment, round after round: what was acknowledged is there, whole, and nothing else stays', async () => {
  const directory = newPlace()
  const acknowledged: string[] = []
  for (let round = 0; round < 3; round++) {
    acknowledged.push(...(await killPublisher(directory, { linesMin: 10 + round * 7 })))
    const { refs, dangling, objects } = await inspect(directory)
    expect(dangling).toEqual([])
    expect(objects).toEqual(refs)
    expect(acknowledged.filter((ref) => !refs.includes(ref))).toEqual([])
  }
  expect(acknowledged.length).toBeGreaterThan(30)
}, 30_000)
