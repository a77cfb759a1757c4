import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultCode } from '../../kernel/index.ts'
import { withPathKeysLock } from './path-keys-lock.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-lock-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'keys.json')
}
/** A process that has the lock until it is killed. */
async function holdElsewhere(path: string): Promise<() => Promise<void>> {
  const script = `
    import { withPathKeysLock } from ${JSON.stringify(join(import.meta.dir, 'path-keys-lock.ts'))}
    await withPathKeysLock(${JSON.stringify(path)}, async () => { console.log('held'); await Bun.sleep(60_000) })`
  const child = Bun.spawn([process.execPath, '--no-install', '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  closers.push(kill)
  await child.stdout.getReader().read()
  return kill
}

test('one at a time has it, in one process too, and lets go of it when its work fails', async () => {
  const path = newPath()
  let inside = 0
  const work = async (): Promise<void> => {
    inside += 1
    expect(inside).toBe(1)
    await Bun.sleep(5)
    inside -= 1
    throw new Error('failed')
  }
  const done = await Promise.allSettled([1, 2, 3].map(() => withPathKeysLock(path, work)))
  expect(done.map((each) => each.status === 'rejected' && each.reason.message)).toEqual(['failed', 'failed', 'failed'])
  expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600)
})

test('another process keeps it from us, and no longer once it is killed', async () => {
  const path = newPath()
  const kill = await holdElsewhere(path)
  const refused = withPathKeysLock(path, () => Promise.resolve('mine'), { waitMs: 50 })
  expect(await refused.catch(faultCode)).toBe('path-keys-locked')
  await kill()
  expect(await withPathKeysLock(path, () => Promise.resolve('mine'))).toBe('mine')
})
