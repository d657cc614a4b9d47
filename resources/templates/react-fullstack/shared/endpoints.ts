import type { Api } from './api'

// The types that follow from `Api`; nothing here names a single endpoint.

export type Endpoint = keyof Api
export type Answer<E extends Endpoint> = Api[E]['answer']
export type Body<E extends Endpoint> = Api[E] extends { body: infer B } ? B : undefined
export type Query<E extends Endpoint> = Api[E] extends { query: infer Q } ? Q : undefined

/** The names in a path: `Params<'DELETE /api/notes/:id'>` is `{ id: string }`. */
export type Params<E extends string> = E extends `${infer Start}/${infer Rest}`
  ? Params<Start> & Params<Rest>
  : E extends `:${infer Name}`
    ? { [N in Name]: string }
    : unknown

/** What is wrong with a request, in a form that a page can show. */
export interface Problem {
  code: string
  message: string
  /** By the name of the input. */
  fields?: Record<string, string>
}
