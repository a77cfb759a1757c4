import { expect, test } from 'bun:test'

/** What the system gives a process and its session: where either cannot be told, the same throughout. */
const PROGRAM = `
  import { readFileSync } from 'node:fs'
  import { getPriority } from 'node:os'
  import { raisePriority } from ${JSON.stringify(new URL('./priority.ts', import.meta.url).pathname)}
  const group = () => {
    try {
      return readFileSync('/proc/self/autogroup', 'utf8').trim()
    } catch {
      return 'none'
    }
  }
  const look = () => [getPriority(), group()]
  const before = look()
  const priority = raisePriority()
  const during = look()
  if (process.argv.at(-1) === 'is not alone') {
    const second = raisePriority()
    priority.restore()
    second.restore()
  }
  if (process.argv.at(-1) === 'restores') priority.restore()
  process.on('exit', () => console.log(JSON.stringify({ raised: priority.raised, before, during, after: look() })))
`

type Look = readonly [nice: number, group: string]
type Seen = { readonly raised: boolean; readonly before: Look; readonly during: Look; readonly after: Look }

/** In a session of its own: the test's shell is not to feel it. */
async function see(how: string): Promise<Seen> {
  const child = Bun.spawn([process.execPath, '-e', PROGRAM, how], { stdout: 'pipe', stderr: 'inherit', detached: true })
  return JSON.parse(await new Response(child.stdout).text()) as Seen // printed by the program above
}

test.each(['restores', 'just ends', 'is not alone'])(
  'what was raised is put back by a process that %s',
  async (how) => {
    const { raised, before, during, after } = await see(how)
    expect(after).toEqual(before)
    expect(raised).toBe(during[0] === -10 && (process.platform !== 'linux' || during[1].endsWith('nice -10')))
  },
)
