"""What happened since the last answer of the conversation, read from the events that were told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from vibedesk.engine.files.authorship import is_persons
from vibedesk.engine.files.hunks import count_changes
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.store.conversation import ConversationStore
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import Json

_MOST_LINES = 40
_MOST_VERSIONS = 40
"""Each costs building the document as it was."""
_MOST_WORDS = 300
_TOLD = (
    "phase_complete",
    "generation_complete",
    "fix_applied",
    "error",
    "deps_installed",
    "snapshot_created",
    "wish_queued",
    "state_change",
)
_OUTCOMES = {
    True: "and that helped",
    False: "but it did not help",
    None: "which could not be checked",
}
_FILES = ("file_changed", "file_renamed", "file_deleted")
_Told = tuple[str, Json]


def since_last_answer(store: ProjectStore, files: ProjectFiles) -> list[str]:
    """Return what the model cannot know from its last answer, a line each, oldest first. On the store's thread."""
    conversation = ConversationStore(files.project_id)
    told = conversation.told_since(conversation.last_answer(), (*_TOLD, *_FILES))
    names = {p.number: p.name for p in store.phases(files.project_id)}
    lines = [line for kind, data in told if (line := _line(kind, data, names))]
    lines = [line for line, _ in itertools.groupby(lines)]
    by_person = _files_of_person(files, [t for t in told if t[0] in _FILES])
    return [*_shortened(lines), *_shortened(by_person)]


def _line(kind: str, data: Json, names: Mapping[int, str]) -> str:
    match kind:
        case "phase_complete":
            return f"phase {data['index']} was finished: {names.get(data['index'], '')}"
        case "generation_complete":
            return "the app was complete"
        case "fix_applied":
            of = f" ({data['issue']})" if data["issue"] else ""
            return f"{data['path']} was fixed{of}, {_OUTCOMES[data['verified']]}"
        case "error":
            return f"an error was shown: {data['message']}"
        case "deps_installed" if data["packages"]:
            return f"installed: {', '.join(data['packages'])}"
        case "snapshot_created" if data["label"].startswith(("Restored ", "Regenerate ")):
            return f"a version was kept: {data['label']}"
        case "wish_queued" if data["status"] in ("done", "removed"):
            became = "is done" if data["status"] == "done" else "is wished no more"
            return f"the wish “{data['text']}” {became}"
        case "state_change" if data["state"] == "idle":
            return f"the build stopped: {data['reason']}"
    return ""


def _files_of_person(files: ProjectFiles, told: Sequence[_Told]) -> list[str]:
    """Return a line for every file that the person changed, deleted or renamed."""
    changed: dict[str, list[tuple[int, str]]] = {}
    lines: list[str] = []
    for kind, data in told:
        path, version, origin = data["path"], data["version"], data["origin"]
        if kind == "file_changed":
            changed.setdefault(path, []).append((version, origin))
        elif is_persons(path, origin):
            done = (
                f"renamed {path} to {data['new_path']}" if "new_path" in data else f"deleted {path}"
            )
            lines.append(f"the person {done}")
    at = _remembering(lambda version: files.at(version).texts)
    for path, changes in changed.items():
        runs = list(_runs(path, changes))
        if runs:
            lines.append(f"the person changed {path}{_counted(path, runs, at)}")
    return lines


def _runs(path: str, changes: Iterable[tuple[int, str]]) -> Iterable[tuple[int, int]]:
    """Return the (first, last) versions of the person's changes that no other came between."""
    for persons, group in itertools.groupby(changes, key=lambda c: is_persons(path, c[1])):
        versions = [version for version, _ in group]
        if persons:
            yield versions[0], versions[-1]


def _counted(
    path: str,
    runs: Sequence[tuple[int, int]],
    at: Callable[[int], Mapping[str, str] | None],
) -> str:
    added = removed = 0
    for first, last in runs:
        before, after = at(first - 1), at(last)
        if before is None or after is None:
            return ""
        more, fewer = count_changes(before.get(path, ""), after.get(path, ""))
        added, removed = added + more, removed + fewer
    return f" (+{added} −{removed} lines)"


def _remembering(
    look: Callable[[int], Mapping[str, str]],
) -> Callable[[int], Mapping[str, str] | None]:
    """Return `look`, each version looked up once; None for those beyond what it may cost."""
    known: dict[int, Mapping[str, str]] = {}

    def at(version: int) -> Mapping[str, str] | None:
        if version not in known:
            if len(known) >= _MOST_VERSIONS:
                return None
            known[version] = look(version)
        return known[version]

    return at


def _shortened(lines: Sequence[str]) -> list[str]:
    cut = [
        line if len(line) <= _MOST_WORDS else f"{line[:_MOST_WORDS].rstrip()}…"
        for line in lines[-_MOST_LINES:]
    ]
    left = len(lines) - len(cut)
    return [f"({left} more before this)", *cut] if left else cut
