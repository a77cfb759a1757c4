import type { CloudEvent } from '../../contracts/index.ts'
import { toEvent } from '../../hub/index.ts'
import type { AcceptedUpload, TitleRow } from './rows.ts'

export type Refusal = { readonly code: 'title-unknown' | 'title-closed'; readonly message: string }

/** What is to be written when a decision is made, and said when it is. */
export type Decision = { readonly after: TitleRow; readonly events: readonly CloudEvent[] }

type Moment = { readonly nowMs: number; readonly source: string }

/** Whether a title takes uploads at all: null when it does. */
export function decideAdmission(titleId: string, title: TitleRow | null): Refusal | null {
  if (!title)
    return {
      code: 'title-unknown',
      message: `titleId: expected the id of a title created by POST /api/titles, got ${JSON.stringify(titleId)}, which does not exist`,
    }
  if (title.state === 'uploading') return null
  const why = title.state === 'withdrawn' ? 'was withdrawn' : 'has its film already, and what goes with it comes before'
  return { code: 'title-closed', message: `title ${title.id} ${why}; create another title for this upload` }
}

/** Captions wait for the film; the film closes the title for uploads and sends it, with the captions there are, to media. */
export function decideUpload(
  title: TitleRow,
  upload: AcceptedUpload,
  captions: readonly AcceptedUpload[],
  moment: Moment,
): Decision {
  if (upload.role === 'captions') return { after: { ...title, updatedAtMs: moment.nowMs }, events: [] }
  const event = toEvent(
    'tentpole.asset.uploaded.v1',
    title.id,
    {
      titleId: title.id,
      metadata: { name: title.name, description: title.description, createdAtMs: title.createdAtMs },
      source: { objectKey: upload.objectKey, fileName: upload.fileName, bytes: upload.bytes },
      captions: captions.map(({ objectKey, fileName, language, label }) => ({ objectKey, fileName, language, label })),
    },
    moment,
  )
  return {
    after: { ...title, state: 'processing', fileName: upload.fileName, updatedAtMs: moment.nowMs },
    events: [event],
  }
}

/** Null when it is withdrawn already. */
export function decideWithdrawal(title: TitleRow, reason: string, moment: Moment): Decision | null {
  if (title.state === 'withdrawn') return null
  const event = toEvent('tentpole.title.withdrawn.v1', title.id, { titleId: title.id, reason }, moment)
  return {
    after: { ...title, state: 'withdrawn', reason, withdrawnEventId: event.id, updatedAtMs: moment.nowMs },
    events: [event],
  }
}
