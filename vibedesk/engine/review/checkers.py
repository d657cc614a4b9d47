"""Runs the starter's own tools on the app and reads what they say."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from vibedesk.engine.builder.templates import Template
from vibedesk.engine.review.issues import Issue, Kind, Source
from vibedesk.engine.review.parsers.eslint import parse_eslint
from vibedesk.engine.review.parsers.node_stack import parse_server_log
from vibedesk.engine.review.parsers.python import (
    parse_mypy,
    parse_pyright,
    parse_ruff,
    parse_tracebacks,
)
from vibedesk.engine.review.parsers.typescript import parse_svelte_check, parse_typescript
from vibedesk.engine.review.parsers.vite import parse_vite
from vibedesk.engine.sandboxes.driver import Exited, OutputLine, Sandbox
from vibedesk.engine.sandboxes.output import MAX_REPORT_CHARS

Run = Callable[[list[str]], Awaitable[tuple[int, list[str]]]]
"""Runs a command where the app runs; returns its exit status and the lines it printed.

The status of one that had to be ended is `NOT_ENDED` (after `MOST_SECONDS`) or `TOO_MUCH` (for what it printed).
"""

MOST_SECONDS = 300.0
NOT_ENDED, TOO_MUCH = 124, 1000

_LAST_LINES = 30
_TOLD_CHARS = 1_000
_LINE_CHARS = 64
"""What keeping a line costs beside its characters."""
_NOT_THERE = frozenset({126, 127})


async def ask(
    sandbox: Sandbox,
    argv: Sequence[str],
    *,
    seconds: float = MOST_SECONDS,
    longest_line: int = MAX_REPORT_CHARS,
) -> tuple[int, list[str]]:
    """Run a command that only looks; return its exit status and lines.

    One that does not end within `seconds` is ended; its status is `NOT_ENDED`. One that prints more than any report
    has is ended, too: `TOO_MUCH`. Lines of up to `longest_line` characters come whole.
    """
    lines: list[str] = []
    room = MAX_REPORT_CHARS
    status = -1
    try:
        async with (
            asyncio.timeout(seconds),
            aclosing(sandbox.exec(argv, longest_line=longest_line)) as output,  # type: ignore[type-var]
        ):
            async for item in output:
                match item:
                    case OutputLine(text=text):
                        lines.append(text)
                        room -= len(text) + _LINE_CHARS
                        if room < 0:
                            status = TOO_MUCH
                            break
                    case Exited(status=status):
                        pass
    except TimeoutError:
        status = NOT_ENDED
    return status, lines


@dataclass(frozen=True, slots=True)
class Checkers:
    """The type checker, the linter and the build of one app.

    Args:
        template: The starter, whose commands these are.
        root: The work folder as the commands see it.
        run: Runs a command there.
    """

    template: Template
    root: str
    run: Run

    async def types(self) -> list[Issue]:
        """Return what the type checker finds."""
        command = self.template.typecheck_command
        return await self._check(_with_json(command, "types"), "types") if command else []

    async def lint(self) -> list[Issue]:
        """Return what the linter finds."""
        command = self.template.lint_command
        return await self._check(_with_json(command, "lint"), "lint") if command else []

    async def build(self) -> list[Issue]:
        """Return what keeps the app from being built."""
        return await self._check(self.template.build_command, "build")

    async def _check(self, command: str, source: Source) -> list[Issue]:
        status, lines = await self.run(shlex.split(command))
        # A whole report may have megabytes.
        issues = await asyncio.to_thread(read_report, "\n".join(lines), self.root, source)
        if status == 0 or any(issue.blocks for issue in issues):
            return issues
        return [*issues, _no_verdict(command, status, lines, source)]


def read_report(output: str, root: str, source: Source) -> list[Issue]:
    """Return the issues in a tool's output, whichever of the known tools it was."""
    match source:
        case "types":
            return [
                *parse_typescript(output, root),
                *parse_svelte_check(output, root),
                *parse_mypy(output, root),
                *parse_pyright(output, root),
            ]
        case "lint":
            return [*parse_eslint(output, root), *parse_ruff(output, root)]
        case "build":
            return [*parse_vite(output, root), *parse_typescript(output, root)]
    return read_log(output, root)


def read_log(log: str, root: str, *, given: Collection[str] = ()) -> list[Issue]:
    """Return the errors in the last lines of a dev server; `given` are files of the app that it did not write."""
    thrown = [*parse_server_log(log, root, given=given), *parse_tracebacks(log, root, given=given)]
    told = [issue.message for issue in thrown]
    return [
        *(
            issue
            for issue in parse_vite(log, root, source="server")
            # What a module throws while it is loaded, Vite tells without the place.
            if issue.file or not any(message.endswith(issue.message) for message in told)
        ),
        *thrown,
    ]


def _with_json(command: str, source: Source) -> str:
    words = shlex.split(command)
    if source == "types":
        return f"{command} --outputjson" if "pyright" in words else command
    if "ruff" in words:
        return f"{command} --output-format json"
    if words[:2] == ["npm", "run"]:
        return f"{command} -- --format json"
    return f"{command} --format json" if "eslint" in command else command


def _no_verdict(command: str, status: int, lines: list[str], source: Source) -> Issue:
    """Return the issue that a tool has said neither what is wrong nor that nothing is."""
    told = [line[:_TOLD_CHARS] for line in lines if line.strip()][-_LAST_LINES:]
    said = told[-1].strip() if told else "it said nothing"
    kind: Kind = "runtime"
    if status in _NOT_THERE:
        kind, code, words = "dependency", "command_missing", f"cannot be run: {said}"
    elif status == NOT_ENDED:
        code, words = "command_endless", f"did not end within {MOST_SECONDS / 60:g} minutes."
    elif status == TOO_MUCH:
        code, words = "command_endless", "printed without end."
    else:
        code, words = "command_failed", f"failed with status {status}: {said}"
    return Issue(
        source=source,
        kind=kind,
        code=code,
        message=f"`{command}` {words}",
        stack="\n".join(told),
        severity="blocking",
    )
