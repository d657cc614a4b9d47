"""The app's own server: routes that throw, SQL, migrations, statuses."""

from tests.corpora.broken.entry import app_files, broken

_STATUS = {"path": "/status", "shows": "request", "text": "GET /api/status 500"}
_OPEN = "0 open tickets"

ENTRIES = (
    broken(
        "route-throws",
        "helpdesk",
        "The route reads a member of a row that is not there.",
        edits={
            "server/routes/tickets.ts": [
                (
                    "      return { open: row?.open ?? 0, version: '1' }",
                    "      const oldest = db.all<Ticket>(`SELECT ${COLUMNS} FROM tickets ORDER BY created_at`)[0]\n"
                    "      console.info('The oldest ticket:', oldest.subject)\n"
                    "      return { open: row?.open ?? 0, version: '1' }",
                )
            ]
        },
        kind="server",
        repairable=False,
        visit=_STATUS,
        after=_OPEN,
    ),
    broken(
        "column-misspelled",
        "helpdesk",
        "The statement asks for a column that the table does not have: state.",
        edits={"server/routes/tickets.ts": [("WHERE status = 'open'\"", "WHERE state = 'open'\"")]},
        kind="server",
        repairable=False,
        visit={**_STATUS, "log": "no such column: state"},
        after=_OPEN,
    ),
    broken(
        "table-misspelled",
        "helpdesk",
        "The statement asks for a table ticket; it is tickets.",
        edits={"server/routes/tickets.ts": [("AS open FROM tickets", "AS open FROM ticket")]},
        kind="server",
        repairable=True,
        visit={**_STATUS, "log": "no such table: ticket"},
        after=_OPEN,
    ),
    broken(
        "statement-with-an-error",
        "helpdesk",
        "The statement is no SQL: FORM.",
        edits={"server/routes/tickets.ts": [("AS open FROM tickets", "AS open FORM tickets")]},
        kind="server",
        repairable=False,
        visit={**_STATUS, "log": "syntax error"},
        after=_OPEN,
    ),
    broken(
        "migration-forgotten",
        "helpdesk",
        "The routes use a table that no migration makes.",
        add={"server/migrations/0003_tickets.sql": "-- The tickets' table follows.\n"},
        kind="server",
        repairable=False,
        visit={**_STATUS, "log": "no such table: tickets"},
        after=_OPEN,
    ),
    broken(
        "migration-with-an-error",
        "helpdesk",
        "The migration has a comma before its closing parenthesis, so that the server does not start.",
        edits={
            "server/migrations/0003_tickets.sql": [
                ("  created_at TEXT NOT NULL\n)", "  created_at TEXT NOT NULL,\n)")
            ]
        },
        kind="server",
        repairable=True,
        visit={
            "path": "/status",
            "shows": "request",
            "text": "GET /api/status 500",
            "log": "syntax error",
        },
        after=_OPEN,
    ),
    broken(
        "route-not-in-the-list",
        "helpdesk",
        "The routes of the tickets are not in the list of routes.",
        edits={
            "server/routes/index.ts": [
                ("import { tickets } from './tickets'\n", ""),
                (", ...tickets]", "]"),
            ]
        },
        kind="server",
        repairable=True,
        visit={"path": "/status", "shows": "request", "text": "GET /api/status 404"},
        after=_OPEN,
    ),
    broken(
        "wrong-status",
        "helpdesk",
        "The public status is for signed-in people only.",
        edits={
            "server/routes/tickets.ts": [
                (
                    "route('GET /api/status', {\n    access: 'public',",
                    "route('GET /api/status', {\n    access: 'user',",
                )
            ]
        },
        kind="server",
        repairable=False,
        visit={"path": "/status", "shows": "request", "text": "GET /api/status 401"},
        after=_OPEN,
    ),
    broken(
        "too-many-values",
        "helpdesk",
        "A value is given for which the statement has no place.",
        edits={
            "server/routes/tickets.ts": [
                ("WHERE status = 'open'\")", "WHERE status = 'open'\", 'open')")
            ]
        },
        kind="server",
        repairable=False,
        visit={**_STATUS, "log": "column index out of range"},
        after=_OPEN,
    ),
    broken(
        "error-while-the-module-loads",
        "helpdesk",
        "The module of the routes throws while it is loaded, so that no route answers.",
        add={
            "server/routes/tickets.ts": app_files("helpdesk")["server/routes/tickets.ts"].replace(
                "const COLUMNS = 'id, subject, status, created_at'\n",
                "const COLUMNS = 'id, subject, status, created_at'\n"
                "const LIMITS = JSON.parse(process.env.TICKET_LIMITS ?? '') as { perDay: number }\n"
                "console.info('Tickets per day:', LIMITS.perDay)\n",
            )
        },
        kind="server",
        repairable=False,
        visit={**_STATUS, "log": "Unexpected end of JSON input"},
        after=_OPEN,
    ),
)
