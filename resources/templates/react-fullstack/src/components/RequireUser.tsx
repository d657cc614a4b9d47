import { Navigate, Outlet, useLocation } from 'react-router'
import type { Role } from '@shared/api'
import { useSession } from '../lib/session'

/** A route whose pages are for people who are signed in, or for admins only. The server checks it again. */
export function RequireUser({ role }: { role?: Role }) {
  const { user } = useSession()
  const { pathname } = useLocation()
  if (!user) return <Navigate to="/sign-in" replace state={{ from: pathname }} />
  if (role === 'admin' && user.role !== 'admin') return <Navigate to="/" replace />
  return <Outlet />
}
