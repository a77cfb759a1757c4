import { contains } from '../../contracts/index.ts'
import { readAddress } from './address.ts'
import { foldCase } from './fold-case.ts'
import type { Range, Scalar, Test } from './pattern.ts'
import { matchesWildcard } from './wildcard.ts'

/** Whether a value that is there passes a test. What is about text is never passed by anything else, nor numbers by text. */
export function passes(test: Test, value: Scalar): boolean {
  switch (test.kind) {
    case 'equals':
      return test.value === value
    case 'exists':
      return test.exists
    case 'anything-but':
      return !test.except.some((each) => passes(each, value))
    case 'numeric':
      return typeof value === 'number' && isWithin(test.range, value)
    default:
      return typeof value === 'string' && passesText(test, value)
  }
}

export function isWithin({ low, high, isLowOpen, isHighOpen }: Range, value: number): boolean {
  // A number beyond what a double holds is infinite and outside of every range.
  if (!Number.isFinite(value)) return false
  return (isLowOpen ? value > low : value >= low) && (isHighOpen ? value < high : value <= high)
}

type TextTest = Exclude<Test, { kind: 'equals' | 'exists' | 'anything-but' | 'numeric' }>

function passesText(test: TextTest, text: string): boolean {
  switch (test.kind) {
    case 'prefix':
      return text.startsWith(test.text)
    case 'suffix':
      return text.endsWith(test.text)
    case 'wildcard':
      return matchesWildcard(test.segments, text)
    case 'equals-ignore-case':
      return foldCase(text) === test.folded
    case 'prefix-ignore-case':
      return foldCase(text).startsWith(test.folded)
    case 'suffix-ignore-case':
      return foldCase(text).endsWith(test.folded)
    case 'cidr': {
      const address = readAddress(text)
      return address !== null && contains(test.network, address)
    }
  }
}
