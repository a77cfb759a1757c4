import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWeb } from './build.ts'

let directory: string
let out: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tentpole-web-'))
  out = join(directory, 'web')
  await buildWeb({ outDirectory: out })
}, 60_000)

afterAll(() => rm(directory, { recursive: true, force: true }))

const assets = async (face: string): Promise<string[]> => (await readdir(join(out, face, 'assets'))).sort()

test.each(['watch', 'console'])(
  '%s: every address in its page is a file of the build, named by its content',
  async (face) => {
    const html = await readFile(join(out, face, 'index.html'), 'utf8')
    const addresses = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address = '']) => address)
    expect(addresses.length).toBeGreaterThanOrEqual(5)
    for (const address of addresses) {
      expect(address).toMatch(/^\/assets\/[\w-]+-[0-9a-z]{8}\.(?:js|css|svg|woff2)$/)
      expect((await stat(join(out, face, address))).size).toBeGreaterThan(0)
    }
  },
)

test.each(['watch', 'console'])(
  '%s keeps to script-src and style-src self: nothing inline, nothing remote',
  async (face) => {
    const html = await readFile(join(out, face, 'index.html'), 'utf8')
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/)
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|https?:/)
    for (const name of (await assets(face)).filter((file) => file.endsWith('.css'))) {
      expect(await readFile(join(out, face, 'assets', name), 'utf8')).not.toMatch(/https?:\/\/(?!www\.w3\.org)/)
    }
  },
)

test('the player and its engine are a file of their own; the first page does not carry them', async () => {
  const scripts = (await assets('watch')).filter((file) => file.endsWith('.js'))
  const player = scripts.find((file) => file.startsWith('player-')) ?? ''
  const main = scripts.find((file) => file.startsWith('main-')) ?? ''
  const [playerBytes, mainBytes] = await Promise.all(
    [player, main].map(async (file) => (await stat(join(out, 'watch', 'assets', file))).size),
  )
  expect(playerBytes).toBeGreaterThan(400_000)
  expect(mainBytes).toBeLessThan(300_000)
})

test('fonts are files of their own, which the style sheet names', async () => {
  const names = await assets('watch')
  const sheet = names.find((file) => /^fonts-.*\.css$/.test(file)) ?? ''
  const text = await readFile(join(out, 'watch', 'assets', sheet), 'utf8')
  const fonts = [...text.matchAll(/url\("\/assets\/([^"]+)"\)/g)].map(([, name = '']) => name)
  expect(fonts).toHaveLength(2)
  for (const font of fonts) expect(names).toContain(font)
})

test('unchanged sources are not built again; anything else is, as a whole', async () => {
  const marker = join(out, 'watch', 'marker')
  await writeFile(marker, '')
  await buildWeb({ outDirectory: out })
  expect((await stat(marker)).isFile()).toBe(true)
  await rm(join(out, 'console', 'index.html'))
  await buildWeb({ outDirectory: out })
  expect((await stat(join(out, 'console', 'index.html'))).isFile()).toBe(true)
  expect(await stat(marker).catch(() => null)).toBeNull()
  expect(await readdir(directory)).toEqual(['web'])
})
