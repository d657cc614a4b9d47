import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import type { Status } from '../shared/types.ts'
import type { Database } from './core/database.ts'
import { refusal } from './core/input.ts'
import { page } from './core/page.ts'
import { entries } from './routes/entries.ts'

const startedAt = new Date().toISOString()

/** Every route of the app: the API under /api/, then the page. */
export function createApp(db: Database, { development }: { development: boolean }): Hono {
  const app = new Hono()

  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse()
    console.error(`[app-error] ${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`)
    const message = development ? error.message : 'Something went wrong on the server.'
    return c.json({ error: { message } }, 500)
  })
  app.notFound((c) => c.json({ error: { message: 'There is nothing here.' } }, 404))

  app.use('/api/*', csrf())
  app.use(
    '/api/*',
    bodyLimit({
      maxSize: 1024 * 1024,
      onError: async (c) => {
        // Whoever is still sending does not get to read the answer.
        await c.req.raw.body?.pipeTo(new WritableStream()).catch(() => {})
        return refusal(413, { message: 'This is too large.' }).getResponse()
      },
    }),
  )

  app.get('/api/status', (c) => {
    const counted = db.get<{ entries: number }>('SELECT count(*) AS entries FROM entries')
    return c.json<Status>({ started_at: startedAt, entries: counted?.entries ?? 0 })
  })
  app.route('/api/entries', entries(db))
  app.all('/api/*', (c) => c.notFound())

  app.route('/', page(development))
  return app
}
