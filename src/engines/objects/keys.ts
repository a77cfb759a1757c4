import { Fault } from '../../kernel/index.ts'

const KEY_CHARACTERS_MAX = 512
/** File systems take names of 255 bytes. */
const SEGMENT_CHARACTERS_MAX = 200

/**
 * Checks a key. Fault `key-invalid` names what is wrong with it. What passes can be joined to a directory without ever
 * leaving it: no empty, `.` or `..` segment, no byte outside the alphabet.
 */
export function checkKey(key: string): void {
  const refuse = (what: string): never => {
    throw new Fault('key-invalid', `an object key ${what}, got ${JSON.stringify(key.slice(0, 100))}`)
  }
  if (key.length === 0 || key.length > KEY_CHARACTERS_MAX) refuse(`must have 1 to ${KEY_CHARACTERS_MAX} characters`)
  if (!/^[A-Za-z0-9._/-]+$/.test(key)) refuse('may hold only A-Z a-z 0-9 . _ / -')
  for (const segment of key.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') refuse('must not have an empty, "." or ".." segment')
    if (segment.length > SEGMENT_CHARACTERS_MAX)
      refuse(`must not have a segment over ${SEGMENT_CHARACTERS_MAX} characters`)
  }
}

/** Ends an object's file name. It is in no key's alphabet, so `a` and `a/b` can both be objects. */
export const OBJECT_SUFFIX = '~'
