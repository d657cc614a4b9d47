import { useState } from 'react'
import type { Note } from '@shared/api'
import { Button } from '../components/Button'
import { Field } from '../components/Field'
import { Loading } from '../components/Loading'
import { Message } from '../components/Message'
import { api, ApiError } from '../lib/api'
import { useApi } from '../lib/useApi'
import { useForm } from '../lib/useForm'

// The example of a page behind the sign-in; an app puts its own in this place.

export default function NotesPage() {
  const { data, error, loading, setData } = useApi('GET /api/notes')
  const [problem, setProblem] = useState<string>()
  const notes = data?.notes ?? []

  const { submit, busy, fields, message } = useForm(async ({ text }, form) => {
    const { note } = await api('POST /api/notes', { body: { text } })
    setData({ notes: [note, ...notes] })
    form.reset()
  })

  async function remove(note: Note) {
    setProblem(undefined)
    try {
      await api('DELETE /api/notes/:id', { params: { id: note.id } })
      setData({ notes: notes.filter((other) => other.id !== note.id) })
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught
      setProblem(caught.message)
    }
  }

  return (
    <>
      <h1 className="text-2xl font-semibold tracking-tight">Notes</h1>
      <p className="mt-1 text-muted">Only you see them.</p>
      <form onSubmit={submit} noValidate className="mt-6 flex items-start gap-3">
        <div className="grow">
          <Field label="New note" name="text" autoComplete="off" error={fields.text ?? message} />
        </div>
        <Button type="submit" busy={busy} className="mt-[1.625rem]">
          Add
        </Button>
      </form>
      <div className="mt-6">
        <Message error={problem ?? error?.message} />
        {loading && <Loading />}
        {data && !notes.length && (
          <p className="rounded-2xl border border-dashed border-line py-12 text-center text-muted">
            Nothing here yet. Your first note goes above.
          </p>
        )}
        {notes.length > 0 && (
          <ul className="divide-y divide-line rounded-2xl border border-line bg-card">
            {notes.map((note) => (
              <li key={note.id} className="flex items-start justify-between gap-4 px-5 py-4">
                <div className="min-w-0">
                  <p className="wrap-anywhere">{note.text}</p>
                  <time dateTime={note.created_at} className="text-sm text-muted">
                    {new Date(note.created_at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
                  </time>
                </div>
                <Button kind="danger" className="-my-1" onClick={() => remove(note)} aria-label={`Delete “${note.text}”`}>
                  Delete
                </Button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  )
}
