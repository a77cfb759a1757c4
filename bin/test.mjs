// `npm test`: installs what is missing, checks the code and runs every test. The last line is `N passed, N failed`.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CHROMIUM, ensureInstalled, ensurePrograms, FFMPEG, FFPROBE, findBun, findProgram, PROJECT } from './launch.mjs'

const TEST_TIMEOUT_MS = 60_000
/** A run that prints nothing for this long hangs. */
const SILENCE_MAX_MS = 300_000

await ensureInstalled({ dev: true })
ensurePrograms([FFMPEG, FFPROBE, CHROMIUM])

const bun = findBun()
const began = Date.now()
const filters = process.argv.slice(2)
const totals = { passed: 0, failed: 0 }
const failures = []

if (filters.length === 0) {
  await Promise.all([
    check('format and lint', 'biome', join(PROJECT, 'node_modules/@biomejs/biome/bin/biome'), ['ci', '--colors=off']),
    check('types', 'tsc', join(PROJECT, 'node_modules/typescript/bin/tsc'), ['-b']),
    check('floors', 'depcruise', join(PROJECT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), [
      ...['--config', '.dependency-cruiser.cjs', 'src'],
    ]),
  ])
}
for (const { name, files } of groupTests()) await runTests(name, files)

if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `  ${line}`).join('\n')}`)
console.log(`\n${Math.round((Date.now() - began) / 1000)} s`)
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0

/** The rooms' own tests together; each suite that starts a whole platform by itself. */
function groupTests() {
  const files = ['src', 'web', 'bench', 'bin', 'test']
    .flatMap((folder) => findTests(join(PROJECT, folder)))
    .map((path) => relative(PROJECT, path))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
  const alone = files.filter((path) => path.startsWith(join('test', 'e2e')))
  const together = files.filter((path) => !alone.includes(path))
  return [{ name: 'rooms', files: together }, ...alone.map((path) => ({ name: path, files: [path] }))].filter(
    (group) => group.files.length > 0,
  )
}

function findTests(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** One program whose exit code is its verdict; its output is shown when that is bad. */
async function check(name, program, path, args) {
  const { code, output } = await run(process.execPath, [path, ...args])
  if (code === 0) {
    console.log(`ok      ${name} (${program})`)
    totals.passed += 1
    return
  }
  console.log(`FAILED  ${name} (${program})\n${output}`)
  totals.failed += 1
  failures.push(`${name} (${program} ${args.join(' ')})`)
}

async function runTests(name, files) {
  console.log(`\n${name}: ${files.length} file${files.length === 1 ? '' : 's'}`)
  const paths = files.map((path) => `./${path}`)
  const { code, output } = await run(bun, ['test', `--timeout=${TEST_TIMEOUT_MS}`, ...paths], { echo: true })
  const passed = countOf(output, 'pass')
  const failed = countOf(output, 'fail')
  totals.passed += passed
  totals.failed += failed
  for (const line of output.matchAll(/^\(fail\) (.*)$/gm)) failures.push(`${name}: ${line[1]}`)
  // A file that does not load, or a run that ends in mid-air, fails no test and must not pass.
  if (code !== 0 && failed === 0) {
    totals.failed += 1
    failures.push(`${name}: bun test ended with ${code}`)
  }
}

/** The summary's count: the last line of the form ` 12 pass`. */
function countOf(output, word) {
  return Number([...output.matchAll(new RegExp(`^ *(\\d+) ${word}$`, 'gm'))].at(-1)?.[1] ?? 0)
}

function run(command, args, { echo = false } = {}) {
  const env = { TENTPOLE_CHROMIUM: findProgram(CHROMIUM.names), ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  for (const name of ['TENTPOLE_HOME', 'TENTPOLE_PORT', 'TENTPOLE_CONSOLE_PORT']) delete env[name]
  const child = spawn(command, args, { cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let silence = setTimeout(() => {}, 0)
  const onData = (data) => {
    output += data
    if (echo) process.stdout.write(data)
    clearTimeout(silence)
    silence = setTimeout(() => {
      output += `\nnothing printed for ${SILENCE_MAX_MS / 1000} s: ended\n`
      child.kill('SIGKILL')
    }, SILENCE_MAX_MS)
  }
  onData('')
  child.stdout.on('data', onData)
  child.stderr.on('data', onData)
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(silence)
      resolve({ code: code ?? signal, output })
    })
  })
}
