import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { coalesce, freePort, startOrigin } from './edge.ts'
import { tentpole } from './peers/tentpole.ts'

test('the benchmark of the edge at smoke size: it starts, and a crowd for something cold is one fetch', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  const origin = startOrigin()
  try {
    const edge = await tentpole.start({ port: freePort(), originPort: origin.port, directory })
    try {
      const row = await coalesce(edge, origin, 200)
      expect([row.metric, row.ours]).toEqual(['coalesce-1000-origin-fetches', 1])
    } finally {
      await edge.stop()
    }
  } finally {
    await origin.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}, 30_000)
