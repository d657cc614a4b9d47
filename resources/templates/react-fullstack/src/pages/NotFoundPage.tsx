import { Link } from 'react-router'
import { buttonClass } from '../components/buttonClass'

export default function NotFoundPage() {
  return (
    <div className="m-auto max-w-md text-center">
      <h1 className="text-2xl font-semibold tracking-tight">There is no such page</h1>
      <p className="mt-3 text-muted">The address may be old or mistyped.</p>
      <Link to="/" className={buttonClass('quiet', 'mt-6')}>
        Go to the start
      </Link>
    </div>
  )
}
