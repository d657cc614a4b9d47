"""Rendering: templates in app/templates, a message that survives one redirect, and the page's own reload in development."""

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates

from app.core.accounts import User

APP = Path(__file__).resolve().parent.parent
DEVELOPMENT = os.environ.get("APP_DEV") == "1"
_MESSAGE = "message"
_VERSION_URL = "/__dev/version"

_templates = Jinja2Templates(APP / "templates")


def _day(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


_templates.env.filters["day"] = _day
_templates.env.globals["development"] = DEVELOPMENT


def render(
    request: Request, template: str, user: User | None, *, status: int = 200, **values: Any
) -> Response:
    """Return a page; every template sees `user`, `message` and what is given here."""
    message = unquote(request.cookies.get(_MESSAGE, ""))
    page = _templates.TemplateResponse(
        request, template, {"user": user, "message": message, **values}, status_code=status
    )
    if message:
        page.delete_cookie(_MESSAGE)
    return page


def redirect(path: str, message: str = "") -> RedirectResponse:
    """Send the browser to another page of the app (after a POST), which shows `message`."""
    answer = RedirectResponse(path, status_code=303)
    if message:
        answer.set_cookie(_MESSAGE, quote(message), max_age=60, samesite="lax", httponly=True)
    return answer


def local_path(path: str) -> str:
    """Return `path` if it leads into the app, else the start page: nobody is sent elsewhere after signing in."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if inside else "/"


def add_reload(app: FastAPI) -> None:
    """In development pages look every second whether a file changed, and load anew then."""
    if not DEVELOPMENT:
        return
    router = APIRouter()

    @router.get(_VERSION_URL, include_in_schema=False)
    def version() -> dict[str, str]:
        newest = max(file.stat().st_mtime_ns for file in APP.rglob("*") if file.is_file())
        return {"version": f"{os.getpid()}-{newest}"}

    app.include_router(router)
    logging.getLogger("uvicorn.access").addFilter(lambda line: _VERSION_URL not in line.getMessage())
