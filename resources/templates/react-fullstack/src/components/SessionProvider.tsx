import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'
import type { User } from '@shared/api'
import { api, type ApiError, onSignedOut } from '../lib/api'
import { SessionContext } from '../lib/session'
import { Button } from './Button'
import { Loading } from './Loading'

/** Finds out who is signed in before it shows the app. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [user, setUser] = useState<User | null>()
  const [error, setError] = useState<ApiError>()
  const [round, setRound] = useState(0)

  useEffect(() => {
    api('GET /api/session').then(
      (answer) => {
        setError(undefined)
        setUser(answer.user)
      },
      (reason: ApiError) => setError(reason),
    )
  }, [round])
  useEffect(() => onSignedOut(() => setUser(null)), [])

  const signOut = useCallback(async () => {
    await api('POST /api/sign-out')
    setUser(null)
  }, [])
  const session = useMemo(() => ({ user: user ?? null, setUser, signOut }), [user, signOut])

  if (user === undefined) {
    return (
      <div className="grid min-h-dvh place-items-center p-8">
        {error ? (
          <div role="alert" className="max-w-md text-center">
            <p className="text-muted">{error.message}</p>
            <Button kind="quiet" className="mt-4" onClick={() => setRound(round + 1)}>
              Try again
            </Button>
          </div>
        ) : (
          <Loading />
        )}
      </div>
    )
  }
  return <SessionContext value={session}>{children}</SessionContext>
}
