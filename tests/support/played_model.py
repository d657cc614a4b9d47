"""A loopback model whose answers a person (or another model) writes by hand, one file per request.

For every request it writes `NNN-OPERATION.request.txt` into a folder (what was asked, to be read) and waits until
`NNN-OPERATION.answer.txt` is there; that text is streamed as the answer. An answer that is there already is given at
once, so a folder of answers plays a run again: the n-th request of an operation gets the n-th answer of that operation,
whatever else is asked in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.model_http import API_KEY, BodyWriter, ReceivedRequest, read_request
from tests.support.model_server import ModelServer
from tests.support.model_wires import FORMATS, Tokens, pieces

_PIECE = 48
_LOOK_EVERY_S = 0.3
_SIGN_OF_LIFE_EVERY = 20


def answers_in(folder: Path) -> list[tuple[str, str]]:
    """Return (operation, answer) of every answer in a folder, in order."""
    return [
        (_operation_of(path), path.read_bytes().decode())
        for path in sorted(folder.glob("*-*.answer.txt"))
    ]


def play_answers(server: ModelServer, folder: Path) -> None:
    """Let the model server give a folder's answers."""
    for operation, text in answers_in(folder):
        server.answer(text, operation=operation)


class PlayedModel:
    """The server; an asynchronous context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: dict[str, tuple[int, int]] = {}
        self._asked: Counter[str] = Counter()
        self._sizes: dict[Path, int] = {}
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`: Anthropic's base URL; OpenAI's is this plus `/v1`."""
        assert self._server is not None, "the server is not started"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def environment(self) -> dict[str, str]:
        """Return the environment variables that lead the Anthropic SDK here."""
        return {"ANTHROPIC_API_KEY": API_KEY, "ANTHROPIC_BASE_URL": self.url}

    async def __aenter__(self) -> PlayedModel:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who goes away before the answer asks again, and gets the same one.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._answer(await read_request(reader), writer)
        writer.close()

    async def _answer(self, request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        wire = FORMATS[request.path]
        number, turn = self._number(request)
        tokens = Tokens(prompt=len(_told(request)) // 4, output=1, cached=0, written=0)
        body = BodyWriter(writer, request, 0, 0.0)
        await body.start(200, {"content-type": "text/event-stream; charset=utf-8"})
        await body.write(wire.head(request.body, tokens))
        looks = 0
        while (answer := self._written(request.operation, turn)) is None:
            self._ask(number, request)
            await asyncio.sleep(_LOOK_EVERY_S)
            looks += 1
            if looks % _SIGN_OF_LIFE_EVERY == 0:
                await body.write(wire.delta(""))
        for piece in pieces(answer, [_PIECE]):
            await body.write(wire.delta(piece))
        tokens = Tokens(prompt=tokens.prompt, output=len(answer) // 4, cached=0, written=0)
        await body.write(wire.tail(request.body, "end", tokens))
        await body.end()

    def _number(self, request: ReceivedRequest) -> tuple[int, int]:
        """Return which request this is, and which of its operation; one that is asked again keeps both."""
        key = hashlib.sha256(json.dumps(request.body, sort_keys=True).encode()).hexdigest()
        if key not in self._numbers:
            self._asked[request.operation] += 1
            self._numbers[key] = (len(self._numbers) + 1, self._asked[request.operation])
        return self._numbers[key]

    def _written(self, operation: str, turn: int) -> str | None:
        """Return an answer once it is there and grows no more."""
        found = sorted(self._folder.glob(f"*-{operation}.answer.txt"))
        if len(found) < turn:
            return None
        path = found[turn - 1]
        text = path.read_bytes()
        still = self._sizes.get(path) == len(text)
        self._sizes[path] = len(text)
        return text.decode() if text and still else None

    def _ask(self, number: int, request: ReceivedRequest) -> None:
        path = self._folder / f"{number:03}-{request.operation}.request.txt"
        if not path.exists():
            path.write_text(_told(request), encoding="utf-8")
            print(f"-- waits for {path.name.replace('.request.', '.answer.')}", flush=True)


def _told(request: ReceivedRequest) -> str:
    turns = [f"--- system\n{request.system}"]
    for turn in request.messages:
        content = turn["content"]
        if not isinstance(content, str):
            content = "".join(part.get("text", f"[{part['type']}]") for part in content)
        turns.append(f"--- {turn['role']}\n{content}")
    return "\n".join(turns)


def _operation_of(path: Path) -> str:
    return path.name.split("-", 1)[1].removesuffix(".answer.txt")


@contextlib.contextmanager
def play_in_thread(folder: Path) -> Iterator[PlayedModel]:
    """Run a `PlayedModel` on a thread of its own."""
    model = PlayedModel(folder)
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with model:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    if not started.wait(10):
        raise RuntimeError("the played model did not start")
    try:
        yield model
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
