"""The loopback model server itself: tests elsewhere stand on it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.support import model_faults as faults
from tests.support.model_http import API_KEY
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.recordings import recording, recordings
from vibedesk.engine.models.protocol import (
    ChatMessage,
    ModelError,
    ModelRequest,
    Operation,
    RequestRefusedError,
    TextDelta,
)
from vibedesk.engine.models.providers import ModelChoice, Providers

OPERATIONS: dict[str, Operation] = {
    "blueprint": "blueprint",
    "phase": "plan_phase",
    "implement": "implement_phase",
    "fix": "fix",
    "conversation": "converse",
}


async def ask(server: ModelServer, operation: Operation, wire: str = "anthropic") -> str:
    model = Providers(environ=server.environment(wire)).build_model(ModelChoice(wire, "m"))
    request = ModelRequest(operation=operation, system="s", messages=(ChatMessage("user", "x"),))
    text = ""
    try:
        async with aclosing(model.stream(request)) as items:
            async for item in items:
                text += item.text if isinstance(item, TextDelta) else ""
    finally:
        await model.aclose()
    return text


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
async def test_a_recording_is_played_in_order_per_operation(folder: Path, wire: str) -> None:
    order = json.loads((folder / "session.json").read_text(encoding="utf-8"))["order"]
    async with ModelServer(folder, wire_size=997) as server:
        for entry in order:
            expected = (folder / entry["file"]).read_bytes().decode()
            if entry["kind"] == "conversation":
                talk = json.loads(expected)
                expected = f"{talk['reply']}\n\n{talk['scof']}"
            assert await ask(server, OPERATIONS[entry["kind"]], wire) == expected
        with pytest.raises(RequestRefusedError, match="refuses"):
            await ask(server, "implement_phase", wire)
        assert server.unanswered == ["implement_phase"]


async def test_a_reply_that_did_not_come_through_is_played_again() -> None:
    folder = recording("kanban-board")
    async with ModelServer(folder) as server:
        server.fail(faults.status(500), operation="implement_phase")
        server.fail(faults.drop(after_chars=300), operation="implement_phase")
        for _ in range(2):
            with pytest.raises(ModelError):
                await ask(server, "implement_phase")
        text = await ask(server, "implement_phase")
    assert text == (folder / "02-implement-1.scof").read_bytes().decode()


@pytest.mark.parametrize("how", ["drop", "max_tokens"])
async def test_the_truncated_reply_is_continued_and_then_done(how: Any) -> None:
    folder = recording("recipe-finder")
    async with ModelServer(folder) as server:
        server.fail(faults.truncated(how), operation="implement_phase")
        if how == "drop":
            with pytest.raises(ModelError):
                await ask(server, "implement_phase")
        else:
            text = await ask(server, "implement_phase")
            assert text == (folder / "02-implement-1.truncated.scof").read_bytes().decode()
        text = await ask(server, "continue")
        assert text == (folder / "02b-continue.scof").read_bytes().decode()
        text = await ask(server, "implement_phase")
        assert text == (folder / "04-implement-2.scof").read_bytes().decode()


async def test_continue_without_a_variant_gives_the_whole_reply() -> None:
    folder = recording("kanban-board")
    async with ModelServer(folder) as server:
        server.fail(faults.max_tokens(after_chars=900), operation="implement_phase")
        assert len(await ask(server, "implement_phase")) == 900
        text = await ask(server, "continue")
        assert text == (folder / "02-implement-1.scof").read_bytes().decode()
        assert await ask(server, "implement_phase") != text


async def test_one_server_can_serve_two_runs() -> None:
    async with ModelServer(recording("kanban-board"), runs=2) as server:
        first = await ask(server, "blueprint")
        assert await ask(server, "blueprint") == first
        with pytest.raises(RequestRefusedError):
            await ask(server, "blueprint")


async def test_a_stalled_answer_goes_on_when_released() -> None:
    async with ModelServer() as server:
        server.answer("slow but sure")
        server.fail(faults.stall(after_chars=4))
        asking = asyncio.create_task(ask(server, "converse"))
        await server.wait_until(lambda: bool(server.requests) and server.requests[0].sent_bytes > 0)
        server.release()
        assert await asking == "slow but sure"


async def test_a_piece_that_comes_twice_counts_only_where_there_is_one() -> None:
    async with ModelServer() as server:
        for _ in range(2):
            server.answer("slow but sure")
        server.fail(faults.duplicate(after_chars=4), operation="converse")
        server.fail(faults.duplicate(after_chars=400), operation="converse")
        assert await ask(server, "converse") == "slowslow but sure"
        assert await ask(server, "converse") == "slow but sure"
        assert [request.fault for request in server.requests] == ["duplicate", ""]


def test_it_runs_on_a_thread_for_blocking_tests() -> None:
    with serve_in_thread() as server:
        server.answer("from a thread")
        assert asyncio.run(ask(server, "converse")) == "from a thread"


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    command = [sys.executable, "-m", "tests.support.model_server", "--log", str(log)]
    command += ["--session", str(recording("kanban-board")), "--port", "0"]
    command += ["--fault", 'blueprint={"kind": "status", "code": 529}']
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            environ = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": API_KEY}
            model = Providers(environ=environ).build_model(ModelChoice("anthropic", "m"))

            async def play() -> list[str]:
                came: list[str] = []
                request = ModelRequest(
                    operation="blueprint", system="", messages=(ChatMessage("user", "x"),)
                )
                for _ in range(2):
                    try:
                        parts = [item async for item in model.stream(request)]
                        came.append("".join(p.text for p in parts if isinstance(p, TextDelta)))
                    except ModelError as error:
                        came.append(error.code)
                await model.aclose()
                return came

            failed, text = asyncio.run(play())
            assert failed == "model_unavailable"
            assert json.loads(text)["title"] == "Workbench"
            with urllib.request.urlopen(f"{url}/control/requests", timeout=5) as response:
                asked = json.load(response)
            assert [entry["status"] for entry in asked] == [529, 200]
        finally:
            process.terminate()
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2
    assert API_KEY not in log.read_text(encoding="utf-8")
