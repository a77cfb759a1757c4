import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { FileStore } from '@tus/file-store'
import { ERRORS, type KvStore, Upload } from '@tus/server'
import { createChecksum, type ExpectedChecksum } from './checksum.ts'
import {
  isMissing,
  listDirectory,
  readIfThere,
  removeFile,
  syncDirectory,
  withFile,
  writeDurably,
} from './durable-files.ts'
import { toTusError, type UploadRefusal } from './refusal.ts'

/** What a request carries that the library does not pass on to its store. */
export type RequestScope = { readonly checksum: ExpectedChecksum | null; createdId: string | null }
export const requestScope: AsyncLocalStorage<RequestScope> = new AsyncLocalStorage()

/**
 * The library's file store with two promises added: what is acknowledged is on disk (data and name, by fsync), and bytes
 * whose checksum was not confirmed are never kept. While a checked PATCH is being written, `<id>.unverified` holds the
 * offset it began at; after a crash the file is cut back to there. Callers hold the upload's lock.
 */
export class DurableFileStore extends FileStore {
  /** Sizes known to be on disk, by upload. */
  private readonly syncedBytes = new Map<string, number>()
  private readonly idleMs: number

  constructor(options: { directory: string; keptMs: number; idleMs: number }) {
    super({
      directory: options.directory,
      configstore: createRecords(options.directory),
      expirationPeriodInMilliseconds: options.keptMs,
    })
    this.idleMs = options.idleMs
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration', 'checksum']
  }

  override async create(upload: Upload): Promise<Upload> {
    await withFile(this.pathOf(upload.id), 'w', (handle) => handle.sync())
    upload.creation_date = new Date().toISOString()
    await this.configstore.set(upload.id, upload)
    upload.storage = { type: 'file', path: this.pathOf(upload.id) }
    return upload
  }

  override async write(readable: Readable, id: string, offset: number): Promise<number> {
    const expected = requestScope.getStore()?.checksum ?? null
    return expected ? this.writeChecked(readable, id, { offset, expected }) : this.append(readable, id, offset)
  }

  override async getUpload(id: string): Promise<Upload> {
    const record = await this.configstore.get(id)
    if (!record) throw ERRORS.FILE_NOT_FOUND
    const mark = await readIfThere(this.markOf(id))
    if (mark !== null) await this.cutBack(id, Number(mark))
    const bytes = await this.durableBytes(id)
    record.offset = bytes
    record.storage = { type: 'file', path: this.pathOf(id) }
    return record
  }

  override async remove(id: string): Promise<void> {
    if (!(await this.configstore.get(id))) throw ERRORS.FILE_NOT_FOUND
    this.syncedBytes.delete(id)
    await removeFile(this.markOf(id))
    await removeFile(this.pathOf(id))
    await this.configstore.delete(id)
  }

  async listUploads(): Promise<readonly string[]> {
    return (await this.configstore.list?.()) ?? []
  }

  /** How much of an upload is on disk; null when its file is gone (moved into `objects`). */
  async bytesOf(id: string): Promise<number | null> {
    const upload = await this.getUpload(id).catch((error: unknown) => {
      if (error === ERRORS.FILE_NO_LONGER_EXISTS) return null
      throw error
    })
    return upload?.offset ?? null
  }

  pathOf(id: string): string {
    return join(this.directory, id)
  }

  private markOf(id: string): string {
    return join(this.directory, `${id}.unverified`)
  }

  private async append(
    readable: Readable,
    id: string,
    offset: number,
    onBytes: (bytes: Uint8Array) => void = () => {},
  ): Promise<number> {
    return await withFile(this.pathOf(id), 'r+', async (handle) => {
      let position = offset
      const idle = setTimeout(() => readable.destroy(toTusError(idleRefusal(this.idleMs))), this.idleMs)
      try {
        for await (const chunk of readable as AsyncIterable<Uint8Array>) {
          await writeWhole(handle, chunk, position)
          position += chunk.byteLength
          onBytes(chunk)
          idle.refresh()
        }
      } finally {
        clearTimeout(idle)
      }
      await handle.datasync()
      this.syncedBytes.set(id, position)
      return position
    })
  }

  private async writeChecked(
    readable: Readable,
    id: string,
    { offset, expected }: { offset: number; expected: ExpectedChecksum },
  ): Promise<number> {
    const checksum = createChecksum(expected)
    await writeDurably(this.directory, `${id}.unverified`, String(offset))
    let end: number
    try {
      end = await this.append(readable, id, offset, checksum.update)
    } catch (error) {
      await this.cutBack(id, offset)
      throw error
    }
    if (!checksum.matches()) {
      await this.cutBack(id, offset)
      throw toTusError({
        status: 460,
        code: 'checksum-mismatch',
        detail: `Upload-Checksum: the ${expected.algorithm} of the ${end - offset} bytes received is another; none of them was kept. Send them again from offset ${offset}.`,
      })
    }
    await removeFile(this.markOf(id))
    await syncDirectory(this.directory)
    return end
  }

  private async cutBack(id: string, offset: number): Promise<void> {
    await withFile(this.pathOf(id), 'r+', async (handle) => {
      await handle.truncate(offset)
      await handle.sync()
    })
    this.syncedBytes.set(id, offset)
    await removeFile(this.markOf(id))
  }

  /** The file's size, made durable first: what a client is told to go on from must not vanish. */
  private async durableBytes(id: string): Promise<number> {
    try {
      return await withFile(this.pathOf(id), 'r+', async (handle) => {
        const { size } = await handle.stat()
        if (this.syncedBytes.get(id) !== size) await handle.sync()
        this.syncedBytes.set(id, size)
        return size
      })
    } catch (error) {
      throw isMissing(error) ? ERRORS.FILE_NO_LONGER_EXISTS : error
    }
  }
}

function idleRefusal(idleMs: number): UploadRefusal {
  return {
    status: 408,
    code: 'upload-idle',
    detail: `nothing was received for ${idleMs} ms; ask for the offset by HEAD and go on from there`,
  }
}

async function writeWhole(
  handle: { write(bytes: Uint8Array, offset: number, length: number, at: number): Promise<{ bytesWritten: number }> },
  bytes: Uint8Array,
  at: number,
): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, at + done)
    done += bytesWritten
  }
}

/** One JSON file per upload; it is what makes an upload exist, so it is written last and removed last. */
function createRecords(directory: string): KvStore<Upload> & { list(): Promise<string[]> } {
  return {
    async get(id) {
      const text = await readIfThere(join(directory, `${id}.json`))
      if (text === null) return undefined
      return new Upload(JSON.parse(text) as ConstructorParameters<typeof Upload>[0]) // written by `set`, whole or not at all
    },
    set: (id, upload) => writeDurably(directory, `${id}.json`, JSON.stringify(upload)),
    async delete(id) {
      await removeFile(join(directory, `${id}.json`))
      await syncDirectory(directory)
    },
    async list() {
      return (await listDirectory(directory)).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
    },
  }
}
