import { afterEach, expect, test } from 'bun:test'
import {
  closeSync,
  existsSync,
  futimesSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, type Fault } from '../../kernel/index.ts'
import { decideRotation, formatPathKeys, makePathKey, type PathKeysFile, toFirstFile } from './path-keys.ts'
import { createPathKeysFile, readPathKeysFile, watchPathKeysFile, writePathKeysFile } from './path-keys-file.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-keys-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'keys.json')
}

const first = (): PathKeysFile => toFirstFile(makePathKey(), Date.now())

function rotate(file: PathKeysFile, times = { leadMs: 0, overlapMs: 60_000 }): PathKeysFile {
  const rotation = decideRotation(file, Date.now(), { ...times, next: makePathKey(), keysMax: 9 })
  if (!rotation.ok) throw new Error(rotation.code)
  return rotation.file
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 3_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await Bun.sleep(5)
  }
}

async function watch(path: string) {
  const lines: string[] = []
  const logger = createLogger({ role: 'edge', format: 'text', write: (line) => lines.push(line) })
  const watched = await watchPathKeysFile(path, { logger, pollMs: 10 })
  closers.push(watched.close)
  return { watched, lines }
}

test('a file is for its owner alone, whole, and never made in the place of another', async () => {
  const path = newPath()
  const file = first()
  await createPathKeysFile(path, file)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await readPathKeysFile(path)).toEqual(file)
  const again = await createPathKeysFile(path, first()).catch((error: unknown) => error)
  expect((again as Fault).code).toBe('path-keys-exist')
  expect(await readPathKeysFile(path)).toEqual(file)
  expect(readdirSync(join(path, '..'))).toEqual(['keys.json'])
})

test('a file that is not there, or is none, is told by its name', async () => {
  const path = newPath()
  for (const prepare of [() => {}, () => writeFileSync(path, '{}')]) {
    prepare()
    const error = (await readPathKeysFile(path).catch((reason: unknown) => reason)) as Fault
    expect([error.code, error.message.includes(path)]).toEqual(['path-keys-invalid', true])
    await expect(watch(path)).rejects.toThrow(path)
  }
})

test('who watches a file has its keys within a look, and the same object until they change', async () => {
  const path = newPath()
  const file = first()
  await writePathKeysFile(path, file)
  const { watched } = await watch(path)
  const before = watched.keys()
  expect(Object.keys(before.keys)).toEqual(file.keys.map(({ id }) => id))
  await writePathKeysFile(path, file)
  const next = rotate(file)
  await writePathKeysFile(path, next)
  await until('the new key signs', () => watched.keys().current === next.keys[1]?.id)
  expect(Object.keys(watched.keys().keys)).toEqual(next.keys.map(({ id }) => id))
  expect(watched.keys()).toBe(watched.keys())
})

test('a key is retired when its time has come, though nobody touches the file', async () => {
  const path = newPath()
  const next = rotate(first(), { leadMs: 0, overlapMs: 150 })
  await writePathKeysFile(path, next)
  const { watched } = await watch(path)
  expect(Object.keys(watched.keys().keys).length).toBe(2)
  await until('the old key is retired', () => Object.keys(watched.keys().keys).length === 1)
  expect(watched.keys().current).toBe(next.keys[1]?.id ?? '')
})

test('a bad file changes nothing and is complained of once; the next good one counts', async () => {
  const path = newPath()
  const file = first()
  await writePathKeysFile(path, file)
  const { watched, lines } = await watch(path)
  const before = watched.keys()
  const complaints = () => lines.filter((line) => line.includes('cannot be read again')).length
  writeFileSync(`${path}.bad`, 'nonsense')
  renameSync(`${path}.bad`, path)
  await until('it complains', () => complaints() === 1)
  rmSync(path)
  await until('it complains of the next', () => complaints() === 2)
  expect(existsSync(path)).toBe(false)
  expect(watched.keys()).toBe(before)
  const next = rotate(file)
  await writePathKeysFile(path, next)
  await until('the new key signs', () => watched.keys().current === next.keys[1]?.id)
  expect(complaints()).toBe(2)
  const secrets = next.keys.map(({ secret }) => secret)
  expect(secrets.filter((secret) => lines.join('\n').includes(secret))).toEqual([])
  expect(secrets.every((secret) => readFileSync(path, 'utf8').includes(secret))).toBe(true)
})

test('a file that could not be read is tried until it can be, though nothing tells that it was replaced', async () => {
  const path = newPath()
  const file = first()
  await writePathKeysFile(path, file)
  const { watched, lines } = await watch(path)
  const complaints = () => lines.filter((line) => line.includes('cannot be read again')).length
  const next = rotate(file)
  // As when an owner is put right: size, inode and time of the last change stay what they were.
  const text = formatPathKeys(next)
  const changedAt = new Date(1_700_000_000_000)
  const beside = `${path}.beside`
  writeFileSync(beside, 'x'.repeat(text.length))
  utimesSync(beside, changedAt, changedAt)
  renameSync(beside, path)
  await until('it complains', () => complaints() === 1)
  const handle = openSync(path, 'r+')
  writeSync(handle, text)
  futimesSync(handle, changedAt, changedAt)
  closeSync(handle)
  await until('the new key signs', () => watched.keys().current === next.keys[1]?.id)
  expect(complaints()).toBe(1)
})
