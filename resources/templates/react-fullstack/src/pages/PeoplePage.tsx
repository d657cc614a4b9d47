import { useState } from 'react'
import { type Role, roles, type User } from '@shared/api'
import { Loading } from '../components/Loading'
import { Message } from '../components/Message'
import { api, ApiError } from '../lib/api'
import { useUser } from '../lib/session'
import { useApi } from '../lib/useApi'

export default function PeoplePage() {
  const me = useUser()
  const { data, error, loading, setData } = useApi('GET /api/users')
  const [problem, setProblem] = useState<string>()

  async function changeRole(person: User, role: Role) {
    setProblem(undefined)
    try {
      const { user } = await api('PATCH /api/users/:id', { params: { id: person.id }, body: { role } })
      setData({ users: (data?.users ?? []).map((other) => (other.id === user.id ? user : other)) })
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught
      setProblem(caught.message)
    }
  }

  return (
    <>
      <h1 className="text-2xl font-semibold tracking-tight">People</h1>
      <p className="mt-1 mb-6 text-muted">Everyone who has an account.</p>
      <Message error={problem ?? error?.message} />
      {loading && <Loading />}
      {data && (
        <ul className="mt-4 divide-y divide-line rounded-2xl border border-line bg-card">
          {data.users.map((person) => (
            <li key={person.id} className="flex flex-wrap items-center justify-between gap-3 px-5 py-4">
              <div className="min-w-0">
                <p className="truncate font-medium">{person.name}</p>
                <p className="truncate text-sm text-muted">{person.email}</p>
              </div>
              <select
                aria-label={`Role of ${person.name}`}
                value={person.role}
                disabled={person.id === me.id}
                onChange={(event) => changeRole(person, event.target.value as Role)}
                className="h-10 rounded-lg border border-line bg-card px-3 text-sm disabled:opacity-50"
              >
                {roles.map((role) => (
                  <option key={role} value={role}>
                    {role === 'admin' ? 'Admin' : 'Member'}
                  </option>
                ))}
              </select>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
