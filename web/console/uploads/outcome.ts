import type { StaffTitle } from '../../../src/contracts/index.ts'

export type Outcome = { readonly note: string; readonly bad: boolean }

/** What became of a film after its upload ended: the platform may still refuse it. */
export function describeOutcome(title: Pick<StaffTitle, 'state' | 'reason'> | undefined): Outcome {
  switch (title?.state) {
    case 'playable':
      return { note: 'Can be watched already; more of it is being made.', bad: false }
    case 'published':
      return { note: 'Published.', bad: false }
    case 'failed':
      return { note: title.reason ?? 'It was refused.', bad: true }
    case 'withdrawn':
      return { note: 'Withdrawn.', bad: false }
    default:
      return { note: 'Uploaded. It can be watched in a few seconds.', bad: false }
  }
}
