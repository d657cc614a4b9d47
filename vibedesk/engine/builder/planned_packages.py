"""Reads the packages that a plan names in its install commands."""

from __future__ import annotations

from collections.abc import Iterable

from vibedesk.engine.builder.templates import PackageManager
from vibedesk.engine.scof import ScofParser
from vibedesk.engine.scof.events import InstallPackages


def package_specs(commands: Iterable[str], manager: PackageManager | None = None) -> list[str]:
    """Return the registry specs of `npm install a@1 b@2` lines, in order, once each; the rest is left out.

    Args:
        commands: Of a plan.
        manager: Whose packages the app can have; another language's are left out. None: any.
    """
    parser = ScofParser()
    events = [
        *parser.feed("".join(f"{command.strip()}\n" for command in commands)),
        *parser.close(),
    ]
    specs: list[str] = []
    for event in events:
        asked = event.command
        if isinstance(asked, InstallPackages) and (
            manager is None or manager.takes_from(asked.manager)
        ):
            specs.extend(spec for spec in asked.packages if spec not in specs)
    return specs
