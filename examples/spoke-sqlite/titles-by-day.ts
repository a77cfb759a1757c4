import { Database } from 'bun:sqlite'

/** This service's own view, in its own database: how many titles were published on each day. */
export type TitlesByDay = {
  /** Once per delivery, however often it is called with it. */
  count(deliveryId: string, day: string): void
  close(): void
}

export function openTitlesByDay(path: string): TitlesByDay {
  const database = new Database(path, { create: true })
  // Whoever looks at the database may be recovering it after a crash of ours.
  database.run('PRAGMA busy_timeout = 5000')
  // On disk when a transaction commits: what is acknowledged to the hub after it does not come again.
  database.run('PRAGMA journal_mode = WAL')
  database.run('PRAGMA synchronous = FULL')
  database.run('CREATE TABLE IF NOT EXISTS titles_by_day (day TEXT PRIMARY KEY, titles INTEGER NOT NULL)')
  database.run('CREATE TABLE IF NOT EXISTS inbox (delivery_id TEXT PRIMARY KEY, handled_at_ms INTEGER NOT NULL)')
  const remember = database.query('INSERT INTO inbox (delivery_id, handled_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING')
  const add = database.query(
    'INSERT INTO titles_by_day (day, titles) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET titles = titles + 1',
  )
  // The delivery's id and its effect together: a crash leaves both or neither.
  const countOnce = database.transaction((deliveryId: string, day: string) => {
    if (remember.run(deliveryId, Date.now()).changes > 0) add.run(day)
  })

  return {
    count: (deliveryId, day) => void countOnce.immediate(deliveryId, day),
    close: () => database.close(),
  }
}
