// Shared by the launchers. Plain Node and nothing installed: this is what runs when only `git clone` has happened.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)))

/** npm leaves a short text in place of Bun's binary where it may not run install scripts. */
const BINARY_BYTES_MIN = 1_000_000
const INSTALL_WAIT_MS = 600_000

/** One line on standard error, and the end. */
export function stop(message, exitCode = 1) {
  process.stderr.write(`tentpole: ${message}\n`)
  process.exit(exitCode)
}

export function say(message) {
  process.stderr.write(`tentpole: ${message}\n`)
}

/** The Bun that the lock file pins, or null when it is not installed. */
export function findBun(project = PROJECT, platform = process.platform, arch = process.arch) {
  const modules = join(project, 'node_modules')
  const file = platform === 'win32' ? 'bun.exe' : 'bun'
  const cpu = arch === 'arm64' ? 'aarch64' : arch
  const packages = [`bun-${platform === 'win32' ? 'windows' : platform}-${cpu}`]
  if (platform === 'linux') packages[isMusl() ? 'unshift' : 'push'](`bun-linux-${cpu}-musl`)
  const candidates = [
    join(modules, 'bun', 'bin', 'bun.exe'),
    ...packages.map((name) => join(modules, '@oven', name, 'bin', file)),
  ]
  return candidates.find((path) => existsSync(path) && statSync(path).size >= BINARY_BYTES_MIN) ?? null
}

function isMusl() {
  return process.report?.getReport?.().header?.glibcVersionRuntime === undefined
}

/**
 * Runs a program in the foreground and takes over its exit code. A terminal's Ctrl-C reaches the program by itself; a
 * signal sent to this process alone is passed on as SIGTERM, which the program may get twice without harm.
 */
export async function runForeground(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGTERM'))
  const { code, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return code ?? (signal === 'SIGINT' ? 130 : 128 + 9)
}

/** Runs the CLI under the pinned Bun. */
export async function runTentpole(args) {
  const bun = findBun()
  if (bun === null) stop('its packages are not installed; run: npm ci')
  process.exit(await runForeground(bun, ['--no-install', join(PROJECT, 'src', 'cli', 'main.ts'), ...args]))
}

/** Installs what the lock file says, if something else is there. `dev`: with what only tests need. */
export async function ensureInstalled({ dev }) {
  if (isInstalled({ dev })) return
  const lock = join(
    tmpdir(),
    `tentpole-install-${createHash('sha256').update(PROJECT).digest('hex').slice(0, 16)}.lock`,
  )
  await takeLock(lock)
  try {
    // Whoever held the lock may have done it.
    if (isInstalled({ dev })) return
    say('installing what package-lock.json says (npm ci)')
    const npm = process.env.npm_execpath
    const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
    const done = spawnSync(
      command,
      [...args, 'ci', ...(dev ? ['--include=dev'] : []), '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: PROJECT,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32' && command === 'npm',
      },
    )
    if (done.status !== 0) stop('npm ci failed; see above, then try again')
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** Every package of the lock file is there in its version; those for other machines need not be. */
export function isInstalled({ dev, project = PROJECT }) {
  const wanted = readJson(join(project, 'package-lock.json'))?.packages
  const found = readJson(join(project, 'node_modules', '.package-lock.json'))?.packages
  if (!wanted || !found || findBun(project) === null) return false
  return Object.entries(wanted).every(([path, { version, optional, dev: onlyDev }]) => {
    if (path === '' || (onlyDev && !dev)) return true
    const there = found[path]
    return there ? there.version === version && existsSync(join(project, path)) : optional === true
  })
}

/** A directory is made by one process only. It holds the owner's process id: that of a dead one counts for nothing. */
async function takeLock(path) {
  const deadline = Date.now() + INSTALL_WAIT_MS
  for (let told = false; ; ) {
    try {
      mkdirSync(path)
      writeFileSync(join(path, 'pid'), String(process.pid))
      process.once('exit', () => rmSync(path, { recursive: true, force: true }))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isStale(path)) {
      rmSync(path, { recursive: true, force: true })
      continue
    }
    if (Date.now() > deadline) stop(`another installation has held ${path} for too long; remove it if none is running`)
    if (!told) say('another start is installing packages; waiting for it')
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function isStale(path) {
  try {
    const pid = Number(readFileSync(join(path, 'pid'), 'utf8'))
    if (pid > 0) process.kill(pid, 0)
    return false
  } catch (error) {
    if (error.code === 'ESRCH') return true
    // No pid in it yet: its owner is about to write one, or died just then.
    return error.code === 'ENOENT' && Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > 10_000
  }
}

/** Programs that npm cannot bring: those on the PATH, else by apt where that is ours to do, else one line that says how. */
export function ensurePrograms(wanted) {
  const missing = wanted.filter(({ names }) => findProgram(names) === null)
  if (missing.length === 0) return
  const packages = missing.map(({ debian }) => debian)
  const what = missing.map(({ names }) => names[0]).join(', ')
  if (process.getuid?.() !== 0 || findProgram(['apt-get']) === null) {
    const how =
      process.platform === 'darwin'
        ? `brew install ${packages.join(' ')}`
        : `on Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`
    stop(`not found on the PATH: ${what}; install it (${how}) and try again`)
  }
  say(
    `${what} not found: installing ${packages.join(' ')} (apt-get update && apt-get install -y ${packages.join(' ')})`,
  )
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Two starts at once wait for each other at apt's own lock.
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const done = spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      stdio: ['ignore', 2, 2],
      env: environment,
    })
    if (done.status !== 0 && args[0] === 'install') stop(`apt-get could not install ${packages.join(' ')}; see above`)
  }
  const still = missing.filter(({ names }) => findProgram(names) === null)
  if (still.length > 0) stop(`still not on the PATH after installing: ${still.map(({ names }) => names[0]).join(', ')}`)
}

/** The first of these programs that is on the PATH, as a full path; null when none is. */
export function findProgram(names) {
  const extension = process.platform === 'win32' ? '.exe' : ''
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const found = names.map((name) => join(directory, name + extension)).find((path) => existsSync(path))
    if (directory !== '' && found) return found
  }
  return null
}

export const FFMPEG = { names: ['ffmpeg'], debian: 'ffmpeg' }
export const FFPROBE = { names: ['ffprobe'], debian: 'ffmpeg' }
export const CHROMIUM = { names: ['chromium', 'chromium-browser', 'google-chrome'], debian: 'chromium' }
export const WRK = { names: ['wrk'], debian: 'wrk' }
export const NGINX = { names: ['nginx'], debian: 'nginx-light' }
export const VARNISH = { names: ['varnishd'], debian: 'varnish' }

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
