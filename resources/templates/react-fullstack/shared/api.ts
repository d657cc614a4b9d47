import { z } from 'zod'

// What the API's endpoints take and answer. The server (server/routes) and the browser (src/lib/api.ts)
// are both checked against the interface `Api`; the schemas check what arrives while the app runs.

export const roles = ['user', 'admin'] as const
export type Role = (typeof roles)[number]

export interface User {
  id: string
  email: string
  name: string
  role: Role
  created_at: string
}

const email = z.string().trim().toLowerCase().max(254).pipe(z.email('Enter a full e-mail address, like ada@example.com.'))
const newPassword = z
  .string()
  .min(8, 'Use at least 8 characters.')
  .max(200, 'Use at most 200 characters.')
const name = z.string().trim().min(1, 'Enter your name.').max(80, 'Use at most 80 characters.')

export const signUpBody = z.object({ name, email, password: newPassword })
export const signInBody = z.object({ email, password: z.string().min(1, 'Enter your password.').max(200) })
export const accountBody = z.object({ name })
export const passwordBody = z.object({
  current: z.string().min(1, 'Enter your present password.').max(200),
  password: newPassword,
})
export const roleBody = z.object({ role: z.enum(roles) })

export interface Note {
  id: string
  text: string
  created_at: string
}

export const noteBody = z.object({
  text: z.string().trim().min(1, 'Write something first.').max(2000, 'Use at most 2000 characters.'),
})

export interface Api {
  'GET /api/session': { answer: { user: User | null } }
  'POST /api/sign-up': { body: z.infer<typeof signUpBody>; answer: { user: User } }
  'POST /api/sign-in': { body: z.infer<typeof signInBody>; answer: { user: User } }
  'POST /api/sign-out': { answer: null }
  'PATCH /api/account': { body: z.infer<typeof accountBody>; answer: { user: User } }
  'POST /api/account/password': { body: z.infer<typeof passwordBody>; answer: null }

  'GET /api/users': { answer: { users: User[] } }
  'PATCH /api/users/:id': { body: z.infer<typeof roleBody>; answer: { user: User } }

  'GET /api/notes': { answer: { notes: Note[] } }
  'POST /api/notes': { body: z.infer<typeof noteBody>; answer: { note: Note } }
  'DELETE /api/notes/:id': { answer: null }
}
