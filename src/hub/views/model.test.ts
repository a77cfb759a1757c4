import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CloudEvent } from '../../contracts/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { type ArchiveBench, openArchiveBench, SMALL_LIMITS } from '../archive/testing.ts'
import { numbered, until } from '../testing.ts'
import { createVersionedView, createView, type View } from './index.ts'
import { defineHistory, type History, historyOf, publish, SMALL_VIEW_LIMITS, snapshotKeys } from './testing.ts'

type Step =
  /** Events of which some were said before. */
  | { readonly kind: 'publish'; readonly items: readonly { title: number; again: number | null }[] }
  /** Closed and opened again. What a crash leaves of a snapshot that was being written: nothing, or a part of it. */
  | { readonly kind: 'reopen' | 'crash' | 'torn' }
  | { readonly kind: 'damage'; readonly at: number }
  /** Archived, and forgotten by the log up to a share of it. */
  | { readonly kind: 'trim'; readonly share: number }
  | { readonly kind: 'switch' }

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const items = fc.record({ title: fc.nat(2), again: fc.option(fc.nat(60), { freq: 3 }) })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.array(items, { maxLength: 12 }).map((all) => ({ kind: 'publish' as const, items: all })),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('reopen' as const, 'crash' as const, 'torn' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('damage' as const), at: share }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('trim' as const), share }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('switch' as const) }) },
  ),
  { minLength: 3, maxLength: 16 },
)

const LIMITS = { ...SMALL_VIEW_LIMITS, ...SMALL_LIMITS, hubViewSnapshotEvents: 7 }

/** Objects that a crash can be made at: from then on nothing is put any more, or the beginning of it is. */
function createFragile(objects: ObjectsPort): { objects: ObjectsPort; crash(kind: 'crash' | 'torn'): void } {
  let crashed: 'crash' | 'torn' | null = null
  const put: ObjectsPort['put'] = async (key, body) => {
    if (crashed === 'torn' && body instanceof Uint8Array) await objects.put(key, body.subarray(0, body.byteLength >> 1))
    if (crashed) throw new Error('the process is dead')
    return objects.put(key, body)
  }
  return {
    objects: { ...objects, put },
    crash(kind) {
      crashed = kind
    },
  }
}

async function run(bench: ArchiveBench, story: readonly Step[]): Promise<void> {
  const said: CloudEvent[] = []
  let version = 1
  let fragile = createFragile(bench.objects)
  const open = (): View<History> => {
    fragile = createFragile(bench.objects)
    const snapshots = { objects: fragile.objects, isWriter: true }
    const sources = { log: bench.log, archive: bench.reader, logger: silentLogger, limits: LIMITS, snapshots }
    return createView({ ...sources, definition: defineHistory(version) })
  }
  let view = open()

  const perform = async (step: Step): Promise<void> => {
    if (step.kind === 'publish') {
      const events = step.items.map(({ title, again }) => {
        const event = (again === null ? undefined : said.at(-1 - again)) ?? numbered(title, said.length)
        said.push(event)
        return event
      })
      for (let at = 0; at < events.length; at += 4) await publish(bench.log, events.slice(at, at + 4))
    } else if (step.kind === 'damage') {
      const key = (await snapshotKeys(bench.objects)).at(-1)
      const bytes = key && (await bench.objects.read(key))
      if (!key || !bytes) return
      const at = Math.floor(step.at * bytes.byteLength)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await bench.objects.delete(key)
      await bench.objects.put(key, bytes)
    } else if (step.kind === 'trim') {
      if (said.length > 0) await bench.archive('titles')
      await bench.log.trim({ topic: 'titles', partition: 0, before: Math.ceil(Math.sqrt(step.share) * said.length) })
    } else if (step.kind === 'switch') {
      await view.close()
      const sources = { log: bench.log, archive: bench.reader, logger: silentLogger, limits: LIMITS }
      const snapshots = { objects: bench.objects, isWriter: true }
      const [current, next] = [defineHistory(version), defineHistory(version + 1)]
      const versioned = createVersionedView({ ...sources, snapshots, current, next })
      version += 1
      view = versioned
      await until('the switch', () => versioned.next === 'serving')
    } else {
      if (step.kind !== 'reopen') fragile.crash(step.kind)
      await view.close()
      view = open()
    }
  }
  try {
    for (const step of story) {
      await perform(step)
      if (step.kind === 'publish') continue
      await view.caughtUp()
      expect(view.state).toEqual(historyOf(said))
    }
    await view.caughtUp()
    expect(view.state).toEqual(historyOf(said))
    expect(view.leftOut).toBe(0)
  } finally {
    await view.close()
  }
}

/** Enough for the log to forget some of it. */
const BEGINNING: Step = {
  kind: 'publish',
  items: Array.from({ length: 30 }, (_, n) => ({ title: n % 3, again: null })),
}

test(
  'events, repeats, snapshots, crashes, damage, trims and versions in any order: each id is applied once, in order',
  () =>
    fc.assert(
      fc.asyncProperty(steps, async (story) => {
        const bench = await openArchiveBench(LIMITS)
        try {
          await run(bench, [BEGINNING, ...story])
        } finally {
          await bench.close()
        }
      }),
      { numRuns: 12 },
    ),
  60_000,
)
