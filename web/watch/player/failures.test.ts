import { expect, test } from 'bun:test'
import { describeFault, describeProblem, type EngineFault } from './failures.ts'

test.each([404, 410])('status %p means the title is gone, wherever it is met', (status) => {
  expect(describeProblem({ status, code: 'x', detail: 'x' })).toMatchObject({ code: 'gone', retryable: false })
  expect(describeFault({ kind: 'status', status })).toMatchObject({ code: 'gone', retryable: false })
})

test('a session that was ended on purpose is not a title that is gone', () => {
  expect(describeProblem({ status: 410, code: 'session-revoked', detail: 'x' })).toMatchObject({
    code: 'session-revoked',
    heading: 'This viewing was ended',
    retryable: true,
  })
})

test('no connection advises to check it, a refusal repeats what the server said', () => {
  expect(describeProblem({ status: 0, code: 'unreachable', detail: 'x' }).advice).toContain('network')
  expect(describeProblem({ status: 503, code: 'overloaded', detail: 'Too many viewers.' }).advice).toContain(
    'Too many viewers.',
  )
})

test('every fault says what happened and what to do', () => {
  const faults: EngineFault[] = [
    { kind: 'status', status: 503 },
    ...(['network', 'unsupported', 'decode', 'other'] as const).map((kind) => ({ kind, code: 'c' })),
  ]
  const said = faults.map(describeFault)
  for (const failure of said) expect([failure.heading.length > 10, failure.advice.length > 20]).toEqual([true, true])
  expect(new Set(said.map((failure) => failure.heading)).size).toBe(said.length)
})
