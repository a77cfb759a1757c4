import type { AnyEvent, SpokeRequest } from '../../contracts/index.ts'
import type { BatchResult, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import { findGrantFaults, type GrantFault } from './grants.ts'
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
import { createSights, type Sight } from './sights.ts'
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
  authenticate(token: string): Promise<(Spoke & { readonly tokenId: string }) | null>
  /** Whether a spoke may see an event, as far as this process has heard; of one it has not heard of, as the tables say. */
  look(name: string, event: AnyEvent): Promise<Sight>
  /** The same at once; null before this process has heard anything. */
  sight(name: string, event: AnyEvent): Sight | null
  /** Whether this process has heard anything yet. */
  hasHeard(): boolean
  /** Calls back whenever this process has heard how things are; returns how to stop. */
  onHeard(listener: (heard: { isCurrent(name: string, tokenId: string): boolean }) => void): () => void
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
  const sights = createSights({ load: () => tables.query(selectSpokes(limits.hubSpokesMax)), logger })
  void sights.refresh()
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
      const isOurs = row !== undefined && hasDigest(parsed.token, String(row['token_digest']))
      return isOurs ? { ...toSpoke(row), tokenId: parsed.id } : null
    },
    look: sights.look,
    sight: sights.sight,
    hasHeard: sights.hasHeard,
    onHeard: sights.onHeard,
    close() {
      clearInterval(poll)
      stopListening()
    },
  }
}
