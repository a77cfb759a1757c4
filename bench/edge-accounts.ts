import { join } from 'node:path'
import { randomFrom } from '../src/edge/memory/testing/traces.ts'
import { askEach } from './closed-loop.ts'
import { type Origin, toOriginPath } from './edge-origin.ts'
import type { EdgeProcessOptions, EdgeReading } from './edge-process.ts'
import { createEdgeSigning } from './edge-signing.ts'
import { SERVER_CORE } from './peers/server.ts'
import { readLines } from './read-lines.ts'
import type { BenchRow } from './report.ts'

/** What the edge accounts for, told by itself: an edge in a process of its own, on the servers' core. */
export type ObservedEdge = {
  readonly port: number
  address(path: string, viewer: number): string
  read(): Promise<EdgeReading>
  stop(): Promise<void>
}

const MIB = 1_048_576
const CONNECTIONS = 64

export async function startObservedEdge(options: {
  readonly origin: Origin
  readonly directory: string
  readonly cacheBytes: number
}): Promise<ObservedEdge> {
  const { origin, directory, cacheBytes } = options
  const signing = await createEdgeSigning(directory)
  const asked: EdgeProcessOptions = { originPort: origin.port, cacheBytes, keysFile: signing.keysFile }
  const script = join(import.meta.dir, 'edge-process.ts')
  const child = Bun.spawn([...SERVER_CORE, process.execPath, '--no-install', script, JSON.stringify(asked)], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = readLines(child.stdout)
  const read = async (): Promise<EdgeReading> => {
    child.stdin.write('read\n')
    await child.stdin.flush()
    const { value, done } = await lines.next()
    if (done) throw new Error(`the observed edge ended with ${await child.exited}`)
    return JSON.parse(value) as EdgeReading // our own script of this folder
  }
  const { port } = await read()
  return {
    ...{ port, read, address: signing.address },
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

type Observed = { readonly origin: Origin; readonly directory: string }

/** As many viewers as there are tokens ask for one object: tokens are no part of a cache key. */
export async function countCopies(options: Observed & { readonly tokens: number }): Promise<BenchRow> {
  const { origin, tokens } = options
  const edge = await startObservedEdge({ ...options, cacheBytes: 256 * MIB })
  try {
    const path = toOriginPath('films', 4_096, 'tokens')
    const addresses = Array.from({ length: tokens }, (_, viewer) => edge.address(path, viewer))
    const before = await edge.read()
    await askEach({ port: edge.port, addresses, connections: CONNECTIONS })
    const { entries, slices, bytes } = await edge.read()
    const detail = { tokens, originFetches: origin.fetches(path), slices: slices - before.slices, bytes }
    return { metric: 'tokens-100k-copies', ours: entries - before.entries, unit: 'copies', detail }
  } finally {
    await edge.stop()
  }
}

/** As many bytes of each size, in an order drawn from a seed. */
const SIZES: readonly number[] = [4_096, 65_536, MIB, 4 * MIB]
const FILL_TIMES = 3
const SEED = 6

/** Three times what the edge may keep goes through it: at no moment does it account for more than that. */
export async function fillBeyondBound(options: Observed & { readonly boundMib: number }): Promise<BenchRow> {
  const boundBytes = options.boundMib * MIB
  const edge = await startObservedEdge({ ...options, cacheBytes: boundBytes })
  try {
    const paths = drawPaths(boundBytes * FILL_TIMES)
    await askEach({ port: edge.port, addresses: [edge.address(toOriginPath('films', 1, 'first'), 0)], connections: 1 })
    const before = await edge.read()
    const addresses = paths.map((path) => edge.address(path, 0))
    const { bodyBytes } = await askEach({ port: edge.port, addresses, connections: CONNECTIONS })
    const { bytes, bytesHighest, rssBytesHighest, entries } = await edge.read()
    return {
      ...{ metric: 'bytes-over-bound', ours: bytesHighest / boundBytes, unit: 'of the bound' },
      detail: {
        boundMb: boundBytes / 1e6,
        askedMb: bodyBytes / 1e6,
        keptMb: bytes / 1e6,
        entries,
        rssGrowthBeyondBoundMb: (rssBytesHighest - before.rssBytes - boundBytes) / 1e6,
      },
    }
  } finally {
    await edge.stop()
  }
}

function drawPaths(totalBytes: number): readonly string[] {
  const random = randomFrom(SEED)
  return SIZES.flatMap((sizeBytes) =>
    Array.from({ length: Math.ceil(totalBytes / SIZES.length / sizeBytes) }, (_, index) => ({
      path: toOriginPath('films', sizeBytes, `fill-${index}`),
      place: random(),
    })),
  )
    .sort((left, right) => left.place - right.place)
    .map(({ path }) => path)
}
