/**
 * The log: Tentpole's system of record.
 *
 * Ordering: records of one key keep the order in which their appends were called by one process. A topic has one or
 * more partitions; the embedded engine has exactly one (0), Kafka as many as the topic. `offset`s rise within a
 * partition, not necessarily by one.
 * Durability: when `append` resolves, the records are on disk (embedded: fdatasync; Kafka: the quorum).
 * Redelivery: at least once. An `append` whose answer was lost may have happened; whoever must not see twice dedupes by
 * the event's id. A subscription starts at its group's committed offset, so what was handled but not committed comes again.
 */
export type LogRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** When the engine took it, ms since 1970. Informative: never decides an order. */
  readonly appendedAtMs: number
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Uint8Array
}

export type LogAppend = {
  readonly key: string
  readonly value: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** Where a reader without a group starts. */
export type LogStart = 'beginning' | 'end' | { readonly offsets: Readonly<Record<number, number>> }

export type LogSubscribe = {
  readonly topic: string
  /** With a group: starts at its committed offsets ('beginning' if none); one live subscriber per partition, the others stand by. */
  readonly group?: string
  /** Without a group: where to start. */
  readonly start?: LogStart
  /**
   * Called with one batch at a time, in order, never concurrently; the next batch comes when the promise resolves. A
   * rejection is retried with backoff, same batch.
   */
  readonly onRecords: (records: readonly LogRecord[]) => void | Promise<void>
}

export type LogSubscription = {
  /** The next offset to be handled per partition, and the log's end per partition as last heard. */
  position(): { readonly next: Readonly<Record<number, number>>; readonly end: Readonly<Record<number, number>> }
  /** Records between `position().next` and the end. */
  lag(): number
  /** Milliseconds since the engine was last heard from (a record or a heartbeat, at least one a second while it lives). Infinity before the first. */
  silentForMs(): number
  /** Resolves when everything that was in the topic at the time of the call has been handled. Rejects after `timeoutMs`. */
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  /** No `onRecords` begins after this resolves; one under way is awaited. */
  close(): Promise<void>
}

export type LogPort = {
  /** Resolves with each record's offset, in order, when all are durable. Faults: `log-unavailable`, `log-full`, `record-too-large`, `timeout`. */
  append(topic: string, records: readonly LogAppend[]): Promise<readonly number[]>
  /** Records of one partition from `from` on, at most `max`; `[]` at the end. Faults: `log-damaged` with the offsets lost in `detail`. */
  read(options: { topic: string; partition?: number; from: number; max: number }): Promise<readonly LogRecord[]>
  /** Push delivery; survives the engine's restarts by itself. */
  subscribe(options: LogSubscribe): LogSubscription
  /** Durable when resolved. `offset` is the next one to handle. */
  commit(options: { group: string; topic: string; partition: number; offset: number }): Promise<void>
  /** The first and the next offset of each partition. */
  bounds(topic: string): Promise<Readonly<Record<number, { readonly first: number; readonly end: number }>>>
  /**
   * Forgets records before offset `before`, oldest first, in the engine's own portions: it may keep some of them, and
   * never takes one from `before` on. Offsets are not used again. A reader that was before it goes on at the first that
   * is left. Fault `trim-invalid` for an offset behind the end.
   */
  trim(options: { topic: string; partition: number; before: number }): Promise<void>
  close(): Promise<void>
}
