import type { LogPort } from '../../engines/log/index.ts'
import type { Statement, TablesPort } from '../../engines/tables/index.ts'
import type { Clock, Limits } from '../../kernel/index.ts'
import type { Fence } from './fence.ts'
import type { Place } from './place.ts'
import type { StartOffset } from './start-offsets.ts'
import { positionStatement } from './subscriptions.ts'

/** By topic, then partition. */
export type Offsets = ReadonlyMap<string, Readonly<Record<number, number>>>

/** Where subscriptions go on, in `tables`. */
type Generation = { readonly name: string; readonly generation: number }

export type Positions = {
  /** Where the live readers begin: as far as any subscription has come, so that most are with them at once. */
  load(): Promise<Offsets>
  /** Of one subscription in all topics; one that came after it is taken from its beginning. */
  of(subscription: Generation): Promise<readonly StartOffset[]>
  save(places: readonly Place[]): Promise<void>
  saveIfDue(places: readonly Place[]): Promise<void>
  /** It is worked for no more. */
  forget(place: Place): void
}

export function createPositions(options: {
  tables: TablesPort
  log: LogPort
  fence: Fence
  topics: readonly string[]
  clock: Clock
  limits: Pick<Limits, 'hubPositionsSaveMs'>
}): Positions {
  const { tables, log, fence, topics, clock, limits } = options
  /** What is in the tables. */
  const saved = new Map<string, number>()
  let savedAtMs = clock.elapsedMs()

  const boundsOf = async (topic: string) => Object.entries(await log.bounds(topic))

  const save = async (places: readonly Place[]): Promise<void> => {
    const changed = places.flatMap(({ subscriber, positions }) =>
      positions()
        .map((position) => ({
          ...position,
          name: subscriber.definition.name,
          generation: subscriber.definition.generation,
        }))
        .filter((position) => saved.get(toKey(position)) !== position.offset),
    )
    if (changed.length === 0) return
    const result = await fence.batch(changed.map(toStatement))
    if (result !== 'lost' && result.ok) for (const position of changed) saved.set(toKey(position), position.offset)
  }

  return {
    save,
    async load() {
      const offsets = new Map<string, Readonly<Record<number, number>>>()
      const rows = await tables.query({
        sql: `SELECT topic, partition_number, MAX(next_offset) AS furthest FROM hub_positions
          GROUP BY topic, partition_number`,
      })
      const furthest = new Map(
        rows.map((row) => [`${row['topic']} ${row['partition_number']}`, Number(row['furthest'])]),
      )
      for (const topic of topics) {
        const bounds = await boundsOf(topic)
        const starts = bounds.map(([partition, { first, end }]) => [
          partition,
          Math.min(Math.max(furthest.get(`${topic} ${partition}`) ?? end, first), end),
        ])
        offsets.set(topic, Object.fromEntries(starts))
      }
      return offsets
    },
    async of({ name, generation }) {
      const rows = await tables.query({
        sql: 'SELECT topic, partition_number, next_offset FROM hub_positions WHERE subscription = ? AND generation = ?',
        parameters: [name, generation],
      })
      const known = new Map(
        rows.map((row) => [`${row['topic']} ${row['partition_number']}`, Number(row['next_offset'])]),
      )
      const offsets: StartOffset[] = []
      for (const topic of topics)
        for (const [partition, { first }] of await boundsOf(topic)) {
          const offset = known.get(`${topic} ${partition}`) ?? first
          offsets.push({ topic, partition: Number(partition), offset })
        }
      for (const { topic, partition, offset } of offsets)
        saved.set(toKey({ name, generation, topic, partition }), offset)
      const added = offsets.filter(({ topic, partition }) => !known.has(`${topic} ${partition}`))
      if (added.length > 0) await fence.batch(added.map((offset) => positionStatement({ name, generation }, offset)))
      return offsets
    },
    forget({ subscriber, positions }) {
      const { name, generation } = subscriber.definition
      for (const position of positions()) saved.delete(toKey({ ...position, name, generation }))
    },
    async saveIfDue(places) {
      if (clock.elapsedMs() - savedAtMs < limits.hubPositionsSaveMs) return
      savedAtMs = clock.elapsedMs()
      await save(places)
    },
  }
}

function toStatement(position: Generation & StartOffset): Statement {
  return {
    sql: `UPDATE hub_positions SET next_offset = ? WHERE subscription = ? AND topic = ? AND partition_number = ?
      AND generation = ?`,
    parameters: [position.offset, position.name, position.topic, position.partition, position.generation],
  }
}

function toKey({ name, generation, topic, partition }: Generation & Omit<StartOffset, 'offset'>): string {
  return `${name} ${generation} ${topic} ${partition}`
}
