import { createHash } from 'node:crypto'
import { type BigIntStats, mkdirSync } from 'node:fs'
import { copyFile, type FileHandle, link, mkdir, open, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createId, Fault } from '../../kernel/index.ts'
import {
  checkPresent,
  codeOf,
  linkOrCopy,
  readExactly,
  sealFile,
  statOf,
  syncUpTo,
  toObjectsFault,
  toStream,
  writeBody,
} from './files.ts'
import { createIncoming } from './incoming.ts'
import { checkKey, OBJECT_SUFFIX } from './keys.ts'
import { listKeys } from './list.ts'
import type { ObjectInfo, ObjectsPort } from './port.ts'

const LIST_MAX = 1_000
/** A delete may take away the directory that a put just made; it is made again. */
const PLACE_ATTEMPTS_MAX = 10

/**
 * Objects as files under `root`. A put writes a temporary file in the same file system, syncs it, and links it under its
 * final name, which fails if that exists: visible whole or not at all, created once however many try at once, and
 * durable (file and directories synced) when it resolves. Several processes may use one root.
 *
 * `etag` is made of key, size and time of creation, not of the content, so that a film of 64 GiB can be moved in without
 * being read. It never changes while the object lives, and an object created later under the same key has another; equal
 * content under two keys has two.
 *
 * `putFile` with `move` takes the file away only once the object is durable; when it fails, or the object was there
 * already, the file is still where it was.
 *
 * The directory of the objects is made when this is created. When it is away later (a disk that is not mounted any more),
 * nothing is said to be missing, deleted or an empty list: that is `objects-unavailable`.
 *
 * Faults: `key-invalid`, `objects-full`, `objects-unavailable`, `range`.
 */
export function createDirectoryObjects(options: { root: string }): ObjectsPort {
  const root = resolve(options.root)
  const data = join(root, 'data')
  const incoming = createIncoming(join(root, 'incoming'))
  mkdirSync(data, { recursive: true, mode: 0o700 })

  const pathOf = (key: string): string => {
    checkKey(key)
    return join(data, key + OBJECT_SUFFIX)
  }

  /** Makes the finished, synced file `from` the object at `path`; false when there is one. */
  const place = async (from: string, path: string): Promise<boolean> => {
    const directory = dirname(path)
    for (let attempt = 1; ; attempt++) {
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 })
        await link(from, path)
        await syncUpTo(directory, root)
        return true
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false
        if (codeOf(error) !== 'ENOENT' || attempt >= PLACE_ATTEMPTS_MAX) throw error
      }
    }
  }

  /** Fills a temporary file by `fill`, seals and places it; whatever happens, no temporary file is left. */
  const create = async (key: string, fill: (path: string) => Promise<void>) => {
    const path = pathOf(key)
    // Saves the work where the answer is known; the link decides.
    const existing = await statOf(path)
    if (existing) return { ...toInfo(key, existing), created: false }
    const temporary = incoming.path()
    try {
      await fill(temporary)
      await sealFile(temporary)
      const sealed = await statOf(temporary)
      const created = await place(temporary, path)
      const found = created ? sealed : await statOf(path)
      if (!found) throw new Error('it was deleted in the same moment')
      return { ...toInfo(key, found), created }
    } catch (error) {
      throw toObjectsFault(error, `object ${key} could not be stored`)
    } finally {
      await rm(temporary, { force: true })
    }
  }

  /** Opens an object and hands it to `use` with the bytes that are wanted; null when there is none. `use` closes it. */
  const withObject = async <T>(
    key: string,
    range: { start: number; end?: number } | undefined,
    use: (file: FileHandle, range: { start: number; end: number }) => T | Promise<T>,
  ): Promise<T | null> => {
    const path = pathOf(key)
    let file: FileHandle | null = null
    try {
      file = await open(path, 'r')
      return await use(file, checkRange(key, (await file.stat()).size, range))
    } catch (error) {
      await file?.close().catch(() => {})
      if (file || codeOf(error) !== 'ENOENT') throw toObjectsFault(error, `object ${key} could not be read`)
      await checkPresent(data)
      return null
    }
  }

  const prune = async (directory: string): Promise<void> => {
    if (directory === data) return
    const empty = await rmdir(directory).then(
      () => true,
      () => false,
    )
    if (empty) await prune(dirname(directory))
  }

  return {
    put: (key, body) => create(key, (path) => writeBody(path, body)),
    async putFile(key, source, { move = false } = {}) {
      const put = await create(key, (path) => (move ? linkOrCopy(source, path) : copyFile(source, path)))
      if (move && put.created) await rm(source, { force: true })
      return put
    },
    async head(key) {
      const found = await statOf(pathOf(key))
      if (found) return toInfo(key, found)
      await checkPresent(data)
      return null
    },
    read: (key, wanted) =>
      withObject(key, wanted, async (file, range) => {
        const bytes = await readExactly(file, range.start, range.end)
        await file.close()
        return bytes
      }),
    stream: (key, wanted) => withObject(key, wanted, toStream),
    async toFile(key, path) {
      const from = pathOf(key)
      const beside = `${path}.${createId()}`
      try {
        await linkOrCopy(from, beside)
        await rename(beside, path)
        return true
      } catch (error) {
        if (codeOf(error) === 'ENOENT' && !(await statOf(from))) {
          await checkPresent(data)
          return false
        }
        throw toObjectsFault(error, `object ${key} could not be made a file at ${path}`)
      } finally {
        // Renaming one name of a file onto another of its names does nothing, and leaves both.
        await rm(beside, { force: true })
      }
    },
    list: (prefix, { after = '', max = LIST_MAX } = {}) => listKeys(data, { prefix, after, max }),
    async delete(key) {
      const path = pathOf(key)
      const directory = dirname(path)
      try {
        await unlink(path)
        await syncUpTo(directory, directory)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw toObjectsFault(error, `object ${key} could not be deleted`)
        await checkPresent(data)
      }
      await prune(directory)
    },
  }
}

function checkRange(
  key: string,
  size: number,
  range: { start: number; end?: number } | undefined,
): { start: number; end: number } {
  if (!range) return { start: 0, end: size }
  const { start, end = size } = range
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end)
  if (!whole || start < 0 || start >= size || end <= start)
    throw new Fault('range', `object ${key} has ${size} bytes, expected a range inside, got ${start} to ${end}`, {
      detail: { key, size },
    })
  return { start, end: Math.min(end, size) }
}

function toInfo(key: string, { size, mtimeNs }: BigIntStats): ObjectInfo {
  const etag = createHash('sha256').update(`${key} ${size} ${mtimeNs}`).digest('base64url').slice(0, 22)
  return { key, sizeBytes: Number(size), etag }
}
