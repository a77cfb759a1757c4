import { afterEach, expect, test } from 'bun:test'
import { type Bed, openBed, until } from './testing/bed.ts'

let bed: Bed
afterEach(() => bed.close())

const bearer = (cell: string): string => `Bearer e30.${Buffer.from(JSON.stringify({ cell })).toString('base64url')}.s`
const ask = async (cell: string): Promise<number> =>
  (await fetch(bed.url('/v1/home'), { headers: { authorization: bearer(cell) } })).status
const answered = (count: number): Promise<void> =>
  until(`${count} answers to be counted`, () => {
    const { requests } = bed.edge.meter.snapshot()
    return requests.reduce((sum, request) => sum + request.count, 0) === count
  })
const counted = (): Record<string, number> =>
  Object.fromEntries(bed.edge.meter.snapshot().cells.map(({ name, requests }) => [name, requests]))

test('a call is counted under the cell that answered it, whatever its token claims', async () => {
  bed = await openBed()
  expect(await ask('a')).toBe(200)
  expect(await ask('b')).toBe(200)
  for (let call = 0; call < 20; call++) await ask(`made-up-${call}-${'A'.repeat(1_000)}`)
  await answered(22)
  const { a = 0, b = 0, ...others } = counted()
  expect([a + b, others]).toEqual([22, {}])
  expect(bed.edge.meter.prometheus({})).not.toContain('made-up')
})

test('one that failed is counted under the cell that was asked last, and with no cell there under none', async () => {
  bed = await openBed({ limits: { apiTimeoutMs: 50 } })
  await bed.stopCell('b')
  await bed.startCell('b', () => new Promise(() => {}))
  expect(await ask('b')).toBe(504)
  await answered(1)
  expect(counted()).toEqual({ b: 1 })
  await bed.stopCell('a')
  await bed.stopCell('b')
  expect(await ask('made-up')).toBe(503)
  await answered(2)
  expect(counted()).toEqual({ b: 1 })
})
