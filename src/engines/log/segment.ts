import { randomInt } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { closeFile, openFile, readUpTo, syncDirectory } from './files.ts'

/** A place to start reading from is remembered at least this far apart. */
const INDEX_STRIDE_BYTES = 64 * 1024
const NAME = /^(\d{16})-([0-9a-f]{8})\.log$/

/**
 * One append-only file of a topic, named `<first offset>-<salt>.log`. The salt is in the name and not in the file: a
 * flipped bit there would otherwise cost the whole segment.
 */
export type Segment = {
  readonly path: string
  readonly first: number
  readonly salt: number
  /** Bytes that are durable; nothing behind them is ever read. */
  bytes: number
  /** Remembers that the record at `position` has `offset`; to be called in rising order. */
  remember(offset: number, position: number): void
  /** The nearest remembered place at or before `offset`. */
  place(offset: number): { readonly offset: number; readonly position: number }
  /** The descriptor, for the time of `use`; it is not closed under it. */
  withFile<T>(use: (descriptor: number) => Promise<T>): Promise<T>
  read(position: number, length: number): Promise<Buffer>
  /** Closes the file once nobody uses it. */
  close(): Promise<void>
  /** Closes and deletes it. */
  remove(): Promise<void>
}

export function segmentName(first: number, salt: number): string {
  return `${String(first).padStart(16, '0')}-${salt.toString(16).padStart(8, '0')}.log`
}

/** The segments in a topic's directory, oldest first. Files of other names are not ours and left alone. */
export function listSegments(directory: string): Segment[] {
  const found = readdirSync(directory).flatMap((name) => {
    const match = NAME.exec(name)
    return match ? [{ name, first: Number(match[1]), salt: Number.parseInt(match[2] ?? '', 16) }] : []
  })
  const segments = found.map(({ name, first, salt }) => {
    const path = join(directory, name)
    return toSegment({ path, first, salt, bytes: statSync(path).size, descriptor: null })
  })
  // Of two that begin at one offset (one was left over by a failed start) the empty one comes first.
  return segments.sort((a, b) => a.first - b.first || a.bytes - b.bytes)
}

/** Creates an empty segment; its name is durable when this resolves. */
export async function createSegment(directory: string, first: number): Promise<Segment> {
  const salt = randomInt(0, 0x1_0000_0000)
  const path = join(directory, segmentName(first, salt))
  const descriptor = await openFile(path, 'wx+')
  try {
    await syncDirectory(directory)
  } catch (error) {
    await unlink(path).catch(() => {})
    await closeFile(descriptor)
    throw error
  }
  return toSegment({ path, first, salt, bytes: 0, descriptor })
}

function toSegment(start: {
  path: string
  first: number
  salt: number
  bytes: number
  descriptor: number | null
}): Segment {
  const { path, first, salt } = start
  const offsets: number[] = [first]
  const positions: number[] = [0]
  let opening: Promise<number> | null = start.descriptor === null ? null : Promise.resolve(start.descriptor)
  let users = 0
  let closed = false

  const settle = async (): Promise<void> => {
    if (!closed || users > 0 || !opening) return
    const descriptor = opening
    opening = null
    await closeFile(await descriptor)
  }
  const withFile: Segment['withFile'] = async (use) => {
    users += 1
    try {
      opening ??= openFile(path, 'r+')
      return await use(await opening)
    } catch (error) {
      // A file that could not be opened is tried again next time.
      if (opening && (await opening.then(() => false).catch(() => true))) opening = null
      throw error
    } finally {
      users -= 1
      await settle()
    }
  }
  const close = (): Promise<void> => {
    closed = true
    return settle()
  }

  return {
    path,
    first,
    salt,
    bytes: start.bytes,
    remember(offset, position) {
      if (position - (positions.at(-1) ?? 0) < INDEX_STRIDE_BYTES) return
      offsets.push(offset)
      positions.push(position)
    },
    place(offset) {
      let low = 0
      let high = offsets.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((offsets[middle] ?? 0) <= offset) low = middle
        else high = middle - 1
      }
      return { offset: offsets[low] ?? first, position: positions[low] ?? 0 }
    },
    withFile,
    read: (position, length) => withFile((descriptor) => readUpTo(descriptor, position, length)),
    close,
    async remove() {
      await unlink(path)
      await close()
    },
  }
}
