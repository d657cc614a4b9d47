import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { User } from '@shared/api'
import type { Database } from './database'

const DAY_MS = 24 * 60 * 60 * 1000
const LASTS_MS = 30 * DAY_MS

/** Who is signed in. The browser holds a random token in a cookie that scripts cannot read; the database its hash. */
export class Sessions {
  readonly #db: Database
  readonly #cookie: string

  constructor(db: Database) {
    this.#db = db
    // Cookies do not know ports: two apps on one machine need different names.
    const app = db.get<{ value: string }>("SELECT value FROM app_facts WHERE name = 'id'")
    this.#cookie = `session_${app?.value ?? 'app'}`
  }

  /** Returns the Set-Cookie value of a new session. */
  start(userId: string, secure: boolean): string {
    this.#db.run('DELETE FROM sessions WHERE expires_at <= ?', now())
    const token = randomBytes(32).toString('base64url')
    this.#db.run(
      'INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)',
      hash(token),
      userId,
      now(),
      new Date(Date.now() + LASTS_MS).toISOString(),
    )
    return this.#setCookie(token, LASTS_MS / 1000, secure)
  }

  /** Ends the request's session and returns the Set-Cookie value that removes the cookie. */
  end(request: IncomingMessage, secure: boolean): string {
    const token = this.#token(request)
    if (token) this.#db.run('DELETE FROM sessions WHERE token_hash = ?', hash(token))
    return this.#setCookie('', 0, secure)
  }

  endAll(userId: string): void {
    this.#db.run('DELETE FROM sessions WHERE user_id = ?', userId)
  }

  user(request: IncomingMessage): User | null {
    const token = this.#token(request)
    if (!token) return null
    return (
      this.#db.get<User>(
        `SELECT users.id, users.email, users.name, users.role, users.created_at
         FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.token_hash = ? AND sessions.expires_at > ?`,
        hash(token),
        now(),
      ) ?? null
    )
  }

  #token(request: IncomingMessage): string | undefined {
    for (const pair of (request.headers.cookie ?? '').split(';')) {
      const [name, value] = pair.trim().split('=', 2)
      if (name === this.#cookie) return value
    }
    return undefined
  }

  #setCookie(value: string, seconds: number, secure: boolean): string {
    const flags = `Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    return `${this.#cookie}=${value}; ${flags}`
  }
}

const now = () => new Date().toISOString()
const hash = (token: string) => createHash('sha256').update(token).digest('base64')
