import type { FromRole, ToRole } from './messages.ts'

/** What a role's process inherits of the environment: what programs need to run at all. Settings and secrets come over IPC. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH']

/** Followed by the role's name on its command line: for whoever reads a list of processes. */
export const ROLE_ARGUMENT = '--role'

export type Child = {
  readonly pid: number
  send(message: ToRole): void
  kill(): void
}

/**
 * Starts a role's process in a session of its own, so that a terminal's signals do not reach it. `onLine` gets what it
 * writes, line by line; `onExit` comes once, after the last line.
 */
export function spawnChild(options: {
  name: string
  entry: string
  /** A directory: what TENTPOLE_HOME is in the child, by which the platform's processes can be told from others. */
  home: string
  environment: Readonly<Record<string, string | undefined>>
  onMessage(message: FromRole): void
  onLine(line: string, from: 'stdout' | 'stderr'): void
  onExit(how: string): void
}): Child {
  const { entry, home, environment } = options
  const inherited = INHERITED.flatMap((name): [string, string][] => {
    const value = environment[name]
    return value === undefined ? [] : [[name, value]]
  })
  const child = Bun.spawn([process.execPath, '--no-install', entry, ROLE_ARGUMENT, options.name], {
    cwd: home,
    env: { ...Object.fromEntries(inherited), TENTPOLE_HOME: home },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    serialization: 'json',
    // Both ends are this program.
    ipc: (message) => options.onMessage(message as FromRole),
  })
  const lines = Promise.all([
    readLines(child.stdout, (line) => options.onLine(line, 'stdout')),
    readLines(child.stderr, (line) => options.onLine(line, 'stderr')),
  ])
  void child.exited.then(async () => {
    // What the role had started goes with it; one that left the group may hold the pipes open.
    killGroup(child.pid)
    await Promise.race([lines, Bun.sleep(200)])
    options.onExit(
      child.signalCode ? `it was ended by ${child.signalCode}` : `it exited with code ${child.exitCode ?? 'unknown'}`,
    )
  })
  return {
    pid: child.pid,
    send(message) {
      try {
        child.send(message)
      } catch {
        // Gone already: its exit is being reported.
      }
    },
    kill: () => killGroup(child.pid),
  }
}

/** The role leads a process group of its own. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody left in it.
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) onLine(part)
  }
  if (rest !== '') onLine(rest)
}
