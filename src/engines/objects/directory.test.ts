import { afterEach, expect, test } from 'bun:test'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultCode } from '../../kernel/index.ts'
import { canMountSmallDisk, mountSmallDisk, smallDiskSkipped } from '../small-disk.ts'
import { runObjectsContract } from './contract.ts'
import { createDirectoryObjects } from './index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'tentpole-objects-'))
const temporary = (): string => {
  const directory = newDirectory()
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

runObjectsContract('directory', async () => {
  const root = newDirectory()
  return {
    objects: createDirectoryObjects({ root }),
    close: async () => {
      // Every put of the suite, failed ones included, has cleaned up after itself.
      expect(readdirSync(join(root, 'incoming'))).toEqual([])
      rmSync(root, { recursive: true, force: true })
    },
  }
})

test('files left by a dead process are swept at the start, those of a living one are not', async () => {
  const root = temporary()
  const script = `
    const { createDirectoryObjects } = await import(${JSON.stringify(join(import.meta.dir, 'index.ts'))})
    const objects = createDirectoryObjects({ root: ${JSON.stringify(root)} })
    const body = new ReadableStream({ start: (c) => { c.enqueue(new Uint8Array(1000)) }, pull: () => new Promise(() => {}) })
    setTimeout(() => {}, 60_000)
    await objects.put('half', body)`
  const child = Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' })
  const incoming = join(root, 'incoming')
  const left = (): string[] => {
    try {
      return readdirSync(incoming)
    } catch {
      return []
    }
  }
  const deadline = performance.now() + 10_000
  while (left().length === 0 && performance.now() < deadline) await Bun.sleep(10)
  createDirectoryObjects({ root })
  expect(left()).toHaveLength(1)
  child.kill('SIGKILL')
  await child.exited
  const objects = createDirectoryObjects({ root })
  expect(left()).toEqual([])
  expect(await objects.head('half')).toBeNull()
})

test('deleting leaves no empty directories behind', async () => {
  const root = temporary()
  const objects = createDirectoryObjects({ root })
  await objects.put('titles/abc/v0/1/0.m4s', Buffer.from('x'))
  await objects.put('titles/abc/v0/1/1.m4s', Buffer.from('x'))
  await objects.delete('titles/abc/v0/1/0.m4s')
  expect(readdirSync(join(root, 'data', 'titles', 'abc', 'v0', '1'))).toEqual(['1.m4s~'])
  await objects.delete('titles/abc/v0/1/1.m4s')
  expect(readdirSync(join(root, 'data'))).toEqual([])
})

test('a move neither copies nor reads the file, and an object cannot be written to', async () => {
  const root = temporary()
  const objects = createDirectoryObjects({ root })
  const source = join(root, 'film')
  writeFileSync(source, 'a film')
  const { ino } = statSync(source)
  await objects.putFile('film', source, { move: true })
  const stored = statSync(join(root, 'data', 'film~'))
  expect({ ino: stored.ino, mode: stored.mode & 0o777 }).toEqual({ ino, mode: 0o444 })
  expect(readdirSync(root).sort()).toEqual(['data', 'incoming'])
})

test('with the disk of the objects away nothing is said to be missing; all is there when it is back', async () => {
  const root = temporary()
  const objects = createDirectoryObjects({ root })
  await objects.put('a/one', Buffer.from('1'))
  const away = join(temporary(), 'away')
  const calls: readonly (() => Promise<unknown>)[] = [
    () => objects.head('a/one'),
    () => objects.read('a/one'),
    () => objects.stream('a/one'),
    () => objects.toFile('a/one', join(temporary(), 'out')),
    () => objects.list(''),
    () => objects.list('a/'),
    () => objects.delete('a/one'),
    () => objects.put('a/two', Buffer.from('2')),
  ]
  for (const what of [root, join(root, 'data')]) {
    renameSync(what, away)
    for (const call of calls.slice(0, what === root ? undefined : -1))
      expect(await call().then((value) => value, faultCode)).toBe('objects-unavailable')
    renameSync(away, what)
    expect(await objects.list('')).toEqual(['a/one'])
  }
})

test('a directory that cannot be read is no empty one', async () => {
  const root = temporary()
  const objects = createDirectoryObjects({ root })
  await objects.put('a/one', Buffer.from('1'))
  const held: number[] = []
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // No descriptor is left now.
  }
  try {
    for (const prefix of ['', 'a/'])
      expect(await objects.list(prefix).then((keys) => keys, faultCode)).toBe('objects-unavailable')
  } finally {
    for (const descriptor of held) closeSync(descriptor)
  }
  expect(await objects.list('a/')).toEqual(['a/one'])
  expect(await objects.list('nothing/')).toEqual([])
})

test.skipIf(!canMountSmallDisk)(
  `a full disk: objects-full, nothing left behind, and room again means success${smallDiskSkipped}`,
  async () => {
    const { directory, unmount } = mountSmallDisk()
    closers.push(unmount)
    const root = join(directory, 'objects')
    const objects = createDirectoryObjects({ root })
    const free = (): number => statfsSync(directory).bavail
    await objects.put('first', new Uint8Array(1_000_000))
    mkdirSync(join(root, 'data', 'x'))
    const before = free()
    const outside = join(temporary(), 'film')
    writeFileSync(outside, new Uint8Array(8_000_000))
    const tooLarge: readonly (() => Promise<unknown>)[] = [
      () => objects.put('x/bytes', new Uint8Array(8_000_000)),
      () => objects.put('x/stream', new Response(new Uint8Array(8_000_000)).body ?? new Uint8Array(0)),
      () => objects.putFile('x/copied', outside),
      () => objects.putFile('x/moved', outside, { move: true }),
    ]
    for (const put of tooLarge) {
      expect(await put().then(() => 'stored', faultCode)).toBe('objects-full')
      expect({ free: free(), left: readdirSync(join(root, 'incoming')) }).toEqual({ free: before, left: [] })
    }
    expect(statSync(outside).size).toBe(8_000_000)
    await objects.delete('first')
    expect(await objects.put('second', new Uint8Array(2_000_000))).toMatchObject({ created: true })
  },
)
