"""Signing up, in and out."""

import math
import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.core.accounts import EmailTaken, MaybeUser, check_sign_in, create_user, sign_in, sign_out
from app.core.database import Database
from app.core.pages import local_path, redirect, render
from app.core.rate_limit import RateLimit

router = APIRouter()
Text = Annotated[str, Form()]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LEAST_PASSWORD = 8
_MOST_PASSWORD = 200
_MOST_EMAIL = 200

# A whole school can be one address, so it may fail often; who guesses one password there is refused alone.
_fails_at_account = RateLimit(most=10, seconds=60)
_fails_at_address = RateLimit(most=200, seconds=900)
_sign_ups = RateLimit(most=200, seconds=900)


@router.get("/sign-in")
def sign_in_page(request: Request, user: MaybeUser, next: str = "/") -> Response:
    """Show the form; who is signed in already goes on."""
    if user is not None:
        return redirect(local_path(next))
    return render(request, "sign_in.html", None, next=local_path(next), email="", error="")


@router.post("/sign-in")
def sign_in_now(
    request: Request, db: Database, email: Text = "", password: Text = "", next: Text = "/"
) -> Response:
    """Check e-mail address and password."""
    address = _address(request)
    account = f"{email.strip().lower()[:_MOST_EMAIL]} {address}"
    wait = _count_fail(account, address)
    user = None if wait else check_sign_in(db, email, password[:_MOST_PASSWORD])
    if user is None:
        error = _wait_words(wait) if wait else "E-mail address or password is not right."
        page = render(
            request, "sign_in.html", None, status=422, next=local_path(next), email=email, error=error
        )
        return _refused(page, wait)
    _fails_at_account.forget(account)
    _fails_at_address.take_back(address)
    answer = redirect(local_path(next), f"Welcome back, {user.name}.")
    sign_in(db, request, answer, user)
    return answer


@router.get("/sign-up")
def sign_up_page(request: Request, user: MaybeUser) -> Response:
    """Show the form; who is signed in already goes on."""
    if user is not None:
        return redirect("/")
    return render(request, "sign_up.html", None, name="", email="", errors={})


@router.post("/sign-up")
def sign_up_now(
    request: Request, db: Database, name: Text = "", email: Text = "", password: Text = ""
) -> Response:
    """Make an account and sign in."""
    name, email = name.strip(), email.strip()
    errors: dict[str, str] = {}
    if not 0 < len(name) <= 80:
        errors["name"] = "Enter your name."
    if not _EMAIL.fullmatch(email) or len(email) > _MOST_EMAIL:
        errors["email"] = "Enter an e-mail address like name@example.org."
    if not _LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
        errors["password"] = f"Use at least {_LEAST_PASSWORD} characters."
    wait = 0 if errors else _sign_ups.count(_address(request))
    if wait:
        errors["email"] = _wait_words(wait)
    if not errors:
        try:
            user = create_user(db, email, name, password)
        except EmailTaken:
            errors["email"] = "There is an account with this e-mail address."
        else:
            answer = redirect("/", f"Welcome, {user.name}.")
            sign_in(db, request, answer, user)
            return answer
    page = render(request, "sign_up.html", None, status=422, name=name, email=email, errors=errors)
    return _refused(page, wait)


@router.post("/sign-out")
def sign_out_now(request: Request, db: Database) -> Response:
    """End the session."""
    answer = redirect("/", "You are signed out.")
    sign_out(db, request, answer)
    return answer


def _count_fail(account: str, address: str) -> int:
    """Count a sign-in as failed until it succeeds; return 0, or for how many seconds it is refused.

    It is counted before the slow check of the password, so that many tries at once are not free.
    """
    wait = _fails_at_address.count(address)
    if not wait and (wait := _fails_at_account.count(account)):
        _fails_at_address.take_back(address)
    return wait


def _wait_words(wait: int) -> str:
    return f"Too many tries. Try again in {math.ceil(wait / 60)} min."


def _refused(page: Response, wait: int) -> Response:
    if wait:
        page.status_code = 429
        page.headers["Retry-After"] = str(wait)
    return page


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
