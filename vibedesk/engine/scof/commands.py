"""Tells what one line outside of file bodies asks for.

A line is a command when its first word is on a fixed list, else it is prose. Nothing here is run: the
result are values that say which body follows, which packages are wanted, what is moved or removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vibedesk.engine.scof.events import (
    FileMode,
    InstallPackages,
    OtherCommand,
    RemovePath,
    RenamePath,
)
from vibedesk.engine.scof.packages import read_package_line
from vibedesk.engine.scof.shell_words import Heredoc, Pipeline, SimpleCommand, split_command_line

_KNOWN_COMMANDS = frozenset(
    {
        *(
            "cat",
            "tee",
            "patch",
            "rm",
            "mv",
            "cp",
            "mkdir",
            "rmdir",
            "touch",
            "ln",
            "chmod",
            "sed",
            "ls",
        ),
        *(
            "npm",
            "npx",
            "pnpm",
            "yarn",
            "bun",
            "bunx",
            "node",
            "deno",
            "corepack",
            "tsc",
            "vite",
            "next",
        ),
        *("pip", "pip3", "uv", "uvx", "python", "python3", "poetry", "cargo", "go"),
        *(
            "git",
            "cd",
            "pwd",
            "echo",
            "printf",
            "export",
            "source",
            "sudo",
            "bash",
            "sh",
            "curl",
            "wget",
        ),
        *("docker", "docker-compose", "unzip", "tar"),
    }
)
_PROMPT = re.compile(r"\s*(?:\$\s+)?")
_FIRST_WORD = re.compile(r"[^\s'\"\\<>|;&]+")
_PATCH_OPTIONS_WITH_VALUE = frozenset(
    {"-p", "-F", "-d", "-i", "-o", "-r", "-B", "-D", "-V", "-Y", "-z"}
)


@dataclass(frozen=True, slots=True)
class OpenBody:
    """A heredoc follows. `path` None: what follows names its own paths (a patch with file headers)."""

    path: str | None
    mode: FileMode
    heredoc: Heredoc


@dataclass(frozen=True, slots=True)
class SkipBody:
    """A heredoc follows that makes no file."""

    heredoc: Heredoc


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that the person should know about the line."""

    text: str


Step = (
    tuple[str, InstallPackages | RemovePath | RenamePath | OtherCommand]
    | OpenBody
    | SkipBody
    | Advice
)
"""A command comes with the text it was read from."""


def is_command(line: str) -> bool:
    """Tell whether the first word of `line`, after an optional `$ `, is a known command."""
    prompt = _PROMPT.match(line)
    first = _FIRST_WORD.match(line, prompt.end() if prompt else 0)
    return first is not None and first[0] in _KNOWN_COMMANDS


def strip_prompt(line: str) -> str:
    """Return `line` without surrounding blanks and a leading `$ `."""
    return _PROMPT.sub("", line, count=1).strip()


def lacks_heredoc(line: str) -> bool:
    """Tell whether `line` names a file to write but no body, so that `<<` may stand on the next line."""
    pipelines = split_command_line(line)
    if not pipelines:
        return False
    commands = pipelines[-1].commands
    if any(command.heredoc for command in commands):
        return False
    name, operands = _name_and_operands(commands[-1])
    return (name == "cat" and bool(commands[-1].outputs)) or (
        name in ("tee", "patch") and bool(operands)
    )


def read_command_line(line: str) -> list[Step]:
    """Return the steps of a command line in order; bodies follow in the order of their steps."""
    steps: list[Step] = []
    for pipeline in split_command_line(line):
        if is_command(pipeline.text):
            steps.extend(_read_pipeline(pipeline))
    if line.startswith("cd ") and any(isinstance(step, OpenBody) for step in steps):
        steps.insert(0, Advice(f"cd is not followed, paths start at the project: {line[:200]}"))
    return steps


def _name_and_operands(command: SimpleCommand) -> tuple[str, list[str]]:
    words = command.words
    if words and words[0] == "sudo":
        words = words[1:]
    return (words[0], words[1:]) if words else ("", [])


def _read_pipeline(pipeline: Pipeline) -> Iterator[Step]:
    heredoc = next((c.heredoc for c in pipeline.commands if c.heredoc), None)
    if heredoc is not None:
        yield from _read_heredoc(pipeline, heredoc)
        return
    first = pipeline.commands[0]
    name, operands = _name_and_operands(first)
    if name == "git" and operands[:1] in (["rm"], ["mv"]):
        name, operands = operands[0], operands[1:]
    if name in ("rm", "mv") and len(pipeline.commands) == 1:
        yield from _read_file_operation(name, operands, pipeline.text)
        return
    line = read_package_line(first.words[1:] if first.words[:1] == ["sudo"] else first.words)
    if line is None:
        yield pipeline.text, OtherCommand(pipeline.text)
        return
    if line.packages:
        yield pipeline.text, InstallPackages(line.manager, line.packages, line.development)
    if line.rejected:
        yield Advice(f"not installed, no plain package names: {' '.join(line.rejected)[:200]}")


def _read_heredoc(pipeline: Pipeline, heredoc: Heredoc) -> Iterator[Step]:
    for command in reversed(pipeline.commands):
        name, operands = _name_and_operands(command)
        if name == "patch" or (name == "git" and operands[:1] == ["apply"]):
            path = _patched_path(operands) if name == "patch" else None
            yield OpenBody(path, "patch", heredoc)
            return
        if name == "tee":
            named = [word for word in operands if not word.startswith("-")]
            if named:
                appends = any(word in ("-a", "--append", "-ai") for word in operands)
                yield OpenBody(" ".join(named), "append" if appends else "full", heredoc)
                return
        if name == "cat" and command.outputs and command is pipeline.commands[-1]:
            appends, path = command.outputs[-1]
            yield OpenBody(path, "append" if appends else "full", heredoc)
            return
    yield pipeline.text, OtherCommand(pipeline.text)
    yield SkipBody(heredoc)


def _patched_path(operands: list[str]) -> str | None:
    named: list[str] = []
    skip = False
    for word in operands:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _PATCH_OPTIONS_WITH_VALUE
        else:
            named.append(word)
    return " ".join(named) or None


def _read_file_operation(name: str, operands: list[str], text: str) -> Iterator[Step]:
    ends = operands.index("--") if "--" in operands else len(operands)
    named = [word for word in operands[:ends] if not word.startswith("-")] + operands[ends + 1 :]
    named = [word for word in named if word]
    if name == "rm" and named:
        for word in named:
            yield text, RemovePath(word.rstrip("/") or word)
    elif name == "mv" and len(named) >= 2:
        *sources, target = named
        into_folder = target.endswith("/") or len(sources) > 1
        for source in sources:
            bare = source.rstrip("/") or source
            goal = f"{target.rstrip('/')}/{bare.rsplit('/', 1)[-1]}" if into_folder else target
            yield text, RenamePath(bare, goal)
    else:
        yield text, OtherCommand(text)
