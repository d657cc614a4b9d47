"""Signing up, in and out."""

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
_tries = RateLimit(most=10, seconds=60)


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
    error = ""
    user = None
    if not _tries.allows(_address(request)):
        error = "Too many tries. Wait a minute."
    elif (user := check_sign_in(db, email, password[:_MOST_PASSWORD])) is None:
        error = "E-mail address or password is not right."
    if user is None:
        return render(
            request, "sign_in.html", None, status=422, next=local_path(next), email=email, error=error
        )
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
    if not _EMAIL.fullmatch(email) or len(email) > 200:
        errors["email"] = "Enter an e-mail address like name@example.org."
    if not _LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
        errors["password"] = f"Use at least {_LEAST_PASSWORD} characters."
    if not errors and not _tries.allows(_address(request)):
        errors["email"] = "Too many tries. Wait a minute."
    if not errors:
        try:
            user = create_user(db, email, name, password)
        except EmailTaken:
            errors["email"] = "There is an account with this e-mail address."
        else:
            answer = redirect("/", f"Welcome, {user.name}.")
            sign_in(db, request, answer, user)
            return answer
    return render(request, "sign_up.html", None, status=422, name=name, email=email, errors=errors)


@router.post("/sign-out")
def sign_out_now(request: Request, db: Database) -> Response:
    """End the session."""
    answer = redirect("/", "You are signed out.")
    sign_out(db, request, answer)
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
