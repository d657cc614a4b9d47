"""A loopback model server for tests: real HTTP, real SSE, both APIs, faults on demand.

It speaks Anthropic Messages (`POST /v1/messages`) and OpenAI Chat Completions (`POST /v1/chat/completions`),
tells the operations apart by the header `x-vibedesk-operation`, and plays a recorded session: for each
operation its replies in the order of `session.json`.

In asyncio tests::

    async with ModelServer(session=recording("kanban-board")) as server:
        server.fail(faults.status(429, retry_after=1), operation="implement_phase")     # the next one of these
        server.fail(faults.drop(after_chars=900))                                       # the next of any kind
        server.answer("just this text", operation="converse")                           # instead of the recording
        env = server.environment("anthropic")          # {"ANTHROPIC_API_KEY": …, "ANTHROPIC_BASE_URL": …}
        …
        assert [r.operation for r in server.requests] == ["blueprint", "implement_phase", …]
        assert not server.unanswered

In blocking tests (subprocesses, Qt) the same on a thread: `with serve_in_thread(session=…) as server:`. All
methods may be called from any thread. As a process (prints its URL as the first line, serves until SIGTERM)::

    python -m tests.support.model_server --session DIR --port 0 [--runs 2] [--log FILE]
        [--fault '{"kind": "status", "code": 500}' --fault 'implement_phase={"kind": "drop", "after_chars": 900}']

    GET  /control/requests     what was asked so far, as JSON
    POST /control/fault        {"operation": null, "times": 1, "fault": {"kind": …}}
    POST /control/release      lets stalled answers go on

Which reply is played
- A reply counts as given once its last byte was sent. Before that (fault, cancel, killed client) the same reply
  is played again to the next request of its operation.
- `continue` goes on with the reply that was broken off last: the recording's `*-continue.scof` after its truncated
  variant, else that whole reply again. Then the broken-off reply counts as given.
- `runs=2` plays every list of replies twice, for two projects on one server.
- Nothing left: 400, and the operation is noted in `unanswered`, unless a run goes on without it.

`documents` are answered at their paths (lists of models and the like), and kept in `lookups`.

Faults (`tests.support.model_faults`) are taken in the order they were added, one per request of their operation;
`answer` comes before the recording. Every request is kept in `requests` (body, headers without secrets, the fault that
it met, whether the client left early, whether the key was right).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

from tests.support import model_faults as faults
from tests.support.model_faults import Fault, fault_from_dict
from tests.support.model_http import API_KEY, BodyWriter, ReceivedRequest, read_request
from tests.support.model_script import Reply, ReplyScript
from tests.support.model_wires import (
    ANTHROPIC_PATH,
    FORMATS,
    OPENAI_PATH,
    Tokens,
    WireFormat,
    pieces,
)

OPTIONAL = frozenset({"review", "debug", "checks", "summarize"})
"""Operations that a run goes on without."""
DEFAULT_TEXT_SIZES = (1, 2, 3, 5, 8, 13, 40, 200)
_PING_EVERY_S = 0.02
REPEATED = 20
"""Characters of a piece that comes twice."""
_NOT_UTF8 = b"data: \xff\xfe\xfd\n\n"


@dataclass(slots=True)
class _Outgoing:
    """An answer on its way: `before` goes out, then perhaps something happens, then `after`."""

    status: int = 200
    headers: dict[str, str] = field(
        default_factory=lambda: {"content-type": "text/event-stream; charset=utf-8"}
    )
    before: bytes = b""
    after: bytes = b""
    hold: str = ""
    abort: bool = False
    reply: Reply | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """What stands at an address beside the two APIs, as `ModelServer.documents` has it by path."""

    data: Any
    status: int = 200
    content_type: str = "application/json"
    for_key: bool = False


class ModelServer:
    """The server; an asynchronous context manager. See the module's docstring.

    Args:
        session: Folder of a recorded session; None for scripted answers only.
        runs: How many times the recording may be played.
        text_sizes: Characters per text delta, over and over.
        wire_size: Bytes per write to the socket (cuts events and UTF-8 sequences); 0 writes each event whole.
        delay_s: Pause after each write.
        port: 0 takes a free one.
        log: File to append every request to, a JSON line each.
    """

    def __init__(
        self,
        session: Path | None = None,
        *,
        runs: int = 1,
        text_sizes: Sequence[int] = DEFAULT_TEXT_SIZES,
        wire_size: int = 0,
        delay_s: float = 0.0,
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.lookups: list[ReceivedRequest] = []
        self.documents: dict[str, Document] = {}
        self.unanswered: list[str] = []
        self.text_sizes = tuple(text_sizes)
        self.wire_size = wire_size
        self.delay_s = delay_s
        self._script = ReplyScript(session, runs=runs)
        self._faults: list[tuple[str | None, Fault]] = []
        self._prefixes: set[str] = set()
        self._model: Callable[[ReceivedRequest], str] | None = None
        self._port = port
        self._log = log
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._released = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    # -- what tests use

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`: Anthropic's base URL; OpenAI's is this plus `/v1`."""
        assert self._server is not None, "the server is not started"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def environment(self, wire: str = "anthropic") -> dict[str, str]:
        """Return the environment variables that lead one of the SDKs here."""
        if wire == "openai":
            return {"OPENAI_API_KEY": API_KEY, "OPENAI_BASE_URL": f"{self.url}/v1"}
        return {"ANTHROPIC_API_KEY": API_KEY, "ANTHROPIC_BASE_URL": self.url}

    def answer(self, text: str, *, operation: str | None = None, stop_reason: str = "end") -> None:
        """Queue a scripted answer, for one operation or any."""
        self._script.add(Reply(text=text, operation=operation, stop_reason=stop_reason))

    def answer_with(self, model: Callable[[ReceivedRequest], str]) -> None:
        """Answer every request with what `model` says to it, whatever was asked before; instead of all scripts."""
        self._model = model

    def fail(self, fault: Fault, *, operation: str | None = None, times: int = 1) -> None:
        """Queue a fault for the next `times` requests of one operation or any."""
        self._faults.extend([(operation, fault)] * times)

    def release(self) -> None:
        """Let answers that stall now, and later ones, go on."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._released.set)

    def requests_for(self, operation: str) -> list[ReceivedRequest]:
        return [request for request in self.requests if request.operation == operation]

    async def wait_until(self, condition: Callable[[], bool], timeout: float = 60.0) -> None:
        """Return when `condition` holds, fail the test when it does not in time."""
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110 - a condition of any kind has no event
                await asyncio.sleep(0.005)

    async def refuse_connections(self) -> None:
        """Close the port, as a server does that restarts; `accept_connections` opens the same one again."""
        assert self._server is not None, "the server is not started"
        self._port = self._server.sockets[0].getsockname()[1]
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def accept_connections(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    # -- life

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    # -- one connection, one request

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve_one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away before it had asked, or while it was answered
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request.path.startswith("/control/"):
            await self._control(request, writer)
            return
        document = self.documents.get(request.path)
        if document is not None:
            self.lookups.append(request)
            await self._show(document, request, writer)
            return
        self.requests.append(request)
        outgoing = self._decide(request)
        request.status = outgoing.status
        sending = asyncio.ensure_future(self._send(request, outgoing, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            else:
                request.client_left = not request.answered
        except ConnectionError:
            request.client_left = True
        finally:
            for pending in (sending, leaving):
                pending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            if not request.answered and outgoing.reply is not None:
                self._script.broken_off(outgoing.reply)
            self._write_log(request)

    async def _send(
        self, request: ReceivedRequest, outgoing: _Outgoing, writer: asyncio.StreamWriter
    ) -> None:
        if outgoing.abort and not outgoing.before:
            writer.transport.abort()
            return
        body = BodyWriter(writer, request, self.wire_size, self.delay_s)
        await body.start(outgoing.status, outgoing.headers)
        await body.write(outgoing.before)
        if outgoing.abort:
            writer.transport.abort()
            return
        while outgoing.hold and not self._released.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._released.wait(), _PING_EVERY_S)
            if outgoing.hold == "pings" and not self._released.is_set():
                await body.write(FORMATS[request.path].ping())
        await body.write(outgoing.after)
        # Counted before the end is sent: whoever has read the end must find it counted.
        if outgoing.complete:
            request.answered = True
            if outgoing.reply is not None:
                self._script.given(outgoing.reply)
        await body.end()

    async def _show(
        self, document: Document, request: ReceivedRequest, writer: asyncio.StreamWriter
    ) -> None:
        status = document.status
        if document.for_key and not request.key_was_right:
            status = 401
        data = document.data if isinstance(document.data, str) else json.dumps(document.data)
        body = BodyWriter(writer, request, 0, 0.0)
        await body.start(status, {"content-type": document.content_type})
        await body.write(data.encode())
        await body.end()

    # -- what to answer

    def _decide(self, request: ReceivedRequest) -> _Outgoing:
        wire = FORMATS.get(request.path)
        if wire is None or request.method != "POST":
            return _error(
                FORMATS[ANTHROPIC_PATH],
                faults.status(404, message=f"no such address: {request.path}"),
            )
        fault = self._take_fault(request.operation)
        request.fault = fault.kind if fault else ""
        if fault is not None and fault.kind == "status":
            return _error(wire, fault)
        if fault is not None and fault.kind == "html":
            page = b"<html><body>Sign in to this network</body></html>"
            return _Outgoing(headers={"content-type": "text/html"}, after=page, complete=False)
        if self._model is not None:
            reply: Reply | None = Reply(text=self._model(request), operation=request.operation)
        else:
            reply = self._script.next(
                request.operation, truncated=fault is not None and fault.kind == "truncated"
            )
        if reply is None:
            if request.operation not in OPTIONAL:
                self.unanswered.append(request.operation)
            return _error(
                wire,
                faults.status(
                    400, message=f"no reply left for {request.operation or 'no operation'}"
                ),
            )
        if fault is not None and fault.kind == "duplicate" and not _sent_twice(reply.text, fault):
            request.fault, fault = "", None  # it would change nothing
        return self._compose(wire, request, reply, fault)

    def _compose(
        self, wire: WireFormat, request: ReceivedRequest, reply: Reply, fault: Fault | None
    ) -> _Outgoing:
        tokens: Tokens | None = self._tokens(request, reply.text)
        if fault is not None and fault.kind == "no_usage":
            tokens, fault = None, None
        head, tail = (
            wire.head(request.body, tokens),
            wire.tail(request.body, reply.stop_reason, tokens),
        )
        if fault is None:
            return _Outgoing(before=head + self._deltas(wire, reply.text), after=tail, reply=reply)
        if fault.kind == "truncated":
            fault = Fault(kind=fault.how, after_chars=len(reply.text))  # type: ignore[arg-type]
        at = fault.after_chars or 0
        came, rest = self._deltas(wire, reply.text[:at]), self._deltas(wire, reply.text[at:])
        whole = head + came + rest + tail
        outgoing = _Outgoing(before=head + came, after=rest + tail, reply=reply)
        if fault.after_chars is None:
            outgoing.before, outgoing.after = (
                whole[: fault.after_bytes or 0],
                whole[fault.after_bytes or 0 :],
            )
        ends = {
            "max_tokens": wire.tail(request.body, "max_tokens", tokens),
            "no_stop": b"",
            "broken_sse": _NOT_UTF8 + rest + tail,
            "broken_json": wire.broken_json() + rest + tail,
            "broken_tool": wire.broken_tool() + wire.tail(request.body, "tool", tokens),
            "error_event": wire.error_event(fault.type_on_wire, fault.message),
        }
        if fault.kind in ends:
            outgoing.after, outgoing.complete = ends[fault.kind], False
        match fault.kind:
            case "stall":
                outgoing.hold = fault.how or "silence"
            case "drop":
                outgoing.abort, outgoing.complete = True, False
                if fault.after_chars is None and fault.after_bytes is None:
                    outgoing.before = b""
            case "empty":
                outgoing.before, outgoing.after, outgoing.complete = head, tail, False
            case "duplicate" | "utf8_cut" | "split_surrogate":
                self._spoil_text(outgoing, wire, reply.text, fault, head, tail)
        return outgoing

    def _spoil_text(
        self,
        outgoing: _Outgoing,
        wire: WireFormat,
        text: str,
        fault: Fault,
        head: bytes,
        tail: bytes,
    ) -> None:
        """Act out a fault whose place depends on the text's characters."""
        at = fault.after_chars or 0
        if fault.kind == "duplicate":
            twice = _sent_twice(text, fault)
            before = text[:at].removesuffix(twice)
            outgoing.before = head + self._deltas(wire, before) + wire.delta(twice) * 2
            return
        least = 0xFFFF if fault.kind == "split_surrogate" else 127
        place = next(n for n, char in enumerate(text) if n >= at and ord(char) > least)
        outgoing.before = head + self._deltas(wire, text[:place])
        if fault.kind == "utf8_cut":
            event = wire.delta(text[place])
            outgoing.before += event[: event.index(text[place].encode()) + 1]
            outgoing.after, outgoing.abort, outgoing.complete = b"", True, False
            return
        high, low = _halves(text[place])
        outgoing.before += wire.delta(high) + wire.delta(low)
        outgoing.after = self._deltas(wire, text[place + 1 :]) + tail

    def _deltas(self, wire: WireFormat, text: str) -> bytes:
        return b"".join(wire.delta(piece) for piece in pieces(text, self.text_sizes))

    def _take_fault(self, operation: str) -> Fault | None:
        for position, (wanted, fault) in enumerate(self._faults):
            if wanted in (None, operation):
                del self._faults[position]
                return fault
        return None

    def _tokens(self, request: ReceivedRequest, text: str) -> Tokens:
        """Count four characters a token; what stands with the system prompt is cached up to what was seen before."""
        system = request.system
        prefix = len(system) // 4
        begun = list(accumulate(block["text"] for block in request.system_blocks))
        seen = max((len(text) for text in begun if text in self._prefixes), default=0)
        self._prefixes.update(begun)
        asked = sum(len(str(turn["content"])) for turn in request.messages) // 4 + 1
        return Tokens(
            prompt=prefix + asked,
            output=len(text) // 4 + 1,
            cached=seen // 4,
            written=0 if seen or request.path == OPENAI_PATH else prefix,
        )

    # -- control and log

    async def _control(self, request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        answer: object = {}
        if request.path == "/control/requests":
            answer = [asdict(known) for known in self.requests]
        elif request.path == "/control/fault":
            fault = fault_from_dict(request.body["fault"])
            self.fail(
                fault, operation=request.body.get("operation"), times=request.body.get("times", 1)
            )
        elif request.path == "/control/release":
            self._released.set()
        body = BodyWriter(writer, request, 0, 0.0)
        await body.start(200, {"content-type": "application/json"})
        await body.write(json.dumps(answer).encode())
        await body.end()

    def _write_log(self, request: ReceivedRequest) -> None:
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(request), ensure_ascii=False) + "\n")


def _sent_twice(text: str, fault: Fault) -> str:
    """Return the piece of an answer that a duplicate repeats; empty where its place is beyond the answer's end."""
    at = fault.after_chars or 0
    return text[max(at - REPEATED, 0) : at]


def _halves(character: str) -> tuple[str, str]:
    code = ord(character) - 0x10000
    return chr(0xD800 + (code >> 10)), chr(0xDC00 + (code & 0x3FF))


def _error(wire: WireFormat, fault: Fault) -> _Outgoing:
    headers = {"content-type": "application/json"}
    if fault.retry_after:
        headers["retry-after"] = fault.retry_after
    body = wire.error_body(fault.type_on_wire, fault.message)
    return _Outgoing(status=fault.code, headers=headers, after=body, complete=False)


@contextlib.contextmanager
def serve_in_thread(session: Path | None = None, **options: Any) -> Iterator[ModelServer]:
    """Run a `ModelServer` on a thread of its own; for tests that block or have another loop."""
    server = ModelServer(session, **options)
    started = threading.Event()
    stop: list[Callable[[], object]] = []

    async def run() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with server:
            stop.append(lambda: loop.call_soon_threadsafe(stopping.set))
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="model-server", daemon=True)
    thread.start()
    try:
        if not started.wait(10):
            raise RuntimeError("the model server did not start")
        yield server
    finally:
        for call in stop:
            call()
        thread.join(10)


@contextlib.asynccontextmanager
async def _from_arguments(arguments: argparse.Namespace) -> AsyncIterator[ModelServer]:
    server = ModelServer(
        arguments.session,
        runs=arguments.runs,
        delay_s=arguments.delay,
        wire_size=arguments.wire_size,
        port=arguments.port,
        log=arguments.log,
    )
    for text in arguments.fault:
        operation, found, fault = (
            text.partition("=") if not text.startswith("{") else ("", "", text)
        )
        server.fail(fault_from_dict(json.loads(fault)), operation=operation if found else None)
    async with server:
        yield server


async def _main(arguments: argparse.Namespace) -> None:
    async with _from_arguments(arguments) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="A model server on loopback that plays a recorded session."
    )
    parser.add_argument("--session", type=Path, help="folder with session.json")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds after each write")
    parser.add_argument(
        "--wire-size", type=int, default=0, help="bytes per write; 0: an event each"
    )
    parser.add_argument("--log", type=Path, help="file for the requests, a JSON line each")
    parser.add_argument("--fault", action="append", default=[], help="[OPERATION=]JSON")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args()))
