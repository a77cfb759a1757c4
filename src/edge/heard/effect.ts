import type { CloudEvent, PurgeOrder } from '../../contracts/index.ts'

/** What an event of the log asks of an edge. */
export type HeardEffect =
  | { readonly kind: 'withdraw'; readonly titleId: string }
  | { readonly kind: 'revoke'; readonly sessionId: string; readonly revokedAtMs: number }
  | { readonly kind: 'purge'; readonly order: PurgeOrder }

/** Null for what is not for edges. Pure. */
export function decideHeard(event: CloudEvent, appendedAtMs: number): HeardEffect | null {
  switch (event.type) {
    case 'tentpole.title.withdrawn.v1':
      return { kind: 'withdraw', titleId: event.data.titleId }
    case 'tentpole.session.revoked.v1':
      // Of two clocks that disagree the later counts: remembered too long is the lesser fault.
      return {
        kind: 'revoke',
        sessionId: event.data.sessionId,
        revokedAtMs: Math.max(event.data.revokedAtMs, appendedAtMs),
      }
    case 'tentpole.cache.purged.v1':
      return { kind: 'purge', order: { scope: event.data.scope, value: event.data.value } }
    default:
      return null
  }
}
