import { rmSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TentpoleConfig } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import { layoutOf } from '../../roles/index.ts'
import { canMakeSmallDisk, type PlatformNeeds, type Scenario, type Stage, untilAborted } from '../../storm/index.ts'
import { createStaff, type Staff } from '../staff.ts'
import { createFilmMaker, type FilmMaker } from './films.ts'
import { createInside } from './inside.ts'
import { createOperator, upload, waitUntilPublished } from './operator.ts'
import { spawnUp } from './up-process.ts'

/** Two rungs, so that players have a choice, and both small, so that the films are ready in seconds: half again as fast as 240 and 360 lines. */
const LADDER = [
  { height: 144, bitrateBps: 400_000 },
  { height: 240, bitrateBps: 800_000 },
]
/** Sockets live below the home, and a socket's path holds about a hundred bytes. */
const DIRECTORY_LENGTH_MAX = 24

/** A stage, and what it takes to leave nothing of it behind. */
export type OpenStage = {
  readonly stage: Stage
  /** Once is enough. */
  close(): Promise<void>
  /** No waiting: for a second Ctrl-C. */
  kill(): void
}

/**
 * Starts a platform for one storm, on free ports in a temporary home, with films published: the premiere newest, so that
 * it is the home page's hero. Whatever goes wrong, and when `signal` aborts, nothing of it is left behind.
 * Faults: `platform-not-started`, `film-failed`, `disk-impossible`, and the codes of a refused film.
 */
export async function openOwnPlatform(options: {
  scenario: Pick<Scenario, 'platform' | 'operations'>
  logFile: string
  signal: AbortSignal
  say: (line: string) => void
  /** Told as soon as there is something to clear up without waiting. */
  onKillable?: (kill: () => void) => void
}): Promise<OpenStage> {
  const { scenario, signal, say } = options
  const needs = scenario.platform
  signal.throwIfAborted()
  const whyNoDisk = needs.diskBytes === null ? null : canMakeSmallDisk()
  if (whyNoDisk !== null) throw new Fault('disk-impossible', whyNoDisk)
  const directory = await mkdtemp(join(tmpdir().length <= DIRECTORY_LENGTH_MAX ? tmpdir() : '/tmp', 'storm-'))
  const undo: (() => Promise<void>)[] = [() => removeAll(directory)]
  const close = once(async () => {
    for (const step of undo.reverse()) await step().catch(() => {})
  })
  try {
    say('starting a platform of its own')
    const up = await spawnUp({
      directory,
      config: configFor(needs),
      logFile: options.logFile,
      diskBytes: needs.diskBytes,
    })
    undo.push(up.stop)
    const kill = (): void => {
      up.kill()
      for (const path of pathsOf(directory)) rmSync(path, { recursive: true, force: true })
    }
    options.onKillable?.(kill)
    const films = createFilmMaker(directory)
    const lengths = [needs.titleMs, needs.premiereMs, ...filmLengths(scenario)]
    const [runtime] = await Promise.all([up.ready(signal), ...lengths.map((lengthMs) => films.make(lengthMs, signal))])
    const token = (await readFile(up.layout.operatorTokenFile, 'utf8')).trim()
    const staff = createStaff({ home: directory, consoleUrl: runtime.urls.console, token })
    const inside = createInside({
      layout: up.layout,
      disk: needs.diskBytes === null ? null : { directory: up.layout.home, bytes: needs.diskBytes },
    })
    undo.push(inside.close)
    say(`publishing the premiere, ${needs.premiereMs / 1000} s long, and of other titles ${needs.titles}`)
    const premiereId = await publishAll({ staff, films, needs, signal })
    const stage: Stage = {
      watchUrl: runtime.urls.watch.replace(/\/$/, ''),
      premiereId,
      startedByStorm: true,
      version: runtime.version,
      inside,
      operator: createOperator({ staff, films }),
    }
    return { stage, close, kill }
  } catch (error) {
    await close()
    throw error
  }
}

function configFor(needs: PlatformNeeds): TentpoleConfig {
  return { media: { ladder: LADDER, workers: needs.workers } }
}

function filmLengths({ operations }: Pick<Scenario, 'operations'>): number[] {
  return operations.flatMap((operation) => (operation.kind === 'publish' ? [operation.filmMs] : []))
}

/** Resolves with the premiere's id when every title is published. */
async function publishAll(options: {
  staff: Staff
  films: FilmMaker
  needs: PlatformNeeds
  signal: AbortSignal
}): Promise<string> {
  const { staff, films, needs, signal } = options
  const catalogue = await films.make(needs.titleMs, signal)
  const premiere = await films.make(needs.premiereMs, signal)
  const created: Promise<void>[] = []
  const others = Array.from({ length: needs.titles }, (_, at) => {
    const isCreated = Promise.withResolvers<void>()
    created.push(isCreated.promise)
    const name = `Back catalogue ${at + 1}`
    const uploaded = upload(staff, { file: catalogue, name, onCreated: () => isCreated.resolve() })
    uploaded.catch(isCreated.reject)
    return uploaded
  })
  const publishing = async (): Promise<string> => {
    // The newest title is the home page's hero.
    await Promise.all(created)
    const premiereId = await upload(staff, { file: premiere, name: 'The Premiere' })
    for (const titleId of [premiereId, ...(await Promise.all(others))]) await waitUntilPublished(staff, titleId, signal)
    return premiereId
  }
  return await untilAborted(publishing(), signal)
}

/** The home's sockets may have had to go elsewhere. */
function pathsOf(directory: string): string[] {
  return [directory, layoutOf(join(directory, 'h')).socketDirectory]
}

async function removeAll(directory: string): Promise<void> {
  for (const path of pathsOf(directory)) await rm(path, { recursive: true, force: true })
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  return () => {
    running ??= run()
    return running
  }
}
