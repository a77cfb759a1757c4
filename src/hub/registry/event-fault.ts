import type { DataError } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'

/** `event-invalid`: every field at fault in the message, and in `detail.errors`. */
export function toEventFault(type: string | null, errors: readonly DataError[], cause?: unknown): Fault {
  const told = errors.map(({ path, detail }) => `${path}: ${detail}`).join('; ')
  return new Fault('event-invalid', type === null ? told : `${type}: ${told}`, { detail: { type, errors }, cause })
}
