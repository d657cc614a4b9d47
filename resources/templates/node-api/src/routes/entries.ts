import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import type { Entry } from '../../shared/types.ts'
import type { Database } from '../core/database.ts'
import { readBody, refusal } from '../core/input.ts'

// The example of a resource; an app puts its own in this place.

const entryBody = z.object({
  text: z.string().trim().min(1, 'Write something first.').max(2000, 'Use at most 2000 characters.'),
})

export function entries(db: Database) {
  return new Hono()
    .get('/', (c) => c.json(db.all<Entry>('SELECT id, text, created_at FROM entries ORDER BY created_at DESC')))

    .post('/', async (c) => {
      const { text } = await readBody(c, entryBody)
      const entry: Entry = { id: randomUUID(), text, created_at: new Date().toISOString() }
      db.run('INSERT INTO entries (id, text, created_at) VALUES (?, ?, ?)', entry.id, entry.text, entry.created_at)
      return c.json(entry, 201)
    })

    .delete('/:id', (c) => {
      if (!db.run('DELETE FROM entries WHERE id = ?', c.req.param('id'))) {
        throw refusal(404, { message: 'There is no such entry.' })
      }
      return c.body(null, 204)
    })
}
