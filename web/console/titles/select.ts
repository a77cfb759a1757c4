import type { StaffTitle } from '../../../src/contracts/index.ts'
import { type Column, STATES, type TitlesView } from '../route.ts'

/** The rows a view of the table shows, in its order. Ids and file names are searched too; equal rows keep the newest first. */
export function selectTitles(titles: Iterable<StaffTitle>, view: TitlesView): StaffTitle[] {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean)
  const direction = view.descending ? -1 : 1
  return [...titles]
    .filter((title) => view.state === null || title.state === view.state)
    .filter((title) => {
      const searched = `${title.name} ${title.id} ${title.fileName ?? ''} ${title.reason ?? ''}`.toLowerCase()
      return words.every((word) => searched.includes(word))
    })
    .sort((a, b) => direction * COMPARE[view.sort](a, b) || b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1))
}

const COMPARE: Readonly<Record<Column, (a: StaffTitle, b: StaffTitle) => number>> = {
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true, sensitivity: 'base' }),
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state),
  percent: (a, b) => a.percent - b.percent,
  durationMs: (a, b) => (a.durationMs ?? -1) - (b.durationMs ?? -1),
  updatedAtMs: (a, b) => a.updatedAtMs - b.updatedAtMs,
}

/** What a title is doing, in a few words: the stage under way, or why there is none. */
export function describeStage(title: StaffTitle): string {
  if (title.state === 'failed' || title.state === 'withdrawn') return title.reason ?? ''
  if (title.state === 'uploading') return 'Waiting for its film'
  const open = title.stages.find(({ done, total }) => done < total)
  if (open !== undefined) return `${open.name} ${open.done} of ${open.total}`
  return title.state === 'published' ? '' : 'About to begin'
}
