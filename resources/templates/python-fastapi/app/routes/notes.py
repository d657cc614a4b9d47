"""An example area that keeps data for each user: replace it by the app's own."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.core.accounts import CurrentUser, now
from app.core.database import Database, transaction
from app.core.pages import redirect, render

router = APIRouter(prefix="/notes")

_MOST_TEXT = 500


@router.get("")
def list_notes(request: Request, user: CurrentUser, db: Database) -> Response:
    """Show the user's own notes, the newest first."""
    notes = db.execute(
        "SELECT id, text, created_at FROM notes WHERE user_id = ? ORDER BY created_at DESC, rowid DESC",
        [user.id],
    ).fetchall()
    return render(request, "notes.html", user, notes=notes)


@router.post("")
def add_note(user: CurrentUser, db: Database, text: Annotated[str, Form()] = "") -> Response:
    """Keep a note."""
    text = text.strip()
    if not 0 < len(text) <= _MOST_TEXT:
        return redirect("/notes", f"A note has 1 to {_MOST_TEXT} characters.")
    with transaction(db):
        db.execute(
            "INSERT INTO notes (id, user_id, text, created_at) VALUES (?, ?, ?, ?)",
            [secrets.token_hex(8), user.id, text, now()],
        )
    return redirect("/notes", "Saved.")


@router.post("/{note_id}/delete")
def delete_note(note_id: str, user: CurrentUser, db: Database) -> Response:
    """Delete a note of the user's own."""
    with transaction(db):
        db.execute("DELETE FROM notes WHERE id = ? AND user_id = ?", [note_id, user.id])
    return redirect("/notes", "Deleted.")
