import type { Content } from '../content.ts'

/** All of it as text; rejects as the stream does. */
export async function textOf(content: Content): Promise<string> {
  return new TextDecoder().decode(await bytesOf(content))
}

/** All of it; rejects as the stream does. */
export async function bytesOf(content: Content): Promise<Uint8Array> {
  return content instanceof Uint8Array ? content : await new Response(content).bytes()
}

export function readerOf(content: Content): ReadableStreamDefaultReader<Uint8Array> | null {
  return content instanceof ReadableStream ? content.getReader() : null
}
