import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createShortId } from '../../kernel/index.ts'

/** Uploads that were begun and not finished, on disk, so that one goes on after its process was killed. */
export type UnfinishedUpload = {
  /** What is uploaded: the same file for the same title has the same one. */
  readonly fingerprint: string
  readonly titleId: string
  /** Path on control: its port may be another next time. */
  readonly uploadPath: string
  readonly begunAtMs: number
}

export type ResumeStore = {
  find(fingerprint: string): Promise<UnfinishedUpload | null>
  remember(upload: UnfinishedUpload): Promise<void>
  forget(fingerprint: string): Promise<void>
}

/** After this long the platform has thrown the half away. */
const KEPT_MS = 24 * 3_600_000

export function createResumeStore(path: string, nowMs: () => number = Date.now): ResumeStore {
  const read = async (): Promise<UnfinishedUpload[]> => {
    try {
      const all = JSON.parse(await readFile(path, 'utf8')) as UnfinishedUpload[]
      return all.filter((upload) => nowMs() - upload.begunAtMs < KEPT_MS)
    } catch {
      // None yet, or not readable: the upload begins anew.
      return []
    }
  }
  /** A disk without room costs the note, by which an upload could be resumed, never the upload. */
  const write = async (uploads: readonly UnfinishedUpload[]): Promise<void> => {
    const beside = `${path}.${createShortId()}`
    try {
      await writeFile(beside, JSON.stringify(uploads), { mode: 0o600 })
      await rename(beside, path)
    } catch {
      await rm(beside, { force: true })
    }
  }
  return {
    find: async (fingerprint) => (await read()).find((upload) => upload.fingerprint === fingerprint) ?? null,
    remember: async (upload) =>
      write([...(await read()).filter((other) => other.fingerprint !== upload.fingerprint), upload]),
    forget: async (fingerprint) => write((await read()).filter((other) => other.fingerprint !== fingerprint)),
  }
}
