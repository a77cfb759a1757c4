import { link, readFile, rm, stat } from 'node:fs/promises'
import type { PathKeys } from '../../contracts/index.ts'
import { type Clock, describeError, Fault, type Logger, systemClock } from '../../kernel/index.ts'
import { formatPathKeys, type PathKeysFile, parsePathKeys, toPathKeys } from './path-keys.ts'
import { writePrivate } from './private-file.ts'

/** The keys in a file, as they are now; the same object until they change. */
export type WatchedPathKeys = {
  keys(): PathKeys
  close(): void
}

const POLL_MS = 1_000

/** Fault `path-keys-invalid` names what cannot be read, or not as keys. */
export async function readPathKeysFile(path: string): Promise<PathKeysFile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Fault(
      'path-keys-invalid',
      `${path} cannot be read: ${describeError(error)}; "tentpole keys create FILE" makes one`,
      { cause: error },
    )
  })
  const file = parsePathKeys(text)
  if (file !== null) return file
  throw new Fault(
    'path-keys-invalid',
    `${path}: expected keys as "tentpole keys create" writes them, at least one of them not retired; got something else: restore it, or make a new one`,
  )
}

/** Durable when it resolves; who reads meanwhile sees the old file or the new one. */
export async function writePathKeysFile(path: string, file: PathKeysFile): Promise<void> {
  await writePrivate(path, formatPathKeys(file))
}

/** As `writePathKeysFile`, but never in the place of another: fault `path-keys-exist`. */
export async function createPathKeysFile(path: string, file: PathKeysFile): Promise<void> {
  const beside = `${path}.${process.pid}.made`
  await writePathKeysFile(beside, file)
  try {
    await link(beside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Fault(
      'path-keys-exist',
      `${path} exists already and is left as it is; "tentpole keys rotate --file" adds a key to it, or name another file`,
    )
  } finally {
    await rm(beside, { force: true })
  }
}

/**
 * Follows a file that someone else rotates: looks once a second whether it was replaced and whether a key's time has
 * come. A file that cannot be read is tried again at every look, for it may be only its owner that is wrong, and is logged
 * once; until then the last good one goes on. Rejects as `readPathKeysFile` when there is none to begin with.
 */
export async function watchPathKeysFile(
  path: string,
  options: { readonly logger: Logger; readonly clock?: Clock; readonly pollMs?: number },
): Promise<WatchedPathKeys> {
  const { logger, clock = systemClock, pollMs = POLL_MS } = options
  let seen = await versionOf(path)
  let file = await readPathKeysFile(path)
  let keys = toPathKeys(file, clock.nowMs())
  let complainedOf: string | null = null

  const reread = async (): Promise<void> => {
    const version = await versionOf(path)
    if (version !== seen) {
      try {
        file = await readPathKeysFile(path)
      } catch (error) {
        if (version !== complainedOf)
          logger.error('the path keys cannot be read again; those read before stay in force', {
            error: describeError(error),
          })
        complainedOf = version
        return
      }
      seen = version
      logger.info('the path keys were read again', { ids: file.keys.map(({ id }) => id).join(' ') })
    }
    complainedOf = null
  }
  const look = async (): Promise<void> => {
    await reread()
    const now = toPathKeys(file, clock.nowMs())
    if (!isSame(now, keys)) keys = now
  }
  let isLooking = false
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    void look().finally(() => {
      isLooking = false
    })
  }, pollMs)
  return { keys: () => keys, close: () => clearInterval(timer) }
}

/** Another text whenever the file is another: a replaced one has another inode even within the same millisecond. */
async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    return describeError(error)
  }
}

/** Both were made by `toPathKeys`: the order of keys is that of their making. */
function isSame(one: PathKeys, other: PathKeys): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
