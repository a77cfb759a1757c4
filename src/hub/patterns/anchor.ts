import { formatNetwork } from '../../contracts/index.ts'
import type { Scalar, Test } from './pattern.ts'

/** The kinds of things by which values are looked up. */
export const FAMILIES = [
  'equals',
  'folded',
  'prefix',
  'suffix',
  'folded-prefix',
  'folded-suffix',
  'contains',
  'range',
  'network',
  'any',
] as const

export type Family = (typeof FAMILIES)[number]

/** By what the values that pass a test are found: all of them, perhaps others too. */
export type Anchor = {
  readonly family: Family
  readonly key: Scalar
  readonly test: Test
  /** Whatever is found by it passes the test. */
  readonly isExact: boolean
  /** How many of the values in an event it may find, guessed, beside one that is equal to something. */
  readonly breadth: number
}

export const anchorName = ({ family, key }: Anchor): string => `${family} ${JSON.stringify(key)}`

/** The anchors of a test, any of which will do; none where it also holds without a value. */
export function anchorsOf(test: Test): readonly Anchor[] {
  switch (test.kind) {
    case 'equals':
      return [{ family: 'equals', key: test.value, test, isExact: true, breadth: breadthOf(test.value) }]
    case 'equals-ignore-case':
      return [{ family: 'folded', key: test.folded, test, isExact: true, breadth: 1 }]
    case 'prefix':
    case 'suffix':
      return [literal(test.kind, test.text, test, true)]
    case 'prefix-ignore-case':
      return [literal('folded-prefix', test.folded, test, true)]
    case 'suffix-ignore-case':
      return [literal('folded-suffix', test.folded, test, true)]
    case 'wildcard':
      return anchorsOfWildcard(test)
    case 'numeric':
      return [{ family: 'range', key: `${test.range.low} ${test.range.high}`, test, isExact: false, breadth: RANGE }]
    case 'cidr':
      return [{ family: 'network', key: formatNetwork(test.network), test, isExact: true, breadth: 1 }]
    case 'exists':
      return test.exists ? [{ ...anything(test), isExact: true }] : []
    case 'anything-but':
      return [anything(test)]
  }
}

/** Of true and false each is said of many, as null is. */
const breadthOf = (value: Scalar): number => (typeof value === 'boolean' || value === null ? RANGE : 1)

/** Guesses, of which only the order matters. */
const RANGE = 8
const ANY = 64

const anything = (test: Test): Anchor => ({ family: 'any', key: null, test, isExact: false, breadth: ANY })

/** The longer, the fewer values have it. */
function literal(family: Family, text: string, test: Test, isExact: boolean): Anchor {
  if (text === '') return anything(test)
  return { family, key: text, test, isExact, breadth: text.length < 3 ? RANGE : 2 }
}

/** Every one of its literal parts. Many wildcards may share one; which is best depends on the others. */
function anchorsOfWildcard(test: Test & { readonly kind: 'wildcard' }): readonly Anchor[] {
  const last = test.segments.length - 1
  const anchors = test.segments.flatMap((segment, index) => {
    if (segment === '') return []
    const family = index === 0 ? 'prefix' : index === last ? 'suffix' : 'contains'
    return [literal(family, segment, test, false)]
  })
  return anchors.length === 0 ? [anything(test)] : anchors
}
