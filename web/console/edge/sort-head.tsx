import type { ReactElement } from 'react'
import { useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { type EdgeColumn, type EdgeTable, type EdgeTablesView, edgePath } from '../route.ts'

/** The head of a column that its table can be sorted by: figures highest first, names from A, and the other way round at the next press. */
export function SortHead({
  table,
  column,
  view,
  children,
}: {
  table: EdgeTable
  column: EdgeColumn
  view: EdgeTablesView
  children: string
}): ReactElement {
  const navigation = useNavigation()
  const sort = view[table]
  const isSorted = sort.column === column
  const descending = isSorted ? !sort.descending : column !== 'name'
  return (
    <th
      scope="col"
      className={column === 'name' ? undefined : 'cell-number'}
      aria-sort={isSorted ? (sort.descending ? 'descending' : 'ascending') : undefined}
    >
      <button
        type="button"
        className="sort"
        onClick={() => navigation.go(edgePath({ ...view, [table]: { column, descending } }), { replace: true })}
      >
        {children}
        <span className={isSorted ? 'sort-mark' : 'sort-mark sort-idle'}>
          <Icon name={isSorted && !sort.descending ? 'up' : 'down'} size={14} />
        </span>
      </button>
    </th>
  )
}
