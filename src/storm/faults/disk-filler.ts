import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../kernel/index.ts'

const BLOCKS = [1024 * 1024, 4 * 1024, 1] as const
/** How often what somebody freed is taken. */
const TOP_UP_MS = 100

/** Keeps a file system full. */
export type DiskFiller = {
  /** Resolves when not one byte more fits. Fault `disk-not-filled`. */
  fill(): Promise<void>
  /** Gives everything back; once is enough, and it may not be filled at all. */
  free(): Promise<void>
}

/**
 * The file has no name once it is open: the system gives its space back when the storm ends, however it ends, and the platform never
 * finds a stranger's file in its home.
 */
export function createDiskFiller(directory: string): DiskFiller {
  let file: FileHandle | null = null
  let bytes = 0
  let isWanted = false
  let timer: ReturnType<typeof setTimeout> | null = null
  let work: Promise<void> = Promise.resolve()

  const oneAfterAnother = (next: () => Promise<void>): Promise<void> => {
    const done = work.then(next)
    work = done.catch(() => {})
    return done
  }

  const topUp = async (): Promise<void> => {
    if (file === null) return
    for (const size of BLOCKS) {
      const block = Buffer.alloc(size, 0x5a)
      while (true) {
        if (!isWanted) return
        const written = await writeSome(file, block, bytes)
        if (written === 0) break
        bytes += written
      }
    }
  }

  const keepFull = (): void => {
    timer = setTimeout(() => {
      // A top-up that fails leaves the disk as full as it is.
      void oneAfterAnother(topUp)
        .catch(() => {})
        .then(() => {
          if (isWanted) keepFull()
        })
    }, TOP_UP_MS)
  }

  const fill = async (): Promise<void> => {
    if (file !== null) return
    const path = join(directory, `storm-filler-${process.pid}`)
    isWanted = true
    try {
      file = await open(path, 'wx', 0o600)
      await unlink(path)
      await topUp()
      keepFull()
    } catch (error) {
      await free()
      throw new Fault(
        'disk-not-filled',
        `the disk at ${directory} could not be filled: ${error instanceof Error ? error.message : String(error)}; expected a file system that storm may write to`,
        { cause: error },
      )
    }
  }

  const free = async (): Promise<void> => {
    isWanted = false
    if (timer !== null) clearTimeout(timer)
    timer = null
    const last = file
    file = null
    bytes = 0
    await last?.close()
  }

  return {
    fill: () => oneAfterAnother(fill),
    free() {
      // Filling that is under way need not come to its end.
      isWanted = false
      return oneAfterAnother(free)
    },
  }
}

/** 0 when nothing fits. */
async function writeSome(file: FileHandle, block: Uint8Array, at: number): Promise<number> {
  try {
    return (await file.write(block, 0, block.byteLength, at)).bytesWritten
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0
    throw error
  }
}
