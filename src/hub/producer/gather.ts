import { toInterrupted, toTooLarge } from '../claims/index.ts'

export type SmallOrStream = Uint8Array | ReadableStream<Uint8Array>

/** Of a body that may be a claim, too. */
export function isStream(body: object): body is ReadableStream<Uint8Array> {
  return body instanceof ReadableStream
}

/** The whole body. Faults: `payload-too-large`, `payload-interrupted`. */
export async function gather(body: SmallOrStream, bytesMax: number): Promise<Uint8Array> {
  const taken = await takeSmall(body, bytesMax)
  if (taken instanceof Uint8Array && taken.byteLength <= bytesMax) return taken
  if (taken instanceof Uint8Array) throw toTooLarge(bytesMax, `${taken.byteLength}`)
  const fault = toTooLarge(bytesMax, 'more')
  await taken.cancel(fault).catch(() => {})
  throw fault
}

/** The body's bytes when there are at most `bytesMax`, else a stream of all of them; bytes stay what they are. */
export async function takeSmall(body: SmallOrStream, bytesMax: number): Promise<SmallOrStream> {
  if (body instanceof Uint8Array) return body
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  while (size <= bytesMax) {
    const next = await readNext(reader, size)
    if (next.done) return Buffer.concat(chunks, size)
    chunks.push(next.value)
    size += next.value.byteLength
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const before = chunks.shift()
        if (before) return controller.enqueue(before)
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

async function readNext(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  size: number,
): Promise<Awaited<ReturnType<typeof reader.read>>> {
  try {
    return await reader.read()
  } catch (cause) {
    throw toInterrupted(cause, size)
  }
}
