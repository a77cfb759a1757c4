import { close, fdatasync, fsync, ftruncate, open, read, write } from 'node:fs'
import { dirname } from 'node:path'

/**
 * The few file calls the log needs, on plain descriptors. They run on the thread pool: an fdatasync of some
 * milliseconds must not hold up the event loop that answers everyone else.
 */
export function openFile(path: string, flags: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, 0o600, (error, descriptor) => (error ? reject(error) : resolve(descriptor)))
  })
}

export function closeFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(descriptor, (error) => (error ? reject(error) : resolve()))
  })
}

/** Makes the bytes, and the length that finds them again, durable. */
export function syncFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error ? reject(error) : resolve()))
  })
}

export function truncateFile(descriptor: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    ftruncate(descriptor, bytes, (error) => (error ? reject(error) : resolve()))
  })
}

/** Writes all of `buffer` at `position`; a short write (a disk that is nearly full) goes on until it is done or fails. */
export async function writeFully(descriptor: number, buffer: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < buffer.byteLength) {
    done += await new Promise<number>((resolve, reject) => {
      write(descriptor, buffer, done, buffer.byteLength - done, position + done, (error, written) =>
        error ? reject(error) : resolve(written),
      )
    })
  }
}

/** Up to `length` bytes at `position`; fewer only where the file ends. */
export async function readUpTo(descriptor: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const got = await new Promise<number>((resolve, reject) => {
      read(descriptor, buffer, done, length - done, position + done, (error, bytes) =>
        error ? reject(error) : resolve(bytes),
      )
    })
    if (got === 0) break
    done += got
  }
  return done === length ? buffer : buffer.subarray(0, done)
}

/** A new name in a directory is durable once the directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const descriptor = await openFile(path, 'r')
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(descriptor, (error) => (error ? reject(error) : resolve()))
    })
  } finally {
    await closeFile(descriptor)
  }
}

export const syncParent = (path: string): Promise<void> => syncDirectory(dirname(path))

/** The system's code of an error (`ENOSPC`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '')
