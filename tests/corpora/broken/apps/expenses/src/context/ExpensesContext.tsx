import { createContext, type ReactNode, useContext, useMemo, useReducer } from 'react'
import type { Budget, Expense } from '../types'

type Action = { type: 'added'; expense: Expense } | { type: 'removed'; id: string } | { type: 'cleared' }

interface ExpensesContextValue {
  expenses: Expense[]
  budget: Budget
  dispatch: (action: Action) => void
}

const ExpensesContext = createContext<ExpensesContextValue | null>(null)

function reducer(state: Expense[], action: Action): Expense[] {
  switch (action.type) {
    case 'added':
      return [action.expense, ...state]
    case 'removed':
      return state.filter((expense) => expense.id !== action.id)
    case 'cleared':
      return []
  }
}

/** Holds the expenses of this visit. */
export function ExpensesProvider({ children }: { children: ReactNode }) {
  const [expenses, dispatch] = useReducer(reducer, [])
  // The same object between renders, or every consumer would render again.
  const value = useMemo(() => {
    const budget: Budget = { monthlyLimitCents: 150_000, currency: 'USD' }
    return { expenses, budget, dispatch }
  }, [expenses])
  return <ExpensesContext value={value}>{children}</ExpensesContext>
}

export function useExpenses(): ExpensesContextValue {
  const value = useContext(ExpensesContext)
  if (!value) throw new Error('useExpenses works inside <ExpensesProvider> only.')
  return value
}
