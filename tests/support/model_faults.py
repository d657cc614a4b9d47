"""What can go wrong with a model's answer, as values that the loopback model server acts out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

FaultKind = Literal[
    "status",
    "stall",
    "drop",
    "max_tokens",
    "broken_sse",
    "broken_json",
    "no_stop",
    "error_event",
    "truncated",
    "html",
    "duplicate",
    "utf8_cut",
    "split_surrogate",
    "broken_tool",
    "no_usage",
    "empty",
]

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with one answer. Use the constructors below.

    Where it happens: after `after_chars` characters of the answer's text or, if that is None, after
    `after_bytes` bytes of the response body; if both are None, at the start.
    """

    kind: FaultKind
    code: int = 0
    message: str = "scripted fault"
    error_type: str = ""
    retry_after: str = ""
    after_chars: int | None = None
    after_bytes: int | None = None
    how: str = ""

    def __post_init__(self) -> None:
        if self.kind == "truncated" and self.how not in ("drop", "max_tokens"):
            raise ValueError("a truncated reply ends by drop or max_tokens")

    @property
    def type_on_wire(self) -> str:
        return self.error_type or _ERROR_TYPES.get(self.code, "api_error")


def fault_from_dict(data: dict[str, Any]) -> Fault:
    """Read a fault as the command line and the control address take it."""
    known = {field.name for field in fields(Fault)}
    unknown = data.keys() - known
    if unknown:
        raise ValueError(f"unknown fields of a fault: {', '.join(sorted(unknown))}")
    return Fault(**data)


def status(
    code: int,
    *,
    retry_after: str | float = "",
    message: str = "scripted fault",
    error_type: str = "",
) -> Fault:
    """Answer with an HTTP error, as the API words it."""
    return Fault(
        kind="status",
        code=code,
        retry_after=str(retry_after),
        message=message,
        error_type=error_type,
    )


def stall(
    *, after_bytes: int | None = None, after_chars: int | None = None, how: str = ""
) -> Fault:
    """Stop sending until the client leaves or `ModelServer.release()`. `how="pings"` goes on with pings."""
    return Fault(kind="stall", after_bytes=after_bytes, after_chars=after_chars, how=how)


def drop(*, after_bytes: int | None = None, after_chars: int | None = None) -> Fault:
    """Cut the connection hard; without a position even before the response's head."""
    return Fault(kind="drop", after_bytes=after_bytes, after_chars=after_chars)


def max_tokens(*, after_chars: int) -> Fault:
    """End the answer properly, but early, with the stop reason of the token limit."""
    return Fault(kind="max_tokens", after_chars=after_chars)


def broken_sse(*, after_chars: int = 0) -> Fault:
    """Send bytes that are no UTF-8 inside an event, then the rest as if nothing were."""
    return Fault(kind="broken_sse", after_chars=after_chars)


def broken_json(*, after_chars: int = 0) -> Fault:
    """Send an event whose JSON breaks off, then the rest as if nothing were."""
    return Fault(kind="broken_json", after_chars=after_chars)


def no_stop(*, after_chars: int = 0) -> Fault:
    """End the response cleanly, but without the events that end an answer."""
    return Fault(kind="no_stop", after_chars=after_chars)


def error_event(
    error_type: str = "overloaded_error", *, after_chars: int = 0, message: str = "Overloaded"
) -> Fault:
    """Report an error inside the stream."""
    return Fault(
        kind="error_event", error_type=error_type, after_chars=after_chars, message=message
    )


def truncated(how: Literal["drop", "max_tokens"]) -> Fault:
    """Play the recording's own broken-off variant of the reply; `continue` then plays its continuation."""
    return Fault(kind="truncated", how=how)


def html() -> Fault:
    """Answer 200 with a web page, as captive portals do."""
    return Fault(kind="html")


def duplicate(*, after_chars: int) -> Fault:
    """Send the event before this place twice, then the rest as if nothing were.

    An answer that ends long before the place has no such event: it goes out as it is, and counts as having met no fault.
    """
    return Fault(kind="duplicate", after_chars=after_chars)


def utf8_cut(*, after_chars: int = 0) -> Fault:
    """Cut the connection inside the bytes of the next character beyond ASCII."""
    return Fault(kind="utf8_cut", after_chars=after_chars)


def split_surrogate(*, after_chars: int = 0) -> Fault:
    """Send the next character beyond the basic plane as two halves in two events; nothing is lost."""
    return Fault(kind="split_surrogate", after_chars=after_chars)


def broken_tool(*, after_chars: int = 0) -> Fault:
    """Go on with a call of a tool that nobody offered, its arguments broken JSON, and stop there."""
    return Fault(kind="broken_tool", after_chars=after_chars)


def no_usage() -> Fault:
    """Answer as usual, but count no tokens."""
    return Fault(kind="no_usage", after_chars=0)


def empty() -> Fault:
    """End the answer properly without any text."""
    return Fault(kind="empty", after_chars=0)
