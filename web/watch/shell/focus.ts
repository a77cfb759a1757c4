export type Box = { readonly left: number; readonly right: number }
export type Place = { readonly row: number; readonly column: number }
export type Direction = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'

/**
 * Where an arrow key or a remote leads on a page of rows: along a row, or to the thing nearest below or above. Null where
 * there is nowhere to go. `at` is null when nothing has the focus: the first row's first thing gets it.
 */
export function decideFocus(rows: readonly (readonly Box[])[], at: Place | null, direction: Direction): Place | null {
  if (at === null) return (rows[0]?.length ?? 0) > 0 ? { row: 0, column: 0 } : null
  if (direction === 'ArrowLeft' || direction === 'ArrowRight') {
    const column = at.column + (direction === 'ArrowRight' ? 1 : -1)
    return rows[at.row]?.[column] === undefined ? null : { row: at.row, column }
  }
  const row = at.row + (direction === 'ArrowDown' ? 1 : -1)
  const from = rows[at.row]?.[at.column]
  const target = rows[row]
  if (from === undefined || target === undefined || target.length === 0) return null
  return { row, column: nearest(target, (from.left + from.right) / 2) }
}

function nearest(boxes: readonly Box[], x: number): number {
  const distance = (box: Box): number => Math.abs((box.left + box.right) / 2 - x)
  let best = 0
  for (const [index, box] of boxes.entries()) if (distance(box) < distance(boxes[best] ?? box)) best = index
  return best
}

/** Moves the focus among the rows (`[data-row]`) of `root`; true when it moved. */
export function moveFocus(root: ParentNode, direction: Direction): boolean {
  const rows = [...root.querySelectorAll('[data-row]')]
    .map((row) => [...row.querySelectorAll<HTMLElement>('a[href], button:not([tabindex="-1"])')])
    .filter((row) => row.length > 0)
  const boxes = rows.map((row) => row.map((element) => element.getBoundingClientRect()))
  const to = decideFocus(boxes, findFocused(rows), direction)
  const element = to === null ? undefined : rows[to.row]?.[to.column]
  if (element === undefined) return false
  element.focus({ preventScroll: true })
  element.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  return true
}

function findFocused(rows: readonly (readonly HTMLElement[])[]): Place | null {
  for (const [row, elements] of rows.entries()) {
    const column = elements.indexOf(document.activeElement as HTMLElement)
    if (column >= 0) return { row, column }
  }
  return null
}

export function toDirection(key: string): Direction | null {
  return /^Arrow(Left|Right|Up|Down)$/.test(key) ? (key as Direction) : null
}
