import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { deliveryPolicySchema } from '../src/contracts/index.ts'
import { createDirectoryObjects } from '../src/engines/objects/index.ts'
import { createStoreClient } from '../src/engines/store/index.ts'
import { definePipe, opaque } from '../src/hub/index.ts'
import { createLogger, DEFAULT_LIMITS, describeError, systemClock } from '../src/kernel/index.ts'
import { createAuth } from '../src/roles/control/auth.ts'
import { createHub } from '../src/roles/control/hub/create-hub.ts'
import { layoutOf } from '../src/roles/layout.ts'
import { benchRegistry, FILM } from './hub-events.ts'

/**
 * One large payload passes control's hub, as control puts it together: appended as a stream, by claim check through a pipe that does not
 * look into it, as an event to a function that reads it as a stream. Run as a process of its own beside the store's:
 * `bun bench/hub-claim-process.ts '<options as JSON>'`; the last line of its output is the result.
 */
export type ClaimOptions = { readonly home: string; readonly bytes: number }
export type ClaimResult = {
  readonly bytesRead: number
  /** By how much the process's highest resident memory (VmHWM) grew. */
  readonly grownBytes: number
  readonly beforeBytes: number
  readonly elapsedMs: number
}

const SOURCE = 'bench-uploads'
/** What comes at once from a socket, about. */
const CHUNK_BYTES = 64 * 1024
const SMALL_BYTES = 300 * 1024
const PATIENCE_MS = 15_000

export async function runClaim({ home, bytes }: ClaimOptions): Promise<ClaimResult> {
  const layout = layoutOf(home)
  const limits = DEFAULT_LIMITS
  const logger = createLogger({ role: 'bench', format: 'text', level: 'warn', write: (line) => console.error(line) })
  const shared = { limits, logger, clock: systemClock }
  const store = createStoreClient({ path: layout.storeSocket, ...shared })
  let read = Promise.withResolvers<number>()
  const hub = createHub({
    ...{ log: store.log, tables: store.tables, objects: createDirectoryObjects({ root: layout.objectsDirectory }) },
    loaded: {
      registry: benchRegistry,
      pipes: [toPipe()],
      subscriptions: [
        {
          ...{ name: 'films', pattern: { type: [FILM] }, start: 'beginning' },
          policy: deliveryPolicySchema.parse({}),
          async handler(_, context) {
            let count = 0
            for await (const chunk of await context.payload()) count += chunk.byteLength
            read.resolve(count)
          },
        },
      ],
      views: [],
    },
    webhookNetworks: [],
    auth: createAuth({ operatorToken: 'bench', metricsToken: 'bench', ...shared }),
    name: 'bench',
    // Nothing comes over HTTP here.
    cut: () => {},
    ...shared,
  })
  const pass = async (size: number): Promise<number> => {
    read = Promise.withResolvers<number>()
    const timer = setTimeout(
      () => read.reject(new Error(`the payload did not arrive within ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    )
    await hub.ports.appendRecords(SOURCE, [{ key: `film-${size}`, headers: {}, body: toStream(size) }])
    return read.promise.finally(() => clearTimeout(timer))
  }
  try {
    // Loads and compiles what the large one needs, too.
    await pass(SMALL_BYTES)
    Bun.gc(true)
    forgetPeak()
    const beforeBytes = readPeakBytes()
    const began = performance.now()
    const bytesRead = await pass(bytes)
    const elapsedMs = performance.now() - began
    return { bytesRead, grownBytes: readPeakBytes() - beforeBytes, beforeBytes, elapsedMs }
  } finally {
    await hub.close()
    await store.close()
  }
}

function toPipe(): ReturnType<typeof definePipe> {
  return definePipe({
    name: 'films',
    from: { topic: SOURCE },
    decode: opaque,
    schema: z.object({ sizeBytes: z.int() }),
    transform: ({ sizeBytes }) => ({ sizeBytes }),
    to: { type: FILM, payload: { contentType: 'video/mp4' } },
  })
}

/** So that what the start took at its height hides nothing. */
function forgetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5')
}

/** The highest resident memory since then. */
function readPeakBytes(): number {
  const [, kilobytes = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  if (kilobytes === '') throw new Error('expected VmHWM in /proc/self/status')
  return Number(kilobytes) * 1_024
}

/** Made piece by piece, so that the payload is nowhere whole. */
function toStream(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes
  return new ReadableStream(
    {
      pull(controller) {
        if (left === 0) return controller.close()
        const size = Math.min(left, CHUNK_BYTES)
        controller.enqueue(new Uint8Array(size).fill(left % 251))
        left -= size
      },
    },
    { highWaterMark: 0 },
  )
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as ClaimOptions // from `hub-flow.ts`
  try {
    console.log(JSON.stringify(await runClaim(options)))
  } catch (error) {
    console.error(describeError(error))
    process.exit(1)
  }
  process.exit(0)
}
