import type { Database } from 'bun:sqlite'
import { createHash } from 'node:crypto'
import { Fault } from '../../kernel/index.ts'
import { toTablesFault } from './faults.ts'
import type { Migration } from './port.ts'

/**
 * Applies what is not applied yet, in the order of the ids, each in a transaction of its own. Fault
 * `migration-changed` when one that was applied earlier now says something else: the schema would not be what the code
 * believes it is.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  database.run(
    'CREATE TABLE IF NOT EXISTS tentpole_migrations (id TEXT PRIMARY KEY, digest TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
  )
  const applied = new Map(
    database
      .query<{ id: string; digest: string }, []>('SELECT id, digest FROM tentpole_migrations')
      .all()
      .map(({ id, digest }) => [id, digest]),
  )
  const sorted = [...migrations].sort((a, b) => (a.id < b.id ? -1 : 1))
  for (const [index, migration] of sorted.entries()) {
    if (sorted[index + 1]?.id === migration.id)
      throw new Fault('migration-changed', `two migrations have the id ${migration.id}; expected ids to differ`)
    const digest = createHash('sha256').update(JSON.stringify(migration.statements)).digest('hex')
    const known = applied.get(migration.id)
    if (known === digest) continue
    if (known !== undefined)
      throw new Fault(
        'migration-changed',
        `migration ${migration.id} was applied with other statements than it has now; add a new migration instead of changing one`,
      )
    apply(database, migration, digest)
  }
}

function apply(database: Database, migration: Migration, digest: string): void {
  const all = database.transaction(() => {
    for (const statement of migration.statements) database.run(statement)
    database.run('INSERT INTO tentpole_migrations VALUES (?, ?, ?)', [migration.id, digest, Date.now()])
  })
  try {
    all.immediate()
  } catch (error) {
    throw toTablesFault(error, `migration ${migration.id} failed and was undone`)
  }
}
