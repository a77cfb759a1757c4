import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { faultCode } from '../../kernel/index.ts'
import type { Migration, Row, Statement, TablesPort } from './port.ts'

/** The tables that the suite expects its adapter to have been opened with. */
export const contractMigrations: readonly Migration[] = [
  {
    id: 'contract-001',
    statements: [
      'CREATE TABLE contract_accounts (id TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))',
      'CREATE TABLE contract_moves (id INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES contract_accounts(id), note TEXT)',
    ],
  },
  { id: 'contract-002', statements: ['CREATE TABLE contract_values (id INTEGER PRIMARY KEY, a BLOB, b REAL, c TEXT)'] },
]

/** What every adapter of the tables' port promises. */
export function runTablesContract(
  name: string,
  open: () => Promise<{ readonly tables: TablesPort; readonly close: () => Promise<void> }>,
): void {
  describe(`tables contract: ${name}`, () => {
    let tables: TablesPort
    let close: () => Promise<void>
    beforeAll(async () => {
      const opened = await open()
      tables = opened.tables
      close = opened.close
    })
    afterAll(() => close())

    const insert = (id: string, balance: number): Statement => ({
      sql: 'INSERT INTO contract_accounts (id, balance) VALUES (?, ?)',
      parameters: [id, balance],
      expectRows: 1,
    })
    const balanceOf = async (id: string): Promise<Row | undefined> =>
      (await tables.query({ sql: 'SELECT balance FROM contract_accounts WHERE id = ?', parameters: [id] }))[0]
    const queryCode = (sql: string, parameters: readonly string[] = []): Promise<string> =>
      tables.query({ sql, parameters }).then(() => 'resolved', faultCode)
    const batchCode = (...statements: Statement[]): Promise<string> =>
      tables.batch(statements).then(() => 'resolved', faultCode)

    test('every kind of value comes back as it went', async () => {
      const blob = Uint8Array.from({ length: 300 }, (_, index) => index & 255)
      const rows: (Uint8Array | number | string | null)[][] = [
        [blob, 1.5, 'text'],
        [null, -9_007_199_254_740_991, "snow ☃ \0 quote '"],
        [new Uint8Array(0), 0, ''],
      ]
      for (const row of rows)
        await tables.batch([
          { sql: 'INSERT INTO contract_values (a, b, c) VALUES (?, ?, ?)', parameters: row, expectRows: 1 },
        ])
      const got = await tables.query({ sql: 'SELECT a, b, c FROM contract_values ORDER BY id' })
      expect(got.map(({ a, b, c }) => [a instanceof Uint8Array ? Uint8Array.from(a) : a, b, c])).toEqual(rows)
      expect(await tables.query({ sql: 'SELECT a FROM contract_values WHERE id = ?', parameters: [99] })).toEqual([])
    })

    test('a batch answers with changes and rows, statement by statement', async () => {
      const result = await tables.batch([
        insert('rows', 10),
        {
          sql: 'UPDATE contract_accounts SET balance = balance + ? WHERE id = ? RETURNING id, balance',
          parameters: [5, 'rows'],
        },
        { sql: 'SELECT balance FROM contract_accounts WHERE id = ?', parameters: ['rows'], expectRows: 1 },
        { sql: 'DELETE FROM contract_accounts WHERE id = ?', parameters: ['nobody'], expectRows: 0 },
      ])
      expect(result).toEqual({
        ok: true,
        results: [
          { changes: 1, rows: [] },
          { changes: 1, rows: [{ id: 'rows', balance: 15 }] },
          { changes: 0, rows: [{ balance: 15 }] },
          { changes: 0, rows: [] },
        ],
      })
    })

    test('a row count that is not as expected undoes the batch', async () => {
      const result = await tables.batch([
        insert('undone', 1),
        { sql: 'UPDATE contract_accounts SET balance = 0 WHERE id = ?', parameters: ['nobody'], expectRows: 1 },
      ])
      expect(result).toMatchObject({ ok: false, code: 'unexpected-rows', statement: 1 })
      expect(await balanceOf('undone')).toBeUndefined()
    })

    test('a violated constraint is an answer and undoes the batch', async () => {
      await tables.batch([insert('twice', 1)])
      const cases: readonly (readonly [Statement, number])[] = [
        [insert('twice', 2), 1],
        [insert('negative', -1), 1],
        [{ sql: 'INSERT INTO contract_moves (account) VALUES (?)', parameters: ['nobody'] }, 1],
      ]
      for (const [statement, index] of cases) {
        const first = { sql: 'UPDATE contract_accounts SET balance = 77 WHERE id = ?', parameters: ['twice'] }
        expect(await tables.batch([first, statement])).toMatchObject({
          ok: false,
          code: 'constraint',
          statement: index,
        })
      }
      expect(await balanceOf('twice')).toEqual({ balance: 1 })
    })

    test('batches called at once are each all or nothing', async () => {
      await tables.batch([insert('shared', 3)])
      const take = (): Promise<unknown> =>
        tables.batch([
          {
            sql: 'UPDATE contract_accounts SET balance = balance - 1 WHERE id = ?',
            parameters: ['shared'],
            expectRows: 1,
          },
          {
            sql: 'INSERT INTO contract_moves (account, note) VALUES (?, ?)',
            parameters: ['shared', 'taken'],
            expectRows: 1,
          },
        ])
      const results = await Promise.all(Array.from({ length: 10 }, take))
      expect(results.filter((result) => (result as { ok: boolean }).ok)).toHaveLength(3)
      expect(await balanceOf('shared')).toEqual({ balance: 0 })
      const moves = { sql: 'SELECT count(*) AS n FROM contract_moves WHERE account = ?', parameters: ['shared'] }
      expect(await tables.query(moves)).toEqual([{ n: 3 }])
    })

    test('one caller’s broken batch is not another’s', async () => {
      const codes = await Promise.all([
        batchCode(insert('innocent-1', 1)),
        batchCode({ sql: 'INSERT INTO no_such_table VALUES (1)' }),
        batchCode(insert('innocent-2', 1)),
      ])
      expect(codes).toEqual(['resolved', 'sql-invalid', 'resolved'])
      expect([await balanceOf('innocent-1'), await balanceOf('innocent-2')]).toEqual([{ balance: 1 }, { balance: 1 }])
    })

    test('bad SQL is named, and a query cannot write', async () => {
      expect(await queryCode('SELEC 1')).toBe('sql-invalid')
      expect(await queryCode('SELECT * FROM nowhere')).toBe('sql-invalid')
      expect(await queryCode('SELECT 1 WHERE 1 = ?')).toBe('sql-invalid')
      expect(await queryCode('SELECT 1', ['extra'])).toBe('sql-invalid')
      expect(await queryCode('SELECT 1; DELETE FROM contract_accounts')).toBe('sql-invalid')
      expect(await queryCode('DELETE FROM contract_accounts')).toBe('sql-invalid')
      expect(await queryCode("INSERT INTO contract_accounts VALUES ('sneaky', 1) RETURNING id")).toBe('sql-invalid')
      expect(await queryCode('DROP TABLE contract_accounts')).toBe('sql-invalid')
      expect(await batchCode({ sql: 'COMMIT' })).toBe('sql-invalid')
      expect(await balanceOf('sneaky')).toBeUndefined()
      expect(await tables.query({ sql: "SELECT 'a;b' AS c -- ; not a second one" })).toEqual([{ c: 'a;b' }])
    })

    test('a listener hears of commits on its channel, not of undone ones, until it stops', async () => {
      let heard = 0
      let other = 0
      const stop = tables.listen('contract-news', () => heard++)
      const stopOther = tables.listen('contract-other', () => other++)
      // A remote adapter may tell once when it begins to listen.
      await Bun.sleep(100)
      const [before, beforeOther] = [heard, other]
      await tables.batch([insert('undone', -1)], { notify: ['contract-news'] })
      await tables.batch([insert('noted-0', 1)], { notify: ['contract-other'] })
      await until(() => other > beforeOther)
      expect(heard).toBe(before)
      await tables.batch([insert('noted-1', 1)], { notify: ['contract-news'] })
      await until(() => heard > before)
      stop()
      const last = heard
      const told = other
      await tables.batch([insert('noted-2', 1)], { notify: ['contract-news', 'contract-other'] })
      await until(() => other > told)
      expect(heard).toBe(last)
      stopOther()
    })
  })
}

async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for: ${condition}`)
    await Bun.sleep(5)
  }
}
