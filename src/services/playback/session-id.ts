import { createHmac, timingSafeEqual } from 'node:crypto'
import { createId } from '../../kernel/index.ts'

/** The ids of sessions, each of which says whose it is to any cell that has the secret, without a record of any. */
export type SessionIds = {
  create(viewerId: string): string
  /** True only of what `create` gave for this viewer: nobody can make one up. */
  isOf(viewerId: string, sessionId: string): boolean
}

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** Time, counter and 14 random bits; what follows says whose it is. */
const HEAD_CHARS = 24
const MAC_CHARS = 12

/**
 * A UUIDv7 whose last 48 bits are a MAC over the rest and the viewer's id, so an id proves that the session was begun. Viewers
 * cost nothing: without a secret each could end any number of sessions that never were, which all edges would have to
 * remember. 48 bits are enough: a guess can only be tried by asking a cell, and what it wins is one such ending.
 */
export function createSessionIds(secret: Uint8Array): SessionIds {
  const macOf = (head: string, viewerId: string): string =>
    createHmac('sha256', secret).update(head).update(viewerId).digest('hex').slice(0, MAC_CHARS)
  return {
    create(viewerId) {
      const head = createId().slice(0, HEAD_CHARS)
      return head + macOf(head, viewerId)
    },
    isOf(viewerId, sessionId) {
      if (!SESSION_ID.test(sessionId)) return false
      const mac = macOf(sessionId.slice(0, HEAD_CHARS), viewerId)
      return timingSafeEqual(Buffer.from(mac), Buffer.from(sessionId.slice(HEAD_CHARS)))
    },
  }
}
