// What the API answers; the server and the page are both checked against it. No package may be imported here.

export interface Status {
  started_at: string
  entries: number
}

export interface Entry {
  id: string
  text: string
  created_at: string
}

/** What is wrong with a request, in a form that a page can show. */
export interface Problem {
  message: string
  /** By the name of the input. */
  fields?: Record<string, string>
}
