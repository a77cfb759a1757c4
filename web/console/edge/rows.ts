import type { EdgeTally, EdgeTopObject, OTHER_NAME } from '../../../src/contracts/index.ts'
import type { EdgeColumn, EdgeSort } from '../route.ts'
import { type OutcomeRow, percentOf, titleIn } from './view.ts'

/** What the tables need to know of a title. */
export type TitleNames = ReadonlyMap<string, { readonly id: string; readonly name: string }>

/** A row of titles or of objects: what was asked for, and how often it was here. */
export type TallyRow = {
  readonly key: string
  /** The title's, as people call it; null where none is known. */
  readonly title: { readonly id: string; readonly name: string } | null
  /** What else tells it apart: the file in the title, or the whole of what is counted. */
  readonly detail: string
  readonly requests: number
  readonly bytes: number
  /** Per cent of what a cache may answer; null when there was none of it. */
  readonly hitPercent: number | null
  /** By how much the figure that the edge ordered it by may be too high. */
  readonly errorMax: number
}

export type Selected<Row> = {
  readonly rows: readonly Row[]
  /** Matches that are not among the rows. */
  readonly more: number
}

const ROWS_MAX = 20
/** Written out: of the contracts a page takes the types alone, or it would carry all that checks them. */
const OTHER: typeof OTHER_NAME = 'other'
const OTHERS = 'others, while every name was taken'

/** Tags are titles' ids, or whatever else an origin calls its content. */
export function toTitleRows(tags: readonly EdgeTally[], titles: TitleNames): TallyRow[] {
  return tags.map((tag) => ({
    ...toRow(tag),
    key: tag.name,
    title: titles.get(tag.name) ?? null,
    detail: tag.name === OTHER ? OTHERS : tag.name,
    errorMax: 0,
  }))
}

export function toObjectRows(objects: readonly EdgeTopObject[], titles: TitleNames): TallyRow[] {
  return objects.map((object) => {
    const { key, errorMax } = object
    const id = titleIn(key, (part) => titles.has(part))
    const title = id === null ? null : (titles.get(id) ?? null)
    const file = id === null ? '' : key.slice(key.indexOf(id) + id.length + 1)
    return { ...toRow(object), key, title, detail: file === '' ? key : file, errorMax }
  })
}

function toRow(tally: Omit<EdgeTally, 'name'>): Pick<TallyRow, 'requests' | 'bytes' | 'hitPercent'> {
  const { requests, bytes, hits, stale, misses } = tally
  return { requests, bytes, hitPercent: percentOf(hits + stale, hits + stale + misses) }
}

/** The rows that hold every word of the text, in order; equal ones by name. */
export function selectRows(rows: readonly TallyRow[], text: string, sort: EdgeSort): Selected<TallyRow> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const matching = rows.filter((row) => {
    const searched = `${row.title?.name ?? ''} ${row.key}`.toLowerCase()
    return words.every((word) => searched.includes(word))
  })
  const compare = COMPARE[sort.column]
  const direction = sort.descending ? -1 : 1
  const sorted = matching.sort((a, b) => direction * compare(a, b) || COMPARE.name(a, b))
  return { rows: sorted.slice(0, ROWS_MAX), more: Math.max(0, sorted.length - ROWS_MAX) }
}

const byName = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true, sensitivity: 'base' })
const nameOf = ({ title, detail }: TallyRow): string => `${title?.name ?? ''} ${detail}`.trim()

const COMPARE: Readonly<Record<EdgeColumn, (a: TallyRow, b: TallyRow) => number>> = {
  name: (a, b) => byName(nameOf(a), nameOf(b)),
  requests: (a, b) => a.requests - b.requests,
  hits: (a, b) => (a.hitPercent ?? -1) - (b.hitPercent ?? -1),
  bytes: (a, b) => a.bytes - b.bytes,
  averageMs: () => 0,
}

/** All of them: there are seven at most. `wordsOf` says what people read in the first column. */
export function sortOutcomes(
  rows: readonly OutcomeRow[],
  { column, descending }: EdgeSort,
  wordsOf: (row: OutcomeRow) => string,
): OutcomeRow[] {
  const direction = descending ? -1 : 1
  return [...rows].sort((a, b) => {
    if (column === 'name') return direction * byName(wordsOf(a), wordsOf(b))
    return column === 'hits' ? 0 : direction * (a[column] - b[column])
  })
}
