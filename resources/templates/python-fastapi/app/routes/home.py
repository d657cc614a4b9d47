"""The start page, and whether the app is well."""

from fastapi import APIRouter, Request, Response

from app.core.accounts import MaybeUser
from app.core.database import Database
from app.core.pages import render

router = APIRouter()


@router.get("/")
def home(request: Request, user: MaybeUser) -> Response:
    """Show the start page."""
    return render(request, "home.html", user)


@router.get("/api/health")
def health(db: Database) -> dict[str, str]:
    """Answer whether the database can be read."""
    db.execute("SELECT 1").fetchone()
    return {"status": "ok"}
