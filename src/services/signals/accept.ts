import type { z } from 'zod'
import type { signalsRequestSchema } from '../../contracts/index.ts'
import { type Publisher, toEvent } from '../../hub/index.ts'

export type Signal = z.infer<typeof signalsRequestSchema>['signals'][number]

/**
 * Puts a player's batch on the log with one append; durable when resolved. A signal's id becomes its event's, so that
 * a batch sent again has no further effect. Faults: those of `LogPort.append`.
 */
export async function acceptSignals(
  options: { publisher: Publisher; source: string },
  viewerId: string,
  signals: readonly Signal[],
): Promise<void> {
  const events = signals.map(({ id, ...signal }) =>
    toEvent('tentpole.playback.signal.v1', viewerId, { viewerId, ...signal }, { source: options.source, id }),
  )
  await options.publisher.publishMany(events)
}
