import { UsageError } from '../usage.ts'
import type { Verb } from './command.ts'

/** A verb of several actions: `tentpole spokes list`. */
export function toVerb(name: string, actions: Readonly<Record<string, Verb>>): Verb {
  return async (invocation) => {
    const [action, ...args] = invocation.args
    const run = action !== undefined && Object.hasOwn(actions, action) ? actions[action] : undefined
    if (run === undefined)
      throw new UsageError(
        `${name}: expected ${Object.keys(actions).join(', ')}, got ${action === undefined ? 'nothing' : JSON.stringify(action)}`,
      )
    return run({ ...invocation, args })
  }
}
