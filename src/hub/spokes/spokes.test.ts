import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import type { Target } from '../bus/target.ts'
import { until } from '../testing.ts'
import { mayPublish } from './grants.ts'
import { spokesMigration } from './schema.ts'
import { withSpokeSight } from './spoke-target.ts'
import { createSpokes, type Spokes } from './spokes.ts'
import { deliveryOf, eventOf } from './testing.ts'

const REQUEST = {
  name: 'them',
  publishes: ['com.example.*'],
  patterns: [{ type: [{ prefix: 'com.example.' }] }],
  topics: ['orders'],
}

let directory: string
let tables: TablesPort
let spokes: Spokes
const open = (max = 10): Spokes =>
  createSpokes({ tables, limits: { ...DEFAULT_LIMITS, hubSpokesMax: max }, logger: silentLogger })
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-spokes-'))
  tables = openSqliteTables({ path: join(directory, 't.sqlite'), migrations: [spokesMigration] })
  spokes = open()
})
afterEach(async () => {
  spokes.close()
  await tables.close()
  rmSync(directory, { recursive: true, force: true })
})

async function createToken(): Promise<string> {
  const created = await spokes.create(REQUEST)
  if (!created.ok) throw new Error(created.code)
  return created.token
}

test('a token is worth its spoke until it is renewed or the spoke is removed', async () => {
  const token = await createToken()
  expect(await spokes.authenticate(token)).toMatchObject(REQUEST)
  const renewed = (await spokes.renewToken('them')) ?? ''
  expect([await spokes.authenticate(token), (await spokes.authenticate(renewed))?.name]).toEqual([null, 'them'])
  expect([await spokes.remove('them'), await spokes.remove('them')]).toEqual([true, false])
  expect([await spokes.authenticate(renewed), await spokes.renewToken('them')]).toEqual([null, null])
})

test('what is kept of a token does not open anything', async () => {
  const token = await createToken()
  const [row] = await tables.query({ sql: 'SELECT * FROM hub_spokes' })
  const kept = Object.values(row ?? {}).map(String)
  expect(kept.some((text) => text.includes(token.slice(-43)))).toBe(false)
  for (const text of [...kept, `tps_${row?.['token_id']}_${row?.['token_digest']}`])
    expect(await spokes.authenticate(text)).toBeNull()
})

test.each(['', 'tps_', 'tps_0123456789abcdef_', `tps_0123456789abcdef_${'x'.repeat(43)}`, "tps_' OR 1=1 --_x"])(
  '%j is no token',
  async (text) => {
    const token = await createToken()
    expect(await spokes.authenticate(text)).toBeNull()
    expect(await spokes.authenticate(`${token}x`)).toBeNull()
    expect(await spokes.authenticate(token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A'))).toBeNull()
  },
)

test('a name is taken once, a pattern must be one, and there is a bound', async () => {
  await createToken()
  expect(await spokes.create(REQUEST)).toEqual({ ok: false, code: 'spoke-exists' })
  const bad = await spokes.create({ ...REQUEST, name: 'b', patterns: [{ type: ['x'] }, { type: 'x' }] })
  expect(bad).toMatchObject({ ok: false, code: 'pattern-invalid', faults: [{ path: ['patterns', 1] }] })
  const small = open(1)
  expect(await small.create({ ...REQUEST, name: 'c' })).toEqual({ ok: false, code: 'spokes-too-many' })
  small.close()
  expect(await spokes.change({ ...REQUEST, name: 'nobody' })).toEqual({ ok: false, code: 'spoke-unknown' })
})

const publishing: readonly (readonly [readonly string[], string, boolean])[] = [
  [[], 'com.example.x.v1', false],
  [['com.example.x.v1'], 'com.example.x.v1', true],
  [['com.example.x.v1'], 'com.example.x.v12', false],
  [['com.example.*'], 'com.example.x.v1', true],
  [['com.example.*'], 'com.examples.x.v1', false],
  [['*'], 'anything.v1', true],
]
test.each(publishing)('who may publish %j may publish %s: %p', (publishes, type, may) => {
  expect(mayPublish({ publishes }, type)).toBe(may)
})

test('a spoke is given what it may see, as it is at the delivery', async () => {
  await createToken()
  const other = open()
  const given: string[] = []
  const inner: Target = {
    kind: 'stream',
    description: 'a stream',
    async deliver({ event }) {
      given.push(event.type)
      return { kind: 'done' }
    },
  }
  const withData = async (event: ReturnType<typeof eventOf>) => ({ ...event, data: { secret: true } })
  const target = withSpokeSight(inner, { spoke: 'them', spokes, withData })
  const deliver = (type: string, more = {}) => target.deliver(deliveryOf({ ...eventOf(type), ...more }))
  expect([await deliver('com.example.a.v1'), await deliver('org.other.v1')]).toEqual([
    { kind: 'done' },
    { kind: 'withheld' },
  ])
  const sees = (type: string, more = {}) => target.sees?.({ ...eventOf(type), ...more })
  expect([sees('com.example.a.v1'), sees('org.other.v1'), sees('org.other.v1', { dataref: 'x' })]).toEqual([
    true,
    false,
    true,
  ])
  expect(given).toEqual(['com.example.a.v1'])

  await spokes.change({ ...REQUEST, patterns: [{ data: { secret: [false] } }] })
  await deliver('com.example.b.v1')
  await deliver('com.example.c.v1', { data: undefined, dataref: 'claims/x' })
  expect(given).toEqual(['com.example.a.v1'])

  await spokes.change({ ...REQUEST, patterns: [{ data: { secret: [true] } }] })
  await deliver('com.example.d.v1', { data: undefined, dataref: 'claims/x' })
  expect(given).toEqual(['com.example.a.v1', 'com.example.d.v1'])

  // Another process hears of it too.
  await other.remove('them')
  await until(
    'the revocation is heard',
    async () => (await spokes.look('them', eventOf('com.example.a.v1'))) === 'revoked',
  )
  expect((await deliver('com.example.a.v1')).kind).toBe('gone')
  expect(given).toHaveLength(2)
  other.close()
})

test('a spoke made elsewhere is seen at once', async () => {
  const other = open()
  await other.look('nobody', eventOf('com.example.a.v1'))
  await createToken()
  expect(await other.look('them', eventOf('com.example.a.v1'))).toBe('visible')
  other.close()
})

test('whether a token is the present one is told whenever it is heard', async () => {
  const token = await createToken()
  const first = (await spokes.authenticate(token))?.tokenId ?? ''
  const heard: boolean[] = []
  const stop = spokes.onHeard(({ isCurrent }) => heard.push(isCurrent('them', first)))
  await spokes.change(REQUEST)
  await spokes.renewToken('them')
  expect([heard[0], heard.at(-1)]).toEqual([true, false])
  stop()
})
