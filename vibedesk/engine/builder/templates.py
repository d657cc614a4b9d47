"""Starter templates: what a new project begins with, and how it is installed, started and built."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.resources import resource
from vibedesk.engine.builder.template_detection import detect
from vibedesk.engine.builder.template_files import META, read_files

DEFAULT_TEMPLATE = "react-vite"

_REMEDY = "It needs a description, install_command, dev_command and build_command."


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageManager:
    """How one language's packages are known by their files.

    Attributes:
        manifest: The file that lists what the app needs.
        lock_files: What installs write and no model does.
        marker: A file that is there once packages were installed.
        folder: Where they lie; tools make it, it is no part of the project.
        commands: The programs whose install commands name such packages.
    """

    manifest: str
    lock_files: tuple[str, ...]
    marker: str
    folder: str
    commands: frozenset[str]

    def takes_from(self, command: str) -> bool:
        """Whether a package that `command` (as in `npm install`) would install is one of these."""
        return command in self.commands


NPM = PackageManager(
    manifest="package.json",
    lock_files=("package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"),
    marker="node_modules/.package-lock.json",
    folder="node_modules",
    commands=frozenset({"npm", "pnpm", "yarn", "bun"}),
)
UV = PackageManager(
    manifest="pyproject.toml",
    lock_files=("uv.lock",),
    marker=".venv/pyvenv.cfg",
    folder=".venv",
    commands=frozenset({"uv", "pip"}),
)
_ADD = {
    "typescript": "npm install --save-exact {packages}",
    "python": "uv add --bounds exact {packages}",
}
_SYNC = {"typescript": "npm install", "python": "uv sync"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One starter. `{host}`, `{port}` and `{packages}` are filled into its commands; an empty command is none."""

    name: str
    title: str = ""
    description: str
    best_for: str = ""
    folder: Path
    language: str = "typescript"
    frameworks: tuple[str, ...]
    important_files: tuple[str, ...]
    untouchable_files: frozenset[str]
    usage: tuple[str, ...]
    install_command: str
    add_command: str
    sync_command: str
    setup_commands: tuple[str, ...] = ()
    """Run in the sandbox after the packages are there, in order: a code generation, a database's first data."""
    dev_command: str
    build_command: str
    build_folder: str = ""
    """What `build_command` writes, which is no part of the project and nothing to the dev server; empty: not known."""
    typecheck_command: str = ""
    lint_command: str = ""
    test_command: str = ""
    preview_command: str = ""
    """Serves what `build_command` made."""
    api_paths: tuple[str, ...] = ()
    fresh_data: Mapping[str, str] = field(default_factory=dict)
    """Variables that make the dev server keep what people enter in `{folder}` instead of the usual place."""
    packages: PackageManager = NPM
    own: bool = False
    """Whether the person brought it."""

    def files(self) -> tuple[dict[str, str], dict[str, bytes]]:
        """Return the starter's text files and binary files by project path, without its own description."""
        return read_files(self.folder)

    def install_argv(self) -> list[str]:
        return shlex.split(self.install_command)

    def setup_argvs(self) -> list[list[str]]:
        return [shlex.split(command) for command in self.setup_commands]

    def add_argv(self, packages: list[str]) -> list[str]:
        argv: list[str] = []
        for word in shlex.split(self.add_command):
            argv.extend(packages if word == "{packages}" else [word])
        return argv

    @property
    def adds_from_registry(self) -> bool:
        """Whether a tool that is known to ask its language's registry adds packages, as in `npx pnpm@10 add`."""
        programs = {word.partition("@")[0] for word in shlex.split(self.add_command)}
        return any(map(self.packages.takes_from, programs))

    def sync_argv(self) -> list[str]:
        """Return the command that installs what the manifest lists now."""
        return shlex.split(self.sync_command)

    def dev_argv(self, host: str, port: int) -> list[str]:
        filled = self.dev_command.replace("{host}", host).replace("{port}", str(port))
        return shlex.split(filled)

    def fresh_data_in(self, folder: str) -> dict[str, str]:
        """Return the variables of a dev server whose data lie in `folder`; empty where it keeps none."""
        return {name: value.replace("{folder}", folder) for name, value in self.fresh_data.items()}

    def is_install(self, command: str) -> bool:
        """Whether `command` only installs packages that manifest and lock file name as well."""
        words = shlex.split(command)
        adding = [word for word in shlex.split(self.add_command) if word != "{packages}"]
        return words[: len(adding)] == adding or words in (self.install_argv(), self.sync_argv())


def load_template(name: str) -> Template:
    """Return the bundled starter called `name`; an absolute path names a folder of the person's own.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: its description cannot be used.
    """
    if Path(name).is_absolute():
        return load_folder(Path(name), name=name)
    folder = resource("templates", name)
    if not name or "/" in name or not (folder / META).is_file():
        raise NotFoundError(
            f"There is no template {name!r}.",
            remedy=f"There are: {', '.join(template_names())}; or give a folder's path or a git address.",
        )
    return load_folder(folder, name=name)


def load_folder(folder: Path, *, name: str, own: bool = False) -> Template:
    """Return the starter in `folder`, by its description or else by what its own files say.

    Raises:
        NotFoundError: there is no such folder.
        InvalidInputError: its description cannot be used, or its files do not say how it is started.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"There is no template {name!r}.", remedy="Put the folder back, or name another one."
        )
    bundled = folder.parent == resource("templates")
    try:
        meta = json.loads((folder / META).read_text("utf-8")) if (folder / META).is_file() else None
        if meta is None:
            meta = detect(folder)
        return _described(name, folder, meta, own=own or not bundled)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"The template {name!r} has no usable {META}.",
            remedy=_REMEDY,
            details={"reason": repr(error)},
        ) from error


def _described(name: str, folder: Path, meta: dict[str, Any], *, own: bool) -> Template:
    language = str(meta.get("language", "typescript"))
    if language not in _ADD:
        raise ValueError(f"language {language!r}")
    packages = UV if language == "python" else NPM
    return Template(
        name=name,
        title=str(meta.get("title") or meta.get("name") or folder.name),
        description=_text(meta["description"]),
        best_for=_words(meta.get("best_for", "")),
        folder=folder,
        language=language,
        frameworks=_list(meta, "frameworks"),
        important_files=_list(meta, "important_files"),
        untouchable_files=frozenset(_list(meta, "dont_touch_files")),
        usage=_list(meta, "usage"),
        install_command=_command(meta["install_command"]),
        add_command=_command(meta.get("add_command", _ADD[language])),
        sync_command=_command(meta.get("sync_command", _SYNC[language])),
        setup_commands=tuple(map(_command, _list(meta, "setup_commands"))),
        dev_command=_command(meta["dev_command"]),
        build_command=_command(meta["build_command"]),
        build_folder=_text(meta.get("build_folder", "")),
        typecheck_command=_command(meta.get("typecheck_command", "")),
        lint_command=_command(meta.get("lint_command", "")),
        test_command=_command(meta.get("test_command") or meta.get("test") or ""),
        preview_command=_command(meta.get("preview_command", "")),
        api_paths=_list(meta, "api_paths"),
        fresh_data={_text(k): _text(v) for k, v in dict(meta.get("fresh_data", {})).items()},
        packages=replace(packages, marker=_text(meta.get("packages_marker", packages.marker))),
        own=own,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _words(value: Any) -> str:
    """Return a text, also of a list of texts."""
    return ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _list(meta: dict[str, Any], key: str) -> tuple[str, ...]:
    found = meta.get(key, [])
    if not isinstance(found, list):
        raise TypeError(f"{key} is no list")
    return tuple(map(_text, found))


def _command(value: Any) -> str:
    shlex.split(_text(value))  # a `ValueError` where its quotes do not match
    return str(value)


def template_names() -> list[str]:
    """Return the bundled starters, the default one first."""
    names = sorted(path.parent.name for path in resource("templates").glob(f"*/{META}"))
    return sorted(names, key=lambda name: name != DEFAULT_TEMPLATE)
