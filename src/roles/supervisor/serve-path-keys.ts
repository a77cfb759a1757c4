import type { WireHandler } from '../../wire/index.ts'
import type { PathKeyring } from './path-keyring.ts'

/** What the supervisor's socket is asked of path keys; each answers with all keys, as ids and times. */
export const PATH_KEY_CALLS = {
  list: 'path-keys',
  rotate: 'rotate-path-keys',
  rotateNow: 'rotate-path-keys now',
} as const

/** Answers the calls about path keys, and leaves all others to `next`. */
export function servePathKeys(keyring: PathKeyring, next: WireHandler): WireHandler {
  return async (payload, call) => {
    const what = Buffer.from(payload).toString()
    if (what === PATH_KEY_CALLS.list) return Buffer.from(JSON.stringify(keyring.list()))
    if (what === PATH_KEY_CALLS.rotate || what === PATH_KEY_CALLS.rotateNow)
      return Buffer.from(JSON.stringify(await keyring.rotate({ atOnce: what === PATH_KEY_CALLS.rotateNow })))
    return await next(payload, call)
  }
}
