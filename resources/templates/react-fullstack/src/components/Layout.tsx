import { Link, NavLink, Outlet } from 'react-router'
import { useSession } from '../lib/session'
import { buttonClass } from './buttonClass'

const tab = ({ isActive }: { isActive: boolean }) =>
  `rounded-lg px-3 py-2 text-sm transition-colors ${isActive ? 'font-medium text-ink' : 'text-muted hover:text-ink'}`

/** The frame of every page: the app's name, where one can go, and who is signed in. */
export function Layout() {
  const { user } = useSession()
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#content" className="sr-only focus:not-sr-only focus:p-3">
        Skip to content
      </a>
      <header className="border-b border-line bg-card">
        <nav aria-label="Main" className="mx-auto flex max-w-3xl flex-wrap items-center gap-1 px-5 py-3">
          <Link to="/" className="mr-auto flex items-center gap-2.5 font-semibold tracking-tight">
            <span aria-hidden className="grid size-7 place-items-center rounded-lg bg-ink">
              <span className="size-2.5 rounded-full bg-paper" />
            </span>
            New app
          </Link>
          {user ? (
            <>
              <NavLink to="/notes" className={tab}>
                Notes
              </NavLink>
              {user.role === 'admin' && (
                <NavLink to="/people" className={tab}>
                  People
                </NavLink>
              )}
              <NavLink to="/account" className={tab}>
                Account
              </NavLink>
            </>
          ) : (
            <>
              <NavLink to="/sign-in" className={tab}>
                Sign in
              </NavLink>
              <Link to="/sign-up" className={buttonClass('primary', 'h-9')}>
                Create account
              </Link>
            </>
          )}
        </nav>
      </header>
      <main id="content" className="mx-auto flex w-full max-w-3xl grow flex-col px-5 py-10">
        <Outlet />
      </main>
    </div>
  )
}
