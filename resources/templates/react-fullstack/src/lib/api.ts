import type { Answer, Body, Endpoint, Params, Problem, Query } from '@shared/endpoints'

/** What the server refused, in words for the person; `fields` says it per input. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: Record<string, string>

  constructor(status: number, problem: Problem) {
    super(problem.message)
    this.status = status
    this.code = problem.code
    this.fields = problem.fields ?? {}
  }
}

type Part<Name extends string, Value> = [Value] extends [undefined] ? unknown : { [N in Name]: Value }
type ParamsPart<E extends Endpoint> = unknown extends Params<E> ? unknown : { params: Params<E> }

/** `{ params, body, query }`, as far as the endpoint has them. */
export type Input<E extends Endpoint> = Part<'body', Body<E>> & Part<'query', Query<E>> & ParamsPart<E>
export type InputArguments<E extends Endpoint> = unknown extends Input<E> ? [] : [input: Input<E>]

const signedOut = new EventTarget()

/** Calls `listener` when the server says that nobody is signed in any more. Returns what stops that. */
export function onSignedOut(listener: () => void): () => void {
  signedOut.addEventListener('signed-out', listener)
  return () => signedOut.removeEventListener('signed-out', listener)
}

/**
 * Calls an endpoint of shared/api.ts:
 *
 *     const { note } = await api('POST /api/notes', { body: { text } })
 *     await api('DELETE /api/notes/:id', { params: { id } })
 *
 * Rejects with an ApiError.
 */
export async function api<E extends Endpoint>(endpoint: E, ...[input]: InputArguments<E>): Promise<Answer<E>> {
  const { params, body, query } = (input ?? {}) as {
    params?: Record<string, string>
    body?: unknown
    query?: Record<string, unknown>
  }
  const [method, pattern] = endpoint.split(' ')
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''))
  const response = await fetch(path + search(query), {
    method,
    headers: body === undefined ? undefined : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new ApiError(0, { code: 'no_answer', message: 'The server does not answer. Try again in a moment.' })
  })
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as Answer<E>

  const problem = (answer as { error?: Problem } | undefined)?.error
  if (problem?.code === 'signed_out') signedOut.dispatchEvent(new Event('signed-out'))
  throw new ApiError(
    response.status,
    problem ?? { code: 'internal', message: 'The server answered with an error. Try again in a moment.' },
  )
}

function search(query: Record<string, unknown> | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : ''
}
