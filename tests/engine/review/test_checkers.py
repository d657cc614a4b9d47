"""Which commands check an app, and what becomes of what they print."""

from __future__ import annotations

import dataclasses
import json

import pytest

from vibedesk.engine.builder.templates import Template, load_template
from vibedesk.engine.review.checkers import NOT_ENDED, TOO_MUCH, Checkers, read_log, read_report

REACT = load_template("react-vite")
TYPE_ERROR = "src/App.tsx(3,7): error TS2304: Cannot find name 'Titel'."


class Told:
    """Answers every command alike, and remembers them."""

    def __init__(self, status: int, *lines: str) -> None:
        self._answer = (status, list(lines))
        self.asked: list[list[str]] = []

    async def __call__(self, argv: list[str]) -> tuple[int, list[str]]:
        self.asked.append(argv)
        return self._answer


def checkers(told: Told, template: Template = REACT) -> Checkers:
    return Checkers(template, "/app", told)


async def test_the_starters_own_commands_are_run() -> None:
    told = Told(0)
    of = checkers(told)
    assert [*await of.types(), *await of.lint(), *await of.build()] == []
    assert told.asked == [
        ["npm", "run", "typecheck"],
        ["npm", "run", "lint", "--", "--format", "json"],
        ["npm", "run", "build"],
    ]


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("uv run ruff check .", ["uv", "run", "ruff", "check", ".", "--output-format", "json"]),
        ("npx eslint src", ["npx", "eslint", "src", "--format", "json"]),
        ("node lint.mjs", ["node", "lint.mjs"]),
    ],
)
async def test_linters_are_asked_for_json(command: str, asked: list[str]) -> None:
    told = Told(0)
    await checkers(told, dataclasses.replace(REACT, lint_command=command)).lint()
    assert told.asked == [asked]


async def test_pyright_is_asked_for_json_too() -> None:
    told = Told(0)
    await checkers(told, dataclasses.replace(REACT, typecheck_command="uv run pyright")).types()
    assert told.asked == [["uv", "run", "pyright", "--outputjson"]]


async def test_a_starter_without_a_tool_is_not_checked_by_it() -> None:
    told = Told(1)
    of = checkers(told, dataclasses.replace(REACT, typecheck_command="", lint_command=""))
    assert [*await of.types(), *await of.lint()] == []
    assert told.asked == []


async def test_errors_that_are_read_stand_for_the_failure() -> None:
    [issue] = await checkers(Told(2, "> tsc -b", TYPE_ERROR)).types()
    assert (issue.code, issue.place, issue.source) == ("TS2304", "src/App.tsx:3:7", "types")


async def test_a_failure_that_nobody_can_read_is_an_issue_too() -> None:
    [issue] = await checkers(Told(1, "one", "the config is wrong", "")).types()
    assert (issue.code, issue.severity) == ("command_failed", "blocking")
    assert issue.message == "`npm run typecheck` failed with status 1: the config is wrong"
    assert issue.stack == "one\nthe config is wrong"
    [endless] = await checkers(Told(1, "x" * 100_000)).types()
    assert len(endless.message) + len(endless.stack) < 5_000
    [silent] = await checkers(Told(3)).build()
    assert "it said nothing" in silent.message


async def test_warnings_alone_do_not_explain_a_failure() -> None:
    warning = [
        {
            "filePath": "/app/src/App.tsx",
            "messages": [
                {"ruleId": "no-x", "severity": 1, "message": "hm", "line": 1, "column": 1}
            ],
        }
    ]
    issues = await checkers(Told(2, json.dumps(warning))).lint()
    assert [(i.code, i.severity) for i in issues] == [
        ("no-x", "warning"), ("command_failed", "blocking"),
    ]  # fmt: skip
    assert [i.code for i in await checkers(Told(0, json.dumps(warning))).lint()] == ["no-x"]


@pytest.mark.parametrize("status", [126, 127])
async def test_a_tool_that_is_not_there_has_not_found_the_app_clean(status: int) -> None:
    [issue] = await checkers(Told(status, "sh: tsc: not found")).types()
    assert (issue.code, issue.kind, issue.blocks) == ("command_missing", "dependency", True)
    assert issue.message.endswith("cannot be run: sh: tsc: not found")


async def test_a_tool_that_had_to_be_ended_has_not_found_the_app_clean() -> None:
    for status, said in (
        (NOT_ENDED, "did not end within 5 minutes."),
        (TOO_MUCH, "printed without end."),
    ):
        [issue] = await checkers(Told(status, "no end")).types()
        assert (issue.code, issue.blocks) == ("command_endless", True)
        assert issue.message == f"`npm run typecheck` {said}"


def test_each_source_has_its_own_readers() -> None:
    traceback = (
        'Traceback (most recent call last):\n  File "/app/app/main.py", line 7, in <module>\n'
        "    import nothing\nModuleNotFoundError: No module named 'nothing'"
    )
    assert [i.code for i in read_report(TYPE_ERROR, "/app", "types")] == ["TS2304"]
    assert [i.code for i in read_report(TYPE_ERROR, "/app", "build")] == ["TS2304"]
    assert read_report(TYPE_ERROR, "/app", "lint") == []
    [issue] = read_log(f"INFO: started\n{traceback}\n", "/app")
    assert (issue.source, issue.place) == ("server", "app/main.py:7")
    assert read_report(traceback, "/app", "server") == [issue]
