import { describeDueDate } from '../lib/date'
import type { Todo } from '../types'

interface TodoItemProps {
  todo: Todo
  onToggle: (id: string) => void
  onRemove: (id: string) => void
}

const DOTS = {
  low: 'bg-zinc-300',
  normal: 'bg-sky-400',
  high: 'bg-rose-500',
}

/** One line of the list. */
export function TodoItem({ todo, onToggle, onRemove }: TodoItemProps) {
  return (
    <li className="flex items-center gap-3 rounded-xl border border-zinc-200 bg-white px-4 py-3">
      {/* The dot is decoration; the priority is read from the select of the form. */}
      <span aria-hidden className={`size-2 rounded-full ${DOTS[todo.priority]}`} />
      <label className="flex grow items-center gap-3">
        <input type="checkbox" checked={todo.done} onChange={() => onToggle(todo.id)} />
        <span className={todo.done ? 'text-zinc-400 line-through' : ''}>{todo.title}</span>
      </label>
      {todo.dueDate && <span className="text-sm text-zinc-500">{describeDueDate(todo.dueDate)}</span>}
      <button type="button" aria-label={`Delete ${todo.title}`} onClick={() => onRemove(todo.id)}>
        ×
      </button>
    </li>
  )
}
