import type { BigIntStats } from 'node:fs'
import { copyFile, type FileHandle, link, open, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describeError, Fault } from '../../kernel/index.ts'

const STREAM_CHUNK_BYTES = 256 * 1024

/** Writes a new file of these bytes. */
export async function writeBody(path: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    if (body instanceof Uint8Array) await writeFully(file, body)
    else for await (const chunk of body) await writeFully(file, chunk)
  } finally {
    await file.close()
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0
  while (done < chunk.byteLength) done += (await file.write(chunk, done, chunk.byteLength - done)).bytesWritten
}

/** Gives a file a second name, or copies it where the file system cannot (another one, too many names). */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (['ENOENT', 'EEXIST', 'ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw error
    await copyFile(from, to)
  }
}

/** Read-only from here on, bytes and times durable. The time is drawn apart within its millisecond: etags are made of it. */
export async function sealFile(path: string): Promise<void> {
  const seconds = (Date.now() + Math.random()) / 1_000
  await utimes(path, seconds, seconds)
  const file = await open(path, 'r')
  try {
    await file.chmod(0o444)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Makes the names from `directory` up to those in `top` durable. All of them each time: a directory that was there
 * already may be another put's that has not synced it yet, and syncing a clean one costs next to nothing.
 */
export async function syncUpTo(directory: string, top: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (directory !== top) await syncUpTo(dirname(directory), top)
}

export async function readExactly(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(end - start)
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, start + done)
    if (bytesRead === 0) throw new Error(`the file ended at ${start + done}, expected ${end}`)
    done += bytesRead
  }
  return bytes
}

/** Reads on demand, a fresh buffer each time; closes the file at the end, on an error and when cancelled. */
export function toStream(file: FileHandle, range: { start: number; end: number }): ReadableStream<Uint8Array> {
  let at = range.start
  return new ReadableStream({
    async pull(controller) {
      try {
        const end = Math.min(at + STREAM_CHUNK_BYTES, range.end)
        if (at < end) controller.enqueue(await readExactly(file, at, end))
        at = end
        if (at < range.end) return
        await file.close()
        controller.close()
      } catch (error) {
        await file.close().catch(() => {})
        throw error
      }
    },
    cancel: () => file.close(),
  })
}

/** A file's facts, or null when there is none. */
export async function statOf(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
    throw toObjectsFault(error, `${path} could not be looked at`)
  }
}

/** Fault `objects-unavailable` when the directory of all objects is away: then nobody knows what there is, and "none" would be a lie. */
export async function checkPresent(data: string): Promise<void> {
  if ((await statOf(data))?.isDirectory()) return
  throw new Fault(
    'objects-unavailable',
    `expected the directory of the objects at ${data}, found none; it was there at the start: mount or restore it`,
  )
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export function toObjectsFault(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error)))
    return new Fault(
      'objects-full',
      `${what}: there is no room on the disk; nothing was left behind; free space and retry`,
      { cause: error },
    )
  return new Fault('objects-unavailable', `${what}: ${describeError(error)}`, { cause: error })
}
