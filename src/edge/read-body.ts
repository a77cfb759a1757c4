import type { ServerRequest } from './server/index.ts'
import { createPieceQueue } from './server/piece-queue.ts'

const EMPTY = new Uint8Array(0)

/** The whole content of a request. A declared length is checked before a byte is read; an undeclared one (chunked) while reading. */
export async function readBody({ fields, body }: ServerRequest, bytesMax: number): Promise<Uint8Array | 'too-large'> {
  if (body === null) return EMPTY
  if (Number(fields.get('content-length') ?? 0) > bytesMax) return 'too-large'
  // However small the packets are in which it comes.
  const queue = createPieceQueue()
  for await (const part of body) {
    queue.push(part)
    if (queue.bytes() > bytesMax) return 'too-large'
  }
  const parts: Uint8Array[] = []
  for (let part = queue.shift(); part; part = queue.shift()) parts.push(part)
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}
