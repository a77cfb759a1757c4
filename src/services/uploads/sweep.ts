import { join } from 'node:path'
import { describeError, type Logger } from '../../kernel/index.ts'
import { listDirectory, removeFile } from './durable-files.ts'
import type { DurableFileStore } from './file-store.ts'
import type { UploadLocks } from './locks.ts'
import { parseIntent } from './metadata.ts'
import type { Settled, UploadTitles } from './settle.ts'

/**
 * Looks after uploads that no request is busy with: announces what is complete but was not announced (a crash came
 * between), removes what expired and what is for no title any more.
 */
export function createSweep(options: {
  store: DurableFileStore
  locks: UploadLocks
  titles: UploadTitles
  settle(id: string): Promise<Settled | null>
  keptMs: number
  logger: Logger
}): () => Promise<void> {
  const { store, locks, titles, settle, keptMs, logger } = options

  const sweepOne = async (id: string): Promise<void> => {
    const record = await store.configstore.get(id)
    if (!record || (await settle(id))) return
    const parsed = parseIntent(record.metadata)
    const expired = Date.parse(record.creation_date ?? '') + keptMs < Date.now()
    if (expired || !parsed.ok || (await titles.admitUpload(parsed.intent.titleId))) await store.remove(id)
  }

  const sweepUnlocked = async (id: string): Promise<void> => {
    const release = locks.tryLock(id)
    if (!release) return
    try {
      await sweepOne(id)
    } catch (error) {
      logger.warn('an upload could not be looked after; it is tried again', { upload: id, error: describeError(error) })
    } finally {
      release()
    }
  }

  const sweepAll = async (): Promise<void> => {
    try {
      for (const id of await store.listUploads()) await sweepUnlocked(id)
    } catch (error) {
      logger.error('the uploads could not be listed; they are tried again', { error: describeError(error) })
    }
  }

  // One after the other: a sweep that is asked for looks at everything anew, and never finds an upload locked by another sweep.
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(sweepAll)
    return last
  }
}

/** At start only, when no request is under way: files that a crash left without the record that makes them an upload. */
export async function removeLeftovers(directory: string): Promise<void> {
  const names = await listDirectory(directory)
  const known = new Set(names.flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : [])))
  for (const name of names) {
    const [id = ''] = name.split('.')
    if (!known.has(id) || name.endsWith('.tmp')) await removeFile(join(directory, name))
  }
}
