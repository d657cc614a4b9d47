export const categories = ['food', 'rent', 'travel', 'fun'] as const
export type Category = (typeof categories)[number]

export interface Expense {
  id: string
  label: string
  amountCents: number
  category: Category
  date: string
  note?: string
}

export interface Budget {
  monthlyLimitCents: number
  currency: string
}
