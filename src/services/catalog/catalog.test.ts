import { afterEach, expect, test } from 'bun:test'
import { createFilm } from '../../../test/fixtures/film.ts'
import { openTestLog, type TestLog } from '../../../test/fixtures/log.ts'
import type { CloudEvent } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { createPublisher } from '../../hub/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { type Catalog, createCatalog } from './index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const ID = '0123456789abcdef'
const film = createFilm(ID)

async function openLog(): Promise<TestLog> {
  const test = await openTestLog()
  closers.push(test.close)
  return test
}
function open(log: LogPort, limits = DEFAULT_LIMITS): Catalog {
  const catalog = createCatalog({ log, logger: silentLogger, limits })
  closers.push(catalog.close)
  return catalog
}
const publish = (log: LogPort, events: readonly CloudEvent[]): Promise<void> =>
  createPublisher({ log, source: 'test' }).publishMany(events)

test('two catalogues of one log, and one opened after a restart, say the same', async () => {
  const before = await openLog()
  const [one, two] = [open(before.log), open(before.log)]
  const other = createFilm('zzzzzzzzzzzzzzzz', { createdAtMs: 2_000 })
  await publish(before.log, [...film.first(), ...other.first(), ...other.rest(), film.segments('v480', 2, 5)])
  await Promise.all([one.caughtUp(), two.caughtUp()])
  const told = one.list()
  expect(told.map((title) => title.id)).toEqual([other.id, ID])
  expect(two.list()).toEqual(told as never)
  expect(one.lag()).toBe(0)
  await Promise.all([one.close(), two.close()])

  const after = await before.reopen()
  closers.push(after.close)
  const rebuilt = open(after.log)
  await rebuilt.caughtUp()
  expect(rebuilt.list()).toEqual(told as never)
})

test('listed is newest first, the same array until something changes, and without what was taken down', async () => {
  const { log } = await openLog()
  const catalog = open(log)
  const films = ['1', '2', '3'].map((digit) => createFilm(digit.repeat(16), { createdAtMs: Number(digit) }))
  await publish(
    log,
    films.flatMap((each) => each.first()),
  )
  await catalog.caughtUp()
  const listed = catalog.listed()
  expect(listed.map((title) => title.id[0])).toEqual(['3', '2', '1'])
  expect(catalog.listed()).toBe(listed)
  const changed = Promise.withResolvers<string>()
  const stop = catalog.onChange((title) => changed.resolve(`${title.id[0]} ${title.state}`))
  await publish(
    log,
    films.slice(1, 2).map((each) => each.withdrawn()),
  )
  expect(await changed.promise).toBe('2 withdrawn')
  stop()
  expect(catalog.listed().map((title) => title.id[0])).toEqual(['3', '1'])
  expect(catalog.getListed('2'.repeat(16))).toBeUndefined()
  expect(catalog.get('2'.repeat(16))?.state).toBe('withdrawn')
})

test('a wait for a segment ends when it is made, the title is withdrawn, the time is over or the caller is gone', async () => {
  const { log } = await openLog()
  const catalog = open(log)
  await publish(log, film.first())
  await catalog.caughtUp()
  const wait = (index: number, timeoutMs = 5_000, signal?: AbortSignal) =>
    catalog.waitForSegment(ID, 'v240', index, { timeoutMs, signal })
  expect(await wait(0)).toBe('ready')
  expect(await wait(9, 20)).toBe('timeout')
  expect(await wait(9, 5_000, AbortSignal.abort())).toBe('cancelled')
  const gone = new AbortController()
  const [made, alsoMade, left, withdrawn] = [wait(9), wait(9), wait(10, 5_000, gone.signal), wait(11)]
  gone.abort()
  expect(await left).toBe('cancelled')
  await publish(log, [film.segments('v240', 8, 10)])
  expect(await Promise.all([made, alsoMade])).toEqual(['ready', 'ready'])
  await publish(log, [film.withdrawn()])
  expect(await withdrawn).toBe('unlisted')
  expect(await wait(0)).toBe('unlisted')
})

test('waits are bounded, and end with the catalogue', async () => {
  const { log } = await openLog()
  const catalog = open(log, { ...DEFAULT_LIMITS, segmentHoldsMax: 2 })
  await publish(log, film.first())
  await catalog.caughtUp()
  const wait = (index: number) => catalog.waitForSegment(ID, 'v240', index, { timeoutMs: 5_000 })
  const held = [wait(9), wait(10)]
  expect(await wait(11)).toBe('full')
  await publish(log, [film.segments('v240', 9, 10)])
  expect(await held[0]).toBe('ready')
  const again = wait(11)
  await catalog.close()
  expect(await Promise.all([held[1], again])).toEqual(['cancelled', 'cancelled'])
})
