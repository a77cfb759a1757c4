import type { SubscriptionView } from '../../contracts/index.ts'
import { toPattern } from '../events/pattern.ts'
import { toPrintable } from '../printable.ts'
import { findPlatform } from '../staff.ts'
import { toTable } from '../table.ts'
import { UsageError } from '../usage.ts'
import { toTimeMs } from '../when.ts'
import { toVerb } from './actions.ts'
import { parseCommand, type Verb } from './command.ts'

const BASE = '/hub/v1/subscriptions'
const NAME = ['NAME'] as const

const list: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, { json: { type: 'boolean' } })
  const staff = await findPlatform(environment)
  const { subscriptions: all } = await staff.call<{ subscriptions: readonly SubscriptionView[] }>('GET', BASE)
  if (values.json) for (const each of all) terminal.print(JSON.stringify(each))
  else if (all.length === 0)
    terminal.print('no subscriptions yet; make one: tentpole subscriptions add NAME --pattern JSON --webhook URL')
  else for (const line of toTable(HEAD, all.map(toRow))) terminal.print(line)
  return 0
}

const add: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(
    args,
    {
      pattern: { type: 'string' },
      webhook: { type: 'string' },
      topic: { type: 'string' },
      stream: { type: 'boolean' },
      start: { type: 'string' },
      policy: { type: 'string' },
      json: { type: 'boolean' },
    },
    NAME,
  )
  if (values.pattern === undefined)
    throw new UsageError('expected --pattern JSON; {"source":[{"exists":true}]} takes everything')
  const body = {
    pattern: toPattern('--pattern', values.pattern),
    target: toTarget(values),
    ...(values.start === undefined ? {} : { start: toStart(values.start) }),
    ...(values.policy === undefined ? {} : { policy: toPolicy(values.policy) }),
  }
  const staff = await findPlatform(environment)
  const made = await staff.call<{ name: string; created: boolean; secret?: string }>('PUT', pathOf(operands[0]), body)
  if (values.json) terminal.print(JSON.stringify(made))
  else {
    terminal.print(`${made.created ? 'created' : 'changed'}  ${made.name}`)
    if (made.secret !== undefined)
      terminal.print(`secret   ${made.secret}  told this once: the receiver checks signatures with it`)
  }
  return 0
}

const remove: Verb = async ({ args, environment, terminal }) => {
  const { operands } = parseCommand(args, {}, NAME)
  const [name = ''] = operands
  const staff = await findPlatform(environment)
  await staff.call('DELETE', pathOf(name))
  terminal.print(`removed  ${name}`)
  return 0
}

const enable: Verb = async ({ args, environment, terminal }) => {
  const { operands } = parseCommand(args, {}, NAME)
  const staff = await findPlatform(environment)
  const { name } = await staff.call<{ name: string }>('POST', `${pathOf(operands[0])}/enable`)
  terminal.print(`enabled  ${name}  goes on where it stopped`)
  return 0
}

/** Who is delivered to, by which pattern, and how that goes. */
export const subscriptions: Verb = toVerb('subscriptions', { list, add, remove, enable })

const HEAD = ['name', 'state', 'target', 'lag', 'parked', 'dead', 'per s', 'p99 ms', 'pattern', '']

function toRow(view: SubscriptionView): string[] {
  const { name, state, target, lagRecords, parked, deadLetters, deliveredPerSecond, latencyP99Ms, pattern } = view
  return [
    name,
    state,
    target,
    String(lagRecords),
    String(parked),
    String(deadLetters),
    deliveredPerSecond.toFixed(1),
    latencyP99Ms === null ? '-' : latencyP99Ms.toFixed(0),
    JSON.stringify(pattern),
    view.detail ?? view.lastError ?? '',
  ].map((cell) => toPrintable(cell))
}

type TargetFlags = {
  readonly webhook?: string | undefined
  readonly topic?: string | undefined
  readonly stream?: boolean | undefined
}

function toTarget({ webhook, topic, stream }: TargetFlags): Readonly<Record<string, string>> {
  const targets = [
    ...(webhook === undefined ? [] : [{ kind: 'webhook', url: webhook }]),
    ...(topic === undefined ? [] : [{ kind: 'topic', topic }]),
    ...(stream ? [{ kind: 'stream' }] : []),
  ]
  const [target] = targets
  if (!target || targets.length > 1)
    throw new UsageError(`expected one of --webhook, --topic and --stream, got ${targets.length}`)
  return target
}

function toStart(text: string): unknown {
  if (text === 'now' || text === 'beginning') return text
  return { sinceMs: toTimeMs('--start', text, Date.now()) }
}

/** What is in it is control's to check: it names each field at fault. */
function toPolicy(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(
      `--policy: expected JSON such as {"concurrency":4,"attemptsMax":3}, got ${JSON.stringify(text)}`,
    )
  }
}

function pathOf(name = ''): string {
  return `${BASE}/${encodeURIComponent(name)}`
}
