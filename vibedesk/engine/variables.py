"""The app's own variables (V26): kept per project, given to its dev server only where the person agreed.

They have nothing to do with VibeDesk's own keys, which no app gets.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
from typing import Final

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.secret_store import KeychainUnavailableError, SecretStore
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import ProjectChanged
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.variables import (
    VariableRecord,
    drop_variable,
    put_variable,
    variables,
)
from vibedesk.engine.views import VariableView

_log = logging.getLogger(__name__)

APP_SERVICE: Final = "vibedesk-app"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_MOST_BYTES = 32 * 1024
# What decides how programs are found and run in the sandbox, and what VibeDesk itself says there.
_RESERVED = frozenset(
    {
        "PORT", "HOST", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TMP", "TEMP", "TERM", "LANG", "IFS",
        "ENV", "BASH_ENV", "PWD", "BROWSER", "NO_COLOR", "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS",
        "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_REPL_EXTERNAL_MODULE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
        "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    }
)  # fmt: skip
_RESERVED_BEGINNINGS = ("LD_", "DYLD_", "PYTHON", "NPM_", "UV_", "PIP_", "GIT_", "LC_", "VIBEDESK_")


class AppVariables:
    """The variables of every project of one home."""

    def __init__(
        self, database: Database, store: ProjectStore, bus: EventBus, secrets: SecretStore
    ) -> None:
        self._database = database
        self._store = store
        self._bus = bus
        self._secrets = secrets

    async def views(self, project_id: str) -> list[VariableView]:
        """Return them by name, without the values of secret ones.

        Raises:
            NotFoundError: there is no such project.
        """
        return [
            VariableView(
                name=record.name,
                secret=record.secret,
                value="" if record.secret else record.value or "",
                has_value=record.value is not None,
                purpose=record.purpose,
                asked_by=record.asked_by,
                consent=record.consent,
            )
            for record in await self._records(project_id)
        ]

    async def set(
        self, project_id: str, name: str, value: str | None, *, secret: bool, consent: bool
    ) -> None:
        """Add or change a variable; `value` None leaves the one it has.

        Raises:
            InvalidInputError: the name is none or not for apps, or the value cannot be one.
            KeychainUnavailableError: the secret cannot be kept; nothing was changed.
        """
        check_name(name)
        if value is not None:
            _check_value(value)
        before = await self._find(project_id, name) or VariableRecord(name=name)
        account = _account(project_id, name)
        if value is None and before.value is not None and before.secret != secret:
            value = await asyncio.to_thread(self._secrets.get, APP_SERVICE, account) or ""
            value = value if before.secret else before.value
        if value is not None and secret:
            await asyncio.to_thread(self._secrets.set, APP_SERVICE, account, value)
        if before.secret and before.value is not None and not secret:
            await asyncio.to_thread(self._secrets.delete, APP_SERVICE, account)
        stored = before.value if value is None else ("" if secret else value)
        after = dataclasses.replace(before, secret=secret, value=stored, consent=consent)

        def work(emit: Emit) -> None:
            put_variable(project_id, after)
            emit(ProjectChanged({"variables": [v.name for v in variables(project_id)]}))

        await self._bus.commit(project_id, work, durable=True)

    async def remove(self, project_id: str, name: str) -> None:
        """Forget a variable and its value.

        Raises:
            NotFoundError: there is none of that name.
            KeychainUnavailableError: the secret cannot be forgotten; nothing was changed.
        """
        before = await self._find(project_id, name)
        if before is None:
            raise NotFoundError(f"The app has no variable {name!r}.")
        await self._forget_secret(project_id, before)

        def work(emit: Emit) -> None:
            drop_variable(project_id, name)
            emit(ProjectChanged({"variables": [v.name for v in variables(project_id)]}))

        await self._bus.commit(project_id, work, durable=True)

    async def forget_all(self, project_id: str) -> None:
        """Forget the secrets of a project that is deleted, where that can be done now."""
        try:
            for record in await self._records(project_id):
                await self._forget_secret(project_id, record)
        except KeychainUnavailableError as error:
            _log.warning("secrets of the deleted project %s stay kept: %s", project_id, error.code)

    async def environment(self, project_id: str) -> dict[str, str]:
        """Return what the app's server gets: the variables that have a value and the person's consent.

        Raises:
            KeychainUnavailableError: a secret cannot be read.
        """
        given: dict[str, str] = {}
        for record in await self._records(project_id):
            if not record.consent or record.value is None:
                continue
            if not record.secret:
                given[record.name] = record.value
                continue
            account = _account(project_id, record.name)
            value = await asyncio.to_thread(self._secrets.get, APP_SERVICE, account)
            if value is not None:
                given[record.name] = value
        return given

    async def _records(self, project_id: str) -> list[VariableRecord]:
        def read() -> list[VariableRecord]:
            self._store.get(project_id)
            return variables(project_id)

        return await self._database.run(read, durable=False)

    async def _find(self, project_id: str, name: str) -> VariableRecord | None:
        return next((v for v in await self._records(project_id) if v.name == name), None)

    async def _forget_secret(self, project_id: str, record: VariableRecord) -> None:
        if record.secret and record.value is not None:
            account = _account(project_id, record.name)
            await asyncio.to_thread(self._secrets.delete, APP_SERVICE, account)


def check_name(name: str) -> None:
    """Let a variable's name pass.

    Raises:
        InvalidInputError: it is none, or decides how programs run.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no name of a variable.",
            remedy="Use letters, digits and underscores, like STRIPE_SECRET_KEY.",
        )
    if is_reserved(name):
        raise InvalidInputError(
            f"{name} is set by VibeDesk or decides how programs run, so an app cannot have its own.",
            remedy="Choose another name.",
        )


def is_reserved(name: str) -> bool:
    """Whether the name is not for apps."""
    upper = name.upper()
    return upper in _RESERVED or upper.startswith(_RESERVED_BEGINNINGS)


def _check_value(value: str) -> None:
    if "\0" in value or len(value.encode()) > _MOST_BYTES:
        raise InvalidInputError(
            "This cannot be the value of a variable.",
            remedy=f"It may have {_MOST_BYTES // 1024} KB and no zero characters.",
        )


def _account(project_id: str, name: str) -> str:
    return f"{project_id}/{name}"
