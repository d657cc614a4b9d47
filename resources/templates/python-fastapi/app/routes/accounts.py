"""Signing up, in and out."""

import math
import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.core.accounts import EmailTaken, MaybeUser, check_sign_in, create_user, sign_in, sign_out
from app.core.database import Database
from app.core.pages import local_path, redirect, render
from app.core.rate_limit import RateLimit, network_of

router = APIRouter()
Text = Annotated[str, Form()]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LEAST_PASSWORD = 8
_MOST_PASSWORD = 200
_MOST_EMAIL = 200

# A whole school can be one address, so it may fail often; who guesses one password there is refused alone.
# This is no help against spite: 200 fails with made-up e-mails block an address, 100 from many addresses an account.
_fails_at_account = RateLimit(most=10, seconds=900)
_fails_at_address = RateLimit(most=200, seconds=900)
_fails_anywhere = RateLimit(most=100, seconds=900)
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
    address, account = network_of(request), email.strip().lower()[:_MOST_EMAIL]
    wait = _count_fail(account, address)
    user = None if wait else check_sign_in(db, email, password[:_MOST_PASSWORD])
    if user is None:
        error = _wait_words(wait) if wait else "E-mail address or password is not right."
        page = render(
            request, "sign_in.html", None, status=422, next=local_path(next), email=email, error=error
        )
        return _refused(page, wait)
    _fails_at_account.forget(f"{account} {address}")
    _fails_at_address.take_back(address)
    _fails_anywhere.take_back(account)
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
    # The length first: the expression takes the square of it.
    if len(email) > _MOST_EMAIL or not _EMAIL.fullmatch(email):
        errors["email"] = "Enter an e-mail address like name@example.org."
    if not _LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
        errors["password"] = f"Use at least {_LEAST_PASSWORD} characters."
    wait = 0 if errors else _sign_ups.count(network_of(request))
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

    It is counted before the slow check of the password, so that many tries at once are not free. Only as many as
    there are threads for routes (40) are under way, so no class that signs in at once comes near a bound.
    """
    counted: list[tuple[RateLimit, str]] = []
    for limit, key in (
        (_fails_at_address, address),
        (_fails_at_account, f"{account} {address}"),
        (_fails_anywhere, account),
    ):
        if wait := limit.count(key):
            for other, its_key in counted:
                other.take_back(its_key)
            return wait
        counted.append((limit, key))
    return 0


def _wait_words(wait: int) -> str:
    return f"Too many tries. Try again in {math.ceil(wait / 60)} min."


def _refused(page: Response, wait: int) -> Response:
    if wait:
        page.status_code = 429
        page.headers["Retry-After"] = str(wait)
    return page
