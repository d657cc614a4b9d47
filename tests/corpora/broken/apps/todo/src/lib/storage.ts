import type { Todo } from '../types'

const KEY = 'todos.v1'

/** Reads the list; a broken entry counts as an empty list. */
export function loadTodos(): Todo[] {
  try {
    const text = localStorage.getItem(KEY)
    return text ? (JSON.parse(text) as Todo[]) : []
  } catch {
    return []
  }
}

export function saveTodos(todos: Todo[]): void {
  // Private windows may refuse to store anything.
  try {
    localStorage.setItem(KEY, JSON.stringify(todos))
  } catch {
    console.warn('The list could not be saved.')
  }
}
