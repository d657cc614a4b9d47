import { readdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import { Database } from './core/database.ts'
import { migrate } from './core/migrate.ts'

const { values } = parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' } } })
const hostname = values.host ?? process.env.HOST ?? '127.0.0.1'
const port = Number(values.port ?? process.env.PORT ?? 3000)
const development = process.env.NODE_ENV === 'development'

process.on('uncaughtException', (error) => {
  console.error(`[app-error] ${error.stack ?? error.message}`)
  process.exit(1)
})

const db = new Database(join(process.env.DATA_DIR ?? 'data', 'app.db'))
const folder = join(import.meta.dirname, 'migrations')
migrate(db, Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])))

const app = createApp(db, { development })
const server = serve({ fetch: app.fetch, hostname, port }, () => {
  if (!development) console.log(`Listening on http://${hostname}:${port}/`)
}) as Server

function stop(): void {
  server.close(() => {
    db.close()
    process.exit(0)
  })
  server.closeIdleConnections()
  // What is being answered is answered; the page's stream of reloads has no end of its own.
  if (development) setTimeout(() => server.closeAllConnections(), 300)
  setTimeout(() => process.exit(0), 5000).unref()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
process.once('disconnect', stop)
