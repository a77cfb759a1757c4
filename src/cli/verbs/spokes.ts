import type { SpokeRequest } from '../../contracts/index.ts'
import { toTime } from '../events/describe-journey.ts'
import { toPattern } from '../events/pattern.ts'
import { findPlatform } from '../staff.ts'
import { toTable } from '../table.ts'
import { toVerb } from './actions.ts'
import { parseCommand, type Verb } from './command.ts'

const BASE = '/hub/v1/spokes'

type SpokeView = SpokeRequest & { readonly createdAtMs: number }

const list: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, { json: { type: 'boolean' } })
  const staff = await findPlatform(environment)
  const { spokes: all } = await staff.call<{ spokes: readonly SpokeView[] }>('GET', BASE)
  if (values.json) for (const each of all) terminal.print(JSON.stringify(each))
  else if (all.length === 0) terminal.print('no spokes yet; make one: tentpole spokes add NAME')
  else
    for (const line of toTable(['name', 'since', 'publishes', 'topics', 'sees'], all.map(toRow))) terminal.print(line)
  return 0
}

const add: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(
    args,
    {
      publish: { type: 'string', multiple: true, default: [] },
      subscribe: { type: 'string', multiple: true, default: [] },
      topic: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean' },
    },
    ['NAME'],
  )
  const body: SpokeRequest = {
    name: operands[0] ?? '',
    publishes: values.publish,
    patterns: values.subscribe.map((text) => toPattern('--subscribe', text)),
    topics: values.topic,
  }
  const staff = await findPlatform(environment)
  const made = await staff.call<SpokeView & { token: string }>('POST', BASE, body)
  if (values.json) terminal.print(JSON.stringify(made))
  else {
    terminal.print(`created  ${made.name}`)
    terminal.print(`token    ${made.token}  told this once`)
  }
  return 0
}

const remove: Verb = async ({ args, environment, terminal }) => {
  const { operands } = parseCommand(args, {}, ['NAME'])
  const [name = ''] = operands
  const staff = await findPlatform(environment)
  await staff.call('DELETE', `${BASE}/${encodeURIComponent(name)}`)
  terminal.print(`removed  ${name}  its token is void`)
  return 0
}

/** Other teams' services: each with a token of its own, and what it may say and see. */
export const spokes: Verb = toVerb('spokes', { list, add, remove })

function toRow({ name, createdAtMs, publishes, topics, patterns }: SpokeView): string[] {
  return [
    name,
    toTime(createdAtMs),
    publishes.join(' ') || '-',
    topics.join(' ') || '-',
    patterns.map((pattern) => JSON.stringify(pattern)).join(' ') || '-',
  ]
}
