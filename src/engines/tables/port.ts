/**
 * Tables: truth that needs a transaction. SQL is written with `?` parameters in the dialect that SQLite and PostgreSQL
 * share (`RETURNING`, `ON CONFLICT`, `CASE`); adapters number the parameters where needed. Times are integers, ms since
 * 1970; booleans 0/1; JSON is text.
 */
export type SqlValue = string | number | null | Uint8Array
export type Statement = {
  readonly sql: string
  readonly parameters?: readonly SqlValue[]
  /** How many rows the statement must change or return; anything else undoes the whole batch. */
  readonly expectRows?: number
}
export type Row = Readonly<Record<string, SqlValue>>

export type BatchResult =
  | { readonly ok: true; readonly results: readonly { readonly changes: number; readonly rows: readonly Row[] }[] }
  | {
      readonly ok: false
      readonly code: 'unexpected-rows' | 'constraint'
      readonly statement: number
      readonly message: string
    }

export type TablesPort = {
  /** One read-only statement. */
  query(statement: Statement): Promise<readonly Row[]>
  /**
   * All or nothing, serializable, durable when resolved, one round trip. A row count that differs from `expectRows` or a
   * violated constraint is an answer (`ok: false`), not an exception. `notify` names channels told after the commit.
   * Retrying a batch whose answer was lost is the caller's decision: only it knows whether the batch is idempotent.
   */
  batch(statements: readonly Statement[], options?: { notify?: readonly string[] }): Promise<BatchResult>
  /** Called (coalesced, possibly spuriously, possibly not at all across a reconnect) after a commit that named the channel. Pair it with a slow poll. */
  listen(channel: string, onNotify: () => void): () => void
  close(): Promise<void>
}

/** A schema step; `id` sorts (`media-001`) and is applied once, in order, each in a transaction. */
export type Migration = { readonly id: string; readonly statements: readonly string[] }
