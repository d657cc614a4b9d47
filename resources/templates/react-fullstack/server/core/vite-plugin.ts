import { stripVTControlCharacters } from 'node:util'
import type { Plugin, ViteDevServer } from 'vite'
import type { App } from '../app'

/** Serves /api/ from Vite's own process and port; changed server code is loaded anew without a restart. */
export function apiInDevServer(): Plugin {
  return {
    name: 'api-in-dev-server',
    apply: 'serve',
    configureServer(vite) {
      const api = new ReloadingApp(vite)
      // What nothing catches ends the process: it is to tell the places in the files as they were written.
      const placed = (error: Error) => vite.ssrFixStacktrace(error)
      process.on('uncaughtExceptionMonitor', placed)
      vite.httpServer?.once('close', () => process.off('uncaughtExceptionMonitor', placed))
      vite.middlewares.use((request, response, next) => {
        if (!request.url?.startsWith('/api/')) return next()
        api
          .current()
          .then((app) => app.handle(request, response))
          .catch((error: unknown) => {
            const message = stripVTControlCharacters(error instanceof Error ? error.message : String(error))
            response.writeHead(500, { 'Content-Type': 'application/json; charset=utf-8' })
            response.end(JSON.stringify({ error: { code: 'internal', message } }))
          })
      })
    },
  }
}

class ReloadingApp {
  readonly #vite: ViteDevServer
  #wanted: Promise<App> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #app: App | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(vite: ViteDevServer) {
    this.#vite = vite
    const onServer = (path: string) => /^[\\/](server|shared)[\\/]/.test(path.slice(vite.config.root.length))
    vite.watcher.on('all', (_event, path) => {
      if (onServer(path)) this.#changed()
    })
    vite.httpServer?.once('listening', () => void this.current().catch(() => {}))
    vite.httpServer?.once('close', () => this.#app?.close())
  }

  /** The app as its files are now. Rejects, and says why in the log, where they cannot be loaded. */
  current(): Promise<App> {
    if (!this.#wanted) {
      // One after the other: a file may change while the ones before are still being loaded.
      this.#wanted = this.#last.then(() => this.#load())
      this.#last = this.#wanted.catch((error: Error) => {
        this.#vite.ssrFixStacktrace(error)
        console.error(`[app-error] The server code cannot be loaded: ${ownLines(error)}`)
      })
    }
    return this.#wanted
  }

  async #load(): Promise<App> {
    // Vite does not see every change by itself, such as a migration that is added during the first load.
    this.#vite.environments.ssr.moduleGraph.invalidateAll()
    const { createApp } = (await this.#vite.ssrLoadModule('/server/app.ts')) as typeof import('../app')
    this.#app?.close()
    this.#app = undefined
    this.#app = createApp({
      dataFolder: process.env.DATA_DIR ?? 'data',
      tellErrors: true,
      placed: (error) => this.#vite.ssrFixStacktrace(error),
    })
    return this.#app
  }

  #changed(): void {
    this.#wanted = undefined
    // Files come in groups; the page looks again once they are all there.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.current().then(
        () => this.#vite.environments.client.hot.send({ type: 'full-reload' }),
        () => {},
      )
    }, 100)
  }
}

/** The message and those lines of the stack that name the app's own files. */
function ownLines(error: Error): string {
  const text = stripVTControlCharacters(error.stack ?? error.message)
  return text.replace(/^\s+at .*(node_modules|node:).*\n?/gm, '').trimEnd()
}
