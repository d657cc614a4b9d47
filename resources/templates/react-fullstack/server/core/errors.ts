/** An answer other than success: `throw new HttpError(404, 'not_found', 'There is no such note.')`. */
export class HttpError extends Error {
  readonly status: number
  readonly code: string
  readonly fields?: Record<string, string>
  readonly headers: Record<string, string>

  constructor(
    status: number,
    code: string,
    message: string,
    more: { fields?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.fields = more.fields
    this.headers = more.headers ?? {}
  }
}

export const notFound = (message = 'There is nothing here.') => new HttpError(404, 'not_found', message)
export const conflict = (message: string, fields?: Record<string, string>) =>
  new HttpError(409, 'conflict', message, { fields })
