import cluster, { type Worker } from 'node:cluster'
import { existsSync, readdirSync, watch, type FSWatcher } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

// Runs src/main.ts, and runs it anew when a file changes. The port is this process's and stays open meanwhile: the old
// server answers until the new one does. Where the new one cannot start, the page says why.

const ROOT = join(import.meta.dirname, '..')
const WATCHED = ['src', 'shared', 'page']
const QUIET_MS = 80
const END_MS = 5000
const TAIL_CHARACTERS = 8000

const { values } = parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' } } })
const host = values.host ?? process.env.HOST ?? '127.0.0.1'
const port = values.port ?? process.env.PORT ?? '3000'

if (cluster.isPrimary) superviseServer()
else showReason(process.env.DEV_REASON ?? '')

function superviseServer(): void {
  let wanted: Worker | undefined
  let told = false

  function run(script: string, reason = ''): void {
    cluster.setupPrimary({ exec: join(ROOT, script), args: ['--host', host, '--port', port], silent: true })
    const worker = cluster.fork({ NODE_ENV: 'development', DEV_REASON: reason })
    wanted = worker
    let tail = ''
    worker.process.stdout?.pipe(process.stdout, { end: false })
    worker.process.stderr?.pipe(process.stderr, { end: false })
    worker.process.stderr?.on('data', (chunk) => (tail = (tail + String(chunk)).slice(-TAIL_CHARACTERS)))
    worker.once('listening', () => {
      if (!told) console.log(`Listening on http://${host}:${port}/`)
      told = true
      if (worker === wanted) endOthers(worker)
    })
    worker.process.once('close', (status) => {
      if (worker !== wanted) return
      console.error(`[app-error] The server ended with status ${status}. It is started again when a file changes.`)
      run('scripts/dev.ts', tail)
    })
  }

  function endOthers(kept: Worker): void {
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (!worker || worker === kept) continue
      // Not by a signal: a connection that was just given to it would be lost.
      worker.disconnect()
      const timer = setTimeout(() => worker.process.kill('SIGKILL'), END_MS)
      worker.once('exit', () => clearTimeout(timer))
    }
  }

  let timer: NodeJS.Timeout | undefined
  let watchers: FSWatcher[] = []
  function watchAnew(): void {
    const before = watchers
    // Each folder by itself: Node's recursive watching loses sight of a file that is replaced whole.
    watchers = WATCHED.flatMap((name) => foldersIn(join(ROOT, name))).flatMap((folder) => watchFolder(folder, changed))
    for (const watcher of before) watcher.close()
  }
  function changed(): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      watchAnew()
      run('src/main.ts')
    }, QUIET_MS)
  }
  watchAnew()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      wanted = undefined
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill()
      process.exit(0)
    })
  }
  run('src/main.ts')
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return [folder, ...entries.filter((e) => e.isDirectory()).map((e) => join(e.parentPath, e.name))]
}

function watchFolder(folder: string, changed: () => void): FSWatcher[] {
  try {
    return [watch(folder, changed).on('error', changed)]
  } catch {
    return [] // It is gone again, which the folder around it tells.
  }
}

function showReason(reason: string): void {
  const text = reason.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
  const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>The server cannot start</title>
  <body style="max-width: 48rem; margin: 12vh auto; padding: 0 1.5rem; font-family: ui-sans-serif, system-ui, sans-serif">
    <h1 style="font-size: 1.5rem">The server cannot start</h1>
    <pre style="overflow: auto; padding: 1rem; border-radius: 0.5rem; background: #18181b; color: #f4f4f5; white-space: pre-wrap">${text}</pre>
    <script type="module">
      let server
      new EventSource('/__dev').onmessage = ({ data }) => (server ??= data) === data || location.reload()
    </script>
  </body>
</html>`
  const server = createServer((request, response) => {
    if (request.url === '/__dev') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
      response.write(`retry: 300\ndata: ${process.pid}\n\n`)
      return
    }
    response.writeHead(500, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' })
    response.end(page)
  })
  server.listen(Number(port), host)
  process.once('disconnect', () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 300)
  })
}
