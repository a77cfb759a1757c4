import { mkdir } from 'node:fs/promises'
import { constants } from 'node:os'
import { Fault, type Limits, type Logger } from '../../kernel/index.ts'

/**
 * The one file that spawns ffmpeg and ffprobe. Each run is caged: its own process under `unshare -n` (no network),
 * `prlimit` (CPU, memory, output), `setpriv --pdeathsig KILL` (dies with the worker, even after kill -9), `nice` (viewers
 * come first), with a minimal environment and a wall-clock limit. What a machine lacks is left out and said once.
 */
export type Ffmpeg = {
  /** Faults: `ffmpeg-failed` (its last lines in the message), `ffmpeg-timeout`, `ffmpeg-capped`, `ffmpeg-missing`, `cancelled`. */
  run(run: FfmpegRun): Promise<Uint8Array>
  /** Runs, and hands on its standard output as it comes; the child waits while `onBytes` does. */
  stream(run: FfmpegRun, onBytes: (bytes: Uint8Array) => Promise<void>): Promise<void>
  /** Which parts of the cage work here. */
  readonly cage: readonly string[]
}

export type FfmpegRun = {
  readonly program: 'ffmpeg' | 'ffprobe'
  readonly arguments: readonly string[]
  readonly signal: AbortSignal
  /** Its working directory: the task's scratch. */
  readonly directory: string
  /** More standard output than this ends the run; for `run` only. */
  readonly outputBytesMax?: number
  /** Somebody waits for it and it is short: at the priority of everything else. */
  readonly urgent?: boolean
  /** A tighter wall-clock limit than `ffmpegWallMs`. */
  readonly wallMs?: number
}

const LAST_LINES_BYTES = 4_096
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
const NICENESS = 10
/**
 * Linux shares the processor between sessions first (`sched(7)`, autogroups) and looks at niceness only within one. The edge and each
 * cell are sessions of their own, so a run that is merely nice would take as much as they do: it gets a session that is nice.
 */
const NICE_SESSION = `echo ${NICENESS} 2>/dev/null >/proc/self/autogroup; exec nice -n ${NICENESS} "$@"`

export async function createFfmpeg(options: { limits: Limits; logger: Logger }): Promise<Ffmpeg> {
  const { limits, logger } = options
  const wrap = await findCage(limits)
  const missing = CAGE.filter(({ name }) => !wrap.some((part) => part.name === name))
  for (const { name, loss } of missing) logger.warn(`ffmpeg runs without ${name} here: ${loss}`)
  const prefixOf = (urgent: boolean): string[] =>
    wrap.filter(({ name }) => name !== 'nice' || !urgent).flatMap((part) => part.command)

  const stream: Ffmpeg['stream'] = async (run, onBytes) => {
    if (run.signal.aborted) throw cancelled(run)
    await mkdir(run.directory, { recursive: true })
    const child = spawn([...prefixOf(run.urgent === true), run.program, ...run.arguments], run)
    const wallMs = Math.min(run.wallMs ?? limits.ffmpegWallMs, limits.ffmpegWallMs)
    let timedOut = false
    let failure: unknown = null
    const stop = (): void => child.kill(constants.signals.SIGKILL)
    const timer = setTimeout(() => {
      timedOut = true
      stop()
    }, wallMs)
    run.signal.addEventListener('abort', stop, { once: true })
    try {
      const lastLines = collectTail(child.stderr)
      const output = handOn(child.stdout, onBytes).catch((error) => {
        failure = error
        stop()
      })
      const [code] = await Promise.all([child.exited, output])
      const said = await lastLines
      if (run.signal.aborted) throw cancelled(run)
      if (failure !== null) throw failure
      if (timedOut) throw new Fault('ffmpeg-timeout', `${run.program} took longer than ${wallMs} ms and was stopped`)
      if (code !== 0) throw toFault(run, code, child.signalCode === null ? null : String(child.signalCode), said)
    } finally {
      clearTimeout(timer)
      run.signal.removeEventListener('abort', stop)
    }
  }

  return {
    cage: wrap.map((part) => part.name),
    stream,
    async run(run) {
      const bytesMax = run.outputBytesMax ?? OUTPUT_BYTES_MAX
      const parts: Uint8Array[] = []
      let total = 0
      await stream(run, async (bytes) => {
        total += bytes.length
        if (total > bytesMax) {
          throw new Fault('ffmpeg-capped', `${run.program} wrote more than ${bytesMax} bytes to its standard output`)
        }
        parts.push(bytes)
      })
      return Buffer.concat(parts)
    },
  }
}

type CagePart = { readonly name: string; readonly command: readonly string[] }

/** Outermost first. `unshare -rn` resets a parent-death signal set before it, so `setpriv` comes later. */
const CAGE: readonly { name: string; loss: string }[] = [
  { name: 'unshare', loss: 'it is kept off the network by its protocol allow-list alone' },
  { name: 'setpriv', loss: 'it outlives a worker that is killed, up to its CPU limit' },
  { name: 'prlimit', loss: 'its CPU time, memory and output are not capped, only its wall-clock time' },
  { name: 'nice', loss: 'it competes with viewers for the processor' },
]

async function findCage(limits: Limits): Promise<readonly CagePart[]> {
  const cpu = Math.ceil(limits.ffmpegCpuSeconds)
  const candidates: readonly CagePart[] = [
    { name: 'unshare', command: ['unshare', '-n'] },
    { name: 'unshare', command: ['unshare', '-r', '-n'] },
    { name: 'setpriv', command: ['setpriv', '--pdeathsig', 'KILL'] },
    {
      name: 'prlimit',
      command: [
        'prlimit',
        // Soft and hard alike: ffmpeg catches the soft limit's signal and ends as if asked to.
        `--cpu=${cpu}:${cpu}`,
        `--as=${Math.ceil(limits.ffmpegMemoryBytes)}`,
        `--fsize=${Math.ceil(limits.ffmpegOutputBytes)}`,
        '--core=0',
      ],
    },
    { name: 'nice', command: ['setsid', 'sh', '-c', NICE_SESSION, 'sh'] },
    { name: 'nice', command: ['nice', '-n', String(NICENESS)] },
  ]
  const works = await Promise.all(candidates.map((part) => succeeds([...part.command, 'true'])))
  const working = candidates.filter((_, index) => works[index])
  return working.filter((part, index) => working.findIndex((other) => other.name === part.name) === index)
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  try {
    return (await Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).exited) === 0
  } catch {
    return false
  }
}

function spawn(command: readonly string[], run: FfmpegRun): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  try {
    return Bun.spawn([...command], {
      cwd: run.directory,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
  } catch (cause) {
    throw new Fault('ffmpeg-missing', `${run.program} could not be started; install ffmpeg so that it is on the PATH`, {
      cause,
    })
  }
}

async function handOn(
  stdout: ReadableStream<Uint8Array>,
  onBytes: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for await (const bytes of stdout) await onBytes(bytes)
}

async function collectTail(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let tail = Buffer.alloc(0)
  for await (const bytes of stderr) {
    tail = Buffer.concat([tail, bytes])
    if (tail.length > LAST_LINES_BYTES) tail = tail.subarray(tail.length - LAST_LINES_BYTES)
  }
  return tail.toString()
}

const CAPPED: Readonly<Record<string, string>> = {
  SIGKILL:
    'was killed by the system: it used more CPU time than ffmpegCpuSeconds allows, or the machine ran out of memory',
  SIGXFSZ: 'wrote more than ffmpegOutputBytes allows',
}

function toFault(run: FfmpegRun, code: number, signal: string | null, said: string): Fault {
  const capped = signal === null ? undefined : CAPPED[signal]
  const lines = said.trim().split('\n').slice(-4).join('; ')
  if (capped) return new Fault('ffmpeg-capped', `${run.program} ${capped}`)
  const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`
  return new Fault('ffmpeg-failed', `${run.program} ${how}${lines === '' ? '' : `: ${lines}`}`, { detail: { lines } })
}

function cancelled(run: FfmpegRun): Fault {
  return new Fault('cancelled', `${run.program} was stopped: its task is no longer ours`)
}
