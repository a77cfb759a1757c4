import { randomBytes, randomInt } from 'node:crypto'
import { hubNameSchema, type Registry } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { Statement, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, Fault, type Limits, systemClock } from '../../kernel/index.ts'
import { parsePattern } from '../patterns/index.ts'
import { parseTransformer } from '../transformer/index.ts'
import {
  DEFINITION_COLUMNS,
  type NewSubscription,
  readDefinition,
  type SubscriptionDefinition,
  toDefinition,
} from './definition.ts'
import { findStartOffsets, type PastBounds, type StartOffset } from './start-offsets.ts'

/** Told when a subscription was made, changed or removed: the bus looks at the tables then. */
export const SUBSCRIPTIONS_CHANNEL = 'hub-subscriptions'

/** What is wrong with a subscription, with its place as a path in the request. */
export type SubscriptionError = { readonly path: string; readonly detail: string }

type Put = {
  readonly definition: SubscriptionDefinition
  readonly created: boolean
  readonly secret: string | null
}

export type Subscriptions = {
  /**
   * Makes or changes it; one that exists goes on where it is, and stays disabled if it was. `secret`: of a webhook, told only when it was made
   * here. Faults: `subscription-invalid` (`detail.errors`), `subscription-taken` by another owner, `subscriptions-full`, `hub-busy`.
   */
  put(subscription: NewSubscription): Promise<Put>
  /** Without those whose rows are damaged. */
  list(): Promise<readonly SubscriptionDefinition[]>
  get(name: string): Promise<SubscriptionDefinition | null>
  /** With its position and what is parked; its dead letters stay. False when there is none. */
  remove(name: string): Promise<boolean>
  /** It goes on where it stopped. False when there is none. */
  enable(name: string): Promise<boolean>
  disable(name: string, reason: string): Promise<boolean>
}

/** What subscriptions there are, in `tables`; the bus is what brings them events. */
export function createSubscriptions(options: {
  tables: TablesPort
  registry: Pick<Registry, 'topics'>
  log: LogPort
  /** Of topics whose beginning is older than the log: the archive's. */
  past?: PastBounds | null
  limits: Pick<Limits, 'hubSubscriptionsMax' | 'hubSpokeSubscriptionsMax'>
  clock?: Clock
}): Subscriptions {
  const { tables, registry, log, past = null, limits, clock = systemClock } = options
  const notify = [SUBSCRIPTIONS_CHANNEL]

  const get = async (name: string): Promise<SubscriptionDefinition | null> => {
    const [row] = await tables.query({
      sql: `SELECT ${DEFINITION_COLUMNS} FROM hub_subscriptions WHERE name = ?`,
      parameters: [name],
    })
    return row ? toDefinition(row) : null
  }
  const countOf = async (owner: string): Promise<number> => {
    const sql = 'SELECT COUNT(*) AS subscriptions FROM hub_subscriptions WHERE owner = ?'
    const [row] = await tables.query({ sql, parameters: [owner] })
    return Number(row?.['subscriptions'] ?? 0)
  }
  const countOthers = async (name: string): Promise<number> => {
    const sql = 'SELECT COUNT(*) AS subscriptions FROM hub_subscriptions WHERE name <> ?'
    const [row] = await tables.query({ sql, parameters: [name] })
    return Number(row?.['subscriptions'] ?? 0)
  }
  const setState = async (name: string, state: 'enabled' | 'disabled', detail: string | null): Promise<boolean> => {
    const statement = {
      sql: 'UPDATE hub_subscriptions SET state = ?, detail = ?, revision = revision + 1 WHERE name = ?',
      parameters: [state, detail, name],
    }
    const result = await tables.batch([statement], { notify })
    return result.ok && result.results[0]?.changes === 1
  }

  /** Null when somebody else was faster: what was decided on is not so any more. */
  const tryPut = async (subscription: NewSubscription): Promise<Put | null> => {
    const { name, owner, start } = subscription
    const before = await get(name)
    if (before && before.owner !== owner) throw toTaken(name)
    if (!before && (await countOthers(name)) >= limits.hubSubscriptionsMax)
      throw new Fault(
        'subscriptions-full',
        `expected at most ${limits.hubSubscriptionsMax} subscriptions; remove one, or raise hubSubscriptionsMax`,
      )
    if (!before && owner !== null && (await countOf(owner)) >= limits.hubSpokeSubscriptionsMax)
      throw new Fault(
        'subscriptions-full',
        `expected at most ${limits.hubSpokeSubscriptionsMax} subscriptions of the spoke ${owner}; remove one`,
      )
    const { target, secret } = withSecret(subscription, before)
    const wanted = { ...subscription, target }
    if (before) {
      // Of two that were told a secret, one would have the wrong one.
      const statement = updateStatement(wanted, secret === null ? null : before.revision)
      return (await tables.batch([statement], { notify })).ok ? toPut(name, { created: false, secret }) : null
    }
    const offsets = await findStartOffsets({ log, past }, registry.topics(), start)
    const generation = randomInt(GENERATIONS)
    const statements = [
      insertStatement(wanted, { generation, nowMs: clock.nowMs() }),
      ...offsets.map((offset) => positionStatement({ name, generation }, offset)),
    ]
    return (await tables.batch(statements, { notify })).ok ? toPut(name, { created: true, secret }) : null
  }
  const toPut = async (name: string, told: Omit<Put, 'definition'>): Promise<Put> => {
    const definition = await get(name)
    if (definition) return { definition, ...told }
    throw new Fault('subscription-unknown', `${name} was removed by somebody else meanwhile; put it again`)
  }

  return {
    get,
    async put(subscription) {
      checkSubscription(subscription)
      for (let tries = 1; tries <= PUT_TRIES_MAX; tries += 1) {
        const done = await tryPut(subscription)
        if (done) return done
      }
      throw new Fault(
        'hub-busy',
        `${subscription.name} was made, changed or removed by others ${PUT_TRIES_MAX} times meanwhile; put it again`,
        { detail: { retryAfterMs: PUT_RETRY_MS } },
      )
    },
    async list() {
      const sql = `SELECT ${DEFINITION_COLUMNS} FROM hub_subscriptions ORDER BY name`
      return (await tables.query({ sql })).map(readDefinition).filter((definition) => definition !== null)
    },
    async remove(name) {
      const of = (table: string, column: string): Statement => ({
        sql: `DELETE FROM ${table} WHERE ${column} = ?`,
        parameters: [name],
      })
      const statements = [
        of('hub_subscriptions', 'name'),
        of('hub_positions', 'subscription'),
        of('hub_parked', 'subscription'),
      ]
      const result = await tables.batch(statements, { notify })
      return result.ok && result.results[0]?.changes === 1
    },
    enable: (name) => setState(name, 'enabled', null),
    disable: (name, reason) => setState(name, 'disabled', reason),
  }
}

/** Where a subscription goes on; kept as it is where there is a position already. */
export function positionStatement(
  { name, generation }: { readonly name: string; readonly generation: number },
  { topic, partition, offset }: StartOffset,
): Statement {
  return {
    sql: `INSERT INTO hub_positions (subscription, topic, partition_number, generation, first_offset, next_offset)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subscription, generation, topic, partition_number) DO NOTHING`,
    parameters: [name, topic, partition, generation, offset, offset],
  }
}

/** All faults at once. */
function checkSubscription({ name, pattern, transformer }: NewSubscription): void {
  const errors: SubscriptionError[] = []
  if (!hubNameSchema.safeParse(name).success)
    errors.push({
      path: 'name',
      detail: `expected a name of a-z, 0-9 and "-", a letter first, got ${JSON.stringify(name)}`,
    })
  const parsed = parsePattern(pattern)
  if (!parsed.ok) errors.push({ path: 'pattern', detail: `${parsed.code}: ${parsed.detail}` })
  const transforms = transformer ? parseTransformer(transformer) : null
  if (transforms && !transforms.ok)
    errors.push({ path: 'transformer', detail: `${transforms.code}: ${transforms.detail}` })
  if (errors.length === 0) return
  const said = errors.map(({ path, detail }) => `${path}: ${detail}`).join('; ')
  throw new Fault('subscription-invalid', `subscription ${name}: ${said}`, { detail: { errors } })
}

const GENERATIONS = 2 ** 47
const PUT_TRIES_MAX = 8
const PUT_RETRY_MS = 1_000
const SECRET_BYTES = 32

/** A webhook's secret is the one given, or the one it had, or a new one. */
function withSecret(
  { target }: NewSubscription,
  before: SubscriptionDefinition | null,
): { readonly target: NewSubscription['target']; readonly secret: string | null } {
  if (target.kind !== 'webhook' || target.secret !== undefined) return { target, secret: null }
  const known = before?.target.kind === 'webhook' ? before.target.secret : undefined
  if (known !== undefined) return { target: { ...target, secret: known }, secret: null }
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
  return { target: { ...target, secret }, secret }
}

function insertStatement(
  subscription: NewSubscription,
  { generation, nowMs }: { generation: number; nowMs: number },
): Statement {
  return {
    sql: `INSERT INTO hub_subscriptions (${DEFINITION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 'enabled', NULL, ?, 1, ?)
      ON CONFLICT (name) DO NOTHING`,
    parameters: [subscription.name, subscription.owner, ...toColumns(subscription), generation, nowMs],
    expectRows: 1,
  }
}

/** Only of the revision given, if one is. */
function updateStatement(subscription: NewSubscription, revision: number | null): Statement {
  return {
    sql: `UPDATE hub_subscriptions SET pattern = ?, target = ?, transformer = ?, policy = ?, revision = revision + 1
      WHERE name = ? AND COALESCE(owner, '') = ?${revision === null ? '' : ' AND revision = ?'}`,
    parameters: [
      ...toColumns(subscription),
      subscription.name,
      subscription.owner ?? '',
      ...(revision === null ? [] : [revision]),
    ],
    expectRows: 1,
  }
}

function toColumns({ pattern, target, transformer, policy }: NewSubscription): (string | null)[] {
  return [
    typeof pattern === 'string' ? pattern : JSON.stringify(pattern),
    JSON.stringify(target),
    transformer ? JSON.stringify(transformer) : null,
    JSON.stringify(policy),
  ]
}

function toTaken(name: string): Fault {
  return new Fault('subscription-taken', `the name ${name} belongs to somebody else's subscription; choose another`)
}
