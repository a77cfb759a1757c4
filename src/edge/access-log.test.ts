import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { DEFAULT_LIMITS, Fault, type LogFields, silentLogger, systemClock } from '../kernel/index.ts'
import { createAccessLog, toAccessLine } from './access-log.ts'
import { createAccessSampler } from './access-sampler.ts'
import { createLineSink } from './line-sink.ts'
import { type ExchangeFacts, toExchange } from './metrics/testing.ts'
import { openAccessLog } from './open-access-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'tentpole-access-log-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const lineOf = (facts: ExchangeFacts): Record<string, unknown> =>
  JSON.parse(toAccessLine(toExchange(facts), { nowMs: 0, sampled: 3 }))

const MAC = 'm'.repeat(43)

test('a line says what was asked, what was answered, and whence', () => {
  const facts: ExchangeFacts = {
    path: `/v/cGF5bG9hZC1vZi1h.${MAC}/t1/main.m3u8`,
    query: '?key=secret',
    clientAddress: '192.0.2.77',
    bytes: 12,
    durationMs: 1.23456,
    report: { cache: 'hit', cell: 'a' },
  }
  expect(lineOf(facts)).toEqual({
    ...{ time: '1970-01-01T00:00:00.000Z', role: 'edge', message: 'request', method: 'GET', host: 'films.example' },
    ...{
      path: '/v/*/t1/main.m3u8',
      status: 200,
      bytes: 12,
      durationMs: 1.235,
      complete: true,
      cache: 'hit',
      cell: 'a',
    },
    ...{ client: '192.0.2.0/24', sampled: 3 },
  })
})

test.each([
  ['192.0.2.77', '192.0.2.0/24'],
  ['::ffff:192.0.2.77', '192.0.2.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['', 'unknown'],
])('of the client %p its network is told: %p', (clientAddress, expected) => {
  expect(lineOf({ clientAddress })['client']).toBe(expected)
})

test('whatever is asked: one line of JSON, without the token, the query or a control character', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(text, text, text, text, (method, host, path, query) => {
      const facts = { method, host, path: `/v/secret-token/${path}`, query: `?secret-query${query}` }
      const line = toAccessLine(toExchange(facts), { nowMs: 0, sampled: 1 })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]|secret|nobody may see/)
      expect(JSON.parse(line).message).toBe('request')
    }),
  )
})

/** A generator of its own, so that a run can be repeated (Park and Miller). */
const createRandom = (): (() => number) => {
  let state = 42
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

test('below the rate every request has its line; far above it lines are few and their sum is right', () => {
  for (const [perSecond, linesMax] of [
    [100, 100],
    [60_000, 130],
  ] as const) {
    const sampler = createAccessSampler({ linesPerSecondMax: 100, random: createRandom() })
    for (let second = 0; second < 4; second++) {
      const weights = Array.from({ length: perSecond }, (_, at) =>
        sampler.take(second * 1_000 + (at * 1_000) / perSecond),
      )
      const lines = weights.filter((weight) => weight > 0)
      const sum = lines.reduce((all, weight) => all + weight, 0)
      if (second > 0) expect(lines.length).toBeLessThanOrEqual(linesMax)
      else expect(lines.length).toBeLessThanOrEqual(100 * (1 + Math.log(Math.max(1, perSecond / 100))) + 1)
      expect(Math.abs(sum / perSecond - 1)).toBeLessThan(perSecond === 100 ? 1e-9 : 0.05)
    }
  }
})

test('after a crowd has gone, lines are complete again within two seconds', () => {
  const sampler = createAccessSampler({ linesPerSecondMax: 10, random: createRandom() })
  for (let at = 0; at < 10_000; at++) sampler.take(at / 10)
  for (const nowMs of [1_000, 1_500, 2_000]) sampler.take(nowMs)
  for (const nowMs of [2_600, 3_000, 3_500, 9_000]) expect(sampler.take(nowMs)).toBe(1)
})

test('errors keep their lines while the rest is sampled', () => {
  const lines: Record<string, unknown>[] = []
  const clock = { nowMs: () => 0, elapsedMs: () => 1 }
  const log = createAccessLog({ linesPerSecondMax: 10, write: (line) => lines.push(JSON.parse(line)), clock })
  for (let at = 0; at < 1_000; at++) log.record(toExchange())
  for (const status of [400, 404, 500, 503, 504]) log.record(toExchange({ status }))
  log.record(toExchange({ complete: false }))
  const errors = lines.filter((line) => Number(line['status']) >= 400 || line['complete'] === false)
  expect(errors.map(({ sampled }) => sampled)).toEqual([1, 1, 1, 1, 1, 1])
  expect(lines.length).toBeLessThan(6 + 10 * (2 + Math.log(100)))
})

test('lines that nobody takes are dropped within the bound, counted, and what is written stays whole', async () => {
  const texts: string[] = []
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const sink = createLineSink({
    append: async (text) => {
      texts.push(text)
      await held
    },
    bufferBytesMax: 100,
    logger: silentLogger,
  })
  sink.write('first')
  while (texts.length === 0) await Bun.sleep(5)
  for (let at = 0; at < 1_000; at++) sink.write('0123456789')
  release()
  await sink.close()
  expect(texts[0]).toBe('first\n')
  const [note = '', ...rest] = (texts[1] ?? '').trimEnd().split('\n')
  expect(JSON.parse(note)).toMatchObject({ message: 'lines dropped', count: 1_000 - rest.length })
  expect(rest.length).toBe(9)
  expect(texts.length).toBe(2)
})

test('a disk that takes nothing is complained of once, and lines are taken again afterwards', async () => {
  const complaints: LogFields[] = []
  const logger = { ...silentLogger, warn: (_: string, fields: LogFields = {}) => void complaints.push(fields) }
  let failures = 2
  const texts: string[] = []
  const append = async (text: string): Promise<void> => {
    if (failures-- > 0) throw new Error('no space left')
    texts.push(text)
  }
  const sink = createLineSink({ append, bufferBytesMax: 100, logger })
  sink.write('one')
  while (failures > 1) await Bun.sleep(5)
  sink.write('two')
  while (failures > 0) await Bun.sleep(5)
  sink.write('three')
  await sink.close()
  expect(complaints).toEqual([{ error: 'no space left' }])
  expect(texts.join('')).toMatch(/"lines dropped","count":2\}\nthree\n$/)
})

test('into a file, for its owner alone, and on into a new one when it was renamed', async () => {
  const path = join(directory, 'access.log')
  const open = (): ReturnType<typeof openAccessLog> =>
    openAccessLog({ target: path, limits: DEFAULT_LIMITS, clock: systemClock, logger: silentLogger })
  const first = open()
  first?.record(toExchange())
  await first?.close()
  renameSync(path, `${path}.1`)
  const second = open()
  second?.record(toExchange({ status: 404 }))
  await second?.close()
  const read = (file: string): number[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).status)
  expect([read(`${path}.1`), read(path)]).toEqual([[200], [404]])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('off is none, and a file that cannot be written to is said at once', () => {
  const open = (target: string) =>
    openAccessLog({ target, limits: DEFAULT_LIMITS, clock: systemClock, logger: silentLogger })
  expect(open('off')).toBeNull()
  for (const target of [join(directory, 'none', 'access.log'), directory]) {
    expect(() => open(target)).toThrow(Fault)
    expect(() => open(target)).toThrow('cannot be written to')
  }
})
