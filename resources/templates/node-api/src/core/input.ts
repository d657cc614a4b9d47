import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { z } from 'zod'
import type { Problem } from '../../shared/types.ts'

/** The JSON body of a request, checked: `const { text } = await readBody(c, entryBody)`. Throws a 400 or 422. */
export async function readBody<Value>(c: Context, schema: z.ZodType<Value>): Promise<Value> {
  let given: unknown
  try {
    given = await c.req.json()
  } catch {
    throw refusal(400, { message: 'Send JSON.' })
  }
  return check(schema, given)
}

/** The query of a request, checked: `const { page } = readQuery(c, z.object({ page: z.coerce.number() }))`. */
export function readQuery<Value>(c: Context, schema: z.ZodType<Value>): Value {
  return check(schema, c.req.query())
}

/** An answer other than success: `throw refusal(404, { message: 'There is no such entry.' })`. */
export function refusal(status: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429, problem: Problem): HTTPException {
  return new HTTPException(status, { message: problem.message, res: Response.json({ error: problem }, { status }) })
}

function check<Value>(schema: z.ZodType<Value>, given: unknown): Value {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const fields: Record<string, string> = {}
  for (const issue of result.error.issues) fields[issue.path.join('.')] ??= issue.message
  throw refusal(422, { message: result.error.issues[0]?.message ?? 'This input is not valid.', fields })
}
