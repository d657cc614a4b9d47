"""What a run has to remember to go on after the program ended at any moment."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RunMemory:
    """Stored with every transition, read back on resume.

    Attributes:
        has_blueprint: The blueprint has come and no change of it was asked for since.
        phase: The phase that is open, from 1; 0 before the first.
        packages: Asked for but not installed yet.
        missing_packages: Asked for, but the registry has no such package or version; a fix is to do without.
        refused_install: What the registry said when package.json named a package or version that does not exist.
        packages_changed: Packages were installed since the dev server started.
        after_install: The state that follows `installing_deps`.
        finished: Paths of the open phase that are whole.
        wrote_all: The open phase's files are all in the document.
        fix_tries: Model fixes made in the open phase.
        problems: What the last review found.
        fixed: Paths that a fix wrote and no review has looked at yet.
        allowance_from: How many phases were completed when the present allowance began.
        started_once: The dev server was up at least once, so the app's browser storage hangs on its port.
    """

    has_blueprint: bool = False
    phase: int = 0
    packages: list[str] = field(default_factory=list)
    missing_packages: list[str] = field(default_factory=list)
    refused_install: str = ""
    packages_changed: bool = False
    after_install: str = "implementing_phase"
    finished: list[str] = field(default_factory=list)
    wrote_all: bool = False
    fix_tries: int = 0
    problems: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    allowance_from: int = 0
    started_once: bool = False

    def open_phase(self, number: int, packages: list[str]) -> None:
        """Begin phase `number`, whose plan names `packages`."""
        self.phase = number
        self.packages = list(packages)
        self.missing_packages = []
        self.refused_install = ""
        self.after_install = "implementing_phase"
        self.finished = []
        self.wrote_all = False
        self.fix_tries = 0
        self.problems = []
        self.fixed = []

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> RunMemory:
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})
