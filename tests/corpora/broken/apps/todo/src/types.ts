export type Filter = 'all' | 'active' | 'done'
export type Priority = 'low' | 'normal' | 'high'

export interface Todo {
  id: string
  title: string
  done: boolean
  priority: Priority
  /** ISO date, absent when the person set none. */
  dueDate?: string
}
