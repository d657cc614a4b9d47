"""What the apps change in files of their starters."""

from __future__ import annotations

from typing import Final

_TICKETS: Final = """export const ticketStatuses = ['open', 'waiting', 'solved'] as const
export type TicketStatus = (typeof ticketStatuses)[number]

export interface Ticket {
  id: string
  subject: string
  status: TicketStatus
  created_at: string
}

export const ticketBody = z.object({
  subject: z.string().trim().min(3, 'Say in a few words what is wrong.').max(200, 'Use at most 200 characters.'),
})
export const ticketChange = z.object({ status: z.enum(ticketStatuses) })

"""
_ENDPOINTS: Final = """
  'GET /api/tickets': { answer: { tickets: Ticket[] } }
  'POST /api/tickets': { body: z.infer<typeof ticketBody>; answer: { ticket: Ticket } }
  'PATCH /api/tickets/:id': { body: z.infer<typeof ticketChange>; answer: { ticket: Ticket } }
  'GET /api/status': { answer: { open: number; version: string } }
"""

CHANGES: Final[dict[str, dict[str, list[tuple[str, str]]]]] = {
    "helpdesk": {
        "shared/api.ts": [
            ("export interface Api {", _TICKETS + "export interface Api {"),
            (
                "  'DELETE /api/notes/:id': { answer: null }\n",
                "  'DELETE /api/notes/:id': { answer: null }\n" + _ENDPOINTS,
            ),
        ],
        "server/routes/index.ts": [
            ("import { users }", "import { tickets } from './tickets'\nimport { users }"),
            ("...notes]", "...notes, ...tickets]"),
        ],
        "src/App.tsx": [
            (
                "import SignUpPage from './pages/SignUpPage'",
                "import SignUpPage from './pages/SignUpPage'\n"
                "import StatusPage from './pages/StatusPage'\n"
                "import TicketsPage from './pages/TicketsPage'",
            ),
            (
                "<Route index element={<HomePage />} />",
                "<Route index element={<HomePage />} />\n"
                '            <Route path="status" element={<StatusPage />} />',
            ),
            (
                '<Route path="notes" element={<NotesPage />} />',
                '<Route path="notes" element={<NotesPage />} />\n'
                '              <Route path="tickets" element={<TicketsPage />} />',
            ),
        ],
    },
    "tasks": {
        "app/main.py": [
            ("home, notes, people\n", "home, notes, people, tasks\n"),
            ("people.router)\n", "people.router, tasks.router)\n"),
        ],
    },
}
"""Old and new text by app and path."""
