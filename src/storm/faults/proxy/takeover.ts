import type { LinkConditions } from '../plan.ts'
import { createProxy } from './proxy.ts'
import { placeOf, restoreSocket } from './socket-place.ts'

/** How often the path is looked at: a server that restarts is taken over again within this time. */
const LOOK_MS = 10
const KEPT_MS = 10

export type Takeover = {
  setConditions(conditions: LinkConditions): void
  connections(): number
  /** Puts the server's socket back; connections through the proxy are reset. */
  release(): void
}

/**
 * Stands between a Unix socket's server and those who connect to it from now on; connections that exist are not touched. A server that
 * binds the path anew is taken over again. While the server is not there callers are refused, as they would be without the proxy.
 * Faults `socket-missing`, `proxy-not-listening`.
 */
export function createTakeover(options: { path: string; random?: () => number }): Takeover {
  const { path, ...rest } = options
  restoreSocket(path)
  const place = placeOf(path)
  const target = { unix: place.behind }
  let isReleased = false
  let checking: Promise<void> | null = null
  const checkTarget = (): Promise<void> => {
    checking ??= isAnswering(place.behind).then((isThere) => {
      checking = null
      if (isReleased) return
      if (isThere) place.show()
      else place.hide()
    })
    return checking
  }
  const proxy = createProxy({ ...rest, listen: { unix: place.front }, target, onTargetGone: checkTarget })
  try {
    place.take()
  } catch (error) {
    proxy.close()
    throw error
  }
  const takeAgain = (): void => {
    try {
      place.take()
    } catch {
      // It went between the two looks: what is there next time counts.
    }
  }
  const looking = setInterval(() => {
    const holder = place.holder()
    if (holder === 'server') takeAgain()
    // Hidden for a server that was only busy, or removed by one that ended in good order.
    else if (holder === 'nobody') void checkTarget()
  }, LOOK_MS)

  return {
    setConditions: proxy.setConditions,
    connections: proxy.connections,
    release() {
      if (isReleased) return
      isReleased = true
      clearInterval(looking)
      restoreSocket(path)
      proxy.close()
    },
  }
}

/** A dying process still takes connections for an instant: one that is kept for `KEPT_MS` was taken by a living one. */
async function isAnswering(path: string): Promise<boolean> {
  const gone = Promise.withResolvers<boolean>()
  const lost = (): void => gone.resolve(false)
  try {
    const socket = await Bun.connect({ unix: path, socket: { data() {}, end: lost, close: lost, error: lost } })
    const kept = Bun.sleep(KEPT_MS).then(() => true)
    return await Promise.race([gone.promise, kept]).finally(() => socket.terminate())
  } catch {
    return false
  }
}
