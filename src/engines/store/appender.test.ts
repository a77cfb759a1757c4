import { expect, test } from 'bun:test'
import { DEFAULT_LIMITS, Fault, faultCode } from '../../kernel/index.ts'
import type { WireClient } from '../../wire/index.ts'
import { createAppender } from './appender.ts'
import { createReader } from './codec.ts'
import { decodeAppends, encodeAppendAnswers } from './messages.ts'

type Answer = 'lost' | Fault | readonly number[]

/** A store that answers its messages one after the other as told. */
function answering(answers: readonly Answer[]): { wire: Pick<WireClient, 'call'>; calls: () => number } {
  let calls = 0
  return {
    calls: () => calls,
    wire: {
      async call(payload) {
        const answer = answers[Math.min(calls++, answers.length - 1)] ?? 'lost'
        if (answer === 'lost') throw new Fault('wire-lost', 'the store was killed')
        const reader = createReader(payload)
        reader.u8()
        return encodeAppendAnswers(
          decodeAppends(reader).map(() => (answer instanceof Fault ? { fault: answer } : { offsets: answer })),
        )
      },
    },
  }
}

const full = new Fault('log-full', 'topic t: there is no room on the disk; nothing was appended')
const tooLarge = new Fault('record-too-large', 'topic t: too large; nothing was appended')

const cases: readonly { what: string; answers: readonly Answer[]; expected: unknown }[] = [
  { what: 'refused at once: nothing was appended', answers: [full], expected: 'log-full' },
  { what: 'lost, then refused: the first may have happened', answers: ['lost', full], expected: 'timeout' },
  { what: 'lost twice, then refused', answers: ['lost', 'lost', tooLarge], expected: 'timeout' },
  { what: 'lost, then overloaded', answers: ['lost', new Fault('overloaded', 'busy')], expected: 'timeout' },
  { what: 'lost, then taken', answers: ['lost', [7]], expected: [7] },
]

for (const { what, answers, expected } of cases)
  test(what, async () => {
    const { wire, calls } = answering(answers)
    const appender = createAppender({ wire: wire as WireClient, limits: DEFAULT_LIMITS }) // it calls, and nothing else
    const outcome = appender.append('t', [{ key: 'k', value: Buffer.from('x') }])
    expect<unknown>(await outcome.catch(faultCode)).toEqual(expected)
    expect(calls()).toBe(answers.length)
    appender.close()
  })

test('closed before it could be sent again: nobody is told that it was not sent', async () => {
  const { wire, calls } = answering(['lost'])
  const appender = createAppender({ wire: wire as WireClient, limits: DEFAULT_LIMITS }) // as above
  const outcome = appender.append('t', [{ key: 'k', value: Buffer.from('x') }]).catch(faultCode)
  while (calls() === 0) await new Promise((resolve) => setImmediate(resolve))
  // The loss is known by the next turn; the message waits to be sent again.
  await new Promise((resolve) => setImmediate(resolve))
  appender.close()
  expect<unknown>(await outcome).toBe('timeout')
})

test('lost while it was being closed: it is told so', async () => {
  const lost = Promise.withResolvers<Uint8Array>()
  let called = false
  const wire: Pick<WireClient, 'call'> = {
    call: () => {
      called = true
      return lost.promise
    },
  }
  const appender = createAppender({ wire: wire as WireClient, limits: DEFAULT_LIMITS }) // as above
  const outcome = appender.append('t', [{ key: 'k', value: Buffer.from('x') }]).catch(faultCode)
  while (!called) await new Promise((resolve) => setImmediate(resolve))
  appender.close()
  lost.reject(new Fault('wire-lost', 'the connection was closed'))
  expect<unknown>(await outcome).toBe('timeout')
})
