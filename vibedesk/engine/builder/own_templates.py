"""Every starter there is: the bundled ones and the person's own, which are kept in the home."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

from vibedesk.base.errors import InvalidInputError, NotFoundError, VibeDeskError
from vibedesk.engine.builder.schemas import kebab_case
from vibedesk.engine.builder.template_files import META, plain_files
from vibedesk.engine.builder.template_source import SourceAddress, fetched
from vibedesk.engine.builder.templates import Template, load_folder, load_template, template_names

_SOURCE = ".vibedesk-source"
_MOST_NAME = 40


class Templates:
    """The starters of one home. All methods block; they touch the disk, `add` perhaps the network.

    Args:
        own: Where the person's own are kept; None: only the bundled ones.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own

    def all(self) -> list[Template]:
        """Return every starter that can be used, the bundled ones first."""
        found = [load_template(name) for name in template_names()]
        for name in self._own_names():
            try:
                found.append(self.load(name))
            except VibeDeskError:
                continue  # somebody spoiled it by hand; who asks for it is told
        return found

    def load(self, name: str) -> Template:
        """Return the starter called `name`; a path with `/` or `~/` first names a folder that is used where it lies.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: its description cannot be used.
        """
        if self._own is not None and name in self._own_names():
            return load_folder(self._own / name, name=name, own=True)
        if name.startswith("~/"):
            return load_template(str(Path(name).expanduser()))
        return load_template(name)

    def named(self, name: str) -> Template | None:
        """Return the starter that a model means by `name`; never a folder elsewhere. None: there is none such."""
        wanted = kebab_case(name)
        for template in self.all():
            if wanted and wanted in (template.name, kebab_case(template.title)):
                return template
        return None

    def add(self, source: str) -> Template:
        """Take over a folder (absolute or with `~/`) or a git repository (`address`, `address@branch`), and keep it.

        The same source again replaces what was kept of it.

        Raises:
            InvalidInputError: it cannot be used as a template, or its address is none.
            NotFoundError: there is no such folder, repository or branch.
        """
        if self._own is None:
            raise InvalidInputError("Templates can only be added to a home.")
        address = SourceAddress.parse(source)
        self._own.mkdir(parents=True, exist_ok=True)
        incoming = self._own / f".incoming-{secrets.token_hex(4)}"
        try:
            with fetched(address, incoming.with_name(f"{incoming.name}-git")) as folder:
                if not folder.is_dir():
                    raise NotFoundError(
                        f"There is no folder {folder}.", remedy="Check the path of the template."
                    )
                if not (folder / META).is_file():
                    load_folder(
                        folder, name=address.name
                    )  # says what is missing before anything is copied
                _copy(folder, incoming)
            load_folder(incoming, name=address.name)
            (incoming / _SOURCE).write_text(address.text, "utf-8")
            name = self._name_for(address, incoming)
            target = self._own / name
            if target.exists():
                target.rename(incoming.with_name(f"{incoming.name}-old"))
            incoming.rename(target)
        finally:
            for rest in self._own.glob(f"{incoming.name}*"):
                shutil.rmtree(rest, ignore_errors=True)
        return self.load(name)

    def remove(self, name: str) -> None:
        """Forget one of the person's own.

        Raises:
            NotFoundError: it is none of them.
        """
        if self._own is None or name not in self._own_names():
            own = ", ".join(self._own_names())
            raise NotFoundError(
                f"There is no template of your own called {name!r}.",
                remedy=f"Yours are: {own}." if own else "You have added none.",
            )
        shutil.rmtree(self._own / name)

    def _own_names(self) -> list[str]:
        if self._own is None or not self._own.is_dir():
            return []
        return sorted(p.name for p in self._own.iterdir() if p.is_dir() and p.name[0] != ".")

    def _name_for(self, address: SourceAddress, folder: Path) -> str:
        assert self._own is not None
        named = ""
        if (folder / META).is_file():
            named = str(json.loads((folder / META).read_text("utf-8")).get("name", ""))
        base = (kebab_case(named) or kebab_case(address.name) or "template")[:_MOST_NAME].strip("-")
        name, number, bundled = base, 1, set(template_names())
        while name in bundled or (
            (self._own / name).exists() and _source_of(self._own / name) != address.text
        ):
            number += 1
            name = f"{base}-{number}"
        return name


def _source_of(folder: Path) -> str:
    place = folder / _SOURCE
    return place.read_text("utf-8") if place.is_file() else ""


def _copy(folder: Path, target: Path) -> None:
    target.mkdir()
    for path, place in plain_files(folder):
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, copy)
        copy.chmod(place.stat().st_mode & 0o755 | 0o600)
