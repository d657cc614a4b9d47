"""What the browser program answers. Addresses are those of the page; lines and columns count from 1, 0 is unknown."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal

ErrorKind = Literal["exception", "console", "request"]


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size of the page in CSS pixels."""

    width: int
    height: int


DESKTOP = Viewport(1280, 860)
PHONE = Viewport(375, 812)


@dataclass(frozen=True, slots=True)
class ConsoleMessage:
    """`level` is log, info, debug, warning or error."""

    level: str
    text: str
    url: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class PageError:
    """What a healthy page never has: an uncaught exception, a console error, a failed request of its own."""

    kind: ErrorKind
    message: str
    stack: str
    url: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """A request to the app's own server; `status` is 0 where it did not answer."""

    method: str
    url: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that keeps people from using the page; `selector` picks the element."""

    rule: str
    message: str
    selector: str


@dataclass(frozen=True, slots=True)
class PageReport:
    """One visit. `status` is 0 where the page could not be opened.

    `reason` says why, or what kept a page that was opened from being looked at to the end: it crashed, or hangs.
    `blank`: nothing to see came within some seconds. `restless`: it changed without end, untouched. `overlay`: the text of the dev server's or the app's own error
    page, else empty. `errors` are uncaught exceptions; console errors stand in `console`. `picture` is a PNG.
    """

    status: int
    reason: str
    url: str
    title: str
    text: str
    console: tuple[ConsoleMessage, ...]
    errors: tuple[PageError, ...]
    failed_requests: tuple[FailedRequest, ...]
    blocked: tuple[str, ...]
    blank: bool
    restless: bool
    overlay: str
    accessibility: tuple[Finding, ...]
    picture: bytes


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One run of a check. It passed if every step held on pages without `errors` or requests to other hosts.

    `step` is the index of the step that failed, `sentence` that step in words, `error` what was there instead; a run
    whose steps all held but that failed has no `step`, and `error` is its first trouble. `started` are the labels of
    the milestones that were begun. `picture` is the page at the end, a PNG.
    """

    name: str
    passed: bool
    step: int | None
    sentence: str
    error: str
    started: tuple[str, ...]
    console: tuple[ConsoleMessage, ...]
    errors: tuple[PageError, ...]
    failed_requests: tuple[FailedRequest, ...]
    blocked: tuple[str, ...]
    picture: bytes
    seconds: float


def page_report(answer: dict[str, Any]) -> PageReport:
    """Return a visit's answer as what it is."""
    return PageReport(
        **{
            **answer,
            **_trouble(answer),
            "accessibility": tuple(Finding(**each) for each in answer["accessibility"]),
        }
    )


def check_outcome(answer: dict[str, Any], *, name: str, sentence: str) -> CheckOutcome:
    """Return a check's answer as what it is; `sentence` is that of the failed step."""
    trouble = _trouble(answer)
    first = next(iter(answer["errors"]), None)
    error = answer["error"]
    if not error and not answer["passed"]:
        error = first["message"] if first else f"the page asked for {answer['blocked'][0]}"
    return CheckOutcome(
        name=name,
        sentence=sentence,
        **{**answer, **trouble, "error": error, "started": tuple(answer["started"])},
    )


def failed_outcome(name: str, error: str) -> CheckOutcome:
    """Return the outcome of a check that failed before any page was opened."""
    return CheckOutcome(
        name=name, passed=False, step=None, sentence="", error=error, started=(), console=(),
        errors=(), failed_requests=(), blocked=(), picture=b"", seconds=0.0,
    )  # fmt: skip


def _trouble(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "console": tuple(ConsoleMessage(**each) for each in answer["console"]),
        "errors": tuple(PageError(**each) for each in answer["errors"]),
        "failed_requests": tuple(FailedRequest(**each) for each in answer["failed_requests"]),
        "blocked": tuple(answer["blocked"]),
        "picture": base64.b64decode(answer["picture"]),
    }
