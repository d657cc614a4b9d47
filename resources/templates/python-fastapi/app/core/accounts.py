"""Who is signed in: users, roles, sessions. A session's token is only in the browser; here is its hash."""

import hashlib
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from app.core.database import Database, connect, transaction
from app.core.passwords import hash_password, verify_password, waste_time

SESSION_DAYS = 30


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: str
    email: str
    name: str
    role: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class SignInNeeded(Exception):
    """The page is for people who are signed in; they are sent to sign in and come back."""


class NotAllowed(Exception):
    """Who is signed in may not do this."""


class EmailTaken(Exception):
    """There is an account with this e-mail address."""


def now() -> str:
    """Return the time as it is stored: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def create_user(db: sqlite3.Connection, email: str, name: str, password: str) -> User:
    """Make an account; the first one of all is the admin's."""
    hashed = hash_password(password)
    with transaction(db):
        first = db.execute("SELECT 1 FROM users LIMIT 1").fetchone() is None
        user = User(secrets.token_hex(8), email.strip().lower(), name.strip(), "admin" if first else "user")
        try:
            db.execute(
                "INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                [user.id, user.email, user.name, hashed, user.role, now()],
            )
        except sqlite3.IntegrityError as error:
            raise EmailTaken from error
    return user


def check_sign_in(db: sqlite3.Connection, email: str, password: str) -> User | None:
    """Return whose e-mail address and password these are."""
    row = db.execute("SELECT * FROM users WHERE email = ?", [email.strip().lower()]).fetchone()
    if row is None:
        waste_time(password)
        return None
    return _user(row) if verify_password(password, row["password_hash"]) else None


def sign_in(db: sqlite3.Connection, request: Request, response: Response, user: User) -> None:
    """Begin a session and give the browser its cookie."""
    token = secrets.token_urlsafe(32)
    expires = datetime.now(UTC) + timedelta(days=SESSION_DAYS)
    with transaction(db):
        db.execute("DELETE FROM sessions WHERE expires_at < ?", [now()])
        db.execute(
            "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
            [_hashed(token), user.id, now(), expires.isoformat(timespec="seconds")],
        )
    response.set_cookie(
        _cookie_name(db),
        token,
        max_age=SESSION_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def sign_out(db: sqlite3.Connection, request: Request, response: Response) -> None:
    """End the session of this browser."""
    name = _cookie_name(db)
    with transaction(db):
        db.execute("DELETE FROM sessions WHERE token_hash = ?", [_hashed(request.cookies.get(name, ""))])
    response.delete_cookie(name)


def _current_user(request: Request, db: Database) -> User | None:
    token = request.cookies.get(_cookie_name(db))
    if not token:
        return None
    row = db.execute(
        "SELECT users.* FROM sessions JOIN users ON users.id = sessions.user_id"
        " WHERE token_hash = ? AND expires_at > ?",
        [_hashed(token), now()],
    ).fetchone()
    return _user(row) if row is not None else None


def who_asks(request: Request) -> User | None:
    """Return who is signed in, for code that is no route (there: a parameter of type MaybeUser)."""
    with closing(connect()) as db:
        return _current_user(request, db)


MaybeUser = Annotated[User | None, Depends(_current_user)]
"""Type of a route's parameter that gets who is signed in, if anybody is."""


def _required_user(user: MaybeUser) -> User:
    if user is None:
        raise SignInNeeded
    return user


CurrentUser = Annotated[User, Depends(_required_user)]
"""Type of a route's parameter that makes the route one for people who are signed in."""


def _required_admin(user: CurrentUser) -> User:
    if not user.is_admin:
        raise NotAllowed
    return user


Admin = Annotated[User, Depends(_required_admin)]
"""Type of a route's parameter that makes the route one for admins."""


def _user(row: sqlite3.Row) -> User:
    return User(row["id"], row["email"], row["name"], row["role"])


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _cookie_name(db: sqlite3.Connection) -> str:
    # Apps on one machine differ by their port only, which cookies do not heed.
    row = db.execute("SELECT value FROM app_facts WHERE name = 'id'").fetchone()
    return f"session_{row['value']}"
