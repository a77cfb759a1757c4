import { mkdir, open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** For its owner alone; whole or not at all, and on disk, with its name, before anything is signed with it. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const beside = `${path}.${process.pid}.new`
  await writeFile(beside, text, { mode: 0o600, flush: true })
  await rename(beside, path)
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
