import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, parse, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../src/kernel/index.ts'

const WEB = dirname(fileURLToPath(import.meta.url))
const FACES = ['watch', 'console'] as const
/** Says which sources a directory was built from, so that an unchanged one is not built again. */
const STAMP = 'built-from'

/**
 * Writes both faces to `<outDirectory>/watch` and `<outDirectory>/console`: an `index.html` and content-hashed files
 * under `assets/`. Does nothing when the directory was built from the same sources. The directory is replaced as a
 * whole, so a server reading it sees the old build or the new one. Fault `web-build-failed` when the sources do not bundle.
 */
export async function buildWeb(options: { outDirectory: string; minify?: boolean }): Promise<void> {
  const out = resolve(options.outDirectory)
  const minify = options.minify ?? true
  const stamp = await hashSources(minify)
  if (await isBuiltFrom(out, stamp)) return
  const building = `${out}.${randomUUID()}`
  try {
    for (const face of FACES) await buildFace(face, join(building, face), minify)
    await writeFile(join(building, STAMP), stamp)
    await replaceDirectory(building, out)
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

async function buildFace(face: (typeof FACES)[number], out: string, minify: boolean): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(WEB, face, 'main.tsx')],
    outdir: out,
    target: 'browser',
    format: 'esm',
    splitting: true,
    minify,
    publicPath: '/',
    naming: {
      entry: 'assets/[name]-[hash].[ext]',
      chunk: 'assets/[name]-[hash].[ext]',
      asset: 'assets/[name]-[hash].[ext]',
    },
    define: { 'process.env.NODE_ENV': JSON.stringify('production') },
    throw: false,
  })
  if (!built.success) {
    throw new Fault('web-build-failed', `the ${face} page did not bundle:\n${built.logs.map(String).join('\n')}`)
  }
  const files = built.outputs.map((output) => output.path.slice(out.length + 1))
  const icon = await writeHashed(out, 'icon.svg', await readFile(join(WEB, 'common', 'icon.svg')))
  const fonts = await writeFonts(out)
  const template = await readFile(join(WEB, face, 'index.html'), 'utf8')
  const head = renderHead([
    `<link rel="icon" href="${icon}" type="image/svg+xml">`,
    `<link rel="preload" href="${fonts.first}" as="font" type="font/woff2" crossorigin>`,
    `<link rel="stylesheet" href="${fonts.style}">`,
    `<link rel="stylesheet" href="/${findFile(face, files, /^assets\/main-\w+\.css$/)}">`,
    `<script type="module" src="/${findFile(face, files, /^assets\/main-\w+\.js$/)}"></script>`,
  ])
  await writeFile(join(out, 'index.html'), template.replace('<!-- head -->', head))
}

/** The tags that start the page: its font and style ahead of its script, all of the same origin (`script-src 'self'`). */
function renderHead(tags: readonly string[]): string {
  return tags.join('\n    ')
}

function findFile(face: string, files: readonly string[], pattern: RegExp): string {
  const found = files.find((file) => pattern.test(file))
  if (found !== undefined) return found
  throw new Fault('web-build-failed', `the ${face} page: expected a file ${pattern}, got ${files.join(', ')}`)
}

/** The bundler would put fonts into the style sheet as data, where they hold up the first paint; so they are written here. */
async function writeFonts(out: string): Promise<{ style: string; first: string }> {
  let style = await readFile(join(WEB, 'common', 'fonts.css'), 'utf8')
  let first = ''
  for (const [, specifier = ''] of [...style.matchAll(/url\("([^"]+)"\)/g)]) {
    const bytes = await readFile(fileURLToPath(import.meta.resolve(specifier)))
    const address = await writeHashed(out, basename(specifier), bytes)
    style = style.replace(specifier, address)
    // The last face is the one for basic Latin, which every page needs.
    first = address
  }
  return { style: await writeHashed(out, 'fonts.css', Buffer.from(style)), first }
}

/** Writes `assets/<name>-<hash>.<ext>`; its address. */
async function writeHashed(out: string, name: string, bytes: Uint8Array): Promise<string> {
  const { name: stem, ext } = parse(name)
  const file = `assets/${stem}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}${ext}`
  await writeFile(join(out, file), bytes)
  return `/${file}`
}

async function hashSources(minify: boolean): Promise<string> {
  const hash = createHash('sha256').update(`${Bun.version} ${minify}`)
  const found = await readdir(WEB, { recursive: true, withFileTypes: true })
  const sources = found
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of [...sources.sort(), join(WEB, '..', 'package-lock.json')]) {
    hash.update(`\0${file.slice(WEB.length)}\0`).update(await readFile(file))
  }
  return hash.digest('hex')
}

async function isBuiltFrom(out: string, stamp: string): Promise<boolean> {
  try {
    for (const face of FACES) await stat(join(out, face, 'index.html'))
    return (await readFile(join(out, STAMP), 'utf8')) === stamp
  } catch {
    return false
  }
}

/** Two renames, since none replaces a directory that holds something: the gap between them is microseconds. */
async function replaceDirectory(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  const old = `${to}.${randomUUID()}`
  const had = await rename(to, old).then(
    () => true,
    () => false,
  )
  await rename(from, to)
  if (had) await rm(old, { recursive: true, force: true })
}
