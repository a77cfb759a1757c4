import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultCode } from '../../kernel/index.ts'
import { canMountSmallDisk, mountSmallDisk, smallDiskSkipped } from '../small-disk.ts'
import { contractMigrations, runTablesContract } from './contract.ts'
import { type Migration, openSqliteTables, type TablesPort } from './index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'tentpole-tables-'))
const temporary = (): string => {
  const directory = newDirectory()
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'deep', 'tables.sqlite')
}
const open = (path: string, migrations: readonly Migration[] = []): TablesPort => {
  const tables = openSqliteTables({ path, migrations })
  closers.push(() => tables.close())
  return tables
}
const thrown = (act: () => unknown): string => {
  try {
    act()
    return 'nothing'
  } catch (error) {
    return faultCode(error)
  }
}

runTablesContract('SQLite, in process', async () => {
  const directory = newDirectory()
  const tables = openSqliteTables({ path: join(directory, 't.sqlite'), migrations: contractMigrations })
  return {
    tables,
    close: async () => {
      await tables.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
})

test('migrations are applied once, in the order of their ids, and may not change', async () => {
  const path = temporary()
  const second: Migration = { id: 'b-001', statements: ['INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (2)'] }
  const first: Migration = { id: 'a-001', statements: ['CREATE TABLE t (n INTEGER PRIMARY KEY)'] }
  await open(path, [second, first]).close()
  const late: Migration = { id: 'a-002', statements: ['INSERT INTO t VALUES (3)'] }
  const tables = open(path, [first, late, second])
  expect(await tables.query({ sql: 'SELECT n FROM t ORDER BY n' })).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  await tables.close()
  const changed = { ...first, statements: ['CREATE TABLE t (n TEXT)'] }
  expect(thrown(() => open(path, [changed]))).toBe('migration-changed')
  expect(thrown(() => open(path, [first, first]))).toBe('migration-changed')
  const broken: Migration = { id: 'c-001', statements: ['INSERT INTO t VALUES (4)', 'INSERT INTO t VALUES (4)'] }
  expect(thrown(() => open(path, [broken]))).not.toBe('nothing')
  expect(await open(path).query({ sql: 'SELECT count(*) AS n FROM t' })).toEqual([{ n: 3 }])
})

test('a constraint that fails only at the commit fails its own batch alone', async () => {
  const tables = open(temporary(), [
    {
      id: 'a',
      statements: [
        'CREATE TABLE parents (id INTEGER PRIMARY KEY)',
        'CREATE TABLE children (parent INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)',
      ],
    },
  ])
  const child = (parent: number) => ({ sql: 'INSERT INTO children VALUES (?)', parameters: [parent] })
  const parent = (id: number) => ({ sql: 'INSERT INTO parents VALUES (?)', parameters: [id] })
  const results = await Promise.all([
    tables.batch([child(1), parent(1)]),
    tables.batch([child(2)]),
    tables.batch([parent(3)]),
  ])
  expect(results.map((result) => (result.ok ? 'ok' : result.code))).toEqual(['ok', 'constraint', 'ok'])
  expect(await tables.query({ sql: 'SELECT parent FROM children' })).toEqual([{ parent: 1 }])
  expect(await tables.query({ sql: 'SELECT id FROM parents ORDER BY id' })).toEqual([{ id: 1 }, { id: 3 }])
})

test('rows that a foreign key takes along are not counted', async () => {
  const tables = open(temporary(), [
    {
      id: 'a',
      statements: [
        'CREATE TABLE parents (id INTEGER PRIMARY KEY)',
        'CREATE TABLE children (parent INTEGER REFERENCES parents(id) ON DELETE CASCADE)',
        'INSERT INTO parents VALUES (1)',
        'INSERT INTO children VALUES (1), (1)',
      ],
    },
  ])
  const result = await tables.batch([{ sql: 'DELETE FROM parents WHERE id = 1', expectRows: 1 }])
  expect(result).toEqual({ ok: true, results: [{ changes: 1, rows: [] }] })
  expect(await tables.query({ sql: 'SELECT count(*) AS n FROM children' })).toEqual([{ n: 0 }])
})

test('a damaged file is refused when it is opened, not served', async () => {
  const path = temporary()
  const tables = open(path, [{ id: 'a', statements: ['CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)'] }])
  const statements = Array.from({ length: 2_000 }, (_, n) => ({
    sql: 'INSERT INTO t VALUES (?, ?)',
    parameters: [n, `row ${n}`.repeat(10)],
  }))
  await tables.batch(statements)
  await tables.close()
  const bytes = readFileSync(path)
  bytes.fill(0xee, 8_192, 16_384)
  writeFileSync(path, bytes)
  expect(thrown(() => open(path))).toBe('tables-damaged')
})

test('what resolved before a kill -9 is there afterwards', async () => {
  const path = temporary()
  const script = `
    const { openSqliteTables } = await import(${JSON.stringify(join(import.meta.dir, 'index.ts'))})
    const tables = openSqliteTables({ path: ${JSON.stringify(path)}, migrations: [{ id: 'a', statements: ['CREATE TABLE t (n INTEGER PRIMARY KEY)'] }] })
    let n = 0
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (;;) {
        const mine = n++
        await tables.batch([{ sql: 'INSERT INTO t VALUES (?)', parameters: [mine], expectRows: 1 }])
        process.stdout.write(mine + '\\n')
      }
    }))`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  let journal = ''
  for await (const chunk of child.stdout) {
    journal += Buffer.from(chunk).toString()
    if (journal.length > 5_000) child.kill('SIGKILL')
  }
  await child.exited
  const acknowledged = journal.split('\n').slice(0, -1).map(Number)
  expect(acknowledged.length).toBeGreaterThan(500)
  const rows = await open(path).query({ sql: 'SELECT n FROM t' })
  const there = new Set(rows.map(({ n }) => n))
  expect(acknowledged.filter((n) => !there.has(n))).toEqual([])
})

test('closing settles what was taken, and then refuses', async () => {
  const tables = open(temporary(), contractMigrations)
  const last = tables.batch([
    { sql: 'INSERT INTO contract_values (c) VALUES (?)', parameters: ['last'], expectRows: 1 },
  ])
  await tables.close()
  expect((await last).ok).toBe(true)
  expect(await tables.query({ sql: 'SELECT 1' }).catch(faultCode)).toBe('tables-unavailable')
  expect(await tables.batch([]).catch(faultCode)).toBe('tables-unavailable')
})

test.skipIf(!canMountSmallDisk)(
  `a full disk: tables-full for the batch that needs room, and room again means success${smallDiskSkipped}`,
  async () => {
    const { directory, unmount } = mountSmallDisk()
    closers.push(unmount)
    const tables = open(join(directory, 'tables.sqlite'), contractMigrations)
    const insert = (bytes: number) =>
      tables.batch([{ sql: 'INSERT INTO contract_values (a) VALUES (?)', parameters: [new Uint8Array(bytes)] }])
    expect((await insert(10)).ok).toBe(true)
    const filler = join(directory, 'filler')
    const { bsize, bavail } = statfsSync(directory)
    writeFileSync(filler, new Uint8Array(bsize * (bavail - 20)))
    expect(await Promise.all([insert(500_000).catch(faultCode), insert(600_000).catch(faultCode)])).toEqual([
      'tables-full',
      'tables-full',
    ])
    expect(await tables.query({ sql: 'SELECT count(*) AS n FROM contract_values' })).toEqual([{ n: 1 }])
    rmSync(filler)
    expect((await insert(500_000)).ok).toBe(true)
    expect(await tables.query({ sql: 'SELECT count(*) AS n FROM contract_values' })).toEqual([{ n: 2 }])
  },
)
