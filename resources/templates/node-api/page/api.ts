import type { Problem } from '../shared/types.ts'

/** What the server refused, in words for the person; `fields` says it per input. */
export class ApiError extends Error {
  readonly status: number
  readonly fields: Record<string, string>

  constructor(status: number, problem: Problem) {
    super(problem.message)
    this.status = status
    this.fields = problem.fields ?? {}
  }
}

/** Calls the API: `const entry = await api<Entry>('POST', '/api/entries', { text })`. Rejects with an ApiError. */
export async function api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? undefined : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new ApiError(0, { message: 'The server does not answer. Try again in a moment.' })
  })
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as Answer
  const problem = (answer as { error?: Problem } | undefined)?.error
  throw new ApiError(response.status, problem ?? { message: 'The server answered with an error.' })
}
