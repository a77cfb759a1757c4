import type { SubscriptionRequest } from '../../../contracts/index.ts'
import { type LoadedSubscription, parseWebhookUrl, type Subscriptions } from '../../../hub/index.ts'
import { describeError, Fault, type Logger, pause } from '../../../kernel/index.ts'
import type { HubPorts } from './ports.ts'
import { toNetworks } from './targets.ts'

const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 5_000

/** Topics that subscriptions write to: queues, which nothing of the hub reads. */
export type QueueTopics = {
  names(): readonly string[]
  /** Looks at the subscriptions there are. */
  refresh(): Promise<void>
}

export function createQueueTopics(subscriptions: Pick<Subscriptions, 'list'>): QueueTopics {
  let names: readonly string[] = []
  return {
    names: () => names,
    async refresh() {
      const targets = (await subscriptions.list()).map(({ target }) => target)
      // One that is gone may have left references in its queue: it stays until this process ends.
      names = [...new Set([...names, ...targets.flatMap((target) => (target.kind === 'topic' ? [target.topic] : []))])]
    },
  }
}

/** `put`, with what only a look at this platform can refuse. Fault `subscription-invalid`, as of a field. */
export async function putChecked(
  wanted: SubscriptionRequest & { readonly name: string; readonly owner: string | null },
  parts: {
    readonly subscriptions: Subscriptions
    readonly isRead: (topic: string) => boolean
    readonly functions: readonly Pick<LoadedSubscription, 'name'>[]
    readonly webhookNetworks: readonly string[]
    readonly queues: QueueTopics
  },
): ReturnType<HubPorts['subscriptions']['put']> {
  const { subscriptions, isRead, functions, webhookNetworks, queues } = parts
  const { name, target } = wanted
  // Registered or not yet: it would be given the events of whoever was first.
  if (functions.some((each) => each.name === name))
    throw new Fault('subscription-taken', `the name ${name} belongs to a function of the hub's modules; choose another`)
  if (target.kind === 'webhook') {
    try {
      parseWebhookUrl(target.url, toNetworks(webhookNetworks))
    } catch (error) {
      throw toInvalid('target.url', describeError(error))
    }
  }
  if (target.kind === 'topic' && isRead(target.topic))
    throw toInvalid(
      'target.topic',
      `expected a topic that nothing of the hub reads, got ${target.topic}: its events would come round again`,
    )
  const done = await subscriptions.put(wanted)
  if (target.kind === 'topic') await queues.refresh()
  return done
}

function toInvalid(path: string, detail: string): Fault {
  return new Fault('subscription-invalid', `${path}: ${detail}`, { detail: { errors: [{ path, detail }] } })
}

/** Makes the subscriptions of the modules' functions known, once the store answers. */
export function registerFunctions(options: {
  subscriptions: Pick<Subscriptions, 'put'>
  functions: readonly LoadedSubscription[]
  logger: Logger
}): { close(): void } {
  const { subscriptions, functions, logger } = options
  const closing = new AbortController()
  const register = async ({ name, pattern, policy, start }: LoadedSubscription): Promise<void> => {
    for (let waitMs = RETRY_MIN_MS; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      try {
        await subscriptions.put({ name, owner: null, pattern, target: { kind: 'function' }, policy, start })
        return
      } catch (error) {
        logger.warn('the subscription of a function is not there yet; it is tried again', {
          subscription: name,
          error: describeError(error),
        })
        await pause(waitMs, closing.signal)
      }
    }
  }
  void Promise.all(functions.map(register))
  return { close: () => closing.abort() }
}
