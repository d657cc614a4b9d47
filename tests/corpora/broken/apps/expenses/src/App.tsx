import { ExpenseForm } from './components/ExpenseForm'
import { ExpenseList } from './components/ExpenseList'
import { Card } from './components/ui'
import { ExpensesProvider, useExpenses } from './context/ExpensesContext'
import { formatMoney } from './lib/format'
import { summarize } from './lib/totals'
import { categories } from './types'

function Overview() {
  const { expenses, budget } = useExpenses()
  const { totals, sum, largest } = summarize(expenses)
  const over = sum > budget.monthlyLimitCents

  return (
    <Card title="This month" tone={over ? 'warning' : 'plain'} footer={largest && `Largest: ${largest.label}`}>
      <p className="text-3xl font-semibold">{formatMoney(sum)}</p>
      <ul className="mt-3 flex gap-4">
        {categories.map((name) => (
          <li key={name}>
            {name}: {formatMoney(totals[name])}
          </li>
        ))}
      </ul>
    </Card>
  )
}

export default function App() {
  return (
    <ExpensesProvider>
      <main className="mx-auto max-w-2xl space-y-6 p-6">
        <h1 className="text-2xl font-semibold">Expenses</h1>
        <Overview />
        {/* The form stands above the list: that is where people look first. */}
        <ExpenseForm />
        <ExpenseList />
      </main>
    </ExpensesProvider>
  )
}
