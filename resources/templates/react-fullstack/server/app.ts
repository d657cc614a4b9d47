import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Api } from './core/api'
import { Database } from './core/database'
import { migrate } from './core/migrate'
import { routes } from './routes'

const migrations = import.meta.glob<string>('./migrations/*.sql', { query: '?raw', import: 'default', eager: true })

export interface App {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): void
}

export interface AppOptions {
  dataFolder: string
  tellErrors: boolean
  origin?: string
  placed?: (error: Error) => void
}

/** Opens the database, brings it up to date and answers the requests of the API. */
export function createApp({ dataFolder, ...options }: AppOptions): App {
  const db = new Database(join(dataFolder, 'app.db'))
  try {
    migrate(db, migrations)
    const api = new Api({ db, routes, ...options })
    return { handle: (request, response) => api.handle(request, response), close: () => db.close() }
  } catch (error) {
    db.close()
    throw error
  }
}
