import { randomUUID } from 'node:crypto'
import { noteBody, type Note } from '@shared/api'
import { notFound } from '../core/errors'
import { route } from '../core/route'

// The example of a resource that belongs to whoever is signed in: every statement asks for `user_id`.

export const notes = [
  route('GET /api/notes', {
    access: 'user',
    handle: ({ db, user }) => ({
      notes: db.all<Note>(
        'SELECT id, text, created_at FROM notes WHERE user_id = ? ORDER BY created_at DESC',
        user.id,
      ),
    }),
  }),

  route('POST /api/notes', {
    access: 'user',
    body: noteBody,
    handle: ({ db, user, body }) => {
      const note: Note = { id: randomUUID(), text: body.text, created_at: new Date().toISOString() }
      db.run(
        'INSERT INTO notes (id, user_id, text, created_at) VALUES (?, ?, ?, ?)',
        note.id,
        user.id,
        note.text,
        note.created_at,
      )
      return { note }
    },
  }),

  route('DELETE /api/notes/:id', {
    access: 'user',
    handle: ({ db, user, params }) => {
      if (!db.run('DELETE FROM notes WHERE id = ? AND user_id = ?', params.id, user.id)) {
        throw notFound('There is no such note.')
      }
      return null
    },
  }),
]
