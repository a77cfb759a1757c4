import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../testing.ts'
import { startTestHub, toJson } from './testing.ts'

const EXAMPLE = join(import.meta.dir, '..', '..', '..', '..', 'examples', 'spoke-sqlite', 'main.ts')
const KILLS = 5
const EVENTS_PER_BATCH = 40
const DAYS = 5

test('the example counts each title once, killed again and again while they come', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-example-'))
  const path = join(directory, 'titles.sqlite')
  const hub = await startTestHub()
  const token = await hub.createSpoke({ name: 'titles', patterns: [{ type: ['tentpole.title.published.v1'] }] })
  const expected = new Map<string, number>()
  let published = 0

  const publish = async (): Promise<void> => {
    const events = Array.from({ length: EVENTS_PER_BATCH }, () => {
      published += 1
      const day = `2026-03-0${1 + (published % DAYS)}`
      expected.set(day, (expected.get(day) ?? 0) + 1)
      return titlePublished(published, `${day}T12:00:00Z`)
    })
    const answer = await hub.call('/events', toJson('POST', events, 'application/cloudevents-batch+json'))
    expect(answer.status).toBe(200)
  }
  const start = () =>
    Bun.spawn([process.execPath, EXAMPLE, '--url', hub.url, '--token', token, '--database', path], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })

  let child = start()
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = countTitles(path)
      await publish()
      await until('some of it was counted', () => countTitles(path) > before)
      await publish()
      child.kill('SIGKILL')
      await child.exited
      child = start()
    }
    await until('all were counted', () => countTitles(path) >= published)
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
    expect(readCounts(path)).toEqual(new Map([...expected].sort()))
  } finally {
    child.kill('SIGKILL')
    await child.exited
    await hub.close()
    rmSync(directory, { recursive: true, force: true })
  }
}, 60_000)

function titlePublished(n: number, time: string): Record<string, unknown> {
  const titleId = n.toString().padStart(16, '0')
  return {
    ...{ specversion: '1.0', id: `published-${n}`, source: 'tests', type: 'tentpole.title.published.v1', time },
    ...{ subject: titleId, data: { titleId } },
  }
}

function readCounts(path: string): Map<string, number> {
  if (!existsSync(path)) return new Map()
  const database = new Database(path, { readonly: true })
  try {
    const rows = database.query<{ day: string; titles: number }, []>(
      'SELECT day, titles FROM titles_by_day ORDER BY day',
    )
    return new Map(rows.all().map(({ day, titles }) => [day, titles]))
  } catch {
    // Its tables are not there yet, or it is just being recovered.
    return new Map()
  } finally {
    database.close()
  }
}

function countTitles(path: string): number {
  return [...readCounts(path).values()].reduce((sum, titles) => sum + titles, 0)
}
