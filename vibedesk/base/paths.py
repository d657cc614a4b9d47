"""Every directory VibeDesk touches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Where one VibeDesk keeps its data.

    `root` holds the database, blobs, logs and caches; `projects` holds the projects' own folders.
    """

    root: Path
    projects: Path

    @property
    def database(self) -> Path:
        return self.root / "vibedesk.db"

    @property
    def lock(self) -> Path:
        return self.root / "vibedesk.lock"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.enc"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def templates(self) -> Path:
        """The person's own starters."""
        return self.root / "templates"

    @property
    def browser_profiles(self) -> Path:
        return self.root / "browser"


def resolve_home(option: str | os.PathLike[str] | None = None) -> Home:
    """Return the home to use: `--home`, else VIBEDESK_HOME, else the platform's data folder.

    With an explicit home the projects' folders lie inside it, otherwise in ~/VibeDesk.
    """
    chosen = option or os.environ.get("VIBEDESK_HOME") or None
    if chosen is not None:
        root = Path(chosen).expanduser().absolute()
        return Home(root=root, projects=root / "projects")
    import platformdirs

    root = Path(platformdirs.user_data_dir("vibedesk", appauthor=False))
    return Home(root=root, projects=Path.home() / "VibeDesk")


def existing_place(path: Path) -> Path:
    """Return `path`, or the nearest folder (or file) above it that exists."""
    while not path.exists():
        path = path.parent
    return path
