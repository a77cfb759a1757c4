import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPipeBench, RAW_TOPIC, readAll, toPrice } from './testing.ts'

const RECORDS = 1_000
const KEYS = 50
/** Publishings after which the process is killed, round by round. */
const KILLS = [1, 7, 12, 20, 5]
const isBad = (n: number): boolean => n % 17 === 3

/** How many publishings it told of before it was killed, or before it was done. */
async function runPipe(directory: string, killAfter: number): Promise<{ told: number; killed: boolean }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'crash-pipe.ts'), directory], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let told = 0
  for await (const chunk of child.stdout) {
    told += Buffer.from(chunk).toString().split('\n').length - 1
    if (told >= killAfter) child.kill('SIGKILL')
  }
  await child.exited
  return { told, killed: child.signalCode === 'SIGKILL' }
}

test('killed -9 again and again, a pipe loses no record and makes no event under two ids', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-pipe-crash-'))
  try {
    const before = await openPipeBench(directory)
    for (let at = 0; at < RECORDS; at += 250)
      await before.log.append(
        RAW_TOPIC,
        Array.from({ length: 250 }, (_, i) => ({
          key: `${(at + i) % KEYS}`,
          value: toPrice(isBad(at + i) ? -1 : at + i),
        })),
      )
    await before.log.close()

    let killed = 0
    for (const killAfter of KILLS) if ((await runPipe(directory, killAfter)).killed) killed += 1
    expect(killed).toBe(KILLS.length)
    expect((await runPipe(directory, Number.POSITIVE_INFINITY)).killed).toBe(false)

    const after = await openPipeBench(directory)
    const events = await after.published()
    const numberById = new Map(events.map(({ id, data }) => [id, (data as { n: number }).n]))
    const expected = Array.from({ length: RECORDS }, (_, n) => n).filter((n) => !isBad(n))
    expect([...numberById.values()].toSorted((a, b) => a - b)).toEqual(expected)
    // What comes again comes after the first: the order of first occurrences is that of the records.
    const lastOf = new Map<number, number>()
    for (const n of numberById.values()) {
      expect(n).toBeGreaterThan(lastOf.get(n % KEYS) ?? -1)
      lastOf.set(n % KEYS, n)
    }
    const letters = (await readAll(after.log, 'letters')).map(({ value }) => Buffer.from(value).toString())
    expect(new Set(letters).size).toBe(RECORDS - expected.length)
    await after.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 30_000)
