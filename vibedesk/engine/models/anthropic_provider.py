"""Models that speak Anthropic Messages; the only importer of that SDK."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

from vibedesk.engine.models.capabilities import ModelCapabilities
from vibedesk.engine.models.protocol import (
    ChatMessage,
    Finished,
    ModelError,
    ModelRequest,
    StopReason,
    StreamItem,
    TextDelta,
    TokenUsage,
    UsageSoFar,
)
from vibedesk.engine.models.stable_part import system_blocks, visible_request
from vibedesk.engine.models.wire import (
    NO_KEY,
    OPERATION_HEADER,
    Connection,
    Failure,
    WholeCharacters,
    bad_address,
    broken_stream,
    error_from,
    refuse_other_content,
    repeats_key,
    stalled,
    unreachable,
    watch_silence,
)

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

_STOP_REASONS: Mapping[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
    "tool_use": "tool",
}


class AnthropicModel:
    """One model over the Messages API, streaming.

    The SDK is imported and its client made at the first request, on a worker thread.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: AsyncAnthropic | None = None
        self._connecting = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._connection.model

    @property
    def provider(self) -> str:
        return self._connection.provider

    @property
    def capabilities(self) -> ModelCapabilities:
        return self._connection.capabilities

    def __repr__(self) -> str:
        return f"AnthropicModel({self.provider}/{self.name})"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Yield the answer's text and then `Finished`; closing ends the request on the wire."""
        connection = self._connection
        client = await self._connected()
        answer = _Answer()
        with translated_errors(connection):
            events = await client.messages.create(**_parameters(connection, request))
            async with events, aclosing(watch_silence(events, connection)) as watched:
                refuse_other_content(connection, events.response.headers.get("content-type", ""))
                async for event in watched:
                    counted = answer.usage()
                    text = answer.take(event)
                    if answer.usage() != counted:
                        yield UsageSoFar(answer.usage())
                    if text:
                        yield TextDelta(text)
        if not answer.stopped or answer.stop_reason is None:
            raise broken_stream(connection, "it ended without a stop")
        yield Finished(_STOP_REASONS.get(answer.stop_reason, "other"), answer.usage())

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _connected(self) -> AsyncAnthropic:
        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(_connect, self._connection)
            return self._client


def translate(error: Exception, connection: Connection) -> ModelError | None:
    """Return our error for one of the SDK's or its transport's, None for anything else."""
    import anthropic
    import httpx2

    match error:
        case anthropic.APIStatusError():
            return error_from(_failure(error), connection)
        case anthropic.APITimeoutError():
            stall = not isinstance(error.__cause__, httpx2.ConnectTimeout)
            return stalled(connection) if stall else unreachable(connection)
        case anthropic.APIConnectionError():
            return unreachable(connection)
        case anthropic.APIResponseValidationError() | anthropic.APIWebhookValidationError():
            return broken_stream(connection, "it has an unknown form")
        case anthropic.AnthropicError():
            # What is left concerns credentials files and middleware, which we do not use.
            return broken_stream(connection, type(error).__name__)
        case httpx2.ReadTimeout() | httpx2.WriteTimeout():
            return stalled(connection)
        case httpx2.DecodingError():
            return broken_stream(connection, "it cannot be decoded")
        case httpx2.RequestError() | httpx2.StreamError():
            return unreachable(connection)
        case httpx2.InvalidURL():
            return bad_address(connection)
        case json.JSONDecodeError() | UnicodeDecodeError():
            return broken_stream(connection, "an event is no JSON or no UTF-8")
    return None


@contextmanager
def translated_errors(connection: Connection) -> Iterator[None]:
    """Turn the SDK's exceptions into ours; the original stays the cause unless it repeats the key."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        ours = translate(error, connection)
        if ours is None:
            raise
        raise ours from (None if repeats_key(error, connection) else error)


class _Answer:
    """Puts together what the events of one answer say; forgives what it does not know."""

    def __init__(self) -> None:
        self.stop_reason: str | None = None
        self.stopped = False
        self._tokens: dict[str, int] = {}
        self._characters = WholeCharacters()

    def take(self, event: Any) -> str:
        """Note one event and return its text."""
        match getattr(event, "type", None):
            case "message_start":
                self._count(getattr(getattr(event, "message", None), "usage", None))
            case "content_block_start":
                text = _text_of(getattr(event, "content_block", None), "text")
                return self._characters.feed(text)
            case "content_block_delta":
                text = _text_of(getattr(event, "delta", None), "text_delta")
                return self._characters.feed(text)
            case "message_delta":
                reason = getattr(getattr(event, "delta", None), "stop_reason", None)
                self.stop_reason = reason if isinstance(reason, str) else self.stop_reason
                self._count(getattr(event, "usage", None))
            case "message_stop":
                self.stopped = True
        return ""

    def usage(self) -> TokenUsage:
        tokens = self._tokens
        cached = tokens.get("cache_read_input_tokens", 0)
        written = tokens.get("cache_creation_input_tokens", 0)
        return TokenUsage(
            input_tokens=tokens.get("input_tokens", 0) + cached + written,
            output_tokens=tokens.get("output_tokens", 0),
            cached_tokens=cached,
            cache_write_tokens=written,
            reasoning_tokens=tokens.get("thinking_tokens", 0),
        )

    def _count(self, usage: Any) -> None:
        # The counts are cumulative; the last one that is there holds.
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        ):
            count = getattr(usage, name, None)
            if isinstance(count, int):
                self._tokens[name] = count
        thought = getattr(getattr(usage, "output_tokens_details", None), "thinking_tokens", None)
        if isinstance(thought, int):
            self._tokens["thinking_tokens"] = thought


def _text_of(part: Any, kind: str) -> str:
    text = getattr(part, "text", None) if getattr(part, "type", None) == kind else None
    return text if isinstance(text, str) else ""


def _parameters(connection: Connection, request: ModelRequest) -> dict[str, Any]:
    quirks = connection.quirks
    system, turns = system_blocks(visible_request(request, images=connection.capabilities.images))
    parameters: dict[str, Any] = {
        "model": connection.model,
        "max_tokens": connection.output_tokens(request.max_output_tokens),
        "messages": [{"role": turn.role, "content": _content(turn)} for turn in turns],
        "stream": True,
        "extra_headers": {**quirks.headers, OPERATION_HEADER: request.operation},
    }
    if system:
        parameters["system"] = system
    effort = connection.reasoning_effort(request)
    if effort:
        parameters["output_config"] = {"effort": effort}
    extra: dict[str, Any] = dict(quirks.extra_body)
    temperature = connection.temperature(request)
    if temperature is not None:
        extra["temperature"] = temperature
    if extra:
        parameters["extra_body"] = extra
    return parameters


def _content(turn: ChatMessage) -> str | list[dict[str, Any]]:
    if not turn.images:
        return turn.text
    blocks: list[dict[str, Any]] = []
    for image in turn.images:
        data = base64.b64encode(image.data).decode("ascii")
        source = {"type": "base64", "media_type": image.media_type, "data": data}
        blocks.append({"type": "image", "source": source})
    # The API refuses blocks without text.
    return [*blocks, {"type": "text", "text": turn.text}] if turn.text else blocks


def _connect(connection: Connection) -> AsyncAnthropic:
    import httpx2
    from anthropic import AsyncAnthropic

    key = connection.key
    secret = key.value if key is not None else NO_KEY
    token = key is not None and key.kind == "auth_token"
    with translated_errors(connection):
        return AsyncAnthropic(
            api_key=None if token else secret,
            auth_token=secret if token else None,
            base_url=connection.base_url,
            timeout=httpx2.Timeout(**connection.timeouts()),
            max_retries=0,
            default_headers=None if connection.quirks.sdk_environment else _without_environment(),
            # A proxy is for the outside world; the SDK would send it requests to this machine too.
            http_client=httpx2.AsyncClient(trust_env=False) if connection.loopback else None,
        )


def _without_environment() -> dict[str, Any]:
    """Return headers that take back those meant for Anthropic itself, before another server gets them."""
    from anthropic import Omit

    lines = os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").splitlines()
    return {line.partition(":")[0].strip(): Omit() for line in lines if ":" in line}


def _failure(error: Any) -> Failure:
    body = error.body if isinstance(error.body, dict) else {}
    told = body.get("error")
    inner = told if isinstance(told, dict) else body
    kinds = (inner.get("type"), getattr(error, "error_code", None))
    message = inner.get("message")
    # An error event inside a stream carries the status 200 of the response.
    status = error.status_code if error.status_code >= 400 else None
    return Failure(
        status=status,
        kinds=frozenset(kind for kind in kinds if isinstance(kind, str)),
        text=message if isinstance(message, str) else "",
        headers=error.response.headers,
    )
