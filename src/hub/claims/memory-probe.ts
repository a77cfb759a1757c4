/** Run by memory.test.ts: puts and reads a payload of so many bytes as streams, and says by how much its peak memory grew. */
import { readFileSync } from 'node:fs'
import { DEFAULT_LIMITS, silentLogger, systemClock } from '../../kernel/index.ts'
import { createClaims } from './claims.ts'
import { openClaimBed } from './testing.ts'

const CHUNK_BYTES = 64 * 1024
const [directory = '', bytesText = ''] = process.argv.slice(2)
const bytesMax = Number(bytesText)
const bed = await openClaimBed(directory)
const claims = createClaims({ ...bed, limits: DEFAULT_LIMITS, clock: systemClock, logger: silentLogger })

function peakBytes(): number {
  const [, kilobytes = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) * 1_024
}

/** Made piece by piece, so that the payload is nowhere whole. */
function payload(bytes: number): ReadableStream<Uint8Array> {
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

async function pass(bytes: number): Promise<number> {
  const claim = await claims.put(payload(bytes), { bytesMax, eventId: 'e' })
  let read = 0
  for await (const chunk of await claims.stream(claim)) read += chunk.byteLength
  return read
}

await pass(2 * CHUNK_BYTES)
const before = peakBytes()
const read = await pass(bytesMax)
process.stdout.write(JSON.stringify({ read, grownBytes: peakBytes() - before }))
await bed.close()
