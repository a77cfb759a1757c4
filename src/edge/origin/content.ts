/** Content of a message: bytes when all of it is here, else a stream, which errors when it ends short of its framing. */
export type Content = ReadableStream<Uint8Array> | Uint8Array | null

/** Nobody wants it. */
export function cancelContent(content: Content): void {
  // Why it could not be read was told to whoever read it.
  if (content instanceof ReadableStream) content.cancel().catch(() => {})
}
