import type { StoredResponse } from '../cache/policy/index.ts'
import { type AnswerReport, toHead } from '../server/message.ts'
import { toClientLines } from './messages.ts'

/** What of answers from something stored is the same for all, or for all of one second. */
export type Prepared = {
  /** All lines but `Age`, `Cache-Status` and those of the server's own. */
  readonly fixed: string
  /** `Cache-Status` of the caches before this one. */
  readonly upstream: string | null
  /** The second that `head` is of. */
  ageS: number
  /** The lines of a hit. */
  head: string
  report: AnswerReport | null
}

/** What has room for it: it comes and goes with what is stored. Made when it is first needed. */
export type PreparedSlot = { readonly stored: StoredResponse; prepared: Prepared | null }

export function preparedOf(slot: PreparedSlot): Prepared {
  const { stored } = slot
  slot.prepared ??= {
    fixed: toHead(toClientLines(stored)),
    upstream: stored.fields.get('cache-status'),
    ageS: -1,
    head: '',
    report: null,
  }
  return slot.prepared
}
