import type { LogRecord } from './port.ts'

/** The newest records of a topic, kept in memory within a bound of bytes, so that pushing them does not read the disk again. */
export type Tail = {
  /** One group of records with consecutive offsets, just made durable, and what each takes. */
  push(records: readonly LogRecord[], sizes: readonly number[]): void
  /** Records from `from` on within both bounds (but at least one), or null when `from` is no longer (or not yet) held. */
  read(from: number, bounds: { max: number; bytesMax: number }): LogRecord[] | null
  clear(): void
}

type Chunk = {
  readonly first: number
  readonly end: number
  readonly bytes: number
  readonly records: readonly LogRecord[]
  readonly sizes: readonly number[]
}

export function createTail(bytesMax: number): Tail {
  let chunks: Chunk[] = []
  let bytes = 0

  return {
    push(records, sizes) {
      const first = records[0]?.offset ?? 0
      const added = sizes.reduce((sum, size) => sum + size, 0)
      chunks.push({ first, end: first + records.length, bytes: added, records, sizes })
      bytes += added
      let drop = 0
      while (bytes > bytesMax && drop < chunks.length) bytes -= chunks[drop++]?.bytes ?? 0
      if (drop > 0) chunks = chunks.slice(drop)
    },
    read(from, { max, bytesMax: readBytesMax }) {
      let index = chunks.length - 1
      while (index >= 0 && (chunks[index]?.first ?? 0) > from) index -= 1
      const start = chunks[index]
      if (!start || from >= start.end) return null
      const taken: LogRecord[] = []
      let takenBytes = 0
      for (; index < chunks.length; index++) {
        const chunk = chunks[index] as Chunk
        for (let at = Math.max(0, from - chunk.first); at < chunk.records.length; at++) {
          const record = chunk.records[at] as LogRecord
          takenBytes += chunk.sizes[at] ?? 0
          if (taken.length >= max || (taken.length > 0 && takenBytes > readBytesMax)) return taken
          taken.push(record)
        }
      }
      return taken
    },
    clear() {
      chunks = []
      bytes = 0
    },
  }
}
