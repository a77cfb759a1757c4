/**
 * Objects: immutable bytes under a key. A key is 1 to 512 characters of `[A-Za-z0-9._/-]`, segments parted by `/`,
 * no empty, `.` or `..` segment, no segment over 200 characters (Fault `key-invalid`). An object is visible whole or not at all, and on disk when a put resolves.
 */
/** `etag` stays while the object lives and differs for another one created later under the key; it need not be a digest of the content. */
export type ObjectInfo = { readonly key: string; readonly sizeBytes: number; readonly etag: string }

export type ObjectsPort = {
  /**
   * Creates `key`. If it exists already: `created: false`, and the stored object is left as it is (conditional create).
   * Fault `objects-full` when there is no room; nothing is left behind then.
   */
  put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<ObjectInfo & { readonly created: boolean }>
  /** As `put`, from a file of this machine; with `move` the file may be consumed (renamed or linked) instead of copied. */
  putFile(key: string, path: string, options?: { move?: boolean }): Promise<ObjectInfo & { readonly created: boolean }>
  head(key: string): Promise<ObjectInfo | null>
  /** `start` inclusive, `end` exclusive. `null` when there is no such object. Fault `range` when start is not below the size. */
  read(key: string, range?: { start: number; end?: number }): Promise<Uint8Array | null>
  /** The same as a stream; each chunk is the reader's own. */
  stream(key: string, range?: { start: number; end?: number }): Promise<ReadableStream<Uint8Array> | null>
  /** Makes the object a file of this machine at `path` (a hard link where the engine can, else a copy). False when there is no such object. The file must not be written to. */
  toFile(key: string, path: string): Promise<boolean>
  /** Keys that begin with `prefix`, in order, after `after`, at most `max`. */
  list(prefix: string, options?: { after?: string; max?: number }): Promise<readonly string[]>
  /** Idempotent. */
  delete(key: string): Promise<void>
}
