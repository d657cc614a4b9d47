import { Link } from 'react-router'
import { buttonClass } from '../components/buttonClass'
import { useSession } from '../lib/session'

export default function HomePage() {
  const { user } = useSession()
  return (
    <div className="m-auto max-w-md text-center">
      <div aria-hidden className="mx-auto mb-6 grid size-12 place-items-center rounded-2xl bg-ink">
        <span className="size-4 animate-pulse rounded-full bg-paper" />
      </div>
      <h1 className="text-2xl font-semibold tracking-tight">Ready when you are</h1>
      <p className="mt-3 text-muted">
        This is the starting point, with accounts and a database behind it. Your app takes its place here as soon as its
        first files are written.
      </p>
      <div className="mt-8 flex flex-wrap justify-center gap-3">
        {user ? (
          <Link to="/notes" className={buttonClass()}>
            Open notes
          </Link>
        ) : (
          <>
            <Link to="/sign-up" className={buttonClass()}>
              Create account
            </Link>
            <Link to="/sign-in" className={buttonClass('quiet')}>
              Sign in
            </Link>
          </>
        )}
      </div>
    </div>
  )
}
