import { randomUUID } from 'node:crypto'
import { accountBody, passwordBody, signInBody, signUpBody, type Role, type User } from '@shared/api'
import type { Database } from '../core/database'
import { conflict, HttpError } from '../core/errors'
import { hashPassword, passwordMatches } from '../core/passwords'
import { RateLimit } from '../core/rate-limit'
import { route } from '../core/route'

const QUARTER_HOUR_MS = 15 * 60 * 1000
// A whole school can be one address, so it may fail often; who guesses one password there is refused alone.
// This is no help against spite: 200 fails with made-up e-mails block an address, 100 from many addresses an account.
const perAccount = new RateLimit(8, QUARTER_HOUR_MS)
const perAddress = new RateLimit(200, QUARTER_HOUR_MS)
const perAccountAnywhere = new RateLimit(100, QUARTER_HOUR_MS)
const signUps = new RateLimit(200, QUARTER_HOUR_MS)

export const accounts = [
  route('GET /api/session', {
    access: 'public',
    handle: ({ user }) => ({ user }),
  }),

  route('POST /api/sign-up', {
    access: 'public',
    body: signUpBody,
    handle: async ({ db, body, address, startSession }) => {
      signUps.count(address)
      const hash = await hashPassword(body.password)
      const user = addUser(db, body.name, body.email, hash)
      startSession(user.id)
      return { user }
    },
  }),

  route('POST /api/sign-in', {
    access: 'public',
    body: signInBody,
    handle: ({ db, body, address, startSession }) => {
      const account = `${body.email} ${address}`
      const keys = new Map([
        [perAddress, address],
        [perAccount, account],
        [perAccountAnywhere, body.email],
      ])
      return RateLimit.attempt(keys, async () => {
        const found = db.get<User & { password_hash: string }>(
          'SELECT id, email, name, role, created_at, password_hash FROM users WHERE email = ?',
          body.email,
        )
        if (!(await passwordMatches(body.password, found?.password_hash)) || !found) {
          throw new HttpError(401, 'wrong_password', 'E-mail or password is wrong.')
        }
        perAccount.forget(account)
        startSession(found.id)
        const { password_hash: _, ...user } = found
        return { user }
      })
    },
  }),

  route('POST /api/sign-out', {
    access: 'public',
    handle: ({ endSession }) => {
      endSession()
      return null
    },
  }),

  route('PATCH /api/account', {
    access: 'user',
    body: accountBody,
    handle: ({ db, user, body }) => {
      db.run('UPDATE users SET name = ? WHERE id = ?', body.name, user.id)
      return { user: { ...user, name: body.name } }
    },
  }),

  route('POST /api/account/password', {
    access: 'user',
    body: passwordBody,
    handle: async ({ db, user, body, startSession, endAllSessions }) => {
      perAccount.count(user.email)
      const row = db.get<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = ?', user.id)
      if (!(await passwordMatches(body.current, row?.password_hash))) {
        const message = 'This is not your present password.'
        throw new HttpError(422, 'wrong_password', message, { fields: { current: message } })
      }
      perAccount.forget(user.email)
      db.run('UPDATE users SET password_hash = ? WHERE id = ?', await hashPassword(body.password), user.id)
      endAllSessions(user.id)
      startSession(user.id)
      return null
    },
  }),
]

function addUser(db: Database, name: string, email: string, hash: string): User {
  return db.transaction(() => {
    if (db.get('SELECT 1 FROM users WHERE email = ?', email)) {
      const message = 'There is an account with this e-mail. Sign in instead.'
      throw conflict(message, { email: message })
    }
    // Whoever sets the app up is its first admin.
    const role: Role = db.get('SELECT 1 FROM users') ? 'user' : 'admin'
    const user: User = { id: randomUUID(), email, name, role, created_at: new Date().toISOString() }
    db.run(
      'INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      user.id,
      user.email,
      user.name,
      hash,
      user.role,
      user.created_at,
    )
    return user
  })
}
