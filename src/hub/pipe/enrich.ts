import { Fault, type Limits, pause } from '../../kernel/index.ts'
import type { PipeDefinition, PipeRecord } from './define-pipe.ts'
import { passed, refused, type Step } from './make-events.ts'
import { toRefusal } from './refusal.ts'
import { backoffMs, type RetryLimits } from './retry.ts'

export type EnrichLimits = RetryLimits & Pick<Limits, 'hubPipeEnrichTimeoutMs' | 'hubPipeEnrichTriesMax'>
type EnrichParts = {
  readonly record: PipeRecord
  readonly limits: EnrichLimits
  /** Ends the wait; what is under way counts as not tried. */
  readonly closed: AbortSignal
}

/** Each output enriched, one after the other. Fault `closed` when the pipe closes meanwhile. */
export async function enrichOutputs(
  definition: PipeDefinition,
  outputs: readonly unknown[],
  parts: EnrichParts,
): Promise<Step<readonly unknown[]>> {
  const { enrich } = definition
  if (!enrich) return passed(outputs)
  const enriched: unknown[] = []
  for (const output of outputs) {
    const step = await enrichOutput(enrich, output, parts)
    if (!step.ok) return step
    enriched.push(step.value)
  }
  return passed(enriched)
}

type Enrich = NonNullable<PipeDefinition['enrich']>

async function enrichOutput(enrich: Enrich, output: unknown, parts: EnrichParts): Promise<Step<unknown>> {
  const { limits, closed } = parts
  for (let attempt = 1; ; attempt++) {
    try {
      return passed(await tryOnce(enrich, output, { ...parts, attempt }))
    } catch (error) {
      if (closed.aborted) throw new Fault('closed', 'the pipe was closed; what it had in hand comes again')
      if (attempt >= limits.hubPipeEnrichTriesMax) return refused(toRefusal('enrich-failed', error, attempt))
      await pause(backoffMs(attempt, limits), closed)
    }
  }
}

/** One call, not waited for longer than its time even if it does not listen to its signal. */
async function tryOnce(enrich: Enrich, output: unknown, parts: EnrichParts & { attempt: number }): Promise<unknown> {
  const { record, limits, closed, attempt } = parts
  const ending = new AbortController()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  // It may end before anybody waits for it.
  ended.catch(() => {})
  const end = (reason: Error): void => {
    reject(reason)
    ending.abort(reason)
  }
  const onClosed = (): void => end(new Fault('closed', 'the pipe was closed'))
  const timer = setTimeout(
    () => end(new Fault('timeout', `enrich: expected an answer within ${limits.hubPipeEnrichTimeoutMs} ms`)),
    limits.hubPipeEnrichTimeoutMs,
  )
  closed.addEventListener('abort', onClosed, { once: true })
  if (closed.aborted) onClosed()
  try {
    return await Promise.race([enrich(output, { signal: ending.signal, record, attempt }), ended])
  } finally {
    clearTimeout(timer)
    closed.removeEventListener('abort', onClosed)
  }
}
