import { createHash } from 'node:crypto'
import { Fault } from '../../kernel/index.ts'
import type { Claim } from './claim.ts'
import { measureBytes } from './measure.ts'

export function toMissing(claim: Claim): Fault {
  return new Fault('claim-missing', `there is no object ${claim.ref}, which an event refers to`, {
    detail: { ref: claim.ref },
  })
}

export function verifyBytes(claim: Claim, bytes: Uint8Array): Uint8Array {
  const { size, digest } = measureBytes(bytes)
  if (size !== claim.size || digest !== claim.digest) throw toDamaged(claim, `${size} bytes of ${digest}`)
  return bytes
}

/** The same bytes; it errors instead of ending when they are not what the claim says, and at once when there are too many. */
export function verifyStream(claim: Claim, source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const hash = createHash('sha256')
  let size = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (!done) {
          size += value.byteLength
          if (size > claim.size) {
            await reader.cancel()
            throw toDamaged(claim, `more than ${claim.size} bytes`)
          }
          hash.update(value)
          controller.enqueue(value)
          return
        }
        const digest = `sha-256=${hash.digest('hex')}`
        if (size !== claim.size || digest !== claim.digest) throw toDamaged(claim, `${size} bytes of ${digest}`)
        controller.close()
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function toDamaged({ ref, size, digest }: Claim, got: string): Fault {
  return new Fault('claim-damaged', `object ${ref}: expected ${size} bytes of ${digest}, got ${got}`, {
    detail: { ref },
  })
}
