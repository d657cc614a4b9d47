import { createServer } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createApp } from './app'
import { serveFile } from './core/static-files'

// The built app: the page, its files and the API on one port.

const { values } = parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' } } })
const host = values.host ?? process.env.HOST ?? '127.0.0.1'
const port = Number(values.port ?? process.env.PORT ?? 3000)

const page = join(import.meta.dirname, '..', 'client')
const app = createApp({
  dataFolder: process.env.DATA_DIR ?? 'data',
  origin: process.env.PUBLIC_ORIGIN,
  tellErrors: false,
})

const server = createServer((request, response) => {
  const answered = request.url?.startsWith('/api/')
    ? app.handle(request, response)
    : serveFile(page, request, response)
  answered.catch((error: unknown) => {
    console.error('[app-error]', error)
    response.destroy()
  })
})

server.listen(port, host, () => console.log(`Listening on http://${host}:${port}/`))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close(() => {
      app.close()
      process.exit(0)
    })
    server.closeIdleConnections()
    setTimeout(() => process.exit(0), 5000).unref()
  })
}
