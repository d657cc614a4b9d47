import type { z } from 'zod'
import type { User } from '@shared/api'
import type { Answer, Body, Endpoint, Params, Query } from '@shared/endpoints'
import type { Database } from './database'

/** Who may call: anyone, who is signed in, or admins. */
export type Access = 'public' | 'user' | 'admin'

export interface Context<E extends Endpoint, A extends Access> {
  db: Database
  user: A extends 'public' ? User | null : User
  body: Body<E>
  query: Query<E>
  params: Params<E>
  /** The address the request came from, of IPv6 its network: what limits count by. */
  address: string
  startSession(userId: string): void
  endSession(): void
  endAllSessions(userId: string): void
}

type Schema<Name extends string, Value> = [Value] extends [undefined] ? unknown : { [N in Name]: z.ZodType<Value> }

type Definition<E extends Endpoint, A extends Access> = {
  access: A
  handle(context: Context<E, A>): Answer<E> | Promise<Answer<E>>
} & Schema<'body', Body<E>> &
  Schema<'query', Query<E>>

/** One endpoint as the router sees it. */
export interface Route {
  method: string
  segments: string[]
  access: Access
  body?: z.ZodType
  query?: z.ZodType
  handle(context: Context<Endpoint, 'public'>): unknown
}

/**
 * An endpoint of shared/api.ts and what it does:
 *
 *     route('POST /api/notes', { access: 'user', body: noteBody, handle: ({ db, user, body }) => … })
 *
 * `body` and `query` are checked against their schemas before `handle` runs.
 */
export function route<E extends Endpoint, A extends Access>(endpoint: E, definition: Definition<E, A>): Route {
  const [method, path] = endpoint.split(' ')
  return { method, segments: path.split('/').slice(1), ...definition } as unknown as Route
}
