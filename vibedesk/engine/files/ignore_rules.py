"""Which paths of a work folder belong to the project: not what .gitignore names, what tools make, or secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pathspec import GitIgnoreSpec

NEVER_ENTERED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "dist",
        ".vite",
        ".next",
        ".nuxt",
        ".svelte-kit",
        ".turbo",
        ".parcel-cache",
        ".cache",
        ".venv",
        "__pycache__",
        ".idea",
        ".pnpm-store",
        ".npm",
        ".pytest_cache",
        ".ruff_cache",
        ".mypy_cache",
    }
)
_NEVER_KEPT = frozenset({".git", "node_modules"})
_NEVER_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".eslintcache"})
_SHARED_ENVIRONMENTS = frozenset({".env.example", ".env.sample", ".env.template"})
_ALWAYS_FILES = frozenset(
    {"package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "uv.lock"}
)
TEMPORARY_PREFIX = ".vibedesk-"
IGNORE_FILE = ".gitignore"

ReadIgnoreFile = Callable[[str], str | None]


class IgnoreRules:
    """The rules of one folder; .gitignore files are read when a folder is first asked about.

    Args:
        read: Returns the text of a .gitignore by its path, None where there is none.
    """

    def __init__(self, read: ReadIgnoreFile) -> None:
        self._read = read
        self._specs: dict[str, GitIgnoreSpec | None] = {}
        self._entered: dict[str, bool] = {}

    def enters(self, folder: str) -> bool:
        """Whether anything in `folder` may belong to the project."""
        return folder.rsplit("/", 1)[-1] not in NEVER_ENTERED and not self._named(folder + "/")

    def takes(self, path: str) -> bool:
        """Whether a file in a folder that is entered belongs to the project."""
        name = path.rsplit("/", 1)[-1]
        if name in _ALWAYS_FILES:
            return True
        if name in _NEVER_FILES or name.startswith(TEMPORARY_PREFIX) or holds_secrets(path):
            return False
        return not self._named(path)

    def belongs(self, path: str) -> bool:
        """Whether the file at `path` belongs to the project, every folder above it considered."""
        for folder in folders_above(path):
            if folder not in self._entered:
                self._entered[folder] = self.enters(folder)
            if not self._entered[folder]:
                return False
        return self.takes(path)

    def ignored(self, path: str) -> bool:
        """Whether git is not to have it: .gitignore names it, or it holds secrets or lies among packages.

        The project's own .gitignore files are never left out: a version without them would not say what it leaves out.
        """
        if holds_secrets(path):
            return True
        folders = folders_above(path)
        if any(folder.rsplit("/", 1)[-1] in _NEVER_KEPT for folder in folders):
            return True
        if is_ignore_file(path):
            return False
        return self._named(path) or any(self._named(f"{folder}/") for folder in folders)

    def _named(self, path: str) -> bool:
        # The innermost .gitignore that says anything about a path decides.
        for folder in reversed(["", *folders_above(path.rstrip("/"))]):
            spec = self._spec(folder)
            if spec is not None:
                inside = path[len(folder) + 1 :] if folder else path
                said = spec.check_file(inside).include
                if said is not None:
                    return said
        return False

    def _spec(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            text = self._read(f"{folder}/{IGNORE_FILE}" if folder else IGNORE_FILE)
            self._specs[folder] = _parsed(text.splitlines()) if text is not None else None
        return self._specs[folder]


def holds_secrets(path: str) -> bool:
    """Whether the file is made to hold keys and passwords (.env, .env.local), whatever .gitignore says."""
    name = path.rsplit("/", 1)[-1].lower()
    return (name == ".env" or name.startswith(".env.")) and name not in _SHARED_ENVIRONMENTS


def is_ignore_file(path: str) -> bool:
    return path.rsplit("/", 1)[-1] == IGNORE_FILE


def in_tools_folder(path: str) -> bool:
    """Whether `path` lies in a folder that is never entered, whatever .gitignore says."""
    return any(part in NEVER_ENTERED for part in path.split("/")[:-1])


def folders_above(path: str) -> list[str]:
    """Return the folders that `path` lies in, outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _parsed(lines: Iterable[str]) -> GitIgnoreSpec:
    good: list[str] = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # git ignores patterns that it cannot read, too
        good.append(line)
    return GitIgnoreSpec.from_lines(good)
