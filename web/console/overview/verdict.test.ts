import { expect, test } from 'bun:test'
import type { PlatformStatus, RoleStatus } from '../../../src/contracts/index.ts'
import { decideVerdict } from './verdict.ts'

const status = (states: Record<string, RoleStatus['state']>): PlatformStatus =>
  ({
    roles: Object.entries(states).map(([name, state]) => ({
      name,
      state,
      detail: state === 'backoff' ? 'exit 1' : null,
    })),
  }) as unknown as PlatformStatus

test.each([
  [null, 'connecting', 'idle', 'Asking the platform'],
  [null, 'live', 'warn', 'The supervisor is not heard'],
  [status({ edge: 'healthy' }), 'reconnecting', 'warn', 'The line to the platform is down'],
  [status({ edge: 'healthy', store: 'healthy' }), 'live', 'good', 'Tonight is fine'],
  [status({ edge: 'starting', store: 'healthy' }), 'live', 'warn', 'edge is on the way'],
  [status({ edge: 'starting', store: 'backoff' }), 'live', 'bad', 'store is down'],
  [status({ a: 'stopped', b: 'unhealthy' }), 'live', 'bad', 'a and b are down'],
  [status({ a: 'stopped', b: 'unhealthy', c: 'backoff' }), 'live', 'bad', '3 roles are down'],
] as const)('%p over a line that is %s is %s', (given, connection, tone, headline) => {
  expect(decideVerdict(given, connection)).toMatchObject({ tone, headline })
})

test('what is down says why', () => {
  expect(decideVerdict(status({ store: 'backoff' }), 'live').sentence).toBe(
    'store is waiting to be started again: exit 1.',
  )
})
