import { randomUUID } from 'node:crypto'
import { ticketBody, ticketChange, type Ticket } from '@shared/api'
import type { Database } from '../core/database'
import { notFound } from '../core/errors'
import { route } from '../core/route'

const COLUMNS = 'id, subject, status, created_at'

function ticketOf(db: Database, id: string, userId: string): Ticket {
  const ticket = db.get<Ticket>(`SELECT ${COLUMNS} FROM tickets WHERE id = ? AND user_id = ?`, id, userId)
  if (!ticket) throw notFound('There is no such ticket.')
  return ticket
}

export const tickets = [
  // How busy the desk is; anyone may know.
  route('GET /api/status', {
    access: 'public',
    handle: ({ db }) => {
      const row = db.get<{ open: number }>("SELECT count(*) AS open FROM tickets WHERE status = 'open'")
      return { open: row?.open ?? 0, version: '1' }
    },
  }),

  route('GET /api/tickets', {
    access: 'user',
    handle: ({ db, user }) => ({
      tickets: db.all<Ticket>(`SELECT ${COLUMNS} FROM tickets WHERE user_id = ? ORDER BY created_at DESC`, user.id),
    }),
  }),

  route('POST /api/tickets', {
    access: 'user',
    body: ticketBody,
    handle: ({ db, user, body }) => {
      const ticket: Ticket = {
        id: randomUUID(),
        subject: body.subject,
        status: 'open',
        created_at: new Date().toISOString(),
      }
      db.run(
        'INSERT INTO tickets (id, user_id, subject, status, created_at) VALUES (?, ?, ?, ?, ?)',
        ticket.id,
        user.id,
        ticket.subject,
        ticket.status,
        ticket.created_at,
      )
      return { ticket }
    },
  }),

  route('PATCH /api/tickets/:id', {
    access: 'user',
    body: ticketChange,
    handle: ({ db, user, params, body }) => {
      db.run('UPDATE tickets SET status = ? WHERE id = ? AND user_id = ?', body.status, params.id, user.id)
      return { ticket: ticketOf(db, params.id, user.id) }
    },
  }),
]
