import { useMemo, useState } from 'react'
import FilterTabs from './components/FilterTabs'
import { TodoForm } from './components/TodoForm'
import { TodoItem } from './components/TodoItem'
import { useTodos } from './hooks/useTodos'
import type { Filter } from './types'

export default function App() {
  const { todos, addTodo, toggleTodo, removeTodo, remaining } = useTodos()
  const [filter, setFilter] = useState<Filter>('all')

  // Done ones stay in the list until they are deleted.
  const visible = useMemo(() => {
    if (filter === 'active') return todos.filter((todo) => !todo.done)
    if (filter === 'done') return todos.filter((todo) => todo.done)
    return todos
  }, [todos, filter])

  return (
    <main className="mx-auto max-w-xl space-y-6 p-6">
      <header className="flex items-end justify-between">
        <h1 className="text-2xl font-semibold">To-dos</h1>
        <p className="text-zinc-500">{remaining} left</p>
      </header>

      <TodoForm onAdd={addTodo} />
      <FilterTabs value={filter} onChange={setFilter} />
      {visible.length === 0 ? (
        <p className="py-10 text-center text-zinc-500">Nothing here yet.</p>
      ) : (
        <ul className="space-y-2">
          {visible.map((todo) => (
            <TodoItem key={todo.id} todo={todo} onToggle={toggleTodo} onRemove={removeTodo} />
          ))}
        </ul>
      )}
    </main>
  )
}
