import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { type LogRecord, openEmbeddedLog } from './index.ts'

const ROUNDS = 3
const ACKNOWLEDGED_MIN = 1_500

/** Starts a writer, kills it with -9 in the middle of its work, and returns what it was told is durable. */
async function killedWriter(directory: string, round: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'crash-writer.ts'), directory, String(round)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let journal = ''
  let killed = false
  for await (const chunk of child.stdout) {
    journal += Buffer.from(chunk).toString()
    if (killed || journal.length < ACKNOWLEDGED_MIN * 50) continue
    killed = true
    child.kill('SIGKILL')
  }
  await child.exited
  // A line that was cut short says nothing.
  return journal.split('\n').slice(0, -1)
}

test('what was acknowledged before a kill -9 is there afterwards, at its offset, round after round', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-crash-'))
  try {
    const acknowledged: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await killedWriter(directory, round)
      expect(lines.length).toBeGreaterThan(ACKNOWLEDGED_MIN)
      acknowledged.push(...lines)
      const log = await openEmbeddedLog({ directory, limits: DEFAULT_LIMITS, logger: silentLogger, trimmedTopics: [] })
      const there = new Set<string>()
      for (const topic of ['titles', 'sessions']) {
        const onRecords = (records: readonly LogRecord[]): void => {
          for (const { offset, value } of records)
            there.add(`${topic} ${offset} ${Buffer.from(value).toString().replace(/\.+$/, '')}`)
        }
        await log.subscribe({ topic, start: 'beginning', onRecords }).caughtUp()
      }
      expect(acknowledged.filter((line) => !there.has(line))).toEqual([])
      expect(log.damage()).toEqual([])
      await log.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 30_000)
