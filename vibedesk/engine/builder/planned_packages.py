"""Reads the packages that a plan names in its install commands."""

from __future__ import annotations

from collections.abc import Iterable

from vibedesk.engine.scof import ScofParser
from vibedesk.engine.scof.events import InstallPackages


def package_specs(commands: Iterable[str]) -> list[str]:
    """Return the registry specs of `npm install a@1 b@2` lines, in order, once each; the rest is left out."""
    parser = ScofParser()
    events = [
        *parser.feed("".join(f"{command.strip()}\n" for command in commands)),
        *parser.close(),
    ]
    specs: list[str] = []
    for event in events:
        if isinstance(event.command, InstallPackages):
            specs.extend(spec for spec in event.command.packages if spec not in specs)
    return specs
