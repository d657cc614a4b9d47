"""Where the recorded model sessions are: those that ship as samples and those that only tests use."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = (_ROOT / "tests" / "recordings", _ROOT / "resources" / "samples")


def recording(slug: str) -> Path:
    """Return the folder of one recorded session (`session.json`, the replies, `expected.json`)."""
    for folder in _FOLDERS:
        if (folder / slug / "session.json").is_file():
            return folder / slug
    raise LookupError(f"no recorded session {slug!r}")


def recordings() -> list[Path]:
    """Return the folders of all recorded sessions, by name."""
    return sorted(
        (path.parent for folder in _FOLDERS for path in folder.glob("*/session.json")),
        key=lambda folder: folder.name,
    )
