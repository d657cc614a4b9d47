"""One form for everything that is wrong with an app, whoever found it."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Json = dict[str, Any]

Source = Literal[
    "types", "lint", "build", "server", "runtime", "page", "check", "review", "security"
]
Kind = Literal["import", "type", "syntax", "dependency", "runtime", "style", "behaviour"]
Severity = Literal["critical", "blocking", "warning"]
"""critical: the app does not start or a page does not render; blocking: something promised does not work."""

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "blocking", "warning")
_ADDRESS = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?/?", re.I)
_ABSOLUTE = re.compile(r"(?:file://)?(?:[A-Za-z]:)?(?:/[\w.@+-]+){2,}/")
_QUERY = re.compile(r"\?[tv]=[0-9a-f]+")
_TOKEN = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b(?:0x[0-9a-f]+|(?=[a-f]*\d)[0-9a-f]{8,})\b"
    r"|(?<![\w-])(?=[\w-]*\d[\w-]*\d)[\w-]{20,}(?![\w-])",
    re.I,
)
"""Names that a program makes up: UUIDs, digests, random ids."""
_NUMBER = re.compile(r"\d+")
# Backticks stay: they name components, as in React's warnings.
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|(?<!\w)'[^'\n]*'(?!\w)")
_QUOTING: Final[frozenset[Source]] = frozenset({"runtime", "check", "server"})
"""Sources whose words may quote the app's data; a tool quotes the code, and so does what tells of an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something wrong. `file` is a project path, `line` and `column` count from 1; empty or 0 where not known.

    `evidence` holds what else shows it (a failed check's step, the console, a picture's digest), as JSON.
    """

    source: Source
    kind: Kind
    message: str
    severity: Severity
    code: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    stack: str = ""
    evidence: Json = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """What makes two findings the same: not the line, which moves with every edit above it, nor the data at hand.

        A reader's numbers are no data: they are what the finding is about.
        """
        said = _QUERY.sub("", _ADDRESS.sub("", _ABSOLUTE.sub("", self.message)))
        if self.source in _QUOTING and self.kind not in ("import", "dependency"):
            said = _QUOTED.sub('"', said)
        if self.source != "review":
            said = _NUMBER.sub("#", _TOKEN.sub("#", said))
        parts = (self.source, self.code, self.file, " ".join(said.split()), *self._check_step)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @property
    def _check_step(self) -> tuple[str, ...]:
        """Which step of which check failed; nothing where it is no failed check."""
        check = self.evidence.get("check") if self.source == "check" else None
        return (str(check), str(self.evidence.get("step"))) if check else ()

    @property
    def blocks(self) -> bool:
        """Whether the phase stays open while it is there."""
        return self.severity != "warning"

    @property
    def place(self) -> str:
        """`src/App.tsx:3:7`, as far as it is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)

    def to_dict(self) -> Json:
        return {**dataclasses.asdict(self), "signature": self.signature}

    @classmethod
    def from_dict(cls, stored: Json) -> Issue:
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})


def deduplicated(issues: Iterable[Issue]) -> list[Issue]:
    """Return each issue once, the gravest first, then by file and line."""
    first: dict[str, Issue] = {}
    for issue in issues:
        known = first.get(issue.signature)
        if known is None or rank(issue) < rank(known):
            first[issue.signature] = issue
    return sorted(first.values(), key=rank)


def rank(issue: Issue) -> tuple[int, str, int, int]:
    """Return what issues are ordered by: the gravest first, then by file and line."""
    return SEVERITIES.index(issue.severity), issue.file, issue.line, issue.column
