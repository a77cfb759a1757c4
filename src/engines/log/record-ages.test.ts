import { expect, test } from 'bun:test'
import type { LogPort, LogRecord } from './port.ts'
import { withRecordAges } from './record-ages.ts'

const toRecord = (offset: number, appendedAtMs: number): LogRecord => ({
  ...{ topic: 't', partition: 0, key: 'k', headers: {}, value: new Uint8Array() },
  ...{ offset, appendedAtMs },
})

/** A log of one partition with these times; more may be appended later. */
function open(times: number[], faulty = false) {
  const asked: string[] = []
  const log: Pick<LogPort, 'bounds' | 'read'> = {
    async bounds() {
      asked.push('bounds')
      if (faulty) throw new Error('gone')
      return { 0: { first: 0, end: times.length } }
    },
    async read({ from, max }) {
      asked.push(`read ${from}`)
      return times.slice(from, from + max).map((atMs, at) => toRecord(from + at, atMs))
    },
  }
  const ages: number[] = []
  const onRecords = withRecordAges({ log, topic: 't' }, (_, ageMs) => ages.push(ageMs))
  return { asked, ages, onRecords }
}

const cases: readonly { readonly what: string; readonly times: number[]; readonly ages: number[] }[] = [
  { what: 'by the last there was', times: [1_000, 4_000, 5_000], ages: [4_000, 1_000, 0] },
  { what: 'never below nothing, where a clock was set back', times: [9_000, 4_000, 5_000], ages: [0, 1_000, 0] },
]
test.each(cases)('a record’s age is told $what', async ({ times, ages: expected }) => {
  const { ages, onRecords, asked } = open(times)
  await onRecords(times.map((atMs, offset) => toRecord(offset, atMs)))
  expect(ages).toEqual(expected)
  // Whatever clock it bears, what comes afterwards is new; and nobody is asked again.
  await onRecords([toRecord(3, 1)])
  expect([ages.at(-1), asked]).toEqual([0, ['bounds', 'read 2']])
})

test('where the last record cannot be read nothing is old', async () => {
  const { ages, onRecords } = open([1_000, 900_000], true)
  await onRecords([toRecord(0, 1_000), toRecord(1, 900_000)])
  expect(ages).toEqual([0, 0])
})

test('where there was nothing at the start, nothing is old', async () => {
  const { ages, onRecords } = open([])
  await onRecords([toRecord(0, 5)])
  expect(ages).toEqual([0])
})
