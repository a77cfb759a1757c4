import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseConfig, type StaffTitle, type TentpoleConfig } from '../../src/contracts/index.ts'
import { createStoreClient } from '../../src/engines/store/index.ts'
import { silentLogger } from '../../src/kernel/index.ts'
import { createSupervisor, type Supervisor } from '../../src/roles/index.ts'
import type { Stage } from '../../src/storm/stage.ts'
import { buildWeb } from '../../web/build.ts'
import { makeFilm, run } from '../e2e/platform.ts'
import type { Defect } from './defects.ts'

const LAUNCHER = resolve(import.meta.dir, '..', '..', 'bin', 'tentpole.mjs')
const HEALTHY_WAIT_MS = 30_000

/** A small platform in a temporary home on free ports, of this build or of one with a defect. */
export type DefectivePlatform = {
  readonly home: string
  readonly watchUrl: string
  readonly consoleUrl: string
  readonly operatorToken: string
  /** Everything its processes printed. */
  readonly lines: readonly string[]
  /** As a storm on a platform of this machine sees it. */
  readonly stage: Stage
  /** Makes a small film and publishes it through the CLI; resolves with the title's id. */
  publish(name: string, filmMs: number): Promise<string>
  stop(): Promise<void>
}

/** One small rendition: encoding is not what is tested. */
const SMALL: TentpoleConfig = { media: { ladder: [{ height: 144, bitrateBps: 100_000 }] } }

/** `null` starts the sound build. Rejects when a role does not start, with the last lines printed. */
export async function startDefectivePlatform(
  defect: Defect | null,
  config: TentpoleConfig = {},
): Promise<DefectivePlatform> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-storm-'))
  const home = join(directory, 'home')
  const lines: string[] = []
  const supervisor = await createSupervisor({
    config: parseConfig({ ...SMALL, ...config, home, ports: { watch: 0, console: 0 } }),
    version: '0.0.0',
    logFormat: 'text',
    write: (line) => lines.push(line),
    environment: process.env,
    prepare: (layout) => buildWeb({ outDirectory: layout.webDirectory, minify: false }),
    ...(defect === null ? {} : { entry: join(import.meta.dir, 'roles', `${defect}.ts`) }),
  })
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  const killer = setTimeout(() => supervisor.kill(), HEALTHY_WAIT_MS)
  const status = await supervisor.healthy
    .catch((error: unknown) => {
      remove()
      throw new Error(`the platform was not healthy in ${HEALTHY_WAIT_MS} ms:\n${lines.slice(-20).join('\n')}`, {
        cause: error,
      })
    })
    .finally(() => clearTimeout(killer))

  const publish = createPublish({ home, directory })
  const store = createStoreClient({
    path: supervisor.layout.storeSocket,
    limits: parseConfig({}).limits,
    logger: silentLogger,
  })
  return {
    home,
    watchUrl: status.watchUrl,
    consoleUrl: status.consoleUrl,
    operatorToken: supervisor.operatorToken,
    lines,
    stage: toStage(supervisor, { publish, home, log: store.log }),
    publish,
    async stop() {
      await store.close()
      supervisor.drain()
      await supervisor.finished
      remove()
    },
  }
}

function createPublish(at: { home: string; directory: string }): DefectivePlatform['publish'] {
  let films = 0
  return async (name, filmMs) => {
    const film = join(at.directory, `film-${films++}.mp4`)
    await makeFilm(film, { seconds: filmMs / 1000, size: '256x144' })
    const { stdout } = await tentpole(at.home, 'publish', film, '--title', name, '--json')
    const id = /"(?:titleId|id)":"([0-9a-z]{16})"/.exec(stdout)?.[1]
    if (id === undefined) throw new Error(`tentpole publish --json named no title:\n${stdout}`)
    return id
  }
}

async function tentpole(home: string, ...args: string[]): Promise<{ stdout: string }> {
  return await run(['env', `TENTPOLE_HOME=${home}`, 'node', LAUNCHER, ...args])
}

function toStage(
  supervisor: Supervisor,
  parts: { publish: DefectivePlatform['publish']; home: string; log: NonNullable<Stage['inside']>['log'] },
): Stage {
  const { watchUrl, version } = supervisor.status()
  return {
    watchUrl,
    version,
    premiereId: null,
    startedByStorm: true,
    inside: { layout: supervisor.layout, status: async () => supervisor.status(), log: parts.log, disk: null },
    operator: {
      async publish(name, filmMs) {
        const id = await parts.publish(name, filmMs)
        const { stdout } = await tentpole(parts.home, 'titles', '--json')
        // One title a line, as the CLI of this very checkout prints it.
        const titles = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as StaffTitle)
        const title = titles.find((one) => one.id === id)
        if (!title) throw new Error(`tentpole titles does not know ${id}`)
        return title
      },
      async withdraw(titleId) {
        await tentpole(parts.home, 'withdraw', titleId)
      },
    },
  }
}
