import { type AnyEvent, type Network, parseNetwork, type Registry } from '../../../contracts/index.ts'
import type { LogPort } from '../../../engines/log/index.ts'
import {
  type Claims,
  createFunctionTarget,
  createTopicTarget,
  createWebhookTarget,
  type LoadedSubscription,
  type Spokes,
  type StreamHub,
  type SubscriptionDefinition,
  type Target,
  withSpokeSight,
} from '../../../hub/index.ts'
import { type Clock, describeError, type Limits, type Logger } from '../../../kernel/index.ts'

export type TargetParts = {
  readonly log: LogPort
  readonly registry: Registry
  readonly claims: Claims
  readonly functions: readonly LoadedSubscription[]
  readonly streams: StreamHub
  readonly spokes: Spokes
  /** Private networks that webhooks may go to. */
  readonly webhookNetworks: readonly string[]
  /** Topics that the hub itself reads: what goes there would come round again. */
  readonly isRead: (topic: string) => boolean
  readonly withData: (event: AnyEvent) => Promise<AnyEvent>
  readonly limits: Limits
  readonly clock: Clock
  readonly logger: Logger
}

/** Where the events of a subscription go; null when nothing in this process can take them. */
export function createTargets(parts: TargetParts): (definition: SubscriptionDefinition) => Target | null {
  const { spokes, withData, logger } = parts
  return (definition) => {
    const { name, owner } = definition
    try {
      const target = createTarget(definition, parts)
      if (target === null || owner === null) return target
      return withSpokeSight(target, { spoke: owner, spokes, withData })
    } catch (error) {
      logger.warn('a subscription cannot be delivered to as it is', { subscription: name, error: describeError(error) })
      return null
    }
  }
}

function createTarget({ name, target }: SubscriptionDefinition, parts: TargetParts): Target | null {
  const { log, registry, claims, functions, streams, limits, clock, isRead } = parts
  switch (target.kind) {
    case 'function': {
      const handler = functions.find((each) => each.name === name)?.handler
      return handler ? createFunctionTarget({ name, handler, claims, registry, limits }) : null
    }
    case 'stream':
      return streams.target(name)
    case 'topic':
      return createTopicTarget({ append: log.append, topic: target.topic, isRead })
    case 'webhook':
      // `put` has made one where none was given.
      if (target.secret === undefined) return null
      return createWebhookTarget({
        url: target.url,
        secrets: [target.secret],
        allowedNetworks: toNetworks(parts.webhookNetworks),
        payloadBase: null,
        authorities: null,
        limits,
        clock,
      })
  }
}

/** The configuration has checked them. */
export function toNetworks(texts: readonly string[]): readonly Network[] {
  return texts.flatMap((text) => parseNetwork(text) ?? [])
}
