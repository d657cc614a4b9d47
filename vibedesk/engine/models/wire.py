"""What both wires share: how a provider is reached, how its failures read, and the watch for silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from vibedesk.base.text import whole_text
from vibedesk.engine.models.capabilities import ModelCapabilities
from vibedesk.engine.models.keys import ApiKey
from vibedesk.engine.models.protocol import (
    BrokenAnswerError,
    KeyRejectedError,
    ModelError,
    ModelRequest,
    ModelUnavailableError,
    QuotaExceededError,
    RateLimitedError,
    RequestRefusedError,
    StreamStalledError,
)

OPERATION_HEADER: Final = "x-vibedesk-operation"
DEFAULT_STALL_S: Final = 90.0
NO_KEY: Final = "not-needed"
"""Sent where a server wants no key, because the SDKs insist on one."""

_CONNECT_S = 30.0
# Pings keep a stream alive while the model thinks; but not forever.
_SILENCE_FACTOR = 8

_Item = TypeVar("_Item")

_QUOTA_KINDS = frozenset(
    {
        "billing_error",
        "insufficient_quota",
        "billing_hard_limit_reached",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
    }
)
_QUOTA_PHRASES = (
    "credit balance is too low",
    "exceeded your current quota",
    "insufficient credits",
)
_KEY_KINDS = frozenset({"authentication_error", "permission_error", "invalid_api_key"})
_RATE_KINDS = frozenset({"rate_limit_error", "rate_limit_exceeded", "tokens", "requests"})
_REFUSED_KINDS = frozenset(
    {
        "invalid_request_error",
        "not_found_error",
        "request_too_large",
        "context_length_exceeded",
        "model_not_found",
    }
)
_PASSING_STATUSES = frozenset({408, 409, 425, 499})
_MAX_QUOTED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WireQuirks:
    """How a server differs from the first of its kind.

    `json_mode`: it takes `response_format`, where a model's facts do not deny it; `include_usage`: it takes `stream_options`; `temperature`: it takes
    one; `max_output_tokens`: it refuses to be asked for more; `reasoning`: how it is told the effort, as the field
    `reasoning_effort`, as the object `reasoning`, as `output_config` or not at all; `cache_marks`: it takes
    Anthropic's marks for the prompt cache; `reports_cost`: its usage says in `cost` what the call cost in USD;
    `sdk_environment`: the SDK's own variables (organization, extra headers) are meant for it; `headers` and
    `extra_body` go with every request.
    """

    json_mode: bool = False
    max_tokens_parameter: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    include_usage: bool = True
    temperature: bool = True
    max_output_tokens: int | None = None
    reasoning: Literal["", "reasoning_effort", "reasoning", "output_config"] = ""
    cache_marks: bool = False
    reports_cost: bool = False
    sdk_environment: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One model at one provider, and how to reach it. `stall_s`: longest time without a byte."""

    provider: str
    model: str
    base_url: str
    key: ApiKey | None
    quirks: WireQuirks
    capabilities: ModelCapabilities
    stall_s: float = DEFAULT_STALL_S

    @property
    def loopback(self) -> bool:
        return is_loopback(self.base_url)

    def timeouts(self) -> dict[str, float]:
        """Return the arguments of an `httpx2.Timeout`; the read timeout is the watch for bytes."""
        return {
            "connect": min(_CONNECT_S, self.stall_s),
            "read": self.stall_s,
            "write": self.stall_s,
            "pool": self.stall_s,
        }

    def output_tokens(self, wanted: int) -> int:
        """Return how many tokens to ask for: never more than the model or its server gives."""
        most = [self.capabilities.context_window // 2]
        if self.quirks.max_output_tokens:
            most.append(self.quirks.max_output_tokens)
        if self.capabilities.known or not self.quirks.max_output_tokens:
            most.append(self.capabilities.max_output_tokens)
        return min(wanted, *most)

    def temperature(self, request: ModelRequest) -> float | None:
        """Return the temperature to send, if one is wanted and taken."""
        return request.temperature if self.capabilities.temperature else None

    def reasoning_effort(self, request: ModelRequest) -> str:
        """Return the effort to send; empty where none is wanted or the model does not take it."""
        effort = request.reasoning_effort
        return (
            effort
            if self.quirks.reasoning and effort in self.capabilities.reasoning_efforts
            else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a provider said: HTTP status (None inside a stream), error types, text, headers."""

    status: int | None
    kinds: frozenset[str]
    text: str
    headers: Mapping[str, str]


def is_loopback(url: str) -> bool:
    """Tell whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def watch_silence(
    items: AsyncIterable[_Item], connection: Connection
) -> AsyncGenerator[_Item, None]:
    """Yield the items of a stream.

    Raises:
        StreamStalledError: No item came for far too long although bytes (pings) did.
    """
    iterator = aiter(items)
    while True:
        try:
            async with asyncio.timeout(connection.stall_s * _SILENCE_FACTOR):
                item = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise stalled(connection) from error
        yield item


def error_from(failure: Failure, connection: Connection) -> ModelError:
    """Return our error for what a provider said."""
    who, model = connection.provider, connection.model
    told: dict[str, Any] = {"details": _details(failure, connection)}
    match _meaning(failure):
        case "quota":
            return QuotaExceededError(
                f"The account at {who} has no credit left.",
                remedy="Add credit there, or choose another model.",
                **told,
            )
        case "key":
            return KeyRejectedError(
                f"{who} does not accept the key.", remedy=_key_remedy(connection), **told
            )
        case "rate":
            return RateLimitedError(
                f"{who} asks to slow down.",
                remedy="Wait a little and try again.",
                retry_after=retry_after(failure.headers),
                **told,
            )
        case "unknown_model":
            return RequestRefusedError(
                f"{who} does not know the model {model}, or not at this address.",
                remedy="Check the model's name and the address in Settings.",
                **told,
            )
        case "refused":
            return RequestRefusedError(
                f"{who} refuses the request to {model}.",
                remedy="Choose another model, or check the provider's settings.",
                **told,
            )
        case "unavailable":
            return ModelUnavailableError(
                f"{who} cannot answer right now.",
                remedy="Try again in a moment, or choose another model.",
                retry_after=retry_after(failure.headers),
                **told,
            )


def unreachable(connection: Connection) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"There is no connection to {connection.provider}.",
        remedy="Check the network and the provider's address, then try again.",
        details={"address": _host(connection.base_url)},
    )


def stalled(connection: Connection) -> StreamStalledError:
    return StreamStalledError(
        f"{connection.provider} has sent nothing for too long.",
        remedy="Try again, or choose another model.",
        details={"model": connection.model},
    )


def broken_stream(connection: Connection, what: str) -> BrokenAnswerError:
    return BrokenAnswerError(
        f"The answer of {connection.provider} came in broken.",
        remedy="Try again, or choose another model.",
        details={"model": connection.model, "reason": what},
    )


def refuse_other_content(connection: Connection, content_type: str) -> None:
    """Refuse a response that is no stream of events, though its status says that all is well.

    Raises:
        BrokenAnswerError: It is a web page, or something else that has no answer in it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise BrokenAnswerError(
            f"A web page came from {connection.provider} instead of an answer.",
            remedy="Sign in to the network if it asks for that, and check the provider's address in Settings.",
            details={"address": _host(connection.base_url), "content_type": kind},
        )
    if kind == "application/json":
        raise broken_stream(connection, "it is no stream of events")


class WholeCharacters:
    """Joins the halves of characters that a server cut in two: text that goes on can always be stored."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return what of the text so far is whole."""
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return whole_text(text[:-1] if self._half else text)


def bad_address(connection: Connection) -> RequestRefusedError:
    return RequestRefusedError(
        f"The address of {connection.provider} is not one.",
        remedy="Correct it in Settings.",
        details={"address": _host(connection.base_url)},
    )


def repeats_key(error: BaseException, connection: Connection) -> bool:
    """Tell whether an SDK's error must not be kept as a cause, because its text has the key in it."""
    return connection.key is not None and connection.key.value in f"{error!s}{error!r}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait in seconds that a response asks for: seconds, milliseconds or a date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    raw = headers.get("retry-after")
    seconds = _number(raw)
    if seconds is not None or raw is None:
        return seconds
    try:
        moment = parsedate_to_datetime(raw)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


_Meaning = Literal["quota", "key", "rate", "unknown_model", "refused", "unavailable"]


def _meaning(failure: Failure) -> _Meaning:
    """Return what a failure means: what it says first, then its status."""
    text = failure.text.casefold()
    status = failure.status
    if (
        status == 402
        or failure.kinds & _QUOTA_KINDS
        or any(phrase in text for phrase in _QUOTA_PHRASES)
    ):
        return "quota"
    if status is None:
        return _meaning_in_stream(failure.kinds)
    if status in (401, 403):
        return "key"
    if status == 429:
        return "rate"
    if status == 404:
        return "unknown_model"
    if 400 <= status < 500 and status not in _PASSING_STATUSES:
        return "refused"
    return "unavailable"


def _meaning_in_stream(kinds: frozenset[str]) -> _Meaning:
    if kinds & _KEY_KINDS:
        return "key"
    if kinds & _RATE_KINDS:
        return "rate"
    return "refused" if kinds & _REFUSED_KINDS else "unavailable"


def _details(failure: Failure, connection: Connection) -> dict[str, str]:
    details = {"model": connection.model}
    if failure.status is not None:
        details["status"] = str(failure.status)
    said = " ".join(failure.text.split())
    if connection.key is not None:
        said = said.replace(connection.key.value, "…")
    if said:
        details["said"] = said if len(said) <= _MAX_QUOTED else f"{said[:_MAX_QUOTED]}…"
    return details


def _key_remedy(connection: Connection) -> str:
    key = connection.key
    if key is not None and key.source == "environment":
        return f"Check the environment variable {key.variable}, which overrides Settings."
    return "Enter a valid key in Settings."


def _host(url: str) -> str:
    """Return the address without what may be secret in it (user, password, query)."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
