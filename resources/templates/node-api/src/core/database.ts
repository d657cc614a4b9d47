import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

/** What SQLite stores. Booleans are kept as 0 and 1, dates as ISO text, lists and objects as JSON text. */
export type Value = string | number | bigint | null | Uint8Array

/** One SQLite file. Values always go in through `?`, never into the text of a statement. */
export class Database {
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true })
    this.#connection = new DatabaseSync(file)
    this.#connection.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  }

  /** All rows: `db.all<Note>('SELECT * FROM notes WHERE user_id = ?', user.id)`. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /** The first row, or undefined. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  /** Carries out an INSERT, UPDATE or DELETE and returns how many rows it touched. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** Runs several statements without values, as a migration does. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** Everything in `work` happens, or nothing of it. `work` must not be async. */
  transaction<Result>(work: () => Result): Result {
    const [begin, commit, rollback] = this.#depth
      ? [`SAVEPOINT level${this.#depth}`, `RELEASE level${this.#depth}`, `ROLLBACK TO level${this.#depth}`]
      : ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK']
    this.#connection.exec(begin)
    this.#depth++
    try {
      const result = work()
      if (result instanceof Promise) throw new TypeError('A transaction cannot wait for a promise.')
      this.#connection.exec(commit)
      return result
    } catch (error) {
      this.#connection.exec(rollback)
      throw error
    } finally {
      this.#depth--
    }
  }

  close(): void {
    this.#statements.clear()
    this.#connection.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
