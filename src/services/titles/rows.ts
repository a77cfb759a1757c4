import type { Row, SqlValue, Statement } from '../../engines/tables/index.ts'

/** `uploading` until its film is there; what becomes of it then is on the log, not here. */
export type StaffState = 'uploading' | 'processing' | 'withdrawn'

export type TitleRow = {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly state: StaffState
  /** Rises with every change of the row or its uploads; every write names the one it was decided on. */
  readonly revision: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly fileName: string | null
  /** Why it was withdrawn. */
  readonly reason: string | null
  readonly withdrawnEventId: string | null
}

/** A complete upload that was taken into `objects`. */
export type AcceptedUpload = {
  readonly uploadId: string
  readonly titleId: string
  readonly role: 'film' | 'captions'
  readonly objectKey: string
  readonly fileName: string
  readonly language: string
  readonly label: string
  readonly bytes: number
}

export function toTitleRow(row: Row): TitleRow {
  return {
    id: String(row['id']),
    name: String(row['name']),
    description: String(row['description']),
    state: row['state'] as StaffState, // only this room writes it
    revision: Number(row['revision']),
    createdAtMs: Number(row['created_at_ms']),
    updatedAtMs: Number(row['updated_at_ms']),
    fileName: toText(row['file_name']),
    reason: toText(row['reason']),
    withdrawnEventId: toText(row['withdrawn_event_id']),
  }
}

export function toAcceptedUpload(row: Row): AcceptedUpload {
  return {
    uploadId: String(row['upload_id']),
    titleId: String(row['title_id']),
    role: row['role'] as AcceptedUpload['role'], // only this room writes it
    objectKey: String(row['object_key']),
    fileName: String(row['file_name']),
    language: String(row['language']),
    label: String(row['label']),
    bytes: Number(row['bytes']),
  }
}

export function insertTitle(title: TitleRow): Statement {
  return {
    sql: `INSERT INTO titles (id, name, description, state, revision, created_at_ms, updated_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    parameters: [
      title.id,
      title.name,
      title.description,
      title.state,
      title.revision,
      title.createdAtMs,
      title.updatedAtMs,
    ],
    expectRows: 1,
  }
}

/** Writes `after` if the row is still at `before.revision`. */
export function updateTitle(before: TitleRow, after: TitleRow): Statement {
  return {
    sql: `UPDATE titles SET state = ?, revision = revision + 1, updated_at_ms = ?, file_name = ?, reason = ?, withdrawn_event_id = ?
      WHERE id = ? AND revision = ?`,
    parameters: [
      after.state,
      after.updatedAtMs,
      after.fileName,
      after.reason,
      after.withdrawnEventId,
      before.id,
      before.revision,
    ],
    expectRows: 1,
  }
}

export function insertUpload(upload: AcceptedUpload, nowMs: number): Statement {
  return {
    sql: `INSERT INTO title_uploads (upload_id, title_id, role, object_key, file_name, language, label, bytes, accepted_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    parameters: [
      upload.uploadId,
      upload.titleId,
      upload.role,
      upload.objectKey,
      upload.fileName,
      upload.language,
      upload.label,
      upload.bytes,
      nowMs,
    ],
    expectRows: 1,
  }
}

function toText(value: SqlValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}
