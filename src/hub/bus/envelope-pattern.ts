import type { Pattern } from '../patterns/index.ts'

/**
 * What a pattern asks of an event beside its data: whatever matches the pattern matches this too, so that data behind a claim is
 * loaded for nobody who does not want it whatever is in it.
 */
export function toEnvelopePattern({ branches }: Pattern): Pattern {
  return { branches: branches.map((branch) => branch.filter(({ path }) => !isOfData(path))) }
}

/** The reference goes with the data where an older version is given in a newer one. */
const REFERENCE: readonly string[] = ['data', 'dataref', 'datasize', 'datadigest']

function isOfData(path: string): boolean {
  return REFERENCE.includes(path) || path.startsWith('data.')
}
