import type { CloudEvent, EndedBy, PurgeOrder } from '../../contracts/index.ts'

/** What an event of the log asks of an edge. */
export type HeardEffect =
  | { readonly kind: 'withdraw'; readonly titleId: string }
  | { readonly kind: 'revoke'; readonly sessionId: string; readonly endedBy: EndedBy }
  | { readonly kind: 'purge'; readonly order: PurgeOrder }

/** Null for what is not for edges. Pure. */
export function decideHeard(event: CloudEvent): HeardEffect | null {
  switch (event.type) {
    case 'tentpole.title.withdrawn.v1':
      return { kind: 'withdraw', titleId: event.data.titleId }
    case 'tentpole.session.revoked.v1':
      return { kind: 'revoke', sessionId: event.data.sessionId, endedBy: event.data.endedBy }
    case 'tentpole.cache.purged.v1':
      return { kind: 'purge', order: { scope: event.data.scope, value: event.data.value } }
    default:
      return null
  }
}
