import { roleBody, type User } from '@shared/api'
import { conflict, notFound } from '../core/errors'
import { route } from '../core/route'

const COLUMNS = 'id, email, name, role, created_at'

export const users = [
  route('GET /api/users', {
    access: 'admin',
    handle: ({ db }) => ({ users: db.all<User>(`SELECT ${COLUMNS} FROM users ORDER BY created_at`) }),
  }),

  route('PATCH /api/users/:id', {
    access: 'admin',
    body: roleBody,
    handle: ({ db, user, params, body }) => {
      if (params.id === user.id) throw conflict('You cannot change your own role.')
      db.run('UPDATE users SET role = ? WHERE id = ?', body.role, params.id)
      const changed = db.get<User>(`SELECT ${COLUMNS} FROM users WHERE id = ?`, params.id)
      if (!changed) throw notFound('There is no such person.')
      return { user: changed }
    },
  }),
]
