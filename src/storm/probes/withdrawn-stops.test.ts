import { expect, test } from 'bun:test'
import { createClient } from './client.ts'
import { createFindings } from './findings.ts'
import { PROBE_LIMITS } from './limits.ts'
import type { Send } from './send.ts'
import { createWithdrawnStops, type WithdrawnStops } from './withdrawn-stops.ts'

type Operator = NonNullable<Parameters<typeof createWithdrawnStops>[0]['operator']>

/** Before the storm nobody is asked anything. */
const SEND: Send = async () => ({ kind: 'stopped' })

function create(publish: Operator['publish'], stopped: AbortSignal, publishWaitMs?: number): WithdrawnStops {
  const nowMs = (): number => 0
  return createWithdrawnStops({
    client: createClient({ send: SEND, limits: PROBE_LIMITS }),
    findings: createFindings({ probe: 'withdrawn-stops', violationsMax: 1, nowMs, onViolation: () => {} }),
    limits: PROBE_LIMITS,
    people: [],
    random: () => 0,
    nowMs,
    stopped,
    send: SEND,
    operator: { publish, withdraw: async () => {} },
    planned: true,
    ...(publishWaitMs === undefined ? {} : { publishWaitMs }),
  })
}

/** As control is when the store hangs: it neither answers nor hears that nobody listens any more. */
const deaf: Operator['publish'] = () => new Promise<never>(() => {})

const cases: readonly [what: string, abort: 'stopped' | 'interrupt' | 'time', why: string][] = [
  ['the storm is interrupted', 'interrupt', 'interrupted by hand'],
  ['the probes are stopped', 'stopped', 'interrupted by hand'],
  ['it takes too long', 'time', 'it took longer than 0.02 s'],
]
test.each(cases)('a film that is never published is not waited for once %s', async (_, by, why) => {
  const [stopped, interrupt] = [new AbortController(), new AbortController()]
  const probe = create(deaf, stopped.signal, by === 'time' ? 20 : undefined)
  const prepared = probe.prepare(interrupt.signal)
  const reason = new Error('interrupted by hand')
  if (by === 'interrupt') interrupt.abort(reason)
  if (by === 'stopped') stopped.abort(reason)
  await prepared
  expect(probe.titleId()).toBeNull()
  expect(probe.result().notProbed).toBe(`the film to be withdrawn was not published: ${why}`)
})

test('the operator is told to stop, too', async () => {
  const interrupt = new AbortController()
  let heard: unknown = null
  const listening: Operator['publish'] = (_, __, signal) =>
    new Promise<never>((___, reject) => {
      signal.addEventListener('abort', () => {
        heard = signal.reason
        reject(signal.reason)
      })
    })
  const prepared = create(listening, new AbortController().signal).prepare(interrupt.signal)
  interrupt.abort('enough')
  await prepared
  expect(heard).toBe('enough')
})
