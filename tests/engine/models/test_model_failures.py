"""Every exception that the SDKs and their transport can raise has a meaning of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from vibedesk.engine.models import anthropic_provider, openai_provider
from vibedesk.engine.models.capabilities import shipped_catalogue
from vibedesk.engine.models.keys import ApiKey
from vibedesk.engine.models.protocol import (
    KeyRejectedError,
    ModelError,
    ModelUnavailableError,
    QuotaExceededError,
    RateLimitedError,
    RequestRefusedError,
    StreamStalledError,
)
from vibedesk.engine.models.wire import Connection, WireQuirks, retry_after

CONNECTION = Connection(
    provider="p",
    model="m",
    base_url="https://user:secret@host.example/v1?k=secret",
    key=ApiKey(value="sk-secret", source="keychain"),
    quirks=WireQuirks(),
    capabilities=shipped_catalogue().find("m"),
)
REQUEST = httpx2.Request("POST", "https://host.example/v1")

Translate = Callable[[Exception, Connection], ModelError | None]


def with_subclasses(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from with_subclasses(child)


def instance_of(kind: type[BaseException]) -> Exception:
    """Make one, past constructors that want a whole response; class attributes such as the status stay."""
    error: Any = kind.__new__(kind)
    error.args = ("boom",)
    error.body = None
    if not hasattr(error, "status_code"):
        error.status_code = 500
    error.response = httpx2.Response(error.status_code, request=REQUEST)
    return error  # type: ignore[no-any-return]


SDKS = [
    pytest.param(
        anthropic_provider.translate,
        anthropic.AnthropicError,
        {
            # Credentials files, middleware and webhooks: not used here.
            "AnthropicError",
            "CredentialsError",
            "IdentityTokenFileError",
            "RetryableError",
        },
        id="anthropic",
    ),
    pytest.param(
        openai_provider.translate,
        openai.OpenAIError,
        {
            # Sign-in by token exchange, parsing helpers and web sockets: not used here.
            "OpenAIError",
            "SubjectTokenProviderError",
            "LengthFinishReasonError",
            "ContentFilterFinishReasonError",
            "WebSocketConnectionClosedError",
            "WebSocketQueueFullError",
        },
        id="openai",
    ),
]


@pytest.mark.parametrize(("translate", "root", "unused"), SDKS)
def test_every_exception_of_the_sdk_is_known(
    translate: Translate, root: type[Exception], unused: set[str]
) -> None:
    new_to_us = []
    for kind in with_subclasses(root):
        if not kind.__module__.endswith(("_exceptions", "_error")):
            continue  # of features that are imported only by those who use them
        ours = translate(instance_of(kind), CONNECTION)
        assert ours is not None, kind
        # The catch-all of `translate` names the class as the reason; only these may end there.
        if ours.details.get("reason") == kind.__name__ and kind.__name__ not in unused:
            new_to_us.append(kind)
    assert not new_to_us


@pytest.mark.parametrize("translate", [anthropic_provider.translate, openai_provider.translate])
def test_every_exception_of_the_transport_is_known(translate: Translate) -> None:
    programming_errors = {httpx2.HTTPStatusError, httpx2.CookieConflict}
    for kind in vars(httpx2).values():
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            continue
        if issubclass(kind, Warning) or kind in programming_errors or kind is httpx2.HTTPError:
            continue
        error = kind.__new__(kind)
        assert isinstance(translate(error, CONNECTION), ModelError), kind


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, RequestRefusedError),
        (401, KeyRejectedError),
        (402, QuotaExceededError),
        (403, KeyRejectedError),
        (404, RequestRefusedError),
        (408, ModelUnavailableError),
        (409, ModelUnavailableError),
        (422, RequestRefusedError),
        (429, RateLimitedError),
        (502, ModelUnavailableError),
        (529, ModelUnavailableError),
    ],
)
@pytest.mark.parametrize("sdk", [anthropic, openai])
def test_statuses_mean_the_same_for_both_sdks(
    sdk: Any, status: int, expected: type[ModelError]
) -> None:
    response = httpx2.Response(status, request=REQUEST)
    error = sdk.APIStatusError("boom", response=response, body=None)
    translate = (anthropic_provider if sdk is anthropic else openai_provider).translate
    assert type(translate(error, CONNECTION)) is expected


@pytest.mark.parametrize("sdk", [anthropic, openai])
def test_a_connect_timeout_is_no_stall(sdk: Any) -> None:
    translate = (anthropic_provider if sdk is anthropic else openai_provider).translate
    connecting, reading = (sdk.APITimeoutError(request=REQUEST) for _ in range(2))
    connecting.__cause__ = httpx2.ConnectTimeout("slow")
    reading.__cause__ = httpx2.ReadTimeout("slow")
    assert type(translate(connecting, CONNECTION)) is ModelUnavailableError
    assert type(translate(reading, CONNECTION)) is StreamStalledError


@pytest.mark.parametrize("translate", [anthropic_provider.translate, openai_provider.translate])
def test_our_own_mistakes_are_not_dressed_up(translate: Translate) -> None:
    assert translate(TypeError("bug"), CONNECTION) is None


def test_addresses_are_shown_without_their_secrets() -> None:
    ours = openai_provider.translate(openai.APIConnectionError(request=REQUEST), CONNECTION)
    assert ours is not None
    assert ours.details["address"] == "https://host.example"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers) == expected
