import { useState } from 'react'
import { Button } from '../components/Button'
import { Field } from '../components/Field'
import { Message } from '../components/Message'
import { api } from '../lib/api'
import { useSession, useUser } from '../lib/session'
import { useForm } from '../lib/useForm'

export default function AccountPage() {
  const user = useUser()
  const { signOut } = useSession()
  return (
    <>
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">Account</h1>
          <p className="mt-1 text-muted">
            {user.email}
            {user.role === 'admin' && ' · Admin'}
          </p>
        </div>
        <Button kind="quiet" onClick={signOut}>
          Sign out
        </Button>
      </div>
      <div className="mt-8 grid items-start gap-5 sm:grid-cols-2">
        <NameCard />
        <PasswordCard />
      </div>
    </>
  )
}

function NameCard() {
  const user = useUser()
  const { setUser } = useSession()
  const [saved, setSaved] = useState(false)
  const { submit, busy, fields, message } = useForm(async ({ name }) => {
    setSaved(false)
    const answer = await api('PATCH /api/account', { body: { name } })
    setUser(answer.user)
    setSaved(true)
  })
  return (
    <form onSubmit={submit} noValidate className="space-y-4 rounded-2xl border border-line bg-card p-6">
      <h2 className="font-semibold">Your name</h2>
      <Field label="Name" name="name" autoComplete="name" defaultValue={user.name} error={fields.name} />
      <Message error={message} success={saved ? 'Saved.' : undefined} />
      <Button type="submit" kind="quiet" busy={busy}>
        Save
      </Button>
    </form>
  )
}

function PasswordCard() {
  const user = useUser()
  const [changed, setChanged] = useState(false)
  const { submit, busy, fields, message } = useForm(async ({ current, password }, form) => {
    setChanged(false)
    await api('POST /api/account/password', { body: { current, password } })
    form.reset()
    setChanged(true)
  })
  return (
    <form onSubmit={submit} noValidate className="space-y-4 rounded-2xl border border-line bg-card p-6">
      <h2 className="font-semibold">Password</h2>
      <input type="hidden" autoComplete="username" value={user.email} readOnly />
      <Field
        label="Present password"
        name="current"
        type="password"
        autoComplete="current-password"
        error={fields.current}
      />
      <Field
        label="New password"
        name="password"
        type="password"
        autoComplete="new-password"
        hint="At least 8 characters."
        error={fields.password}
      />
      <Message error={message} success={changed ? 'Changed. Other devices are signed out.' : undefined} />
      <Button type="submit" kind="quiet" busy={busy}>
        Change password
      </Button>
    </form>
  )
}
