import type { AnyEvent, SpokeRequest } from '../../contracts/index.ts'
import type { BatchResult, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, describeError, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import { createSight, findGrantFaults, type GrantFault } from './grants.ts'
import {
  deleteSpoke,
  insertSpoke,
  type Spoke,
  selectByToken,
  selectSpokes,
  toSpoke,
  updateGrants,
  updateToken,
} from './rows.ts'
import { createToken, hasDigest, parseToken } from './token.ts'

export const SPOKES_CHANNEL = 'hub-spokes'

export type SpokeChange =
  | { readonly ok: true; readonly spoke: Spoke }
  | { readonly ok: false; readonly code: 'pattern-invalid'; readonly faults: readonly GrantFault[] }
  | { readonly ok: false; readonly code: 'spoke-exists' | 'spoke-unknown' | 'spokes-too-many' }

/** Told once: only its digest is kept. */
export type SpokeCreated =
  | { readonly ok: true; readonly spoke: Spoke; readonly token: string }
  | Extract<SpokeChange, { ok: false }>

/** `withheld`: none of its patterns allows the event. `revoked`: there is no such spoke (any more). */
export type Sight = 'visible' | 'withheld' | 'revoked'

/** The credentials and grants of other teams' processes. */
export type Spokes = {
  create(request: SpokeRequest): Promise<SpokeCreated>
  /** New grants for a spoke; its token stays. In effect here when it resolves, elsewhere within `hubSpokesPollMs`. */
  change(request: SpokeRequest): Promise<SpokeChange>
  /** A new token; the old one is worth nothing from then on. Null: no such spoke. */
  renewToken(name: string): Promise<string | null>
  /** Revokes its token at once. False: there was none. */
  remove(name: string): Promise<boolean>
  list(): Promise<readonly Spoke[]>
  /** Whose token it is. Asks the tables every time, so that a revoked token is refused everywhere at once. */
  authenticate(token: string): Promise<Spoke | null>
  /** Whether a spoke may see an event, as far as this process has heard. */
  look(name: string, event: AnyEvent): Promise<Sight>
  close(): void
}

export function createSpokes(options: {
  readonly tables: TablesPort
  readonly limits: Pick<Limits, 'hubSpokesMax' | 'hubSpokesPollMs'>
  readonly logger: Logger
  readonly clock?: Clock
}): Spokes {
  const { tables, limits, logger, clock = systemClock } = options
  const list = async (): Promise<readonly Spoke[]> =>
    (await tables.query(selectSpokes(limits.hubSpokesMax))).map(toSpoke)
  const sights = createSights({ list, logger })
  const stopListening = tables.listen(SPOKES_CHANNEL, () => void sights.refresh())
  const poll = setInterval(() => void sights.refresh(), limits.hubSpokesPollMs)
  const write = async (statement: Parameters<TablesPort['batch']>[0][number]): Promise<BatchResult> => {
    const result = await tables.batch([statement], { notify: [SPOKES_CHANNEL] })
    await sights.refresh()
    return result
  }
  const changed = (result: BatchResult): boolean => result.ok && (result.results[0]?.changes ?? 0) > 0

  return {
    list,
    async create(request) {
      const faults = findGrantFaults(request)
      if (faults.length > 0) return { ok: false, code: 'pattern-invalid', faults }
      const token = createToken()
      const nowMs = clock.nowMs()
      const result = await write(insertSpoke(request, token, { nowMs, max: limits.hubSpokesMax }))
      if (result.ok) return { ok: true, spoke: { ...request, createdAtMs: nowMs }, token: token.token }
      return { ok: false, code: result.code === 'constraint' ? 'spoke-exists' : 'spokes-too-many' }
    },
    async change(request) {
      const faults = findGrantFaults(request)
      if (faults.length > 0) return { ok: false, code: 'pattern-invalid', faults }
      const result = await write(updateGrants(request))
      const row = result.ok ? result.results[0]?.rows[0] : undefined
      return row ? { ok: true, spoke: toSpoke(row) } : { ok: false, code: 'spoke-unknown' }
    },
    async renewToken(name) {
      const token = createToken()
      return changed(await write(updateToken(name, token))) ? token.token : null
    },
    remove: async (name) => changed(await write(deleteSpoke(name))),
    async authenticate(text) {
      const parsed = parseToken(text)
      if (!parsed) return null
      const [row] = await tables.query(selectByToken(parsed.id))
      return row && hasDigest(parsed.token, String(row['token_digest'])) ? toSpoke(row) : null
    },
    look: sights.look,
    close() {
      clearInterval(poll)
      stopListening()
    },
  }
}

/** What each spoke may see, in memory, since every delivery asks. */
function createSights(options: { list(): Promise<readonly Spoke[]>; logger: Logger }): {
  refresh(): Promise<void>
  look(name: string, event: AnyEvent): Promise<Sight>
} {
  const { list, logger } = options
  let known: ReadonlyMap<string, (event: AnyEvent) => boolean> | null = null
  /** One after the other: an answer that was read earlier must not replace a later one. */
  let last: Promise<unknown> = Promise.resolve()

  const load = async (): Promise<void> => {
    const spokes = await list()
    known = new Map(spokes.map((spoke) => [spoke.name, createSight(spoke)]))
  }
  const queueLoad = (): Promise<void> => {
    const next = last.then(load)
    last = next.catch(() => {})
    return next
  }
  return {
    refresh: () =>
      queueLoad().catch((error: unknown) =>
        logger.warn('the spokes could not be read; those known stay in effect', { error: describeError(error) }),
      ),
    async look(name, event) {
      if (known === null) await queueLoad()
      const sees = known?.get(name)
      if (!sees) return 'revoked'
      return sees(event) ? 'visible' : 'withheld'
    },
  }
}
