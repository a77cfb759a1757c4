import type { StaffTitle } from '../../contracts/index.ts'
import type { CatalogTitle } from '../../services/catalog/index.ts'
import type { TitleRow } from '../../services/titles/index.ts'

/** The staff's row says that a title exists and whether it was withdrawn; all between the two the log tells. */
export function toStaffTitle(row: TitleRow, heard: CatalogTitle | undefined, watchUrl: string): StaffTitle {
  const isWithdrawn = row.state === 'withdrawn'
  // The view may be a moment behind the row: a film that has just been taken in is never shown as still to come.
  const state = isWithdrawn || !heard || heard.state === 'uploading' ? row.state : heard.state
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    state,
    percent: heard?.percent ?? 0,
    stages: heard ? [...heard.stages] : [],
    code: isWithdrawn ? 'withdrawn' : (heard?.code ?? null),
    reason: isWithdrawn ? row.reason : (heard?.reason ?? null),
    fileName: row.fileName ?? heard?.fileName ?? null,
    durationMs: heard?.plan?.durationMs ?? null,
    heights: heard?.plan?.renditions.map((rendition) => rendition.height) ?? [],
    createdAtMs: row.createdAtMs,
    updatedAtMs: Math.max(row.updatedAtMs, heard?.updatedAtMs ?? 0),
    watchUrl: new URL(`/title/${row.id}`, watchUrl).href,
    posterUrl: heard?.poster && !isWithdrawn ? new URL(`/art/${row.id}/poster.jpg`, watchUrl).href : null,
  }
}
