"""What nothing caught is found in a server's log; what an app has dealt with, or an end brings, is not."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.review.checkers import read_log
from vibedesk.engine.review.parsers.node_stack import parse_server_log
from vibedesk.engine.review.uncaught import uncaught_errors
from vibedesk.engine.sandboxes.node import find_toolchains

_REPORTS = Path(__file__).with_name("reports")
_TRACEBACK = 'Traceback (most recent call last):\n  File "/app/app/weather.py", line 9, in fetch\n    get()\n'


def told(log: str) -> list[tuple[str, str]]:
    return [(issue.message, issue.place) for issue in uncaught_errors(log, "/app")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "uncaught-fastapi",  # after an answer, in a task and in a thread
            [
                ("ValueError: no visits", "app/routes/home.py:32"),
                ("KeyError: 'tick'", "app/routes/home.py:36"),
            ],
        ),
        (
            "uncaught-node-api",  # a rejection that nobody awaits
            [
                ("TypeError: Cannot read properties of null (reading 'total')", "src/routes/entries.ts:39:3")
            ],
        ),
        (
            "node-crash",
            [("Error: ENOENT: no such file or directory, open '/nope/x.json'", "n.mjs:2:37")],
        ),
        # Messages of several lines: a package's own, Node's, the app's, and one that the app tells of itself.
        (
            "uncaught-zod",
            [
                (
                    'ZodError: [ { "expected": "number", "code": "invalid_type", "path": [ "port" ], "message": '
                    '"Invalid input: expected number, received string" }, { "origin": "string", "code": "too_small", '
                    '"minimum": 1, "inclusive": true, "path": [ "name" ], "message": "Too small: expected string to have '
                    ">=1 characte…",
                    "src/settings.ts:5:34",
                )
            ],
        ),
        (
            "uncaught-require",
            [("Error: Cannot find module './nope.cjs'", "src/load.cjs:1:16")],
        ),
        (
            "uncaught-lines",
            [("Error: The table is not as it should be", "src/lines.mjs:2:9")],
        ),
        ("uncaught-late", [("TypeError: Nothing was saved.", "src/late.mjs:2:9")]),
    ],
)  # fmt: skip
def test_what_servers_really_printed(name: str, found: list[tuple[str, str]]) -> None:
    log = (_REPORTS / f"{name}.txt").read_text("utf-8")
    assert told(log) == found
    assert {(i.source, i.severity) for i in uncaught_errors(log, "/app")} == {
        ("server", "blocking")
    }


@given(
    message=st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), max_size=20),
    fields=st.sampled_from([[], ["  code: 'E_ROWS',", "  rows: [ 1 ]", "}"]]),
)
@example(message=["", "] at once", "  indented"], fields=[])
def test_a_message_may_have_several_lines(message: list[str], fields: list[str]) -> None:
    frames = ["    at read (/app/src/a.ts:4:9)", "    at node:internal/main:1:1"]
    handled = "TypeError: fetch failed\n    at get (/app/src/weather.ts:3:1)\n"
    above = f"{handled}/app/src/a.ts:4\nthrow new Error(said)\n      ^\n\n"
    lines = [
        "RowError: not read",
        *message,
        *frames[:-1],
        frames[-1] + " {" * bool(fields),
        *fields,
    ]
    assume(not any(re.search(r"(Error|Exception)|^\s+at ", line) for line in message))
    stack = "\n".join(lines)
    assert told(f"{above}{stack}\n\nNode.js v24.19.0\n") == [("RowError: not read", "src/a.ts:4:9")]
    assert told(f"{handled}unhandledRejection {stack}\n") == [
        ("RowError: not read", "src/a.ts:4:9")
    ]
    known = [(i.message, i.place) for i in parse_server_log(f"{handled}{stack}\n", "/app")]
    assert known == [
        ("TypeError: fetch failed", "src/weather.ts:3:1"),
        ("RowError: not read", "src/a.ts:4:9"),
    ]


def test_no_error_gets_the_stack_of_a_later_one() -> None:
    other = "TypeError: fetch failed\n    at get (/app/src/weather.ts:3:1)\n"
    log = f"[app-error] Error: no stack\nGET / 200\ncould not tell: {other}"
    much = "GET / 200\n" * 100
    assert told(f"Uncaught Error: no stack\n{much}    at get (/app/src/a.ts:3:1)\n") == []
    assert [i.message for i in parse_server_log(log, "/app")] == []
    assert [i.message for i in parse_server_log(f"Error: no stack\n{other}", "/app")] == [
        "TypeError: fetch failed"
    ]


@pytest.mark.parametrize(
    "words",
    ["Unhandled rejection: ", "Unhandled Rejection at: Promise reason: ", "uncaughtException\n", "[unhandledRejection] "],
)  # fmt: skip
def test_an_app_that_tells_of_it_itself_is_understood(words: str) -> None:
    log = f"{words}TypeError: rows.map is not a function\n    at list (/app/src/list.js:4:9)\nlistening\n"
    assert told(log) == [("TypeError: rows.map is not a function", "src/list.js:4:9")]


@pytest.mark.parametrize(
    "said",
    [
        "TypeError: Cannot read properties of undefined (reading 'isCancelled')",
        "OrderCancelledError: it was sent already",
        "Error: Cancelled booking not found",
        "Error: no handler of EPIPELINE",
        "RangeError: KeyboardInterrupt and AbortError are no names of keys",
    ],
)
def test_what_an_app_names_after_an_end_is_its_fault_all_the_same(said: str) -> None:
    assert told(f"Uncaught {said}\n    at a (/app/src/a.ts:1:1)\n") == [(said, "src/a.ts:1:1")]
    python = f"ERROR:    Exception in ASGI application\n{_TRACEBACK}app.{said}\n"
    assert told(python) == [(f"app.{said}", "app/weather.py:9")]


@pytest.mark.parametrize("name", ["AbortError: ", "DOMException [AbortError]: ", "Error [EPIPE]: "])
def test_the_names_of_an_end_in_full(name: str) -> None:
    assert told(f"Uncaught {name}it is over\n    at a (/app/src/a.ts:1:1)\n") == []


def test_the_end_of_node_is_told_by_what_stands_right_above_it() -> None:
    handled = "TypeError: fetch failed\n    at get (/app/src/weather.ts:3:1)\n"
    text = "node:internal/modules/run_main:123\n    triggerUncaughtException(\n    ^\ntext\n(Use `node --trace-uncaught ...`)\n"
    assert told(f"{handled}\n{text}\nNode.js v24.19.0\n") == []
    thrown = "Error: outer\n    at a (/app/src/a.ts:1:1) {\n  extra: { a: [ 1 ] },\n  b: 'two'\n}\n"
    assert told(f"{handled}\n{thrown}\nNode.js v24.19.0\n") == [("Error: outer", "src/a.ts:1:1")]
    # Some keep no empty lines of a log.
    assert told(f"{handled}{thrown}Node.js v24.19.0\n") == [("Error: outer", "src/a.ts:1:1")]


@pytest.mark.parametrize(
    "log",
    [
        "Weather is not there, showing none\nTypeError: fetch failed\n    at get (/app/src/weather.ts:3:1)\n",
        f"WARNING: no weather\n{_TRACEBACK}OSError: no network\n",
        "[app-error] GET /api/notes: Error: no such table\n    at all (/app/server/notes.ts:3:1)\n",
        "[app-error] The server code cannot be loaded: Error: transport was disconnected\n    at x (/app/server/a.ts:5:1)\n",
        f"ERROR:    Exception in ASGI application\n{_TRACEBACK}asyncio.exceptions.CancelledError: Task cancelled\n",
        "Uncaught Error: read ECONNRESET\n    at read (/app/src/a.ts:1:1)\n",
        "Process SpawnProcess-2:\n" + _TRACEBACK + "ModuleNotFoundError: No module named 'app.new'\n",
        "listening for unhandledRejection\nGET / 200\n",
        "Node.js v24.19.0\n",
        "",
    ],
    ids=["handled", "logged", "answered", "reloading", "cancelled", "gone", "restarting", "words", "version", "silent"],
)  # fmt: skip
def test_what_is_no_fault_is_passed_over(log: str) -> None:
    assert told(log) == []


def test_a_server_in_typescript_names_the_lines_as_they_were_written(tmp_path: Path) -> None:
    """Node runs it without its types; of the full-stack starter `tests/starters` tells it."""
    declared = "interface Total {\n  sum: number\n}\ntype Totals = Map<string, Total>\n\n"
    text = f"{declared}const totals: Totals | null = null\nconsole.log((totals as unknown as Totals).size)\n"
    program = tmp_path / "src" / "main.ts"
    program.parent.mkdir()
    program.write_text(text, "utf-8")
    command = load_template("node-api").preview_command
    argv = [str(find_toolchains()[0].node), *shlex.split(command)[1:]]
    ended = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    for found in (uncaught_errors, read_log):
        [issue] = found(ended.stderr, str(tmp_path))
        assert issue.message == "TypeError: Cannot read properties of null (reading 'size')"
        assert issue.place == "src/main.ts:7:43"
