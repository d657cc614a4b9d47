"""Tasks: everybody sees the list, members change it."""

import secrets
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.core.accounts import CurrentUser, MaybeUser, now
from app.core.database import Database, transaction
from app.core.pages import redirect, render
from app.lib.statistics import Task, describe, summarize

router = APIRouter()


def _task(row: sqlite3.Row) -> Task:
    return Task(row["id"], row["title"], row["minutes"], bool(row["done"]))


def _all_tasks(db: sqlite3.Connection) -> list[Task]:
    # The oldest first: what waited longest is done next.
    rows = db.execute("SELECT id, title, minutes, done FROM tasks ORDER BY created_at").fetchall()
    return [_task(row) for row in rows]


@router.get("/tasks")
def list_tasks(request: Request, user: MaybeUser, db: Database) -> Response:
    """Show all tasks."""
    tasks = _all_tasks(db)
    return render(request, "tasks.html", user, tasks=tasks, summary=describe(summarize(tasks)))


@router.post("/tasks")
def add_task(
    user: CurrentUser,
    db: Database,
    title: Annotated[str, Form()] = "",
    minutes: Annotated[int, Form()] = 15,
) -> Response:
    """Keep a task."""
    if not title.strip():
        return redirect("/tasks", "A task needs a title.")
    with transaction(db):
        db.execute(
            "INSERT INTO tasks (id, title, minutes, created_at) VALUES (?, ?, ?, ?)",
            [secrets.token_hex(8), title.strip(), minutes, now()],
        )
    return redirect("/tasks", "Saved.")


@router.get("/api/tasks")
def tasks_as_json(db: Database) -> dict[str, list[str]]:
    """Answer the titles."""
    return {"titles": [task.title for task in _all_tasks(db)]}
