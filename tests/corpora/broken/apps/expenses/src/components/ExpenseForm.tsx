import { type FormEvent, useState } from 'react'
import { useExpenses } from '../context/ExpensesContext'
import { parseAmount } from '../lib/format'
import { categories, type Category } from '../types'
import { Button } from './ui'

export function ExpenseForm() {
  const { dispatch } = useExpenses()
  const [label, setLabel] = useState('')
  const [amount, setAmount] = useState('')
  const [category, setCategory] = useState<Category>('food')
  const [error, setError] = useState<string | null>(null)

  const handleSubmit = (event: FormEvent) => {
    event.preventDefault()
    const amountCents = parseAmount(amount)
    if (!label.trim() || amountCents === null) {
      setError('Enter what it was and how much.')
      return
    }
    dispatch({
      type: 'added',
      expense: { id: crypto.randomUUID(), label: label.trim(), amountCents, category, date: new Date().toISOString() },
    })
    // Ready for the next one; the category usually stays.
    setLabel('')
    setAmount('')
    setError(null)
  }

  return (
    <form onSubmit={handleSubmit} className="grid gap-3 sm:grid-cols-4">
      <input aria-label="What" value={label} onChange={(event) => setLabel(event.target.value)} />
      <input aria-label="Amount" inputMode="decimal" value={amount} onChange={(event) => setAmount(event.target.value)} />
      <select
        aria-label="Category"
        value={category}
        onChange={(event) => setCategory(event.target.value as Category)}
      >
        {categories.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <Button type="submit">Add</Button>
      {error && (
        <p role="alert" className="text-sm text-red-600 sm:col-span-4">
          {error}
        </p>
      )}
    </form>
  )
}
