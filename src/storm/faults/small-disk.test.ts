import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDiskFiller } from './disk-filler.ts'
import { canMakeSmallDisk, insideOf, knownInside, smallDiskCommand } from './small-disk.ts'

const MIB = 1024 * 1024
const directory = mkdtempSync(join(tmpdir(), 'storm-small-'))
const refused = canMakeSmallDisk()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A process that serves HTTP on a socket of its small disk and writes there when asked to. */
const PROGRAM = `
  import { writeFileSync } from 'node:fs'
  const [directory] = process.argv.slice(-1)
  let files = 0
  Bun.serve({ unix: directory + '/run.sock', fetch(request) {
    try {
      writeFileSync(directory + '/written-' + files++, Buffer.alloc(4096))
      return new Response('written')
    } catch (error) {
      return new Response(error.code)
    }
  } })
  console.log('ready')`

async function startInside(): Promise<{ pid: number; path: string; write(): Promise<string>; end(): Promise<void> }> {
  const home = mkdtempSync(join(directory, 'home-'))
  const command = [process.execPath, '-e', PROGRAM, home]
  const child = Bun.spawn(smallDiskCommand({ directory: home, bytes: 8 * MIB, command }), { stdout: 'pipe' })
  const { value } = await child.stdout.getReader().read()
  expect(Buffer.from(value ?? []).toString()).toBe('ready\n')
  const path = insideOf(child.pid, home)
  return {
    pid: child.pid,
    path,
    write: async () => await (await fetch('http://localhost/', { unix: join(path, 'run.sock') })).text(),
    async end() {
      child.kill('SIGKILL')
      await child.exited
      // The directory is what it was before: what was in there went with its process.
      expect(readdirSync(home)).toEqual([])
    },
  }
}

const freeBytes = (path: string): number => {
  const { bfree, bsize } = statfsSync(path)
  return bfree * bsize
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited 5 s for: ${what}`)
    await Bun.sleep(5)
  }
}

test('paths from outside and from inside', () => {
  expect(insideOf(42, '/home/x')).toBe('/proc/42/root/home/x')
  expect(knownInside('/proc/42/root/home/x')).toBe('/home/x')
  expect(knownInside('/home/proc/42/root/x')).toBe('/home/proc/42/root/x')
})

test.skipIf(refused !== null)(
  `a small disk is reached from outside, filled to the last byte, kept full and freed (${refused ?? 'made here'})`,
  async () => {
    const inside = await startInside()
    try {
      expect(await inside.write()).toBe('written')
      writeFileSync(join(inside.path, 'ballast'), Buffer.alloc(MIB))
      const filler = createDiskFiller(inside.path)
      await filler.fill()
      await filler.fill()
      expect(freeBytes(inside.path)).toBe(0)
      expect(await inside.write()).toBe('ENOSPC')
      rmSync(join(inside.path, 'ballast'))
      await until('what was freed to be taken', () => freeBytes(inside.path) === 0)
      expect(readdirSync(inside.path).sort()).toEqual(['run.sock', 'written-0', 'written-1'])
      await filler.free()
      await filler.free()
      expect(freeBytes(inside.path)).toBeGreaterThan(7 * MIB)
      expect(await inside.write()).toBe('written')
      const filling = filler.fill()
      await filler.free()
      await filling
      expect(freeBytes(inside.path)).toBeGreaterThan(7 * MIB)
    } finally {
      await inside.end()
    }
  },
)

test.skipIf(refused !== null)('a filler whose storm is killed leaves a free disk', async () => {
  const inside = await startInside()
  const module = new URL('./disk-filler.ts', import.meta.url).pathname
  const program = `
    import { createDiskFiller } from ${JSON.stringify(module)}
    await createDiskFiller(${JSON.stringify(inside.path)}).fill()
    console.log('full')`
  const storm = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' })
  await storm.stdout.getReader().read()
  expect(freeBytes(inside.path)).toBe(0)
  storm.kill('SIGKILL')
  await until('the disk to be free', () => freeBytes(inside.path) > 7 * MIB)
  await inside.end()
})

test('a disk that cannot be written: a fault that says so', async () => {
  const filler = createDiskFiller(join(directory, 'nowhere'))
  expect(filler.fill()).rejects.toThrow(/could not be filled: .*ENOENT.*expected a file system/)
  await filler.free()
})
