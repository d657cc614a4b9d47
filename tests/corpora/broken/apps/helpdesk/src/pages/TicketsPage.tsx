import { useState } from 'react'
import { type Ticket, type TicketStatus, ticketStatuses } from '@shared/api'
import { Button } from '../components/Button'
import { Field } from '../components/Field'
import { Loading } from '../components/Loading'
import { Message } from '../components/Message'
import { api, ApiError } from '../lib/api'
import { byUrgency, STATUS_LABELS } from '../lib/tickets'
import { useApi } from '../lib/useApi'
import { useForm } from '../lib/useForm'

export default function TicketsPage() {
  const { data, error, loading, setData } = useApi('GET /api/tickets')
  const [problem, setProblem] = useState<string>()
  const tickets = data?.tickets ?? []

  const { submit, busy, fields, message } = useForm(async ({ subject }, form) => {
    const { ticket } = await api('POST /api/tickets', { body: { subject } })
    setData({ tickets: [ticket, ...tickets] })
    form.reset()
  })

  async function changeStatus(ticket: Ticket, status: TicketStatus) {
    setProblem(undefined)
    try {
      const answer = await api('PATCH /api/tickets/:id', { params: { id: ticket.id }, body: { status } })
      setData({ tickets: tickets.map((other) => (other.id === ticket.id ? answer.ticket : other)) })
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught
      setProblem(caught.message)
    }
  }

  return (
    <>
      <h1 className="text-2xl font-semibold tracking-tight">Tickets</h1>
      <form onSubmit={submit} noValidate className="mt-6 flex items-end gap-3">
        <Field label="What is wrong?" name="subject" autoComplete="off" error={fields.subject ?? message} />
        <Button type="submit" busy={busy}>
          Report
        </Button>
      </form>
      <Message error={problem ?? error?.message} />
      {loading && <Loading />}
      {/* Sorted here, as a changed status moves the ticket at once. */}
      <ul className="mt-6 divide-y divide-line">
        {tickets.toSorted(byUrgency).map((ticket) => (
          <li key={ticket.id} className="flex items-center justify-between py-3">
            <span>{ticket.subject}</span>
            <select
              aria-label={`Status of ${ticket.subject}`}
              value={ticket.status}
              onChange={(event) => changeStatus(ticket, event.target.value as TicketStatus)}
            >
              {ticketStatuses.map((status) => (
                <option key={status} value={status}>
                  {STATUS_LABELS[status]}
                </option>
              ))}
            </select>
          </li>
        ))}
      </ul>
    </>
  )
}
