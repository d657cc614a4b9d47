import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { User } from '@shared/api'
import type { Problem } from '@shared/endpoints'
import type { Database } from './database'
import { HttpError, notFound } from './errors'
import { networkOf } from './rate-limit'
import type { Access, Route } from './route'
import { Sessions } from './sessions'

const MOST_BODY_BYTES = 1024 * 1024
const MOST_DISCARDED_BYTES = 16 * MOST_BODY_BYTES

export interface ApiOptions {
  db: Database
  routes: Route[]
  /** Where people reach the app behind a proxy, as in `https://app.example`; else it is the request's own host. */
  origin?: string
  /** Whether answers name the reason of an error that is not the caller's. */
  tellErrors: boolean
  /** Gives an error's stack the places in the files as they were written. */
  placed?: (error: Error) => void
}

/** Answers every request whose path begins with /api/. */
export class Api {
  readonly #options: ApiOptions
  readonly #sessions: Sessions

  constructor(options: ApiOptions) {
    const names = options.routes.map((route) => `${route.method} /${route.segments.join('/')}`)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice) throw new Error(`There are two routes for ${twice}.`)
    this.#options = options
    this.#sessions = new Sessions(options.db)
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await this.#answer(request, response)
      send(response, 200, answer ?? null)
    } catch (error) {
      const known = error instanceof HttpError ? error : this.#unexpected(request, error)
      for (const [name, value] of Object.entries(known.headers)) response.setHeader(name, value)
      const problem: Problem = { code: known.code, message: known.message, fields: known.fields }
      // What is left of a body that was refused must not be read as the next request.
      if (!request.complete) response.setHeader('Connection', 'close')
      send(response, known.status, { error: problem })
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    this.#refuseOtherSites(request)
    const { route, params } = this.#find(request.method ?? 'GET', url.pathname)
    const user = this.#sessions.user(request)
    refuseStrangers(route.access, user)

    const secure = this.#options.origin?.startsWith('https:') ?? false
    const setCookie = (cookie: string) => response.setHeader('Set-Cookie', cookie)
    return route.handle({
      db: this.#options.db,
      user,
      body: (route.body ? checked(route.body, await readJson(request)) : undefined) as never,
      query: (route.query ? checked(route.query, Object.fromEntries(url.searchParams)) : undefined) as never,
      params: params as never,
      address: this.#address(request),
      startSession: (userId) => setCookie(this.#sessions.start(userId, secure)),
      endSession: () => setCookie(this.#sessions.end(request, secure)),
      endAllSessions: (userId) => this.#sessions.endAll(userId),
    })
  }

  #address(request: IncomingMessage): string {
    // Anyone can send this header; only what the proxy in front of us appended is true.
    const forwarded = this.#options.origin ? request.headers['x-forwarded-for'] : undefined
    return networkOf(forwarded?.toString().split(',').at(-1)?.trim() || (request.socket.remoteAddress ?? ''))
  }

  /** Another site can make a browser send a request with our cookie, but not with our origin. */
  #refuseOtherSites(request: IncomingMessage): void {
    if (request.method === 'GET' || request.method === 'HEAD') return
    const { origin, host } = request.headers
    const site = request.headers['sec-fetch-site'] ?? 'same-origin'
    const ours =
      origin === undefined
        ? site === 'same-origin' || site === 'none'
        : this.#options.origin
          ? origin === this.#options.origin
          : URL.canParse(origin) && new URL(origin).host === host
    if (!ours) throw new HttpError(403, 'other_site', 'This request came from another site.')
  }

  #find(method: string, path: string): { route: Route; params: Record<string, string> } {
    const given = path.split('/').slice(1).map(decoded)
    const fitting = this.#options.routes.filter(
      ({ segments }) =>
        segments.length === given.length &&
        segments.every((segment, index) => segment.startsWith(':') || segment === given[index]),
    )
    if (!fitting.length) throw notFound()
    // A path with a fixed word goes before one that takes anything there.
    const route = fitting
      .filter((candidate) => candidate.method === method)
      .sort((a, b) => names(a.segments).length - names(b.segments).length)[0]
    if (!route) {
      const allowed = fitting.map((candidate) => candidate.method).join(', ')
      throw new HttpError(405, 'wrong_method', `Use ${allowed} here.`, { headers: { Allow: allowed } })
    }
    const params = Object.fromEntries(
      route.segments.flatMap((segment, index) => (segment.startsWith(':') ? [[segment.slice(1), given[index]]] : [])),
    )
    return { route, params }
  }

  #unexpected(request: IncomingMessage, error: unknown): HttpError {
    if (error instanceof Error) this.#options.placed?.(error)
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.error(`[app-error] ${request.method} ${request.url}: ${text}`)
    const reason = error instanceof Error ? error.message : String(error)
    return new HttpError(500, 'internal', this.#options.tellErrors ? reason : 'Something went wrong on the server.')
  }
}

const names = (segments: string[]) => segments.filter((segment) => segment.startsWith(':'))

function refuseStrangers(access: Access, user: User | null): void {
  if (access === 'public') return
  if (!user) throw new HttpError(401, 'signed_out', 'Sign in first.')
  if (access === 'admin' && user.role !== 'admin') {
    throw new HttpError(403, 'not_allowed', 'Only admins can do this.')
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new HttpError(400, 'bad_address', 'This address cannot be read.')
  }
}

function checked<Value>(schema: z.ZodType<Value>, given: unknown): Value {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const fields: Record<string, string> = {}
  for (const issue of result.error.issues) fields[issue.path.join('.')] ??= issue.message
  throw new HttpError(422, 'invalid', result.error.issues[0]?.message ?? 'This input is not valid.', { fields })
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'not_json', 'Send JSON.')
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MOST_BODY_BYTES) chunks.push(chunk)
    // Whoever is still sending does not get to read the answer.
    else if (size > MOST_DISCARDED_BYTES) break
  }
  if (size > MOST_BODY_BYTES) throw new HttpError(413, 'too_large', 'This is too large.')
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new HttpError(400, 'not_json', 'This is not JSON.')
  }
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.end(JSON.stringify(answer))
}
