"""Which changes of the document are the person's."""

from __future__ import annotations

_WRITTEN_BY_INSTALLS = frozenset(
    {
        "package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock",
        "pyproject.toml", "uv.lock",
    }
)  # fmt: skip


def is_persons(path: str, origin: str) -> bool:
    """Tell whether a change with this origin is the person's; what installs write on disk is not."""
    if origin == "disk":
        return path.rsplit("/", 1)[-1] not in _WRITTEN_BY_INSTALLS
    return origin == "user"
