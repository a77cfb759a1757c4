import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { newDirectory } from './testing.ts'

const PAYLOAD_BYTES = 30 * 1024 * 1024
/** The payload is there twice, once written and once read; were it ever gathered, this would not do. */
const GROWN_BYTES_MAX = 60 * 1024 * 1024

const measurable = existsSync('/proc/self/status')
test.skipIf(!measurable)(
  `30 MB in and out as streams: memory grows by less than 60 MB${measurable ? '' : ' (skipped: needs /proc)'}`,
  async () => {
    const { directory, remove } = newDirectory()
    try {
      const command = [process.execPath, join(import.meta.dir, 'memory-probe.ts'), directory, String(PAYLOAD_BYTES)]
      const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' })
      const { read, grownBytes } = JSON.parse(await new Response(child.stdout).text()) as Record<string, number> // its own words
      expect(read).toBe(PAYLOAD_BYTES)
      expect(grownBytes).toBeLessThan(GROWN_BYTES_MAX)
    } finally {
      remove()
    }
  },
  20_000,
)
