import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { Fault } from '../../../kernel/index.ts'

/**
 * A Unix socket's path and who answers there. The proxy listens at `<path>.front` for good and takes the path by a hard link to that: a
 * listener that is closed removes the file it was bound to by name, and at the path that could by then be somebody else's. The server's
 * own socket goes on at `<path>.behind`: renaming changes nothing for who listens or is connected.
 */
export type SocketPlace = {
  readonly front: string
  readonly behind: string
  /** Who is at the path now: the proxy, a server that has bound it, or nobody. */
  holder(): 'proxy' | 'server' | 'nobody'
  /** The server's socket goes behind, the proxy's comes to the path. Fault `socket-missing` when there is none. */
  take(): void
  /** Nobody is at the path any more, if it was the proxy: callers are refused as if the server were not there. */
  hide(): void
  show(): void
}

export function placeOf(path: string): SocketPlace {
  const front = `${path}.front`
  const behind = `${path}.behind`
  const holder = (): 'proxy' | 'server' | 'nobody' => {
    const found = inodeOf(path)
    if (found === null) return 'nobody'
    return found === inodeOf(front) ? 'proxy' : 'server'
  }
  const show = (): void => {
    if (holder() !== 'nobody') return
    try {
      linkSync(front, path)
    } catch (error) {
      // A server was quicker: it will be seen there.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return {
    front,
    behind,
    holder,
    take() {
      if (holder() !== 'server')
        throw new Fault(
          'socket-missing',
          `no socket at ${path}; expected the one of a role that runs: start the platform, or wait until it is healthy`,
        )
      renameSync(path, behind)
      show()
    },
    hide() {
      if (holder() === 'proxy') rmSync(path, { force: true })
    },
    show,
  }
}

/** Puts the server's socket back where callers look for it; does nothing where there is nothing to put back. Also for what a dead proxy left. */
export function restoreSocket(path: string): void {
  const { front, behind, holder } = placeOf(path)
  if (holder() === 'server') rmSync(behind, { force: true })
  else if (inodeOf(behind) !== null) renameSync(behind, path)
  rmSync(front, { force: true })
}

function inodeOf(path: string): number | null {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isSocket() ? found.ino : null
}
