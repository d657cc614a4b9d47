"""Variables that the app needs: the model lists them in `.env.example`, the person is asked for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import VariableAsked
from vibedesk.engine.store.variables import VariableRecord, put_variable, variables
from vibedesk.engine.variables import is_reserved

_FILE_NAME = ".env.example"
_LINE = re.compile(
    r"""\s* (?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_]{0,99}) \s*=\s*
        (?P<value>"[^"]*"|'[^']*'|[^#]*?) \s* (?:\#\s*(?P<note>.*))?$""",
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(
    r"<.*>|\.{2,}|x{3,}|change[-_ ]?me.*|replace[-_ ]?(me|with).*|your[-_ ].*|todo|.*_(here|goes_here)",
    re.IGNORECASE,
)
_PUBLIC_BEGINNINGS = ("VITE_", "PUBLIC_", "NEXT_PUBLIC_")
_MOST_ASKED = 40
_MOST_PURPOSE = 200


@dataclass(frozen=True, slots=True)
class WantedVariable:
    """A variable that an example file leaves for the person to fill in."""

    name: str
    purpose: str


def wanted_variables(text: str) -> Iterator[WantedVariable]:
    """Yield what `.env.example` leaves open; a line with a usable default asks for nothing.

    The comment above a line, or behind it, says what it is for.
    """
    above: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            above.append(line.strip().lstrip("#").strip())
            continue
        found = _LINE.match(line)
        if found is not None:
            value = found["value"].strip("\"'")
            purpose = found["note"] or " ".join(filter(None, above))
            if not value or _PLACEHOLDER.fullmatch(value):
                yield WantedVariable(found["name"], purpose[:_MOST_PURPOSE])
        above = []


async def ask_for_variables(access: ProjectAccess) -> None:
    """Note the variables that the project's example files leave open, and ask the person for the new ones."""

    def work(emit: Emit) -> None:
        known = {variable.name for variable in variables(access.project_id)}
        paths = [path for path in access.files.list() if path.rsplit("/", 1)[-1] == _FILE_NAME]
        for path in paths:
            for wanted in wanted_variables(access.files.read(path)):
                if wanted.name in known or is_reserved(wanted.name) or len(known) >= _MOST_ASKED:
                    continue
                known.add(wanted.name)
                # What a bundler puts into the page is no secret, whatever it is called.
                secret = not wanted.name.startswith(_PUBLIC_BEGINNINGS)
                asked = VariableRecord(
                    name=wanted.name, secret=secret, purpose=wanted.purpose, asked_by="agent"
                )
                put_variable(access.project_id, asked)
                emit(VariableAsked(wanted.name, wanted.purpose))

    await access.commit(work)
