import { createContext, use } from 'react'
import type { User } from '@shared/api'

export interface Session {
  /** Who is signed in; null for nobody. */
  user: User | null
  setUser(user: User | null): void
  signOut(): Promise<void>
}

export const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = use(SessionContext)
  if (!session) throw new Error('useSession works inside <SessionProvider> only.')
  return session
}

/** Who is signed in, on pages inside <RequireUser>. */
export function useUser(): User {
  const { user } = useSession()
  if (!user) throw new Error('useUser works inside <RequireUser> only.')
  return user
}
