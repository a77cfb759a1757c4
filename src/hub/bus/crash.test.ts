import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../engines/log/index.ts'
import { openSqliteTables } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { publishTo } from './testing.ts'

const KEYS = 20
const PER_KEY = 60
const ROUNDS = 5

async function publish(directory: string): Promise<string[]> {
  const limits = DEFAULT_LIMITS
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    limits,
    logger: silentLogger,
    trimmedTopics: [],
  })
  const events = Array.from({ length: KEYS * PER_KEY }, (_, at) => ({ key: `k${at % KEYS}`, n: Math.floor(at / KEYS) }))
  await publishTo(log, events)
  await log.close()
  return events.map(({ key, n }) => `${key}-${n}`)
}

/** Runs the bus until it has said `lines` effects, and kills it with -9. */
async function runAndKill(directory: string, options: { round: number; lines: number }): Promise<void> {
  const script = join(import.meta.dir, 'crash-bus.ts')
  const child = Bun.spawn([process.execPath, script, directory, String(options.round)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let lines = 0
  for await (const chunk of child.stdout) {
    lines += Buffer.from(chunk).toString().split('\n').length - 1
    if (lines >= options.lines) child.kill('SIGKILL')
  }
  await child.exited
}

async function readEffects(directory: string): Promise<{ effects: string[]; parked: number; letters: number }> {
  const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: [] })
  const effects = await tables.query({ sql: 'SELECT event_id FROM effects ORDER BY seq' })
  const count = async (table: string) =>
    Number((await tables.query({ sql: `SELECT COUNT(*) AS n FROM ${table}` }))[0]?.['n'])
  const found = {
    effects: effects.map((row) => String(row['event_id'])),
    parked: await count('hub_parked'),
    letters: await count('hub_dead_letters'),
  }
  await tables.close()
  return found
}

test('killed with -9 again and again, between failures and retries: every event has its effect once, in order per key', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-bus-crash-'))
  try {
    const published = await publish(directory)
    for (let round = 0; round < ROUNDS; round += 1) {
      await runAndKill(directory, { round, lines: Math.floor(published.length / (ROUNDS + 2)) })
      const { effects } = await readEffects(directory)
      expect(new Set(effects).size).toBe(effects.length)
    }
    for (let round = ROUNDS; (await readEffects(directory)).effects.length < published.length; round += 1) {
      expect(round).toBeLessThan(ROUNDS + 20)
      const left = published.length - (await readEffects(directory)).effects.length
      await runAndKill(directory, { round, lines: left })
    }
    const { effects, letters } = await readEffects(directory)
    expect([...effects].sort()).toEqual([...published].sort())
    expect(letters).toBe(0)
    for (let key = 0; key < KEYS; key += 1) {
      const of = (ids: readonly string[]) => ids.filter((id) => id.startsWith(`k${key}-`))
      expect(of(effects)).toEqual(of(published))
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 60_000)
