import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault } from '../../kernel/index.ts'
import { type Admitted, createAdmission } from './admission.ts'

const LIMITS = { hubPublishCallsMax: 3, hubPublishBytesMax: 100, hubBusyRetryMs: 250 }

function faultOf(act: () => unknown): Fault | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

test('too many calls, or bytes: hub-busy says when to come again; room given back is there again', () => {
  const admission = createAdmission(LIMITS)
  const calls = [admission.enter(10), admission.enter(10), admission.enter(10)]
  expect(faultOf(() => admission.enter(0))).toMatchObject({ code: 'hub-busy', detail: { retryAfterMs: 250 } })
  calls[0]?.leave()
  expect(faultOf(() => admission.enter(81))?.code).toBe('hub-busy')
  const large = admission.enter(80)
  expect(faultOf(() => large.grow(1))?.code).toBe('hub-busy')
})

test('what can never come in is not told to come again', () => {
  const admission = createAdmission(LIMITS)
  expect(faultOf(() => admission.enter(101))?.code).toBe('payload-too-large')
  const call = admission.enter(60)
  expect(faultOf(() => call.grow(41))?.code).toBe('payload-too-large')
})

test('whatever comes and goes: never more than the bounds, and all room is back in the end', () => {
  const act = fc.record({ kind: fc.constantFrom('enter', 'grow', 'leave'), bytes: fc.nat(120), pick: fc.nat() })
  const property = fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
    const admission = createAdmission(LIMITS)
    const inside: { admitted: Admitted; bytes: number }[] = []
    for (const { kind, bytes, pick } of acts) {
      const at = pick % Math.max(1, inside.length)
      const one = inside[at]
      if (kind === 'enter') faultOf(() => inside.push({ admitted: admission.enter(bytes), bytes }))
      if (kind === 'leave' && one) inside.splice(at, 1)[0]?.admitted.leave()
      if (kind === 'grow' && one && !faultOf(() => one.admitted.grow(bytes))) one.bytes += bytes
      expect(inside.length).toBeLessThanOrEqual(LIMITS.hubPublishCallsMax)
      expect(inside.reduce((sum, call) => sum + call.bytes, 0)).toBeLessThanOrEqual(LIMITS.hubPublishBytesMax)
    }
    for (const { admitted } of inside) admitted.leave()
    for (let call = 0; call < 3; call++) admission.enter(33)
  })
  fc.assert(property)
})
