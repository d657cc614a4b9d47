import { useExpenses } from '../context/ExpensesContext'
import { formatDate, formatMoney } from '../lib/format'
import type { Expense } from '../types'
import { Button } from './ui'

function Row({ expense, onRemove }: { expense: Expense; onRemove: () => void }) {
  return (
    <tr>
      <td className="py-2">{expense.label}</td>
      <td className="text-zinc-500">{formatDate(expense.date)}</td>
      <td className="text-right tabular-nums">{formatMoney(expense.amountCents)}</td>
      <td className="text-right">
        <Button variant="quiet" aria-label={`Delete ${expense.label}`} onClick={onRemove}>
          ×
        </Button>
      </td>
    </tr>
  )
}

export function ExpenseList() {
  const { expenses, dispatch } = useExpenses()
  if (expenses.length === 0) return <p className="text-zinc-500">No expenses yet.</p>

  // A table, as screen readers then say which column a number belongs to.
  return (
    <table className="w-full">
      <tbody>
        {expenses.map((expense) => (
          <Row key={expense.id} expense={expense} onRemove={() => dispatch({ type: 'removed', id: expense.id })} />
        ))}
      </tbody>
    </table>
  )
}
