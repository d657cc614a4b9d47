import { useCallback, useEffect, useState } from 'react'
import { loadTodos, saveTodos } from '../lib/storage'
import type { Priority, Todo } from '../types'

/** The list and everything one can do to it; kept in this browser. */
export function useTodos() {
  const [todos, setTodos] = useState<Todo[]>(loadTodos)

  // Saved after every change.
  useEffect(() => saveTodos(todos), [todos])

  const addTodo = useCallback((title: string, priority: Priority = 'normal') => {
    const todo: Todo = { id: crypto.randomUUID(), title, done: false, priority }
    setTodos((before) => [todo, ...before])
  }, [])

  const toggleTodo = useCallback((id: string) => {
    setTodos((before) => before.map((todo) => (todo.id === id ? { ...todo, done: !todo.done } : todo)))
  }, [])

  const removeTodo = useCallback((id: string) => {
    setTodos((before) => before.filter((todo) => todo.id !== id))
  }, [])

  const remaining = todos.filter((todo) => !todo.done).length
  return { todos, addTodo, toggleTodo, removeTodo, remaining }
}
