import { Link, Navigate, useLocation } from 'react-router'
import { AccountCard } from '../components/AccountCard'
import { Button } from '../components/Button'
import { Field } from '../components/Field'
import { Message } from '../components/Message'
import { api } from '../lib/api'
import { useSession } from '../lib/session'
import { useForm } from '../lib/useForm'

export default function SignUpPage() {
  const { user, setUser } = useSession()
  const { state } = useLocation() as { state: { from?: string } | null }
  const { submit, busy, fields, message } = useForm(async ({ name, email, password }) => {
    const answer = await api('POST /api/sign-up', { body: { name, email, password } })
    setUser(answer.user)
  })

  if (user) return <Navigate to={state?.from ?? '/notes'} replace />
  return (
    <AccountCard
      title="Create account"
      below={
        <>
          Have an account?{' '}
          <Link to="/sign-in" state={state} className="font-medium text-ink underline underline-offset-4">
            Sign in
          </Link>
        </>
      }
    >
      <form onSubmit={submit} noValidate className="space-y-4">
        <Field label="Name" name="name" autoComplete="name" required error={fields.name} />
        <Field label="E-mail" name="email" type="email" autoComplete="email" required error={fields.email} />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          required
          hint="At least 8 characters."
          error={fields.password}
        />
        <Message error={message} />
        <Button type="submit" busy={busy} className="w-full">
          Create account
        </Button>
      </form>
    </AccountCard>
  )
}
