import { expect, test } from 'bun:test'
import { describeError, Fault, faultCode } from './errors.ts'

test('a fault carries a stable code, detail and cause', () => {
  const cause = new Error('no space left')
  const fault = new Fault('objects-full', 'no room for the object', { cause, detail: { bytes: 7 } })
  expect([fault.code, fault.name, fault.detail, fault.cause]).toEqual(['objects-full', 'Fault', { bytes: 7 }, cause])
  expect(new Fault('x', 'y').detail).toEqual({})
  expect('cause' in new Fault('x', 'y')).toBe(false)
})

test('the code of what nobody expected is internal', () => {
  expect([new Fault('range', ''), new TypeError('x'), 'text', null].map(faultCode)).toEqual([
    'range',
    'internal',
    'internal',
    'internal',
  ])
})

test('a description tells the whole chain of causes', () => {
  const error = new Fault('a', 'could not publish', { cause: new Error('could not write', { cause: 'disk' }) })
  expect(describeError(error)).toBe('could not publish (because: could not write (because: disk))')
  expect(describeError(42)).toBe('42')
})
