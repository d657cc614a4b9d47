"""The recorded examples that ship with VibeDesk, and how to read a recording.

    for sample in list_samples(): ...
    sample = get_sample("kanban-board")         # NotFoundError with a suggestion
    model = RecordedModel(sample.folder)

A recording is a folder with `session.json`, which lists the replies of a model in the order of the calls.
Everything here reads small files; call it off the loop.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.resources import resource
from vibedesk.engine.models.protocol import BadAnswerError
from vibedesk.engine.models.structured import recover_json

ReplyKind = Literal["blueprint", "phase", "implement", "fix", "conversation"]

_MANIFEST = "session.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReply:
    """One reply of a recording: what it answers, and the file that holds it. Conversations have phase 0."""

    kind: ReplyKind
    phase: int
    path: Path

    def text(self) -> str:
        """Return the reply as the model wrote it, byte for byte."""
        raw = self.path.read_bytes().decode("utf-8", errors="replace")
        if self.kind != "conversation":
            return raw
        conversation = _conversation(raw, self.path)
        parts = [str(conversation.get("reply", "")), str(conversation.get("scof", ""))]
        return "\n\n".join(part for part in parts if part)

    def user_message(self) -> str:
        """Return what the person said before this conversation reply."""
        raw = self.path.read_bytes().decode("utf-8", errors="replace")
        return str(_conversation(raw, self.path).get("user", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The replies of one recorded session, in the order of its calls.

    `truncated` maps the file of an implement reply to the one that holds its broken-off variant, and
    `continued` is what came when that was asked to go on.
    """

    slug: str
    folder: Path
    replies: tuple[RecordedReply, ...]
    truncated: dict[str, Path]
    continued: Path | None

    def reply(self, kind: ReplyKind, phase: int) -> RecordedReply | None:
        """Return the first reply of that kind and phase."""
        return next(
            (reply for reply in self.replies if reply.kind == kind and reply.phase == phase), None
        )

    def conversations(self) -> tuple[RecordedReply, ...]:
        return tuple(reply for reply in self.replies if reply.kind == "conversation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A recorded example to watch: the wish, what it became, and what can be said to it afterwards.

    `messages` are the only ones the recording answers, in this order. `bundled` ones are VibeDesk's own and run
    without asking.
    """

    slug: str
    title: str
    description: str
    prompt: str
    phases: int
    messages: tuple[str, ...]
    palette: tuple[str, ...]
    folder: Path
    bundled: bool


def list_samples() -> list[Sample]:
    """Return the samples that ship with VibeDesk, by slug."""
    folders = sorted(path.parent for path in resource("samples").glob(f"*/{_MANIFEST}"))
    return [load_sample(folder, bundled=True) for folder in folders]


def get_sample(name: str) -> Sample:
    """Return the sample with that slug or title, or the recording in that folder.

    Raises:
        NotFoundError: There is none; the remedy names the nearest.
    """
    samples = list_samples()
    wanted = name.strip().casefold()
    for sample in samples:
        if wanted in (sample.slug.casefold(), sample.title.casefold()):
            return sample
    folder = Path(name).expanduser()
    if (folder / _MANIFEST).is_file():
        return load_sample(folder, bundled=False)
    slugs = [sample.slug for sample in samples]
    near = difflib.get_close_matches(wanted, slugs, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise NotFoundError(
        f"There is no sample “{name}”.", remedy=f"{hint}Samples: {', '.join(slugs)}."
    )


def is_bundled(name: str) -> bool:
    """Tell whether a sample ships with VibeDesk; one whose recording is gone or broken does not."""
    if not name:
        return False
    try:
        return get_sample(name).bundled
    except (NotFoundError, InvalidInputError):
        return False


def load_sample(folder: Path, *, bundled: bool) -> Sample:
    """Read the head data of one recording.

    Raises:
        InvalidInputError: The folder holds no readable recording.
    """
    recording = load_recording(folder)
    blueprint = _blueprint(recording)
    prompt = folder / "prompt.txt"
    return Sample(
        slug=recording.slug,
        title=str(blueprint.get("title") or recording.slug),
        description=str(blueprint.get("description") or ""),
        prompt=prompt.read_text(encoding="utf-8").strip() if prompt.is_file() else "",
        phases=max((reply.phase for reply in recording.replies), default=0),
        messages=tuple(reply.user_message() for reply in recording.conversations()),
        palette=tuple(str(color) for color in blueprint.get("color_palette") or ()),
        folder=folder,
        bundled=bundled,
    )


def load_recording(folder: Path) -> Recording:
    """Read `session.json` of a folder.

    Raises:
        InvalidInputError: It is missing or not in the form of a recording.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        replies = tuple(_reply(folder, entry) for entry in manifest["order"])
        variants: dict[str, str] = manifest.get("variants") or {}
        slug = str(manifest.get("slug") or folder.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            "This folder does not hold a recorded session.",
            remedy="Choose a folder with a session.json.",
            details={"folder": str(folder), "reason": f"{type(error).__name__}: {error}"},
        ) from error
    truncated = {
        f"{Path(name).name.removesuffix('.truncated.scof')}.scof": folder / name
        for name in variants
        if name.endswith(".truncated.scof")
    }
    continued = next((folder / name for name in variants if name.endswith("-continue.scof")), None)
    return Recording(
        slug=slug, folder=folder, replies=replies, truncated=truncated, continued=continued
    )


def _reply(folder: Path, entry: dict[str, Any]) -> RecordedReply:
    kind, path = entry["kind"], folder / entry["file"]
    if kind not in get_args(ReplyKind):
        raise ValueError(f"unknown kind {kind!r}")
    if not path.is_file():
        raise ValueError(f"{entry['file']} is missing")
    return RecordedReply(kind=cast(ReplyKind, kind), phase=int(entry.get("phase") or 0), path=path)


def _conversation(raw: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise InvalidInputError(
            "A recorded conversation cannot be read.", details={"file": path.name}
        ) from error
    return found if isinstance(found, dict) else {}


def _blueprint(recording: Recording) -> dict[str, Any]:
    reply = next((reply for reply in recording.replies if reply.kind == "blueprint"), None)
    if reply is None:
        return {}
    try:
        found = recover_json(reply.text())
    except BadAnswerError:
        return {}
    return found if isinstance(found, dict) else {}
