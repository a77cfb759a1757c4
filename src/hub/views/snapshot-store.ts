import type { ObjectsPort } from '../../engines/objects/index.ts'
import { describeError, type Limits, type Logger } from '../../kernel/index.ts'
import type { ViewDefinition } from './definition.ts'
import { digestPositions, findAhead, type Positions } from './positions.ts'
import { decodeSnapshot, encodeSnapshot, type Snapshot, type SnapshotRead } from './snapshot-format.ts'
import { decideRemovals, parseSnapshotKey, toSnapshotKey, versionPrefix, viewPrefix } from './snapshot-key.ts'

export type SnapshotLimits = Pick<Limits, 'hubViewSnapshotBytesMax'>

/** What is taken from a view before it goes on. */
export type Taken = Pick<Snapshot, 'positions' | 'applied' | 'ids' | 'state' | 'takenAtMs'>
export type Restored<State> = Pick<Snapshot, 'positions' | 'applied' | 'ids'> & { readonly state: State }

/** The snapshots of one version of a view. */
export type SnapshotStore<State> = {
  /**
   * The newest that can be used: whole, of this definition, and not ahead of the log. Null when there is none. `endsOf` says where
   * the log ends, and is asked once a snapshot was read: what is written meanwhile is ahead of what was asked before.
   */
  read(endsOf: () => Promise<Positions>): Promise<Restored<State> | null>
  /** Durable when resolved; the newest two stay. The JSON is made before this returns. False when the state is too large to be kept. */
  write(taken: Taken): Promise<boolean>
}

const PAGE = 1_000

export function createSnapshotStore<State>(options: {
  objects: ObjectsPort
  definition: ViewDefinition<State>
  limits: SnapshotLimits
  logger: Logger
}): SnapshotStore<State> {
  const { objects, definition, limits, logger } = options
  const { name, version } = definition
  const about = { view: name, version, on: definition.on ?? null }

  const readOne = async (key: string): Promise<SnapshotRead> => {
    // Compressed it may be a little larger than it is.
    const bytesMax = 2 * limits.hubViewSnapshotBytesMax
    const sizeBytes = (await objects.head(key))?.sizeBytes ?? 0
    if (sizeBytes > bytesMax) return { ok: false, reason: `it has ${sizeBytes} bytes, expected at most ${bytesMax}` }
    const bytes = await objects.read(key)
    return bytes ? decodeSnapshot(bytes, limits.hubViewSnapshotBytesMax) : { ok: false, reason: 'it was removed' }
  }
  const restore = async (key: string, endsOf: () => Promise<Positions>): Promise<Restored<State>> => {
    const found = await readOne(key)
    if (!found.ok) throw new Error(found.reason)
    const { snapshot } = found
    const reason = findOther(snapshot, definition) ?? findAhead(snapshot.positions, await endsOf())
    if (reason !== null) throw new Error(reason)
    if (!definition.snapshot) throw new Error('the definition does not say how it is read')
    return { ...snapshot, state: definition.snapshot.decode(snapshot.state) }
  }
  const remove = async (): Promise<void> => {
    const obsolete = decideRemovals(name, await listAll(objects, viewPrefix(name)), version)
    for (const key of obsolete) await objects.delete(key)
  }
  /** In order; what lies there besides snapshots is left alone. */
  const listNames = async (): Promise<{ key: string; sequence: number }[]> =>
    (await listAll(objects, versionPrefix(name, version))).flatMap((key) => {
      const parsed = parseSnapshotKey(name, key)
      return parsed ? [{ key, sequence: parsed.sequence }] : []
    })
  const put = async (encoded: Promise<Uint8Array | null>, positions: Positions): Promise<boolean> => {
    const bytes = await encoded
    if (!bytes) return false
    const sequence = ((await listNames()).at(-1)?.sequence ?? 0) + 1
    await objects.put(toSnapshotKey(name, { version, sequence, digest: digestPositions(positions) }), bytes)
    await remove().catch((error: unknown) =>
      logger.warn('old snapshots of a view could not be removed; tried again after the next', {
        error: describeError(error),
      }),
    )
    return true
  }

  return {
    async read(endsOf) {
      for (const { key } of (await listNames()).toReversed()) {
        try {
          return await restore(key, endsOf)
        } catch (error) {
          logger.warn('a snapshot of a view cannot be used; the one before it is tried, or the view is rebuilt', {
            key,
            reason: describeError(error),
          })
        }
      }
      return null
    },
    write: (taken) => put(encodeSnapshot({ ...about, ...taken }, limits.hubViewSnapshotBytesMax), taken.positions),
  }
}

/** Why a snapshot is not one of this definition, for people; null when it is. */
function findOther<State>(snapshot: Snapshot, { name, version, topics, on }: ViewDefinition<State>): string | null {
  const { view, version: its, positions } = snapshot
  if (view !== name || its !== version) return `it is of view ${view}, version ${its}`
  const known = Object.keys(positions).sort()
  if (JSON.stringify(known) !== JSON.stringify([...topics].sort()))
    return `it is of the topics ${known.join(', ')}: the view follows others now, its version should have been raised`
  if (JSON.stringify(snapshot.on) !== JSON.stringify(on ?? null))
    return 'the view had another pattern: its version should have been raised'
  return null
}

async function listAll(objects: ObjectsPort, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for (let after = ''; ; ) {
    const page = await objects.list(prefix, { after, max: PAGE })
    keys.push(...page)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return keys
    after = last
  }
}
