import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TentpoleConfig } from '../../contracts/index.ts'
import { Fault, pause } from '../../kernel/index.ts'
import { type Layout, layoutOf, type Runtime, readRuntime } from '../../roles/index.ts'
import { insideOf, smallDiskCommand } from '../../storm/index.ts'
import { PROJECT } from '../configuration.ts'

const READY_WAIT_MS = 60_000
const STOP_WAIT_MS = 20_000
const POLL_MS = 25
const LOG_LINES_TOLD = 15

/**
 * Waits for the end of its standard input, which comes when this process is gone however it went; then it clears up.
 * Killed when there is nothing left to clear up.
 */
const GUARD = `read -r _
kill -TERM "$1"; tenths=0
while kill -0 "$1" && [ $tenths -lt 200 ]; do sleep 0.1; tenths=$((tenths + 1)); done
kill -KILL "$1"
rm -rf "$2"`

/** `tentpole up` as a child in a session of its own, so that a terminal's Ctrl-C ends the storm first. */
export type UpProcess = {
  readonly pid: number
  /** As it is seen from here. */
  readonly layout: Layout
  /** Fault `platform-not-started` with its last words. */
  ready(signal: AbortSignal): Promise<Runtime>
  /** Drains, and kills what has not gone in 20 s. */
  stop(): Promise<void>
  /** No waiting. */
  kill(): void
}

export async function spawnUp(options: {
  /** Holds the home and nothing that must outlive the platform. */
  directory: string
  config: TentpoleConfig
  logFile: string
  /** The home gets a file system of its own, of this size. */
  diskBytes: number | null
}): Promise<UpProcess> {
  const { directory, config, logFile, diskBytes } = options
  const home = join(directory, 'h')
  const configFile = join(directory, 'tentpole.config.ts')
  await mkdir(home, { mode: 0o700 })
  await writeFile(configFile, `export default ${JSON.stringify(config)}\n`)
  const main = join(PROJECT, 'src', 'cli', 'main.ts')
  const command = [process.execPath, '--no-install', main, 'up', '--config', configFile, '--no-sample']
  const log = openSync(logFile, 'a', 0o600)
  const child = Bun.spawn(
    diskBytes === null ? command : smallDiskCommand({ directory: home, bytes: diskBytes, command }),
    {
      cwd: directory,
      env: { ...process.env, TENTPOLE_HOME: home, TENTPOLE_PORT: '0', TENTPOLE_CONSOLE_PORT: '0' },
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      detached: true,
    },
  )
  closeSync(log)
  const guard = Bun.spawn(['sh', '-c', GUARD, 'guard', String(child.pid), directory], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    detached: true,
  })
  const layout = layoutOf(diskBytes === null ? home : insideOf(child.pid, home))

  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const kill = (): void => {
    // The supervisor first: it would start anew whatever it sees end.
    const others = processesOf(home, layout)
    child.kill('SIGKILL')
    for (const pid of others) killGroup(pid)
    guard.kill('SIGKILL')
  }
  return {
    pid: child.pid,
    layout,
    async ready(signal) {
      const deadline = performance.now() + READY_WAIT_MS
      while (!hasEnded() && performance.now() < deadline) {
        const runtime = await readRuntime(layout.runtimeFile)
        if (runtime !== null) return runtime
        await pause(POLL_MS, signal)
        signal.throwIfAborted()
      }
      const how = hasEnded() ? 'ended before it was ready' : `was not ready after ${READY_WAIT_MS / 1000} s`
      const words = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-LOG_LINES_TOLD)
      throw new Fault('platform-not-started', `the storm's own platform ${how}; its last words:\n${words.join('\n')}`)
    },
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(kill, STOP_WAIT_MS)
      await child.exited
      clearTimeout(late)
      guard.kill('SIGKILL')
      await guard.exited
    },
    kill,
  }
}

/**
 * Everything that runs for this home and leads a group of its own, roles and what they started: by the environment they
 * were given, which no other process has; where there is no /proc, by the platform's own list.
 */
function processesOf(home: string, layout: Layout): number[] {
  if (existsSync('/proc/self/environ'))
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) && isOfHome(name, home) ? [Number(name)] : []))
  try {
    const pids: unknown = JSON.parse(readFileSync(layout.rolesFile, 'utf8'))
    return Object.values(pids ?? {}).filter((pid): pid is number => Number.isInteger(pid) && pid > 1)
  } catch {
    return []
  }
}

function isOfHome(pid: string, home: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TENTPOLE_HOME=${home}`)
  } catch {
    return false
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
