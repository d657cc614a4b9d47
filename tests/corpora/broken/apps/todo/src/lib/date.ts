const MS_PER_DAY = 86_400_000

/** "today", "tomorrow", "in 3 days" or "2 days late". */
export function describeDueDate(iso: string, now = new Date()): string {
  const days = daysBetween(now, new Date(iso))
  if (days === 0) return 'today'
  if (days === 1) return 'tomorrow'
  return days > 0 ? `in ${days} days` : `${-days} days late`
}

export function daysBetween(from: Date, to: Date): number {
  // Midnights are compared, or an evening would count as a day less.
  const start = new Date(from.getFullYear(), from.getMonth(), from.getDate())
  const end = new Date(to.getFullYear(), to.getMonth(), to.getDate())
  return Math.round((end.getTime() - start.getTime()) / MS_PER_DAY)
}
