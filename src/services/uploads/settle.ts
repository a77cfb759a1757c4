import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { Logger } from '../../kernel/index.ts'
import type { DurableFileStore } from './file-store.ts'
import { parseIntent, type UploadIntent } from './metadata.ts'
import { toTitleRefusal, type UploadRefusal } from './refusal.ts'

/** A complete upload, as the titles take it in. */
export type CompleteUpload = UploadIntent & {
  readonly uploadId: string
  readonly objectKey: string
  readonly bytes: number
}

export type TitleRefusal = { readonly code: string; readonly message: string }

/** What uploads need to know of titles; composed in the role. */
export type UploadTitles = {
  /** Null when the title takes uploads now. */
  admitUpload(titleId: string): Promise<TitleRefusal | null>
  /** Once to effect per upload id, however often it is called. */
  acceptUpload(upload: CompleteUpload): Promise<TitleRefusal | null>
  acceptedUpload(uploadId: string): Promise<{ readonly bytes: number } | null>
}

/** What became of a complete upload: taken in (then, or before), or refused and removed. */
export type Settled = { readonly bytes: number } | { readonly refusal: UploadRefusal }

/**
 * Takes a complete upload in: moved into `objects`, then accepted by its title, then its files removed. Each step may be
 * the last before a crash; the same call made again goes on from there. Calls for one upload share one run. Null when
 * there is no such upload or it is not complete.
 */
export function createSettle(options: {
  store: DurableFileStore
  objects: ObjectsPort
  titles: UploadTitles
  logger: Logger
}): (id: string) => Promise<Settled | null> {
  const { store, objects, titles, logger } = options
  const running = new Map<string, Promise<Settled | null>>()

  const settleOnce = async (id: string): Promise<Settled | null> => {
    const record = await store.configstore.get(id)
    if (!record) {
      const accepted = await titles.acceptedUpload(id)
      return accepted ? { bytes: accepted.bytes } : null
    }
    const parsed = parseIntent(record.metadata)
    if (!parsed.ok || record.size === undefined) return null
    const { titleId, role } = parsed.intent
    const objectKey = `titles/${titleId}/source/${role}-${id}`
    if (!(await moveIntoObjects(id, objectKey, record.size))) return null
    const refused = await titles.acceptUpload({ ...parsed.intent, uploadId: id, objectKey, bytes: record.size })
    if (refused) await objects.delete(objectKey)
    await store.remove(id)
    if (refused) return { refusal: toTitleRefusal(refused) }
    logger.info('an upload is complete', { title: titleId, upload: id, for: role, bytes: record.size })
    return { bytes: record.size }
  }

  /** True when the object is there, moved now or before a crash; false while the upload is not complete. */
  const moveIntoObjects = async (id: string, objectKey: string, size: number): Promise<boolean> => {
    const bytes = await store.bytesOf(id)
    if (bytes === null) return (await objects.head(objectKey)) !== null
    if (bytes !== size) return false
    await objects.putFile(objectKey, store.pathOf(id), { move: true })
    return true
  }

  return (id) => {
    const under = running.get(id)
    if (under) return under
    const started = settleOnce(id).finally(() => running.delete(id))
    running.set(id, started)
    return started
  }
}
