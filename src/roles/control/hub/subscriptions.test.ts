import { expect, test } from 'bun:test'
import { subscriptionRequestSchema } from '../../../contracts/index.ts'
import type { Subscriptions } from '../../../hub/index.ts'
import { faultCode } from '../../../kernel/index.ts'
import { createQueueTopics, putChecked } from './subscriptions.ts'

test("the name of a function of the modules is nobody else's, registered or not", async () => {
  const nothing = (): never => {
    throw new Error('it was put')
  }
  const subscriptions: Subscriptions = {
    ...{ put: nothing, list: nothing, get: nothing, remove: nothing, enable: nothing, disable: nothing },
  }
  const request = subscriptionRequestSchema.parse({ pattern: { id: ['x'] }, target: { kind: 'stream' } })
  const parts = {
    ...{ subscriptions, isRead: () => false, functions: [{ name: 'greet' }], webhookNetworks: [] },
    queues: createQueueTopics(subscriptions),
  }
  for (const owner of ['them', null])
    expect(await putChecked({ ...request, name: 'greet', owner }, parts).catch(faultCode)).toBe('subscription-taken')
})
