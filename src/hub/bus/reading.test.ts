import { expect, test } from 'bun:test'
import type { LogRecord } from '../../engines/log/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { openTestEngines } from '../testing.ts'
import { createCursor } from './cursor.ts'
import { createReading, type Past } from './reading.ts'

const recordAt = (offset: number): LogRecord => ({
  ...{ topic: 't', partition: 0, offset, appendedAtMs: 1, key: 'k', headers: {} },
  value: Buffer.from(String(offset)),
})

/** A log that has forgotten what is before 10, and an archive that has some of it, two records at a time. */
async function readAll(archived: readonly number[], taken: number): Promise<{ got: number[]; opened: number }> {
  const engines = await openTestEngines()
  try {
    await engines.log.append(
      't',
      Array.from({ length: 15 }, (_, n) => ({ key: 'k', value: Buffer.from(String(n)) })),
    )
    const log = {
      read: (options: { topic: string; from: number; max: number }) =>
        engines.log.read({ ...options, from: Math.max(options.from, 10) }),
    }
    let opened = 0
    const past: Past = {
      async *read({ from, until }) {
        opened += 1
        const found = archived.filter((offset) => offset >= from && offset < until)
        for (let at = 0; at < found.length; at += 2) yield found.slice(at, at + 2).map(recordAt)
      },
    }
    const cursor = createCursor({ topic: 't', partition: 0, next: 0 })
    const reading = createReading({ log, past, recordsMax: 3, logger: silentLogger })
    const got: number[] = []
    for (let records = await reading.read(cursor); records.length > 0; records = await reading.read(cursor))
      for (const { offset } of records.slice(0, taken)) {
        got.push(offset)
        cursor.next = offset + 1
      }
    await reading.close()
    return { got, opened }
  } finally {
    await engines.close()
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)

test('what the log has forgotten comes from the archive, which is read once from front to back', async () => {
  for (const taken of [1, 2, 3]) expect(await readAll(range(0, 10), taken)).toEqual({ got: range(0, 15), opened: 1 })
})

test('what neither has is passed over', async () => {
  expect((await readAll([2, 3, 7], 3)).got).toEqual([2, 3, 7, ...range(10, 15)])
  expect((await readAll([], 3)).got).toEqual(range(10, 15))
})
