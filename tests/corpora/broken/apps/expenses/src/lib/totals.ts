import type { Category, Expense } from '../types'

export type Totals = Record<Category, number>

export interface Summary {
  totals: Totals
  sum: number
  largest: Expense | undefined
}

/** Adds the expenses up by category. */
export function summarize(expenses: Expense[]): Summary {
  const totals: Totals = { food: 0, rent: 0, travel: 0, fun: 0 }
  for (const expense of expenses) {
    totals[expense.category] += expense.amountCents
  }

  const sum = Object.values(totals).reduce((left, right) => left + right, 0)
  // The newest wins among equals, as the list begins with it.
  const largest = expenses.toSorted((left, right) => right.amountCents - left.amountCents)[0]
  return { totals, sum, largest }
}
