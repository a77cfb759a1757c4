import { expect, test } from 'bun:test'
import { faultCode } from '../kernel/index.ts'
import { refusePromise, refusePromises } from './refuse-promise.ts'

const down = async (): Promise<never> => {
  throw new Error('down')
}
const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'given'
  } catch (error) {
    return faultCode(error)
  }
}
const loop: { self?: unknown } = {}
loop.self = loop

const thenable = (then: unknown): unknown => Object.fromEntries([['then', then]])

// One that is left to itself ends the test run: that it does not is half of what is tested.
const cases: readonly (readonly [what: string, make: () => unknown, alone: string, within: string])[] = [
  ['nothing', () => null, 'given', 'given'],
  ['a field of that name', () => thenable('a field'), 'given', 'given'],
  ['bytes', () => new Uint8Array(4), 'given', 'given'],
  ['a circle', () => loop, 'given', 'given'],
  ['a function', () => down, 'given', 'given'],
  ['a promise', down, 'promise-refused', 'promise-refused'],
  ['what can be waited for', () => thenable(() => {}), 'promise-refused', 'promise-refused'],
  ['promises in a list', () => [1, down(), down()], 'given', 'promise-refused'],
  ['promises deep inside', () => ({ a: { b: [down()] } }), 'given', 'promise-refused'],
]
test.each(cases)('%s', async (_, make, alone, within) => {
  const answer = make()
  expect(codeOf(() => refusePromises(answer, 'transform'))).toBe(within)
  expect(codeOf(() => refusePromise(answer, 'transform'))).toBe(alone)
  await new Promise((resolve) => setImmediate(resolve))
})
