"""Who has an account: for admins."""

from fastapi import APIRouter, Request, Response

from app.core.accounts import Admin
from app.core.database import Database
from app.core.pages import render

router = APIRouter()


@router.get("/people")
def people(request: Request, user: Admin, db: Database) -> Response:
    """Show every account, the oldest first."""
    found = db.execute(
        "SELECT name, email, role, created_at FROM users ORDER BY created_at, rowid"
    ).fetchall()
    return render(request, "people.html", user, people=found)
