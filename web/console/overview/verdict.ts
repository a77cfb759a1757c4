import type { PlatformStatus } from '../../../src/contracts/index.ts'
import { plural } from '../../common/format.ts'
import type { Connection } from '../live/state.ts'

export type Verdict = {
  readonly tone: 'good' | 'warn' | 'bad' | 'idle'
  readonly headline: string
  readonly sentence: string
}

/** The answer to "is tonight fine?", from the roles' states alone. */
export function decideVerdict(status: PlatformStatus | null, connection: Connection): Verdict {
  if (connection === 'reconnecting') {
    return {
      tone: 'warn',
      headline: 'The line to the platform is down',
      sentence: 'Reconnecting by itself. Viewers are served without this console.',
    }
  }
  if (status === null) {
    return connection === 'connecting'
      ? { tone: 'idle', headline: 'Asking the platform', sentence: 'The first answer is on its way.' }
      : {
          tone: 'warn',
          headline: 'The supervisor is not heard',
          sentence: 'Nobody says how the roles are. It should be back within seconds.',
        }
  }
  const down = status.roles.filter(({ state }) => state === 'unhealthy' || state === 'stopped' || state === 'backoff')
  const moving = status.roles.filter(({ state }) => state === 'starting' || state === 'draining')
  if (down.length > 0) {
    return {
      tone: 'bad',
      headline: `${names(down)} ${down.length === 1 ? 'is' : 'are'} down`,
      sentence: describe(down),
    }
  }
  if (moving.length > 0) {
    return {
      tone: 'warn',
      headline: `${names(moving)} ${moving.length === 1 ? 'is' : 'are'} on the way`,
      sentence: describe(moving),
    }
  }
  return {
    tone: 'good',
    headline: 'Tonight is fine',
    sentence: `All ${plural(status.roles.length, 'role')} are healthy.`,
  }
}

type Roles = PlatformStatus['roles']

function names(roles: Roles): string {
  const all = roles.map(({ name }) => name)
  return all.length <= 2 ? all.join(' and ') : `${all.length} roles`
}

function describe(roles: Roles): string {
  return roles
    .map(({ name, state, detail }) => `${name} is ${WORDS[state] ?? state}${detail === null ? '' : `: ${detail}`}.`)
    .join(' ')
}

/** Words for states that do not end a sentence well by themselves. */
const WORDS: Readonly<Partial<Record<Roles[number]['state'], string>>> = { backoff: 'waiting to be started again' }
