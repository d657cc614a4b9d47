import type { Database } from './database'

interface Applied {
  name: string
  sql: string
}

/**
 * Runs the migrations that have not run on this database yet, in the order of their names, each in a transaction.
 *
 * Throws where one fails (nothing of it is kept), or where one that has run reads differently now: what it did
 * cannot be undone by editing it.
 */
export function migrate(db: Database, migrations: Record<string, string>): string[] {
  // A migration may make a table anew; rows that point to it must not be deleted by that.
  db.exec('PRAGMA foreign_keys = OFF')
  const ran = db.transaction(() => {
    db.exec(
      'CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, sql TEXT NOT NULL, ran_at TEXT NOT NULL) STRICT',
    )
    const applied = new Map(
      db.all<Applied>('SELECT name, sql FROM schema_migrations').map((row) => [row.name, row.sql]),
    )
    return Object.entries(migrations)
      .map(([path, sql]) => ({ name: path.slice(path.lastIndexOf('/') + 1), sql }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .filter(({ name, sql }) => {
        const before = applied.get(name)
        if (before !== undefined) refuseChange(name, before, sql)
        else run(db, name, sql)
        return before === undefined
      })
      .map(({ name }) => name)
  })
  db.exec('PRAGMA foreign_keys = ON')
  return ran
}

function run(db: Database, name: string, sql: string): void {
  if (!/^\d{4}_\w+\.sql$/.test(name)) {
    throw new Error(`server/migrations/${name} must be called like 0003_what_it_adds.sql.`)
  }
  try {
    db.transaction(() => {
      db.exec(sql)
      const broken = db.get<{ table: string; parent: string }>('PRAGMA foreign_key_check')
      if (broken) throw new Error(`rows of ${broken.table} point to missing rows of ${broken.parent}`)
      db.run(
        'INSERT INTO schema_migrations (name, sql, ran_at) VALUES (?, ?, ?)',
        name,
        sql,
        new Date().toISOString(),
      )
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`server/migrations/${name} failed: ${reason}`, { cause: error })
  }
}

function refuseChange(name: string, before: string, now: string): void {
  const essence = (sql: string) => sql.replace(/--.*$/gm, '').replace(/\s+/g, ' ').trim()
  if (essence(before) === essence(now)) return
  throw new Error(
    `server/migrations/${name} was changed after it had run. Give it back the text below and put the change ` +
      `into a new migration with the next number.\n${before}`,
  )
}
