import { isJsonTextDeep, PATTERN_LIMITS } from '../../kernel/index.ts'

/** What a decoder is told of the record besides its bytes. */
export type DecodeContext = { readonly key: string; readonly headers: Readonly<Record<string, string>> }

/** Bytes to a value that the pipe's schema then looks at. Pure; it throws what is wrong with them. */
export type Decode = (bytes: Uint8Array, context: DecodeContext) => unknown

/** For payloads that nobody looks into: the bytes are never loaded, the schema is given an `OpaqueRecord`. */
export type Opaque = { readonly kind: 'opaque' }

/** What the schema of an opaque pipe sees. */
export type OpaqueRecord = {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly sizeBytes: number
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON as UTF-8. */
export const decodeJson: Decode = (bytes) => {
  const text = utf8.decode(bytes)
  if (isJsonTextDeep(text, PATTERN_LIMITS.eventDepthMax))
    throw new Error(`expected at most ${PATTERN_LIMITS.eventDepthMax} objects and arrays inside one another`)
  return JSON.parse(text) as unknown
}

/** Text as UTF-8. */
export const decodeText: Decode = (bytes) => utf8.decode(bytes)

export const opaque: Opaque = { kind: 'opaque' }
