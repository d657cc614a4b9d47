"""Models that speak OpenAI Chat Completions; the only importer of that SDK."""

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
from vibedesk.engine.models.stable_part import stable_end, system_blocks, visible_request
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
    from openai import AsyncOpenAI

_STOP_REASONS: Mapping[str, StopReason] = {
    "stop": "end",
    # Words of servers that are compatible but for these.
    "eos": "end",
    "eos_token": "end",
    "end_turn": "end",
    "stop_sequence": "end",
    "length": "max_tokens",
    "content_filter": "refusal",
    "tool_calls": "tool",
    "function_call": "tool",
}


class OpenAIModel:
    """One model over Chat Completions, streaming; OpenAI's own or a compatible server's.

    The SDK is imported and its client made at the first request, on a worker thread.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: AsyncOpenAI | None = None
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
        return f"OpenAIModel({self.provider}/{self.name})"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Yield the answer's text and then `Finished`; closing ends the request on the wire."""
        connection = self._connection
        client = await self._connected()
        answer = _Answer(reports_cost=connection.quirks.reports_cost)
        with translated_errors(connection):
            chunks = await client.chat.completions.create(**_parameters(connection, request))
            async with chunks, aclosing(watch_silence(chunks, connection)) as watched:
                refuse_other_content(connection, chunks.response.headers.get("content-type", ""))
                async for chunk in watched:
                    counted = answer.usage
                    text = answer.take(chunk)
                    if answer.usage != counted:
                        yield UsageSoFar(answer.usage)
                    if text:
                        yield TextDelta(text)
        if answer.stop_reason is None:
            raise broken_stream(connection, "it ended without a stop")
        yield Finished(_STOP_REASONS.get(answer.stop_reason, "other"), answer.usage)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _connected(self) -> AsyncOpenAI:
        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(_connect, self._connection)
            return self._client


def translate(error: Exception, connection: Connection) -> ModelError | None:
    """Return our error for one of the SDK's or its transport's, None for anything else."""
    import httpx2
    import openai

    match error:
        case openai.APIStatusError():
            return error_from(
                _failure(error, error.status_code, error.response.headers), connection
            )
        case openai.APITimeoutError():
            stall = not isinstance(error.__cause__, httpx2.ConnectTimeout)
            return stalled(connection) if stall else unreachable(connection)
        case openai.APIConnectionError():
            return unreachable(connection)
        case openai.APIResponseValidationError():
            return broken_stream(connection, "it has an unknown form")
        case openai.APIError():
            return error_from(_failure(error, None, {}), connection)
        case openai.OpenAIError():
            # What is left concerns parsing helpers, web sockets and other sign-ins, which we do not use.
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
    """Puts together what the chunks of one answer say; forgives what it does not know."""

    def __init__(self, *, reports_cost: bool) -> None:
        self.stop_reason: str | None = None
        self.usage = TokenUsage()
        self._reports_cost = reports_cost
        self._characters = WholeCharacters()

    def take(self, chunk: Any) -> str:
        """Note one chunk and return its text."""
        self._count(getattr(chunk, "usage", None))
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return ""
        reason = getattr(choices[0], "finish_reason", None)
        if isinstance(reason, str) and reason:
            self.stop_reason = reason
        delta = getattr(choices[0], "delta", None)
        if getattr(delta, "refusal", None):
            self.stop_reason = "content_filter"
        text = getattr(delta, "content", None)
        return self._characters.feed(text) if isinstance(text, str) else ""

    def _count(self, usage: Any) -> None:
        # Some servers send counts in every chunk; they are cumulative.
        if usage is None:
            return
        details = getattr(usage, "prompt_tokens_details", None)
        cost = getattr(usage, "cost", None) if self._reports_cost else None
        self.usage = TokenUsage(
            input_tokens=_count(usage, "prompt_tokens"),
            output_tokens=_count(usage, "completion_tokens"),
            cached_tokens=_count(details, "cached_tokens"),
            cache_write_tokens=_count(details, "cache_write_tokens"),
            reasoning_tokens=_count(
                getattr(usage, "completion_tokens_details", None), "reasoning_tokens"
            ),
            cost=float(cost) if isinstance(cost, int | float) else None,
        )


def _count(counts: Any, name: str) -> int:
    count = getattr(counts, name, None)
    return count if isinstance(count, int) else 0


def _parameters(connection: Connection, request: ModelRequest) -> dict[str, Any]:
    quirks = connection.quirks
    request = visible_request(request, images=connection.capabilities.images)
    system: str | list[dict[str, Any]] = request.system
    turns = request.messages
    if quirks.cache_marks and connection.capabilities.prompt_caching == "explicit":
        system, turns = system_blocks(request)
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    messages += [{"role": turn.role, "content": _content(turn)} for turn in turns]
    parameters: dict[str, Any] = {
        "model": connection.model,
        "messages": messages,
        "stream": True,
        quirks.max_tokens_parameter: connection.output_tokens(request.max_output_tokens),
        "extra_headers": {**quirks.headers, OPERATION_HEADER: request.operation},
    }
    extra: dict[str, Any] = dict(quirks.extra_body)
    if quirks.include_usage:
        parameters["stream_options"] = {"include_usage": True}
    temperature = connection.temperature(request)
    if temperature is not None:
        parameters["temperature"] = temperature
    effort = connection.reasoning_effort(request)
    if effort and quirks.reasoning == "reasoning":
        extra["reasoning"] = {"effort": effort}
    elif effort:
        parameters["reasoning_effort"] = effort
    # The mode is refused by the API unless the word stands somewhere in the messages.
    fits = quirks.json_mode and connection.capabilities.structured_output is not False
    if fits and request.json_schema is not None and _says_json(request):
        parameters["response_format"] = {"type": "json_object"}
    if extra:
        parameters["extra_body"] = extra
    return parameters


def _content(turn: ChatMessage) -> str | list[dict[str, Any]]:
    """Return a turn's content: plain text where that will do, as the simplest servers want it."""
    if not turn.images:
        return turn.text
    end = stable_end(turn)
    parts = [_text(turn.text[:end])] if end else []
    for image in turn.images:
        data = base64.b64encode(image.data).decode("ascii")
        url = f"data:{image.media_type};base64,{data}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return [*parts, _text(turn.text[end:])] if turn.text[end:] else parts


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _says_json(request: ModelRequest) -> bool:
    texts = (request.system, *(turn.text for turn in request.messages))
    return any("json" in text.casefold() for text in texts)


def _connect(connection: Connection) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI

    key = connection.key
    with translated_errors(connection):
        return AsyncOpenAI(
            api_key=key.value if key is not None else NO_KEY,
            base_url=connection.base_url,
            timeout=httpx2.Timeout(**connection.timeouts()),
            max_retries=0,
            default_headers=None if connection.quirks.sdk_environment else _without_environment(),
            # A proxy is for the outside world; the SDK would send it requests to this machine too.
            http_client=httpx2.AsyncClient(trust_env=False) if connection.loopback else None,
        )


def _without_environment() -> dict[str, Any]:
    """Return headers that take back those meant for OpenAI itself, before another server gets them."""
    from openai import Omit

    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    named = [line.partition(":")[0].strip() for line in lines if ":" in line]
    return {name: Omit() for name in (*named, "OpenAI-Organization", "OpenAI-Project")}


def _failure(error: Any, status: int | None, headers: Mapping[str, str]) -> Failure:
    body = error.body if isinstance(error.body, dict) else {}
    told = body.get("error")
    inner = told if isinstance(told, dict) else body
    kinds = (inner.get("type"), inner.get("code"))
    message = inner.get("message")
    return Failure(
        status=status,
        kinds=frozenset(kind for kind in kinds if isinstance(kind, str)),
        text=message if isinstance(message, str) else "",
        headers=headers,
    )
