"""What a healthy page never does, gathered while pages are used."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

TOKEN: Final = f"vibedesk-{secrets.token_hex(16)}:"
"""Begins a console message by which `resources/browser/watch.js` tells something."""

_MOST = 500
_UNCAUGHT = "Uncaught "
_REJECTED = "Uncaught (in promise)"


@dataclass(frozen=True, slots=True)
class ConsoleMessage:
    """One message; `level` is log, info, debug, warning or error. Lines and columns count from 1; 0 is unknown."""

    level: str
    text: str
    url: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class PageError:
    """`kind` is exception, console or request."""

    kind: str
    message: str
    stack: str = ""
    url: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """A request to the app's own server; `status` is 0 where there was no answer."""

    method: str
    url: str
    status: int
    reason: str


@dataclass
class Trouble:
    """Gathers for one visit or check. `own_origin` is the app's, as `scheme://host:port`."""

    own_origin: str
    console: list[ConsoleMessage] = field(default_factory=list)
    exceptions: list[PageError] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    _failed: list[FailedRequest] = field(default_factory=list)
    _thrown: list[PageError] = field(default_factory=list)

    def hear(self, level: str, text: str, url: str, line: int) -> None:
        """Take a console message as Chromium gives it."""
        if text.startswith(TOKEN):
            self._told(json.loads(text.removeprefix(TOKEN)))
        elif level == "error" and text.startswith(_UNCAUGHT):
            self._add_exception(text, url, line)
        elif len(self.console) < _MOST:
            self.console.append(ConsoleMessage(level, text, url, line))

    def block(self, url: str) -> None:
        if url not in self.blocked and len(self.blocked) < _MOST:
            self.blocked.append(url)

    def add_failed(self, request: FailedRequest) -> None:
        if _origin(request.url) == self.own_origin and len(self._failed) < _MOST:
            self._failed.append(request)

    @property
    def failed_requests(self) -> list[FailedRequest]:
        """Each once; an answer with its status says more than the failure that an element told."""
        answered = {request.url for request in self._failed if request.status}
        kept = [r for r in self._failed if r.status or r.url not in answered]
        return list(dict.fromkeys(kept))

    def errors(self, api_paths: tuple[str, ...]) -> list[PageError]:
        """Return everything a run fails by, save refusals (4xx) below `api_paths`, which are the app's to handle."""
        logged = [
            PageError("console", message.text, "", message.url, message.line, message.column)
            for message in self.console
            if message.level == "error"
        ]
        requests = [
            PageError("request", f"{r.method} {_path(r.url)} failed: {_outcome(r)}", "", r.url)
            for r in self.failed_requests
            if not (400 <= r.status < 500 and _is_below(_path(r.url), api_paths))
        ]
        return [*self.exceptions, *logged, *requests]

    def to_dict(self) -> dict[str, Any]:
        return {
            "console": [asdict(message) for message in self.console],
            "failed_requests": [asdict(request) for request in self.failed_requests],
            "blocked": list(self.blocked),
        }

    def _told(self, told: dict[str, Any]) -> None:
        match told.pop("kind"):
            case "console":
                if len(self.console) < _MOST:
                    self.console.append(ConsoleMessage(**told))
            case "request":
                self.add_failed(FailedRequest(**told))
            case "thrown":
                self._thrown.append(PageError("exception", told.pop("text"), **told))

    def _add_exception(self, text: str, url: str, line: int) -> None:
        """Give what Chromium reports as uncaught the stack that was told of it just before."""
        rejected = text.startswith(_REJECTED)
        same = [t for t in self._thrown if t.message.startswith(_REJECTED) is rejected]
        thrown = next(
            (t for t in same if t.message == text), same[0] if same and rejected else None
        )
        if thrown is not None:
            self._thrown.remove(thrown)
        message = text.removeprefix(_REJECTED if rejected else _UNCAUGHT).strip()
        stack = thrown.stack if thrown else ""
        column = thrown.column if thrown else 0
        if len(self.exceptions) < _MOST:
            self.exceptions.append(PageError("exception", message, stack, url, line, column))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == f or path.startswith((f.rstrip("/") + "/", f + "?")) for f in folders)


def _outcome(request: FailedRequest) -> str:
    status = str(request.status) if request.status else ""
    return " ".join(part for part in (status, request.reason) if part) or "no answer"
