import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects } from '../../engines/objects/index.ts'
import { readEvents } from '../testing.ts'
import { createView } from './index.ts'
import { createListeningLogger, defineHistory, historyOf, SMALL_VIEW_LIMITS, snapshotKeys } from './testing.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})
function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-view-crash-'))
  directories.push(directory)
  return directory
}

/** Kills a process with -9 once it has said so many lines. */
async function killViewer(directory: string, options: { stage?: string; linesMin: number }): Promise<void> {
  const command = [process.execPath, join(import.meta.dir, 'crash-view.ts'), directory, options.stage ?? '']
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' })
  let lines = 0
  for await (const chunk of child.stdout) {
    lines += Buffer.from(chunk).toString().split('\n').length - 1
    if (lines >= options.linesMin) child.kill('SIGKILL')
  }
  await child.exited
  expect(lines).toBeGreaterThanOrEqual(options.linesMin)
}

/** Opens the view over what the dead left, and compares it with the log. */
async function inspect(directory: string): Promise<{ keys: number; events: number; readFrom: number; told: string[] }> {
  const { logger, said: told } = createListeningLogger()
  const limits = SMALL_VIEW_LIMITS
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), limits, logger, trimmedTopics: [] })
  const objects = createDirectoryObjects({ root: join(directory, 'objects') })
  const definition = defineHistory(1, { topics: ['titles'] })
  let readFrom = -1
  const watched: typeof log = {
    ...log,
    subscribe(options) {
      readFrom = typeof options.start === 'object' ? (options.start.offsets[0] ?? 0) : 0
      return log.subscribe(options)
    },
  }
  const view = createView({ log: watched, definition, logger, limits, snapshots: { objects, isWriter: false } })
  try {
    await view.caughtUp()
    const events = await readEvents(log, 'titles')
    expect(view.state).toEqual(historyOf(events))
    expect(view.version).toBe(events.length)
    return { keys: (await snapshotKeys(objects)).length, events: events.length, readFrom, told }
  } finally {
    await view.close()
    await log.close()
  }
}

test.each([
  ['half', 2],
  ['put', 3],
  ['delete', 3],
])(
  'killed at %s of a snapshot: what is there is whole, and the view goes on from the newest',
  async (stage, keys) => {
    const directory = newDirectory()
    await killViewer(directory, { stage, linesMin: 1 })
    const found = await inspect(directory)
    expect([found.keys, found.told]).toEqual([keys, []])
    expect(found.readFrom).toBeGreaterThanOrEqual(keys * 5)
  },
  20_000,
)

test('killed at any moment, round after round: the view is what the log says', async () => {
  const directory = newDirectory()
  let events = 0
  for (let round = 0; round < 4; round++) {
    await killViewer(directory, { linesMin: 12 + round * 9 })
    const found = await inspect(directory)
    expect([found.told, found.readFrom > 0]).toEqual([[], true])
    expect(found.events).toBeGreaterThan(events)
    events = found.events
  }
}, 30_000)
