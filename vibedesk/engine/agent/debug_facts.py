"""What a debugging session, or a mend after one that was in vain, may see: files, the server's log, what a command prints. Secrets and excluded files are not."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from vibedesk.base.errors import VibeDeskError
from vibedesk.base.redaction import redacted
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.relevance.scores import named_paths
from vibedesk.engine.builder.relevance.selection import never_shown
from vibedesk.engine.events import Notice
from vibedesk.engine.files.ignore_rules import NEVER_ENTERED, holds_secrets
from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS
from vibedesk.engine.store.file_ages import last_changes

_COMMAND_SECONDS: Final = 60.0
_MOST_LINES: Final = 120
_MOST_CHARACTERS: Final = 12_000
_WANTED = re.compile(r"^\s*\[(?P<what>show|run|log)(?:\s+(?P<rest>[^\]]+))?\]\s*$", re.M)
_ASSIGNED = re.compile(r"""^\s*(?:export\s+)?[\w.-]+\s*=\s*(["']?)(?P<value>.*?)\1\s*$""", re.M)


class DebugFacts:
    """Gives one project's debugging sessions what they ask for, and its mends what they need."""

    def __init__(self, access: ProjectAccess, runtime: AppRuntime) -> None:
        self._access = access
        self._runtime = runtime

    async def of(self, text: str, shown: dict[str, str], versions: dict[str, int]) -> str:
        """Return what an answer asks to see, empty where it asks for nothing.

        Args:
            text: The answer.
            shown: Gets how the files that are shown read.
            versions: Gets the versions of the code that they are shown from.
        """
        pieces = []
        for wanted in _WANTED.finditer(text):
            rest = (wanted["rest"] or "").strip()
            match wanted["what"]:
                case "log":
                    pieces.append(await self._without_secrets(self._log()))
                case "show":
                    pieces += [await self._file(path, shown, versions) for path in rest.split()]
                case "run" if rest:
                    pieces.append(await self._without_secrets(await self._output_of(rest)))
        return "\n\n".join(piece[:_MOST_CHARACTERS] for piece in pieces)

    async def around(self, words: str) -> str:
        """Return how the files that `words` name were changed last, and what the server printed last."""
        changes = await self._access.read(lambda: last_changes(self._access.project_id))
        named = named_paths(words, changes)
        pieces: list[str] = []
        left = _MOST_CHARACTERS
        for path in sorted(named - await self._hidden(named)):
            if (size := len(changes[path])) <= left:
                pieces.append(f'<last_change path="{path}">\n{changes[path]}</last_change>')
                left -= size
        if self._runtime.last_lines:
            pieces.append((await self._without_secrets(self._log()))[:_MOST_CHARACTERS])
        return "\n\n".join(pieces)

    def _log(self) -> str:
        return "The server's last lines:\n" + "\n".join(self._runtime.last_lines)

    async def _file(self, path: str, shown: dict[str, str], versions: dict[str, int]) -> str:
        if path in await self._hidden([path]):
            return f"{path} is not shown: the person excluded it, or it holds secrets or only what was installed."
        files = await self._access.read(self._access.files.closed)
        if path not in files.texts:
            return f"There is no text file {path}."
        shown[path] = files.texts[path]
        versions[path] = files.version
        return f'<file path="{path}">\n{shown[path]}</file>'

    async def _hidden(self, paths: Iterable[str]) -> set[str]:
        marks = await self._access.read(self._access.files.marks)
        return {path for path in paths if "excluded" in marks.get(path, ()) or never_shown(path)}

    async def _output_of(self, command: str) -> str:
        try:
            argv = shlex.split(command)
            if hidden := await self._named_in(argv):
                return f"`{command}` was not run: {hidden} is not shown."
            async with self._runtime.undo.changes(_COMMAND_SECONDS) as undone:
                outcome = await self._outcome_of(command, argv)
        except (ValueError, VibeDeskError) as error:
            return f"`{command}` could not be run: {error}"
        if not undone:
            return outcome
        words = f"`{command}` {undone.what} while a model was debugging. {undone.outcome}"
        await self._access.bus.emit(self._access.project_id, Notice(words, "undone"))
        return (
            f"`{command}` {undone.what}. {undone.outcome} Commands may only look: to change a file, send it.\n"
            + outcome
        )

    async def _outcome_of(self, command: str, argv: list[str]) -> str:
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                status, lines = await self._runtime.ask(argv, longest_line=MAX_LINE_CHARS)
        except TimeoutError:
            return f"`{command}` did not end within {_COMMAND_SECONDS:g} s."
        return f"`{command}` ended with {status}:\n" + "\n".join(lines[-_MOST_LINES:])

    async def _named_in(self, argv: Collection[str]) -> str:
        """Return a file that a command names although it is not shown; empty where there is none."""
        texts = await self._access.read(self._access.files.texts)
        hidden = await self._hidden(texts)
        words = {word for argument in argv for word in re.split(r"[\s'\"=:(),;]+", argument)}
        named = {word.removeprefix("./") for word in words}
        secret = {word for word in named if holds_secrets(word)}
        return next(iter(sorted((hidden & named) | secret)), "")

    async def _without_secrets(self, text: str) -> str:
        return redacted(text, {*self._runtime.given_values, *await self._kept_in_files()})

    async def _kept_in_files(self) -> set[str]:
        """Return the values in the app's environment files, those that were never taken in too."""
        texts = await self._access.read(self._access.files.texts)
        kept = [texts[path] for path in texts if holds_secrets(path)]
        kept += await asyncio.to_thread(lambda: list(_environment_files(self._runtime.folder)))
        return {found["value"] for text in kept for found in _ASSIGNED.finditer(text)}


def _environment_files(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NEVER_ENTERED]
        for name in filter(holds_secrets, names):
            try:
                yield (Path(place) / name).read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # nothing that runs as this user can read it either
