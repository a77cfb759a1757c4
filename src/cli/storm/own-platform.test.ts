import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { leftBehind, processesWith } from '../../../test/fixtures/left-behind.ts'
import { sessionResponseSchema } from '../../contracts/index.ts'
import { canMakeSmallDisk } from '../../storm/index.ts'
import { PROJECT } from '../configuration.ts'
import { openOwnPlatform } from './own-platform.ts'

const MIB = 1024 * 1024
/** Short, since sockets live below it; its own, so that what others leave does not count. */
const directory = mkdtempSync('/tmp/s')
const temporary = mkdtempSync('/tmp/s')
const whyNoDisk = canMakeSmallDisk()
const before = process.env['TMPDIR']
process.env['TMPDIR'] = temporary
afterAll(() => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  for (const path of [directory, temporary]) rmSync(path, { recursive: true, force: true })
})

const TINY = { workers: 1, premiereMs: 2_000, titles: 1, titleMs: 1_000, diskBytes: null }

const expectNothingLeft = async (): Promise<void> => expect(await leftBehind(temporary)).toEqual([])

async function readHome(watchUrl: string): Promise<unknown> {
  const session = await fetch(`${watchUrl}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ country: 'DE', tier: 'free', platform: 'web' }),
  })
  const { token } = sessionResponseSchema.parse(await session.json())
  return await (await fetch(`${watchUrl}/v1/home`, { headers: { authorization: `Bearer ${token}` } })).json()
}

for (const diskBytes of [null, 200 * MIB])
  test.skipIf(process.platform !== 'linux' || (diskBytes !== null && whyNoDisk !== null))(
    `a platform of its own${diskBytes === null ? '' : ' on a disk of its own'}: films published, the premiere first, all of it gone in the end`,
    async () => {
      const { stage, close } = await openOwnPlatform({
        scenario: { platform: { ...TINY, diskBytes }, operations: [] },
        logFile: join(directory, 'platform.log'),
        signal: new AbortController().signal,
        say: () => {},
      })
      try {
        expect(await readHome(stage.watchUrl)).toMatchObject({
          hero: { id: stage.premiereId, name: 'The Premiere', state: 'published' },
          rails: [{}, { titles: [{ name: 'The Premiere' }, { name: 'Back catalogue 1', state: 'published' }] }],
        })
        const { healthy, roles } = (await stage.inside?.status()) ?? {}
        expect([healthy, roles?.length]).toEqual([true, 6])
        expect((await stage.inside?.log.bounds('titles'))?.[0]?.end).toBeGreaterThan(0)
        expect(stage.inside?.disk?.bytes ?? null).toBe(diskBytes)
        const film = await stage.operator?.publish('One more', 1_000, new AbortController().signal)
        expect(film?.state).toBe('published')
        await stage.operator?.withdraw(film?.id ?? '')
      } finally {
        await close()
      }
      await expectNothingLeft()
    },
    60_000,
  )

/** `tentpole storm`, seen until it publishes its films. */
async function startStorm(): Promise<{ child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>; out: string }> {
  const out = mkdtempSync(join(directory, 'out-'))
  const scenario = join(out, 'scenario.ts')
  const phases = [{ name: 'evening', durationMs: 5_000, arrivals: 1 }]
  const platform = { premiereMs: 60_000, titles: 1, titleMs: 1_000 }
  writeFileSync(scenario, `export default ${JSON.stringify({ name: 'x', baselinePerSecond: 1, phases, platform })}`)
  const main = join(PROJECT, 'src', 'cli', 'main.ts')
  const child = Bun.spawn([process.execPath, '--no-install', main, 'storm', '--scenario', scenario, '--out', out], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, TMPDIR: temporary },
  })
  let said = ''
  for await (const bytes of child.stdout) {
    said += new TextDecoder().decode(bytes)
    if (said.includes('publishing')) return { child, out }
  }
  throw new Error(`expected it to publish, got: ${said}${await new Response(child.stderr).text()}`)
}

test.skipIf(process.platform !== 'linux')(
  'told to stop half-way, it leaves nothing but its log',
  async () => {
    const { child, out } = await startStorm()
    child.kill('SIGTERM')
    expect(await child.exited).toBe(1)
    expect(await new Response(child.stderr).text()).toContain('interrupted')
    await expectNothingLeft()
    expect(readdirSync(out).sort()).toEqual(['platform.log', 'scenario.ts'])
  },
  60_000,
)

test.skipIf(process.platform !== 'linux')(
  'killed half-way, its platform goes all the same',
  async () => {
    const { child } = await startStorm()
    child.kill('SIGKILL')
    await child.exited
    await expectNothingLeft()
  },
  60_000,
)

test.skipIf(process.platform !== 'linux')(
  'told twice, it does not wait',
  async () => {
    const { child } = await startStorm()
    // One that stands still takes the 20 s that an orderly end is given.
    const [supervisor] = processesWith('TMPDIR', temporary).filter(({ command }) => command.includes(' up --config '))
    if (!supervisor) throw new Error('expected a supervisor')
    process.kill(supervisor.pid, 'SIGSTOP')
    try {
      child.kill('SIGINT')
      await Bun.sleep(600) // signals closer together count as one
      expect(child.exitCode).toBeNull()
      const toldMs = performance.now()
      child.kill('SIGINT')
      expect(await child.exited).toBe(130)
      expect(performance.now() - toldMs).toBeLessThan(2_000)
      await expectNothingLeft()
    } finally {
      // Only where the test has failed.
      for (const { pid } of processesWith('TMPDIR', temporary)) process.kill(pid, 'SIGKILL')
    }
  },
  60_000,
)
