import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const VALUES = 200

type Call = { readonly name: string; readonly text: string; readonly beganAt: number; readonly endedAt: number }

/** strace's lines as calls; one that another thread's interrupted stands on two lines. `at` counts lines. */
function parseTrace(trace: string): Call[] {
  const calls: Call[] = []
  const unfinished = new Map<string, { name: string; text: string; beganAt: number }>()
  for (const [at, line] of trace.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    const begun = resumed ? unfinished.get(pid) : undefined
    if (resumed && begun) {
      calls.push({ ...begun, text: begun.text + (resumed[2] ?? ''), endedAt: at })
      continue
    }
    const [, name, text] = /^(\w+)\((.*)$/.exec(rest) ?? []
    if (name === undefined || text === undefined) continue
    if (text.endsWith('<unfinished ...>')) unfinished.set(pid, { name, text, beganAt: at })
    else calls.push({ name, text, beganAt: at, endedAt: at })
  }
  return calls
}

/** The file that a call is about, as strace's `-y` says it. */
const fileOf = ({ text }: Call): string => /^\d+<([^>]*)>/.exec(text)?.[1] ?? ''

test.skipIf(Bun.which('strace') === null)(
  'no append is acknowledged before fdatasync of its bytes has returned (needs strace)',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tentpole-durable-'))
    try {
      const traceFile = join(directory, 'trace')
      const watched = 'trace=write,writev,pwrite64,pwritev,fdatasync,fsync'
      const program = [process.execPath, join(import.meta.dir, 'durable-writer.ts'), join(directory, 'log')]
      const child = Bun.spawn(['strace', '-f', '-y', '-s', '65536', '-e', watched, '-o', traceFile, ...program], {
        stdout: 'ignore',
        stderr: 'pipe',
      })
      const [exitCode, complaint] = await Promise.all([child.exited, new Response(child.stderr).text()])
      expect([exitCode, complaint]).toEqual([0, ''])

      const calls = parseTrace(readFileSync(traceFile, 'utf8'))
      const writes = calls.filter(({ name }) => name.includes('write'))
      const syncs = calls.filter(({ name, text }) => /^f(?:data)?sync$/.test(name) && /= 0$/.test(text))
      const acknowledged = writes.filter(({ text }) => text.includes('acknowledged ['))
      expect(acknowledged.length).toBe(VALUES)
      const tooEarly = acknowledged.filter((acknowledgement) => {
        const value = /\[[^\]]+\]/.exec(acknowledgement.text)?.[0] ?? ''
        const stored = writes.find((call) => fileOf(call).includes('/log/topics/titles/') && call.text.includes(value))
        return !syncs.some(
          (sync) =>
            stored !== undefined &&
            fileOf(sync) === fileOf(stored) &&
            sync.beganAt > stored.endedAt &&
            sync.endedAt < acknowledgement.beganAt,
        )
      })
      expect(tooEarly.map(({ text }) => text)).toEqual([])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  30_000,
)
