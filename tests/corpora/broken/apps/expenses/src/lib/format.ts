const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })

/** Cents as dollars: 1234 becomes $12.34. */
export function formatMoney(cents: number): string {
  return money.format(cents / 100)
}

export function formatDate(iso: string): string {
  return new Date(iso).toLocaleDateString('en-US', { day: 'numeric', month: 'short' })
}

/** What somebody typed, as cents; null when it is no amount. */
export function parseAmount(text: string): number | null {
  const value = Number(text.replace(',', '.'))
  return Number.isFinite(value) && value > 0 ? Math.round(value * 100) : null
}
