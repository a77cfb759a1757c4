import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes a directory's entries (files created, renamed, removed in it) survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  await withFile(path, 'r', (handle) => handle.sync())
}

/** Writes a small file so that after a crash it is there whole or not at all. */
export async function writeDurably(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `${name}.tmp`)
  await withFile(temporary, 'w', async (handle) => {
    await handle.writeFile(text)
    await handle.sync()
  })
  await rename(temporary, join(directory, name))
  await syncDirectory(directory)
}

/** Null when there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export async function withFile<T>(path: string, flags: string, act: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags, 0o600)
  try {
    return await act(handle)
  } finally {
    await handle.close()
  }
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

export async function listDirectory(path: string): Promise<readonly string[]> {
  return await readdir(path)
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
