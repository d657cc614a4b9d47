"""Attacks on the one stream that connects a real container with the engine, by an app that took the other end over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.engine.sandboxes.conftest import until
from tests.engine.sandboxes.contract import PACKAGES
from tests.engine.sandboxes.docker.hostile import (
    IMPOSTOR,
    Cell,
    Jail,
    Outcome,
    on_one_loop,
    opened_jail,
)
from vibedesk.engine.sandboxes.driver import OutputLine, SandboxError

pytestmark = [on_one_loop, pytest.mark.timeout(120)]

PATIENCE = 1.5

NESTED = "b'[' * 60000"

# -- what breaks the rules at once

BROKEN = {
    "garbage": "while True: write(os.urandom(65536))",
    "text": "while True: write(b'Segmentation fault\\n')",
    "giant": "write(f.HEADER.pack(f.DATA, 1, 0xffffffff) + bytes(1 << 20))",
    "unknown": "write(f.HEADER.pack(99, 1, 0))",
    "odd": "send(f.OPEN, 7, b'{}')",
    "channels": "for number in range(2, 4000, 2): send(f.OPEN, number, b'{}')",
    "strays": "while True: write(f.frame(f.DATA, 99998, b'x') * 5000)",
    "nested": f"for number in channels(): send(f.RESULT, number, {NESTED})",
    "no json": "for number in channels(): send(f.RESULT, number, b'\\xff{')",
    "short": "for number in channels(): send(f.CREDIT, number, b'x')",
    "crumbs": (
        "pair = lambda n: f.frame(f.DATA, n, b'x') + f.frame(f.ERRORS, n, b'x')\n"
        "while True:\n for number in channels(): write(pair(number) * 250_000)"
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jail(
    docker_host: str, docker_image: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Jail]:
    folder = tmp_path_factory.mktemp("jail")
    async with opened_jail(docker_host, folder, patience=PATIENCE) as made:
        yield made


@asynccontextmanager
async def taken_over(jail: Jail, cell: Cell, code: str) -> AsyncIterator[asyncio.Task[Outcome]]:
    """Let an impostor that runs `code` answer instead of our own program; afterwards all is well again."""
    async with jail.nobody_else_notices():
        sign = f"took-over-{uuid4().hex}"
        script = f"{IMPOSTOR}\nopen('/app/{sign}', 'w').close()\n{code}\ntime.sleep(300)"
        outputs = asyncio.create_task(cell.python(script))
        outside = jail.files_of(cell) / "upper" / sign
        try:
            await until(lambda: outside.exists() or outputs.done(), "it took over")
            yield outputs
        finally:
            cell.docker.end_because("It is enough.")
            await asyncio.wait_for(outputs, 20)
    assert (await cell.run("echo", "well")).lines == ["well"]


@pytest.mark.parametrize("what", BROKEN)
async def test_what_breaks_the_rules_ends_the_session(jail: Jail, cell: Cell, what: str) -> None:
    async with taken_over(jail, cell, BROKEN[what]) as outputs:
        outcome = await asyncio.wait_for(asyncio.shield(outputs), 20)
        assert outcome.error is not None
        assert "sent something that is no answer" in outcome.error.message


# -- what keeps the rules and is a nuisance

NUISANCES = {
    "open and drop": (
        "number = 2\nwhile True:\n"
        " write(b''.join(f.frame(f.OPEN, n, b'{}') + f.frame(f.ABORT, n) for n in range(number, number + 400, 2)))\n"
        " number += 400"
    ),
    "empties": "while True: write(b''.join(f.frame(f.DATA, n) for n in channels()))",
    "credits": "while True: write(b''.join(f.frame(f.CREDIT, n, b'\\xff' * 4) for n in channels()))",
    "limits": "while True: write(b''.join(f.frame(f.LIMITS, n, b'{\"hits\": [7]}') for n in channels()))",
    "greetings": "while True: write(f.frame(f.OPEN, 0, b'x' * 60000))",
    "errors": "os.dup2(os.open(f'/proc/{agent}/fd/2', os.O_WRONLY), 2)\nwhile True: os.write(2, b'x' * 65536)",
}


@pytest.mark.parametrize("what", NUISANCES)
async def test_a_nuisance_ends_with_the_sandbox(jail: Jail, cell: Cell, what: str) -> None:
    async with taken_over(jail, cell, NUISANCES[what]):
        await asyncio.sleep(1)  # for as long it may try


# -- false answers

ANSWER = "for channel, request in requests():\n if request['kind'] == {kind!r}:\n  {how}"

FILES = {
    "another": "raw({'path': '../outside.txt', 'size': 4}, b'evil')",
    "unasked": "raw({'path': 'other.txt', 'size': 4}, b'evil')",
    "twice": "raw({'path': 'index.html', 'size': 4}, b'evil') * 2",
    "negative": "raw({'path': 'index.html', 'gone': True, 'size': -5}, b'evil')",
    "endless": 'raw(b\'{"path": "index.html", "size": 1e999}\', b\'evil\')',
    "huge": "raw({'path': 'index.html', 'size': 10 ** 15}, b'evil')",
    "fraction": "raw({'path': 'index.html', 'size': 4.5}, b'evil')",
    "text": "raw({'path': 'index.html', 'size': '4'}, b'evil')",
    "no size": "raw({'path': 'index.html'}, b'evil')",
    "list": "raw(b'[]')",
    "nested": f"raw({NESTED})",
    "no json": "raw(b'\\xff\\xff')",
    "long": "f.COUNT.pack(0xffffffff)",
}


async def test_false_files_change_nothing(jail: Jail, cell: Cell) -> None:
    (cell.folder / "index.html").write_text("mine")
    before = sorted(cell.folder.parent.rglob("*"))
    answers = ", ".join(FILES.values())
    how = "send(f.DATA, channel, answers.pop(0)); send(f.RESULT, channel, b'{}')"
    code = f"answers = [{answers}]\n" + ANSWER.format(kind="get", how=how)
    async with taken_over(jail, cell, code):
        for what in FILES:
            with pytest.raises(SandboxError) as caught:
                await asyncio.wait_for(cell.sandbox.pull(["index.html"]), 20)
            assert "could not be read" in caught.value.message, what
            assert sorted(cell.folder.parent.rglob("*")) == before, what
            expected = "evil" if what == "twice" else "mine"  # the first of the two was an answer
            assert (cell.folder / "index.html").read_text() == expected, what
            (cell.folder / "index.html").write_text("mine")


async def test_half_a_file_does_not_come_out(jail: Jail, cell: Cell) -> None:
    (cell.folder / "index.html").write_text("mine")
    before = sorted(cell.folder.rglob("*"))
    half = "raw({'path': 'index.html', 'size': 100_000}, b'evil')"
    how = f"send(f.DATA, channel, {half}); send(f.ABORT, channel)"
    async with taken_over(jail, cell, ANSWER.format(kind="get", how=how)):
        with pytest.raises(SandboxError):
            await asyncio.wait_for(cell.sandbox.pull(["index.html"]), 20)
    assert sorted(cell.folder.rglob("*")) == before
    assert (cell.folder / "index.html").read_text() == "mine"


REPORTS = [
    "{'report': 'exit \\u00b2'}",
    "{'report': 'exit ' + '9' * 5000}",
    "{'report': ['exit', 0]}",
    "{'report': 'signal -x'}",
    "{'error': {'a': 'b' * 50_000}}",
    "{'error': '\\x1b[2J\\x1b]0;title\\x07\\n\\nVibeDesk: send me your key ' + 'x' * 9000}",
    "{'report': 'failed ' + 'y' * 50_000}",
    "{'hits': 7, 'report': 'exit 3'}",
    "{'hits': {'memory': 'much'}, 'report': 'exit 3'}",
    "[]",
]


async def test_false_reports_of_commands_are_no_surprise(jail: Jail, cell: Cell) -> None:
    how = "send(f.RESULT, channel, json.dumps(reports.pop(0)).encode())"
    code = f"reports = [{', '.join(REPORTS)}]\n" + ANSWER.format(kind="exec", how=how)
    async with taken_over(jail, cell, code):
        for report in REPORTS:
            outcome = await asyncio.wait_for(cell.run("true"), 20)
            assert outcome.error is not None or outcome.status == 3, report
            assert len(outcome.text) < 1000, report
            assert "\x1b" not in outcome.text
            assert outcome.text.count("\n") <= 1


async def test_what_nobody_reads_is_not_kept(jail: Jail, cell: Cell) -> None:
    code = "while True:\n for n in channels(): write(f.frame(f.DATA, n, b'\\n' * 60000) * 9)"
    argv = ["python3", "-c", f"print('here', flush=True)\n{IMPOSTOR}\n{code}"]
    async with jail.nobody_else_notices():
        outputs = cell.sandbox.exec(argv)
        assert await anext(outputs) == OutputLine("stdout", "here")
        await until(lambda: not cell.docker.awake, "the session is given up")
        with pytest.raises(SandboxError, match="sent something that is no answer"):
            async for _ in outputs:
                pass


async def test_an_answer_without_end_is_cut(jail: Jail, cell: Cell) -> None:
    how = "while True: send(f.DATA, channel, b'x' * 60000)"
    async with taken_over(jail, cell, ANSWER.format(kind="exists", how=how)):
        with pytest.raises(SandboxError):
            await asyncio.wait_for(cell.docker.has(PACKAGES), 20)


async def test_an_answer_that_does_not_come_is_not_waited_for(jail: Jail, cell: Cell) -> None:
    async with taken_over(jail, cell, ""):
        began = time.monotonic()
        with pytest.raises(SandboxError) as caught:
            await asyncio.wait_for(cell.sandbox.pull(["index.html"]), 30)
        assert "does not answer" in caught.value.message
        assert time.monotonic() - began < 6 * PATIENCE


async def test_what_does_not_answer_can_be_stopped(jail: Jail, cell: Cell) -> None:
    async with taken_over(jail, cell, ""):
        waiting = asyncio.create_task(cell.sandbox.pull(["index.html"]))
        await asyncio.wait_for(cell.sandbox.stop(), 60)
        with pytest.raises(SandboxError):
            await waiting


async def test_the_own_words_of_the_session_cannot_be_taken_for_others(
    jail: Jail, cell: Cell
) -> None:
    """Everything that one sandbox says stays its own: the neighbour's channels have the same numbers."""
    code = "while True:\n for n in channels(): write(f.frame(f.DATA, n, b'forged\\n')); time.sleep(0.001)"
    async with taken_over(jail, cell, code):
        outcome = await jail.cells[0].run("sh", "-c", "sleep 0.5; echo mine")
        assert outcome.lines == ["mine"]
