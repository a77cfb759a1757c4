/** Cache between compute and tables: may forget anything at any time; never the truth. */
export type CachePort = {
  get(key: string): Promise<Uint8Array | null>
  /** Forgotten after `ttlMs` at the latest. */
  set(key: string, value: Uint8Array, options: { ttlMs: number }): Promise<void>
  delete(key: string): Promise<void>
  /** Adds `by` atomically and returns the sum; a missing key counts from 0 and lives `ttlMs`. */
  increment(key: string, by: number, options: { ttlMs: number }): Promise<number>
  close(): Promise<void>
}
