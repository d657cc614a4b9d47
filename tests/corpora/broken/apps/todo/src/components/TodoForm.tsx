import { type FormEvent, useRef, useState } from 'react'
import type { Priority } from '../types'

interface TodoFormProps {
  onAdd: (title: string, priority: Priority) => void
}

const PRIORITIES: Priority[] = ['low', 'normal', 'high']

export function TodoForm({ onAdd }: TodoFormProps) {
  const [title, setTitle] = useState('')
  const [priority, setPriority] = useState<Priority>('normal')
  const inputRef = useRef<HTMLInputElement>(null)

  function handleSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const trimmed = title.trim()
    if (!trimmed) return
    onAdd(trimmed, priority)
    setTitle('')
    // The next entry can be typed at once.
    inputRef.current?.focus()
  }

  return (
    <form onSubmit={handleSubmit} className="flex gap-2">
      <label htmlFor="new-todo" className="sr-only">
        New to-do
      </label>
      <input
        id="new-todo"
        ref={inputRef}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        placeholder="What needs doing?"
        className="grow rounded-lg border border-zinc-300 px-3 py-2"
      />

      <select
        aria-label="Priority"
        value={priority}
        onChange={(event) => setPriority(event.target.value as Priority)}
        className="rounded-lg border border-zinc-300 px-2"
      >
        {PRIORITIES.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <button type="submit" className="rounded-lg bg-zinc-900 px-4 py-2 text-white">
        Add
      </button>
    </form>
  )
}
