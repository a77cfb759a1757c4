/** Rows under one another: each column as wide as its widest cell, those in `right` set flush right. */
export function toColumns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** On one line, whatever a label holds: control characters would move the cursor of whoever reads it. */
export function toLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
