import { createHash, timingSafeEqual } from 'node:crypto'
import { createId } from '../../kernel/index.ts'

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** Time, counter and 14 random bits; what follows says whose it is. */
const HEAD_CHARS = 24
const OWNER_CHARS = 12

/**
 * A UUIDv7 whose last 48 bits follow from the viewer's id: any cell can tell whose session it is without asking anyone or
 * remembering any. No secret is needed: a viewer's id is given, not chosen, and proved by the viewer's token.
 */
export function createSessionId(viewerId: string): string {
  const head = createId().slice(0, HEAD_CHARS)
  return head + ownerOf(head, viewerId)
}

export function isSessionOf(viewerId: string, sessionId: string): boolean {
  if (!SESSION_ID.test(sessionId)) return false
  const owner = ownerOf(sessionId.slice(0, HEAD_CHARS), viewerId)
  return timingSafeEqual(Buffer.from(owner), Buffer.from(sessionId.slice(HEAD_CHARS)))
}

function ownerOf(head: string, viewerId: string): string {
  return createHash('sha256').update(head).update(viewerId).digest('hex').slice(0, OWNER_CHARS)
}
