"""What a whole SCOF stream, or several that continue one another, comes to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from vibedesk.engine.scof.errors import PatchError
from vibedesk.engine.scof.events import (
    Command,
    InstallPackages,
    OtherCommand,
    RemovePath,
    RenamePath,
    ScofEvent,
)
from vibedesk.engine.scof.parser import ScofParser
from vibedesk.engine.scof.patches import patch_outcome


class FilePatch(TypedDict):
    """A change to a file that this stream did not write."""

    path: str
    diff: str


class FileAppend(TypedDict):
    """Text for the end of a file that this stream did not write."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class FileOperation:
    """One step in the stream's order: `text` is the content, the diff or the text to append."""

    kind: Literal["write", "patch", "append", "delete", "rename"]
    path: str
    text: str = ""
    target: str = ""


@dataclass(slots=True)
class ScofResult:
    """The stream's outcome; `operations` is the same in order, `partial` the text of the truncated file.

    The fields are read as: delete, rename, write `files`, apply `patches`, append. A truncated body is
    in none of them.
    """

    files: dict[str, str] = field(default_factory=dict)
    patches: list[FilePatch] = field(default_factory=list)
    appends: list[FileAppend] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    renamed: list[list[str]] = field(default_factory=list)
    install_commands: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    truncated: str | None = None
    warnings: list[str] = field(default_factory=list)
    partial: str = ""
    operations: list[FileOperation] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return what `vibedesk scof --json` prints."""
        return {
            "files": dict(self.files),
            "patches": list(self.patches),
            "appends": list(self.appends),
            "deleted": list(self.deleted),
            "renamed": list(self.renamed),
            "install_commands": list(self.install_commands),
            "commands": list(self.commands),
            "refused": list(self.refused),
            "truncated": self.truncated,
            "warnings": list(self.warnings),
        }


def parse_scof(chunks: Iterable[str]) -> ScofResult:
    """Parse a whole stream; the result does not depend on how it is cut."""
    parser, collector = ScofParser(), ScofCollector()
    for chunk in chunks:
        for event in parser.feed(chunk):
            collector.add(event)
    for event in parser.close():
        collector.add(event)
    return collector.result()


class ScofCollector:
    """Folds events into a `ScofResult`. The events of a reply to `continue` go into the same collector."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}  # pieces, so that many appends stay cheap
        self._patches: dict[str, list[str]] = {}
        self._appends: dict[str, list[str]] = {}
        self._deleted: dict[str, int] = {}  # with the number of operations before it
        self._touched: dict[str, int] = {}  # likewise, for what was written, patched or appended to
        self._renamed: list[tuple[str, str]] = []
        self._packages: dict[str, None] = {}
        self._commands: list[str] = []
        self._refused: dict[str, None] = {}
        self._warnings: list[str] = []
        self._truncated: str | None = None
        self._partial = ""
        self._operations: list[FileOperation] = []

    def add(self, event: ScofEvent) -> None:
        if event.kind == "end":
            self._end(event)
        elif event.kind == "command" and event.command is not None:
            self._command(event.command)
        elif event.kind == "refused":
            self._refused[event.path] = None
            self._warnings.append(f"refused {event.path!r}: {event.text}")
        elif event.kind == "warning":
            self._warnings.append(event.text)

    def result(self) -> ScofResult:
        """Return what the events so far come to."""
        gone = {path for path in self._known_paths() if self._is_in_removed_folder(path)}
        return ScofResult(
            files={
                path: "".join(pieces) for path, pieces in self._files.items() if path not in gone
            },
            patches=[
                FilePatch(path=path, diff=diff)
                for path, diffs in self._patches.items()
                for diff in diffs
                if path not in gone
            ],
            appends=[
                FileAppend(path=path, text=text)
                for path, texts in self._appends.items()
                for text in texts
                if path not in gone
            ],
            deleted=list(self._deleted),
            renamed=[list(pair) for pair in self._renamed],
            install_commands=list(self._packages),
            commands=list(self._commands),
            refused=list(self._refused),
            truncated=self._truncated,
            warnings=list(self._warnings),
            partial=self._partial,
            operations=list(self._operations),
        )

    def _end(self, event: ScofEvent) -> None:
        path, text = event.path, event.text
        if event.truncated:
            self._truncated, self._partial = path, text
            self._warnings.append(f"the stream ended inside {path}")
            return
        if path == self._truncated and event.mode == "full":
            self._truncated, self._partial = None, ""
        self._touched[path] = len(self._operations)
        if event.mode == "patch":
            self._patch(path, text)
        elif event.mode == "append":
            self._operations.append(FileOperation("append", path, text))
            if path in self._files:
                self._files[path].append(text)
            else:
                self._appends.setdefault(path, []).append(text)
        else:
            self._operations.append(FileOperation("write", path, text))
            self._forget(path)
            self._deleted.pop(path, None)
            self._files[path] = [text]

    def _patch(self, path: str, diff: str) -> None:
        self._operations.append(FileOperation("patch", path, diff))
        if path not in self._files:
            self._patches.setdefault(path, []).append(diff)
            return
        try:
            outcome = patch_outcome("".join(self._files[path]), diff)
        except PatchError as error:
            self._refused[path] = None
            self._warnings.append(
                f"the patch of {path} was refused ({error.reason}): {error.message}"
            )
            return
        if outcome.already_applied:
            self._warnings.append(f"already_applied: the patch of {path} was in the file already")
        self._files[path] = [outcome.text]

    def _command(self, command: Command) -> None:
        match command:
            case InstallPackages():
                self._packages.update(dict.fromkeys(command.packages))
            case RemovePath():
                self._operations.append(FileOperation("delete", command.path))
                self._forget(command.path)
                self._deleted[command.path] = len(self._operations)
            case RenamePath():
                self._rename(command.source, command.target)
            case OtherCommand():
                self._commands.append(command.text)

    def _rename(self, source: str, target: str) -> None:
        self._operations.append(FileOperation("rename", source, target=target))
        self._renamed.append((source, target))
        if source == target:
            return
        self._forget(target)
        self._deleted.pop(target, None)
        self._touched[target] = len(self._operations)
        if source in self._files:
            self._files[target] = self._files.pop(source)
        for changes in (self._patches, self._appends):
            if source in changes:
                changes[target] = changes.pop(source)

    def _forget(self, path: str) -> None:
        for known in (self._files, self._patches, self._appends):
            known.pop(path, None)

    def _known_paths(self) -> Iterator[str]:
        return itertools.chain(self._files, self._patches, self._appends)

    def _is_in_removed_folder(self, path: str) -> bool:
        """Tell whether a folder above `path` was removed after `path` was last touched."""
        if not self._deleted:
            return False
        touched = self._touched[path]
        end = path.rfind("/")
        while end > 0:
            if self._deleted.get(path[:end], -1) > touched:
                return True
            end = path.rfind("/", 0, end)
        return False
