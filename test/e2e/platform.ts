import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { PlatformStatus, StaffTitle, TentpoleConfig } from '../../src/contracts/index.ts'

export const PROJECT: string = resolve(import.meta.dir, '..', '..')
const LAUNCHER = join(PROJECT, 'bin', 'tentpole.mjs')

export type Finished = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

/** A real platform of its own: the CLI's `up` in a temporary home, on free ports. */
export type Platform = {
  readonly home: string
  readonly watchUrl: string
  readonly consoleUrl: string
  readonly operatorToken: string
  /** Runs `tentpole ARGS` against this platform to its end. */
  cli(...args: string[]): Promise<Finished>
  /** The same, its standard output a line at a time. */
  cliLines(...args: string[]): { lines: AsyncGenerator<string>; pid: number; finished: Promise<Finished> }
  staff(path: string, init?: RequestInit): Promise<Response>
  title(id: string): Promise<StaffTitle>
  status(): Promise<PlatformStatus>
  pidOf(role: string): Promise<number>
  /** Everything the platform printed so far. */
  output(): string
  stop(): Promise<void>
}

export async function startPlatform(
  options: { config?: TentpoleConfig; sample?: boolean; home?: string; args?: string[] } = {},
): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-e2e-'))
  const home = options.home ?? join(directory, 'home')
  const configFile = join(directory, 'tentpole.config.ts')
  writeFileSync(configFile, `export default ${JSON.stringify(options.config ?? {})}\n`)
  const environment = { ...process.env, TENTPOLE_HOME: home, TENTPOLE_PORT: '0', TENTPOLE_CONSOLE_PORT: '0' }
  const args = ['up', '--config', configFile, ...(options.sample ? [] : ['--no-sample']), ...(options.args ?? [])]
  const up = Bun.spawn(['node', LAUNCHER, ...args], {
    env: environment,
    stdout: 'pipe',
    stderr: 'pipe',
    stdin: 'ignore',
  })
  let printed = ''
  const ready = Promise.withResolvers<RegExpMatchArray>()
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream.pipeThrough(
      new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>,
    )) {
      printed += chunk
      const line = printed.match(/^ready {2}watch (\S+) {2}console (\S+)$/m)
      if (line) ready.resolve(line)
    }
  }
  void follow(up.stdout)
  void follow(up.stderr)
  void up.exited.then(() => ready.reject(new Error(`the platform ended before it was ready:\n${printed}`)))
  const timer = setTimeout(() => ready.reject(new Error(`the platform was not ready after 90 s:\n${printed}`)), 90_000)
  const [, watchUrl = '', consoleUrl = ''] = await ready.promise.finally(() => clearTimeout(timer))
  const operatorToken = readFileSync(join(home, 'operator.token'), 'utf8').trim()

  const start = (args: string[]) =>
    Bun.spawn(['node', LAUNCHER, ...args], {
      env: environment,
      stdout: 'pipe',
      stderr: 'pipe',
      stdin: 'ignore',
      cwd: directory,
    })
  const staff = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, consoleUrl), {
      ...init,
      headers: { authorization: `Bearer ${operatorToken}`, ...init.headers },
    })
  const platform: Platform = {
    home,
    watchUrl,
    consoleUrl,
    operatorToken,
    staff,
    async cli(...args) {
      const child = start(args)
      const [stdout, stderr, exitCode] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ])
      return { exitCode, stdout, stderr }
    },
    cliLines(...args) {
      const child = start(args)
      let stdout = ''
      const done = Promise.withResolvers<void>()
      async function* lines(): AsyncGenerator<string> {
        let rest = ''
        for await (const chunk of child.stdout.pipeThrough(
          new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>,
        )) {
          stdout += chunk
          const parts = (rest + chunk).split('\n')
          rest = parts.pop() ?? ''
          yield* parts
        }
        done.resolve()
      }
      const stderr = new Response(child.stderr).text()
      const finish = async (): Promise<Finished> => {
        const exitCode = await child.exited
        await done.promise
        return { exitCode, stdout, stderr: await stderr }
      }
      const finished = finish()
      return { lines: lines(), pid: child.pid, finished }
    },
    async title(id) {
      const response = await staff(`/api/titles/${id}`)
      if (!response.ok) throw new Error(`GET /api/titles/${id}: ${response.status} ${await response.text()}`)
      return (await response.json()) as StaffTitle
    },
    async status() {
      const { stdout } = await platform.cli('status', '--json')
      return JSON.parse(stdout) as PlatformStatus
    },
    async pidOf(role) {
      const found = (await platform.status()).roles.find((entry) => entry.name === role)
      if (!found?.pid) throw new Error(`no process of ${role}`)
      return found.pid
    },
    output: () => printed,
    async stop() {
      up.kill('SIGTERM')
      const killer = setTimeout(() => up.kill('SIGKILL'), 20_000)
      await up.exited
      clearTimeout(killer)
      if (!options.home) rmSync(directory, { recursive: true, force: true })
    },
  }
  return platform
}

/** Waits until `probe` gives something other than null, undefined or false; a thrown error counts as not yet. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T> | T,
  timeoutMs = 30_000,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + timeoutMs
  let last: unknown = null
  while (performance.now() < deadline) {
    try {
      const value = await probe()
      if (value !== null && value !== undefined && value !== false) return value as Exclude<T, null | undefined | false>
    } catch (error) {
      last = error
    }
    await Bun.sleep(50)
  }
  throw new Error(`waited ${timeoutMs} ms for: ${what}`, { cause: last })
}

/** Runs a command to its end; throws with its last words when it fails. */
export async function run(command: string[], options: { stdin?: Uint8Array } = {}): Promise<Finished> {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe', stdin: options.stdin ?? 'ignore' })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}: ${stderr.slice(-2_000)}`)
  return { exitCode, stdout, stderr }
}

/** A film of moving picture and melody, made on the spot. */
export async function makeFilm(
  path: string,
  options: { seconds: number; size?: string; rate?: string; extra?: string[] },
): Promise<string> {
  const { seconds, size = '640x360', rate = '24', extra = [] } = options
  await run([
    ...['ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=330:beep_factor=3:sample_rate=48000:duration=${seconds}`],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '96',
      '-c:a',
      'aac',
      '-b:a',
      '96k',
      ...extra,
      path,
    ],
  ])
  return path
}

/** A long film at little cost: a short one repeated by stream copy. */
export async function makeLongFilm(path: string, options: { seconds: number; size: string }): Promise<string> {
  const part = await makeFilm(`${path}.part.mp4`, { seconds: 20, size: options.size, extra: ['-b:v', '1M'] })
  await run([
    ...['ffmpeg', '-v', 'error', '-y', '-stream_loop', String(Math.ceil(options.seconds / 20) - 1), '-i', part],
    ...['-c', 'copy', path],
  ])
  return path
}

/** The reference film where this checkout has it beside it, else one of the same kind made on the spot. */
export async function referenceFilm(directory: string): Promise<string> {
  const shared = resolve(PROJECT, '..', 'shared', 'media', 'big-buck-bunny-30s-480p.mp4')
  if (existsSync(shared)) return shared
  return await makeFilm(join(directory, 'reference.mp4'), { seconds: 30, size: '854x480' })
}

/** Every file below a directory, as paths relative to it. */
export function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}
