"""What a run has to remember to go on after the program ended at any moment."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from vibedesk.base.clock import iso

MOST_UNASKED = 3
"""Mends an hour that nobody asked for: an open page would pay for ever."""

UNSEEN_ASKED: Final = "asked"
UNSEEN_ACCEPTED: Final = "accepted"


@dataclass(slots=True)
class RunMemory:
    """Stored with every transition, read back on resume.

    Attributes:
        has_blueprint: The blueprint has come and no change of it was asked for since.
        edited: The fields of the blueprint that the person edited; another plan keeps them.
        refused_plan: Why the last blueprint's first phase cannot be written; the next one is asked for with that.
        objected: Nobody looked on, so the run ended because the wish is no web app; to go on is to agree to the plan.
        awaits_answers: The person was asked something; nothing is done before they answer.
        phase: The phase that is open, from 1; 0 before the first.
        packages: Asked for but not installed yet.
        missing_packages: Asked for, but the registry has no such package or version; a fix is to do without.
        refused_install: What the registry said when package.json named a package or version that does not exist.
        refused_manifest: The manifest's text when that happened last and no install went well since; phases do not try it
            again as it is.
        server_failed: Why the dev server did not start with what was written last; a review looks at that.
        packages_changed: Packages were installed since the dev server started.
        after_install: The state that follows `installing_deps`.
        finished: Paths of the open phase that are whole.
        wrote_all: The open phase's files are all in the document.
        fix_tries: Model fixes made in the open phase.
        tries: How many of them were for each issue (signature).
        repaired: Issues (signatures) that repair without a model was tried on.
        checks_asked: Failed checks (signatures) whose wording a model was asked about.
        corrections: How often a model corrected each check (name) in the open phase.
        own_checks: Checks (names) that the person wrote or edited; no model changes them.
        roadmap_open: The person changed steps of the roadmap to come, and no phase was planned since.
        debugged: Issues (signatures) that were debugged in depth.
        debug_sessions: How many such debuggings a model took part in, in the open phase.
        reviewed: A model has looked over the open phase's code.
        reviewed_whole: It was asked what is missing altogether, too, for nothing else was planned; before that review,
            whether it was with the phase before.
        fix_of: Issues (signatures) that the fix was for that no review has looked at yet.
        fix_strategy: How the fix was made that no review has looked at yet: deterministic, model, debug, checks.
        rest_in: The state that a review or a fix of an app at rest returns to; empty in a build.
        ended: All is built and was looked at, and the app is not complete only because something is known not to work.
        wanted: Issues (signatures) that the person asked to be mended, warnings too.
        awaits_person: What may be tried was tried; nothing is done before the person decides.
        unseen: No browser could look at the app: `asked` while the person has to decide, `accepted` where they let it be.
        fixed: Paths that a fix wrote and no review has looked at yet.
        mended_unasked: When mends began that nobody had asked for (UTC), as far as it matters.
        allowance_from: How many phases were completed when the present allowance began.
        started_once: The dev server was up at least once, so the app's browser storage hangs on its port.
    """

    has_blueprint: bool = False
    edited: list[str] = field(default_factory=list)
    refused_plan: str = ""
    objected: bool = False
    awaits_answers: bool = False
    phase: int = 0
    packages: list[str] = field(default_factory=list)
    missing_packages: list[str] = field(default_factory=list)
    refused_install: str = ""
    refused_manifest: str = ""
    server_failed: str = ""
    packages_changed: bool = False
    after_install: str = "implementing_phase"
    finished: list[str] = field(default_factory=list)
    wrote_all: bool = False
    fix_tries: int = 0
    tries: dict[str, int] = field(default_factory=dict)
    repaired: list[str] = field(default_factory=list)
    checks_asked: list[str] = field(default_factory=list)
    corrections: dict[str, int] = field(default_factory=dict)
    own_checks: list[str] = field(default_factory=list)
    roadmap_open: bool = False
    debugged: list[str] = field(default_factory=list)
    debug_sessions: int = 0
    reviewed: bool = False
    reviewed_whole: bool = False
    fix_of: list[str] = field(default_factory=list)
    fix_strategy: str = ""
    rest_in: str = ""
    ended: bool = False
    wanted: list[str] = field(default_factory=list)
    awaits_person: bool = False
    unseen: str = ""
    fixed: list[str] = field(default_factory=list)
    mended_unasked: list[str] = field(default_factory=list)
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
        self.fixed = []
        self.reviewed_whole = self.reviewed and self.reviewed_whole
        self.reviewed = False
        self.rest_in = ""
        self.ended = False
        self.unseen = ""
        self.try_again()

    def try_again(self) -> None:
        """Forget what was tried at mending, so that all of it may be tried anew."""
        self.server_failed = ""
        self.fix_tries = 0
        self.tries = {}
        self.repaired = []
        self.checks_asked = []
        self.corrections = {}
        self.debugged = []
        self.debug_sessions = 0
        self.wanted = []
        self.awaits_person = False
        if self.unseen == UNSEEN_ASKED:
            self.unseen = ""

    @property
    def lacks_packages(self) -> bool:
        """Whether packages were refused, so that nothing else of the app can be looked at."""
        return bool(self.missing_packages or self.refused_install)

    def may_mend_unasked(self, now: str) -> bool:
        """Whether the last hour had few enough mends that nobody asked for; if so, one begins `now`."""
        hour_ago = iso(datetime.fromisoformat(now) - timedelta(hours=1))
        self.mended_unasked = [begun for begun in self.mended_unasked if begun > hour_ago]
        if len(self.mended_unasked) >= MOST_UNASKED:
            return False
        self.mended_unasked.append(now)
        return True

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> RunMemory:
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})
