import type { Ticket, TicketStatus } from '@shared/api'

export const STATUS_LABELS: Record<TicketStatus, string> = {
  open: 'Open',
  waiting: 'Waiting for you',
  solved: 'Solved',
}

/** Open ones first, then by age. */
export function byUrgency(left: Ticket, right: Ticket): number {
  const order: TicketStatus[] = ['open', 'waiting', 'solved']
  const difference = order.indexOf(left.status) - order.indexOf(right.status)
  return difference || left.created_at.localeCompare(right.created_at)
}
