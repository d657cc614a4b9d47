"""Starter templates: what a new project begins with, and how it is installed, started and built."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.resources import resource

DEFAULT_TEMPLATE = "react-vite"
_META = "template.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One starter. Commands are argument lists; `{host}`, `{port}` and `{packages}` are filled in."""

    name: str
    description: str
    folder: Path
    frameworks: tuple[str, ...]
    important_files: tuple[str, ...]
    untouchable_files: frozenset[str]
    usage: tuple[str, ...]
    install_command: str
    add_command: str
    sync_command: str
    dev_command: str
    build_command: str

    def files(self) -> tuple[dict[str, str], dict[str, bytes]]:
        """Return the starter's text files and binary files by project path, without its own description."""
        texts: dict[str, str] = {}
        binaries: dict[str, bytes] = {}
        for path in sorted(self.folder.rglob("*")):
            if not path.is_file() or path.name == _META:
                continue
            name, content = path.relative_to(self.folder).as_posix(), path.read_bytes()
            try:
                texts[name] = content.decode()
            except UnicodeDecodeError:
                binaries[name] = content
        return texts, binaries

    def install_argv(self) -> list[str]:
        return shlex.split(self.install_command)

    def add_argv(self, packages: list[str]) -> list[str]:
        argv: list[str] = []
        for word in shlex.split(self.add_command):
            argv.extend(packages if word == "{packages}" else [word])
        return argv

    def sync_argv(self) -> list[str]:
        """Return the command that installs what package.json lists now."""
        return shlex.split(self.sync_command)

    def dev_argv(self, host: str, port: int) -> list[str]:
        filled = self.dev_command.replace("{host}", host).replace("{port}", str(port))
        return shlex.split(filled)


def load_template(name: str) -> Template:
    """Return the starter called `name`; an absolute path names a folder of the person's own.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: its description cannot be used.
    """
    own = Path(name).is_absolute()
    folder = Path(name) if own else resource("templates", name)
    if not name or (not own and "/" in name) or not (folder / _META).is_file():
        raise NotFoundError(
            f"There is no template {name!r}.",
            remedy=f"There are: {', '.join(template_names())}; or give the path of a folder with a {_META}.",
        )
    try:
        return _described(name, folder, json.loads((folder / _META).read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            f"The template {name!r} has no usable {_META}.",
            remedy="It needs a description, install_command, dev_command and build_command.",
            details={"reason": repr(error)},
        ) from error


def _described(name: str, folder: Path, meta: dict[str, Any]) -> Template:
    return Template(
        name=name,
        description=meta["description"],
        folder=folder,
        frameworks=tuple(meta.get("frameworks", ())),
        important_files=tuple(meta.get("important_files", ())),
        untouchable_files=frozenset(meta.get("dont_touch_files", ())),
        usage=tuple(meta.get("usage", ())),
        install_command=meta["install_command"],
        add_command=meta.get("add_command", "npm install --save-exact {packages}"),
        sync_command=meta.get("sync_command", "npm install"),
        dev_command=meta["dev_command"],
        build_command=meta["build_command"],
    )


def template_names() -> list[str]:
    return sorted(path.parent.name for path in resource("templates").glob(f"*/{_META}"))
