import { createProxyEdge, type ProxyEdge } from '../src/edge/index.ts'
import { createLogger } from '../src/kernel/index.ts'
import { watchPathKeysFile } from '../src/roles/supervisor/path-keys-file.ts'

/**
 * The edge alone in a process of its own, told and asked over standard input: what it accounts for cannot be seen from
 * outside, and its memory would not be told from a benchmark's. Each line in brings a line of `EdgeReading` out.
 */
export type EdgeProcessOptions = { readonly originPort: number; readonly cacheBytes: number; readonly keysFile: string }
export type EdgeReading = {
  readonly port: number
  readonly entries: number
  readonly slices: number
  readonly bytes: number
  /** The highest that were seen, once a millisecond, since the process started. */
  readonly bytesHighest: number
  readonly rssBytes: number
  readonly rssBytesHighest: number
}

const SAMPLE_MS = 1
const logger = createLogger({ role: 'edge', format: 'text', write: (line) => console.error(line) })

function readingsOf(edge: ProxyEdge): () => EdgeReading {
  let bytesHighest = 0
  let rssBytesHighest = 0
  const sample = (): void => {
    bytesHighest = Math.max(bytesHighest, edge.statistics().bytes)
    rssBytesHighest = Math.max(rssBytesHighest, process.memoryUsage.rss())
  }
  setInterval(sample, SAMPLE_MS)
  return () => {
    sample()
    const { entries, slices, bytes } = edge.statistics()
    const rssBytes = process.memoryUsage.rss()
    return { port: edge.port, entries, slices, bytes, bytesHighest, rssBytes, rssBytesHighest }
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as EdgeProcessOptions // from `edge-accounts.ts`
  const { keys } = await watchPathKeysFile(options.keysFile, { logger })
  const edge = createProxyEdge({
    ...{ port: 0, logger, origins: [`http://127.0.0.1:${options.originPort}`] },
    limits: { edgeCacheBytes: options.cacheBytes },
    signatures: { keys, publicPrefixes: [] },
  })
  const read = readingsOf(edge)
  for await (const _ of console) console.log(JSON.stringify(read()))
  process.exit(0)
}
