"""Puts the app together. New areas: a module in app/routes, listed in ROUTERS."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from app.core.accounts import NotAllowed, SignInNeeded, who_asks
from app.core.database import migrate
from app.core.pages import APP, add_reload, redirect, render
from app.routes import accounts, home, notes, people

ROUTERS = (home.router, accounts.router, notes.router, people.router)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Bring the database up to date before the first request."""
    migrate()
    yield


app = FastAPI(lifespan=lifespan)
app.mount("/static", StaticFiles(directory=APP / "static"), name="static")
for router in ROUTERS:
    app.include_router(router)
add_reload(app)


@app.middleware("http")
async def guard(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse what other sites' pages send in a visitor's name; keep responses from being misread."""
    changing = request.method not in ("GET", "HEAD", "OPTIONS")
    if changing and request.headers.get("sec-fetch-site") == "cross-site":
        return PlainTextResponse("This came from another site.", status_code=403)
    response = await call(request)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


@app.exception_handler(SignInNeeded)
def ask_to_sign_in(request: Request, _: Exception) -> Response:
    """Send to the sign-in page, and back from there."""
    back = request.url.path if request.method == "GET" else "/"
    return redirect(f"/sign-in?next={quote(back)}", "Please sign in first.")


@app.exception_handler(NotAllowed)
def not_allowed(request: Request, _: Exception) -> Response:
    """Say that it is not for this account."""
    return _error(request, 403, "This page is not for you", "Only an admin can see it.")


@app.exception_handler(HTTPException)
def http_error(request: Request, error: HTTPException) -> Response:
    """Show a page for what a browser asked for, JSON for the rest."""
    if error.status_code == 404:
        return _error(request, 404, "Nothing here", "The page does not exist, or was moved.")
    return _error(request, error.status_code, "That did not work", str(error.detail))


@app.exception_handler(RequestValidationError)
def wrong_input(request: Request, error: RequestValidationError) -> Response:
    """Name what a form, an address or a body lacks, or has in a wrong form."""
    names = ", ".join(dict.fromkeys(str(problem["loc"][-1]) for problem in error.errors()))
    return _error(request, 422, "That did not work", f"Missing, or not in the right form: {names}.")


def _error(request: Request, status: int, title: str, text: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text}, status_code=status)
    return render(request, "error.html", who_asks(request), status=status, title=title, text=text)
