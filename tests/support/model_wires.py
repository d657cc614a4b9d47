"""How the two model APIs look on the wire, from the server's side: SSE frames and error bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

ANTHROPIC_PATH = "/v1/messages"
OPENAI_PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Counts as a server would report them; `prompt` includes the cached and the written ones."""

    prompt: int
    output: int
    cached: int
    written: int


class WireFormat(Protocol):
    """One API's frames. A whole answer is head, one delta per piece of text, tail."""

    def head(self, body: dict[str, Any], tokens: Tokens | None) -> bytes: ...

    def delta(self, text: str) -> bytes: ...

    def tail(self, body: dict[str, Any], stop_reason: str, tokens: Tokens | None) -> bytes: ...

    def ping(self) -> bytes: ...

    def broken_json(self) -> bytes: ...

    def broken_tool(self) -> bytes:
        """Return a tool call whose arguments are broken JSON; `tail` with `tool` follows."""
        ...

    def error_event(self, kind: str, message: str) -> bytes: ...

    def error_body(self, kind: str, message: str) -> bytes: ...


class AnthropicFormat:
    """Messages: named events, a ping after the start, cumulative usage at both ends."""

    def head(self, body: dict[str, Any], tokens: Tokens | None) -> bytes:
        usage = tokens and {
            "input_tokens": tokens.prompt - tokens.cached - tokens.written,
            "cache_creation_input_tokens": tokens.written,
            "cache_read_input_tokens": tokens.cached,
            "output_tokens": 1,
        }
        message = {
            "id": "msg_loopback",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", ""),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage or {},
        }
        block = {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        }
        return (
            self._event({"type": "message_start", "message": message})
            + self._event(block)
            + self.ping()
        )

    def delta(self, text: str) -> bytes:
        return self._event(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": text},
            }
        )

    def tail(self, body: dict[str, Any], stop_reason: str, tokens: Tokens | None) -> bytes:
        reason = {"end": "end_turn", "tool": "tool_use"}.get(stop_reason, stop_reason)
        delta = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": tokens.output} if tokens else {},
        }
        return (
            self._event({"type": "content_block_stop", "index": 0})
            + self._event(delta)
            + self._event({"type": "message_stop"})
        )

    def ping(self) -> bytes:
        return self._event({"type": "ping"})

    def broken_json(self) -> bytes:
        return b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"te\n\n'

    def broken_tool(self) -> bytes:
        block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
        delta = {"type": "input_json_delta", "partial_json": '{"path": "a.ts", "te'}
        return (
            self._event({"type": "content_block_stop", "index": 0})
            + self._event({"type": "content_block_start", "index": 1, "content_block": block})
            + self._event({"type": "content_block_delta", "index": 1, "delta": delta})
        )

    def error_event(self, kind: str, message: str) -> bytes:
        return b"event: error\ndata: " + self.error_body(kind, message) + b"\n\n"

    def error_body(self, kind: str, message: str) -> bytes:
        return _json({"type": "error", "error": {"type": kind, "message": message}})

    def _event(self, data: dict[str, Any]) -> bytes:
        return f"event: {data['type']}\n".encode() + b"data: " + _json(data) + b"\n\n"


class OpenAIFormat:
    """Chat Completions: unnamed events, usage in a chunk of its own if asked for, then [DONE]."""

    def head(self, body: dict[str, Any], tokens: Tokens | None) -> bytes:
        return self._chunk(
            [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
        )

    def delta(self, text: str) -> bytes:
        return self._chunk([{"index": 0, "delta": {"content": text}, "finish_reason": None}])

    def tail(self, body: dict[str, Any], stop_reason: str, tokens: Tokens | None) -> bytes:
        reason = {"end": "stop", "max_tokens": "length", "tool": "tool_calls"}.get(
            stop_reason, stop_reason
        )
        frames = self._chunk([{"index": 0, "delta": {}, "finish_reason": reason}])
        if tokens and (body.get("stream_options") or {}).get("include_usage"):
            usage = {
                "prompt_tokens": tokens.prompt,
                "completion_tokens": tokens.output,
                "total_tokens": tokens.prompt + tokens.output,
                "prompt_tokens_details": {"cached_tokens": tokens.cached},
            }
            frames += self._chunk([], usage)
        return frames + b"data: [DONE]\n\n"

    def ping(self) -> bytes:
        return b": keep-alive\n\n"

    def broken_json(self) -> bytes:
        return b'data: {"id":"chatcmpl-loopback","choices":[{"index":0,"delta":{"conte\n\n'

    def broken_tool(self) -> bytes:
        function = {"name": "write", "arguments": '{"path": "a.ts", "te'}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        return self._chunk([{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])

    def error_event(self, kind: str, message: str) -> bytes:
        return b"data: " + self.error_body(kind, message) + b"\n\n"

    def error_body(self, kind: str, message: str) -> bytes:
        return _json({"error": {"type": kind, "code": kind, "param": None, "message": message}})

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        data = {
            "id": "chatcmpl-loopback",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": "loopback",
            "choices": choices,
            "usage": usage,
        }
        return b"data: " + _json(data) + b"\n\n"


FORMATS: dict[str, WireFormat] = {ANTHROPIC_PATH: AnthropicFormat(), OPENAI_PATH: OpenAIFormat()}


def pieces(text: str, sizes: Iterable[int]) -> Iterator[str]:
    """Cut `text` into pieces of these sizes, over and over."""
    cycle = [size for size in sizes if size > 0] or [len(text) or 1]
    position = turn = 0
    while position < len(text):
        size = cycle[turn % len(cycle)]
        yield text[position : position + size]
        position += size
        turn += 1


def _json(data: dict[str, Any]) -> bytes:
    # Characters beyond ASCII go out as they are, so that a wire cut can fall inside one; halves of characters can only
    # be written as escapes.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode()
