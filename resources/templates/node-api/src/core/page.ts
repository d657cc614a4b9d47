import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join, normalize, sep } from 'node:path'
import { type Context, Hono } from 'hono'

const ROOT = join(import.meta.dirname, '..', '..')
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

// In development the page looks for the server, and loads anew when another one answers.
const LOOK_AGAIN = `<script type="module">
  let server
  new EventSource('/__dev').onmessage = ({ data }) => (server ??= data) === data || location.reload()
</script>`

/** Serves page/ at / and shared/ at /shared/; TypeScript goes out as JavaScript, its types taken away. */
export function page(development: boolean): Hono {
  const app = new Hono()
  if (development) app.get('/__dev', (c) => serverEvents(c))
  app.get('*', async (c) => {
    const path = filePath(c.req.path)
    const type = path && TYPES[extname(path)]
    if (!path || !type || !existsSync(path)) return c.notFound()
    c.header('Content-Type', type)
    c.header('Cache-Control', 'no-cache')
    c.header('X-Content-Type-Options', 'nosniff')
    if (path.endsWith('.ts')) return c.body(stripTypeScriptTypes(await readFile(path, 'utf8')))
    if (path.endsWith('.html') && development) return c.body((await readFile(path, 'utf8')) + LOOK_AGAIN)
    return c.body(new Uint8Array(await readFile(path)))
  })
  return app
}

function filePath(url: string): string | undefined {
  try {
    const asked = decodeURIComponent(url)
    if (asked.includes('\0')) return undefined
    const folder = join(ROOT, asked.startsWith('/shared/') ? 'shared' : 'page')
    const inside = asked.replace(/^\/shared\//, '/')
    const path = normalize(join(folder, inside.endsWith('/') ? `${inside}index.html` : inside))
    return path.startsWith(folder + sep) ? path : undefined
  } catch {
    return undefined
  }
}

function serverEvents(c: Context): Response {
  const first = new TextEncoder().encode(`retry: 300\ndata: ${process.pid}\n\n`)
  c.header('Content-Type', 'text/event-stream')
  c.header('Cache-Control', 'no-store')
  return c.body(new ReadableStream({ start: (stream) => stream.enqueue(first) }))
}
