import {
  findPurgeFault,
  PURGE_SCOPES,
  type Purged,
  type PurgeOrder,
  purgedResponseSchema,
  purgeRequestSchema,
} from '../../contracts/index.ts'
import { tellEdges } from '../tell-edges.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

export const purge: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, {
    url: { type: 'string' },
    prefix: { type: 'string' },
    tag: { type: 'string' },
    reason: { type: 'string' },
    json: { type: 'boolean' },
  })
  const order = toPurgeOrder(values)
  const body = { ...order, reason: values.reason ?? '' }
  const purged = await tellEdges<Purged>(environment, {
    path: '/api/purges',
    body,
    bodySchema: purgeRequestSchema,
    answerSchema: purgedResponseSchema,
    async publish(publisher) {
      const event = await publisher.publish('tentpole.cache.purged.v1', order.scope, body)
      return { eventId: event.id, ...order }
    },
  })
  terminal.print(
    values.json ? JSON.stringify(purged) : `purged  ${order.scope} ${order.value}  from every edge within 1 s`,
  )
  return 0
}

/** Exactly one of them, and one that could find something. */
export function toPurgeOrder(values: { readonly [S in PurgeOrder['scope']]?: string | undefined }): PurgeOrder {
  const orders = PURGE_SCOPES.flatMap((scope) => {
    const value = values[scope]
    return value === undefined ? [] : [{ scope, value }]
  })
  const [order] = orders
  if (!order || orders.length > 1)
    throw new UsageError(`expected one of --url, --prefix and --tag, got ${orders.length}`)
  const fault = findPurgeFault(order)
  if (fault !== null) throw new UsageError(`--${order.scope}: ${fault}, got ${JSON.stringify(order.value)}`)
  return order
}
