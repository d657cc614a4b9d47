"""The Python starter: imports, syntax, attributes, templates, SQL, packages, async, types."""

from tests.corpora.broken.entry import app_files, broken

_ROUTES = "app/routes/tasks.py"
_FIGURES = "app/lib/statistics.py"
_TYPES = ("types", "lint")
_PAGE = "Water the plants"


def _visit(status: int, text: str = "") -> dict[str, object]:
    return {"path": "/tasks", "shows": "request", "text": f"GET /tasks {status}", "log": text}


_DEAD = {"path": "/tasks", "shows": "no server"}

ENTRIES = (
    broken(
        "name-not-imported",
        "tasks",
        "The routes use transaction, which is not imported.",
        "name-defined",
        "F821",
        edits={_ROUTES: [("import Database, transaction", "import Database")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        keep=("with transaction(db):",),
    ),
    broken(
        "typing-not-imported",
        "tasks",
        "Annotated is used and not imported.",
        "name-defined",
        edits={_ROUTES: [("from typing import Annotated\n", "")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "name 'Annotated' is not defined"},
        after=_PAGE,
    ),
    broken(
        "module-not-imported",
        "tasks",
        "secrets is used and not imported.",
        "name-defined",
        edits={_ROUTES: [("import secrets\n", "")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        keep=("secrets.token_hex(8)",),
    ),
    broken(
        "import-from-the-wrong-module",
        "tasks",
        "render and redirect are imported from app.core.views; they are in app.core.pages.",
        "import-not-found",
        edits={_ROUTES: [("from app.core.pages import", "from app.core.views import")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "No module named 'app.core.views'"},
        after=_PAGE,
    ),
    broken(
        "imported-name-misspelled",
        "tasks",
        "summarise is imported; the function is summarize.",
        "attr-defined",
        edits={
            _ROUTES: [
                ("import Task, describe, summarize", "import Task, describe, summarise"),
                ("describe(summarize(tasks))", "describe(summarise(tasks))"),
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "cannot import name 'summarise'"},
        after=_PAGE,
    ),
    broken(
        "import-in-a-circle",
        "tasks",
        "The statistics import the routes, and the routes import the statistics.",
        edits={
            _FIGURES: [
                (
                    "from dataclasses import dataclass\n",
                    "from dataclasses import dataclass\n\nfrom app.routes.tasks import router\n",
                ),
                (
                    '    """Say it in a line."""\n',
                    '    """Say it in a line, with the address where the list is."""\n    assert router.routes\n',
                ),
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit={**_DEAD, "log": "circular import"},
        after=_PAGE,
    ),
    broken(
        "colon-missing",
        "tasks",
        "The colon of a function is missing.",
        "syntax",
        edits={
            _FIGURES: [
                ("def describe(summary: Summary) -> str:", "def describe(summary: Summary) -> str")
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "expected ':'"},
        after=_PAGE,
    ),
    broken(
        "indented-wrongly",
        "tasks",
        "A line is indented one blank too far.",
        "syntax",
        edits={_FIGURES: [("    known = list(tasks)\n", "     known = list(tasks)\n")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "unexpected indent"},
        after=_PAGE,
    ),
    broken(
        "parenthesis-not-closed",
        "tasks",
        "A call is not closed.",
        "syntax",
        edits={
            _FIGURES: [
                (
                    "key=lambda task: task.minutes, default=None)",
                    "key=lambda task: task.minutes, default=None",
                )
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit={**_DEAD, "log": "was never closed"},
        after=_PAGE,
    ),
    broken(
        "fence-around-a-module",
        "tasks",
        "The module stands in a Markdown fence.",
        "syntax",
        add={_FIGURES: "```python\n" + app_files("tasks")[_FIGURES] + "```\n"},
        kind="python",
        clean=_TYPES,
        repairable=True,
        loses=("```",),
        visit={**_DEAD, "log": "invalid syntax"},
        after=_PAGE,
    ),
    broken(
        "attribute-misspelled",
        "tasks",
        "A task's minuts are added up.",
        "attr-defined",
        edits={_FIGURES: [("sum(task.minutes for", "sum(task.minuts for")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit=_visit(500, "has no attribute 'minuts'"),
        after=_PAGE,
    ),
    broken(
        "attribute-that-does-not-exist",
        "tasks",
        "Tasks have no owner.",
        "attr-defined",
        edits={
            _FIGURES: [
                ("the longest: {summary.longest.title}", "the longest: {summary.longest.owner}")
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "has no attribute 'owner'"),
        after=_PAGE,
    ),
    broken(
        "none-is-not-looked-for",
        "tasks",
        "The longest task may be None, and its title is read.",
        "union-attr",
        edits={
            _FIGURES: [
                ("    if summary.longest is not None:\n        line += ", "    line += "),
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=True,
    ),
    broken(
        "template-missing",
        "tasks",
        "The route renders a template that does not exist under that name.",
        edits={_ROUTES: [('"tasks.html", user', '"task_list.html", user')]},
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "'task_list.html' not found"),
        after=_PAGE,
    ),
    broken(
        "template-block-not-closed",
        "tasks",
        "A loop in the template has no end.",
        edits={"app/templates/tasks.html": [("    {% endfor %}\n", "")]},
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "endblock"),
        after=_PAGE,
    ),
    broken(
        "filter-of-the-template-missing",
        "tasks",
        "The template uses a filter that nobody defined.",
        edits={
            "app/templates/tasks.html": [
                ("{{ task.minutes }} min", "{{ task.minutes | duration }}")
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "No filter named 'duration'"),
        after=_PAGE,
    ),
    broken(
        "column-that-does-not-exist",
        "tasks",
        "The statement asks for a column duration; the table has minutes.",
        edits={_ROUTES: [("SELECT id, title, minutes, done", "SELECT id, title, duration, done")]},
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "no such column: duration"),
        after=_PAGE,
    ),
    broken(
        "table-without-a-migration",
        "tasks",
        "No migration makes the table of the tasks.",
        add={"app/migrations/0003_tasks.sql": "SELECT 1;\n"},
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "no such table: tasks"),
        after="Tasks",
    ),
    broken(
        "package-missing",
        "tasks",
        "Markdown is rendered with a package that is not installed.",
        "import-not-found",
        edits={
            _FIGURES: [
                (
                    "from dataclasses import dataclass\n",
                    "from dataclasses import dataclass\n\nfrom humanize import intcomma\n",
                ),
                ("{summary.total} tasks,", "{intcomma(summary.total)} tasks,"),
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=True,
        installs=("humanize",),
        visit={**_DEAD, "log": "No module named 'humanize'"},
        after=_PAGE,
    ),
    broken(
        "coroutine-not-awaited",
        "tasks",
        "The list of tasks became async, and its callers do not await it.",
        "arg-type",
        edits={_ROUTES: [("def _all_tasks(db", "async def _all_tasks(db")]},
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit=_visit(500, "coroutine"),
        after=_PAGE,
    ),
    broken(
        "await-outside-of-async",
        "tasks",
        "A plain function awaits.",
        "await-not-async",
        edits={_ROUTES: [("    tasks = _all_tasks(db)\n", "    tasks = await _all_tasks(db)\n")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "'await' outside async function"},
        after=_PAGE,
    ),
    broken(
        "wrong-type-returned",
        "tasks",
        "The route says that it answers lists of texts, and answers numbers.",
        "dict-item",
        edits={
            _ROUTES: [
                (
                    'return {"titles": [task.title for',
                    'return {"total": len(_all_tasks(db)), "titles": [task.title for',
                )
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
        visit={
            "path": "/api/tasks",
            "shows": "request",
            "text": "GET /api/tasks 500",
            "log": "ResponseValidationError",
        },
    ),
    broken(
        "argument-of-the-wrong-type",
        "tasks",
        "The flag of a task is given as the number that the database keeps.",
        "arg-type",
        edits={
            _FIGURES: [("return Summary(len(known), sum(", "return Summary(str(len(known)), sum(")]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
    ),
    broken(
        "function-without-types",
        "tasks",
        "A helper has no types, which strict mypy refuses.",
        "no-untyped-def",
        edits={
            _ROUTES: [
                ("def _task(row: sqlite3.Row) -> Task:", "def _task(row) -> Task:"),
                ("import sqlite3\n", "import sqlite3  # Rows and connections.\n"),
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=False,
    ),
    broken(
        "unused-import",
        "tasks",
        "json is imported and not used.",
        "F401",
        edits={_ROUTES: [("import secrets\n", "import json\nimport secrets\n")]},
        kind="python",
        clean=_TYPES,
        repairable=True,
        loses=("import json",),
    ),
    broken(
        "router-not-listed",
        "tasks",
        "The routes are written and not listed in main.py.",
        edits={
            "app/main.py": [
                ("home, notes, people, tasks\n", "home, notes, people\n"),
                (", tasks.router)", ")"),
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit=_visit(404),
        after=_PAGE,
    ),
    broken(
        "form-value-without-form",
        "tasks",
        "A type for form fields is imported from a module that does not have it.",
        "attr-defined",
        edits={
            _ROUTES: [
                (
                    "from fastapi import APIRouter, Form, Request, Response",
                    "from fastapi import APIRouter, Request, Response\nfrom fastapi.responses import Form",
                )
            ]
        },
        kind="python",
        clean=_TYPES,
        repairable=True,
        visit={**_DEAD, "log": "cannot import name 'Form'"},
        after=_PAGE,
    ),
)
