"""A problem as the window knows it, and its words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QCoreApplication

from vibedesk.ui.widgets.amounts import count, money
from vibedesk.ui.widgets.times import moment_words
from vibedesk.ui.work import Work

Level = Literal["error", "warning"]
Status = Literal["open", "skipped", "given_up"]
MOST_TRIES = 3
"""Of a model at one problem, before it is debugged."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try at mending a problem; `outcome` is empty while nobody looked at it yet."""

    strategy: str
    outcome: str
    at: str
    paths: tuple[str, ...]
    cost: float | None
    tokens: int = 0
    session: str = ""
    """The debugging whose transcript can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One issue of the event `diagnostics`; `line` and `column` count from 1, 0 where not known."""

    signature: str
    source: str
    message: str
    severity: str
    code: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    stack: str = ""
    status: Status = "open"
    first_seen: str = ""
    times_seen: int = 1
    tries: tuple[Try, ...] = ()

    @property
    def level(self) -> Level:
        return "warning" if self.severity == "warning" else "error"

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.strip().split("\n", 1)[0]

    @property
    def place(self) -> str:
        """`src/App.tsx:3:7`, as far as it is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)

    @property
    def short_place(self) -> str:
        """`App.tsx:3:7`."""
        return self.place.rsplit("/", 1)[-1]

    @property
    def model_tries(self) -> int:
        return sum(tried.strategy == "model" for tried in self.tries)

    def text(self) -> str:
        """Return everything there is to it, for the clipboard."""
        head = f"{self.headline} [{self.code}]" if self.code else self.headline
        rest = self.message.strip().split("\n", 1)[1:]
        return "\n".join(part for part in (head, self.place, *rest, self.stack.strip()) if part)


def problem_of(issue: Mapping[str, Any]) -> Problem:
    """Return an issue of `diagnostics` or of `ProjectView.issues`."""
    tries = tuple(
        Try(
            strategy=str(tried.get("strategy", "")),
            outcome=str(tried.get("outcome") or ""),
            at=str(tried.get("at", "")),
            paths=tuple(map(str, tried.get("paths") or ())),
            cost=tried.get("cost"),
            tokens=int(tried.get("tokens") or 0),
            session=str(tried.get("session") or ""),
        )
        for tried in issue.get("fixes_tried") or ()
    )
    return Problem(
        signature=str(issue["signature"]),
        source=str(issue["source"]),
        message=str(issue["message"]),
        severity=str(issue["severity"]),
        code=str(issue.get("code") or ""),
        file=str(issue.get("file") or ""),
        line=int(issue.get("line") or 0),
        column=int(issue.get("column") or 0),
        stack=str(issue.get("stack") or ""),
        status=issue.get("status") or "open",
        first_seen=str(issue.get("first_seen") or ""),
        times_seen=int(issue.get("times_seen") or 1),
        tries=tries,
    )


def tally(problems: Iterable[Problem]) -> tuple[int, int]:
    """Return how many errors and how many warnings there are; what was skipped does not count."""
    levels = Counter(problem.level for problem in problems if problem.status != "skipped")
    return levels["error"], levels["warning"]


def clean_words(sources: Collection[str]) -> str:
    """Return what is well where no problem is known after a look by `sources`; what was not looked at is not claimed."""
    named = {
        "types": _tr("types"),
        "lint": _tr("lint"),
        "page": _tr("the running app"),
    }
    clean = [words for source, words in named.items() if source in sources]
    if len(clean) > 1:
        listed = _tr("{0} and {1}").format(", ".join(clean[:-1]), clean[-1])
        said = _tr("{0} are all clean.").format(listed)
    elif clean:
        said = _tr("{0} is clean.").format(*clean)
    else:
        said = _tr("The server answers.") if "server" in sources else ""
    if "page" not in sources:
        said += _tr(" The running app was not looked at in a browser.")
    return (said[:1].upper() + said[1:]).strip()


def source_words(source: str) -> str:
    """Return who found a problem, such as Types, Lint or Preview."""
    words = {
        "types": _tr("Types"),
        "lint": _tr("Lint"),
        "build": _tr("Build"),
        "server": _tr("Server"),
        "runtime": _tr("Preview"),
        "page": _tr("Page"),
        "check": _tr("Check"),
        "review": _tr("Review"),
        "security": _tr("Security"),
    }
    return words.get(source, source.capitalize())


def is_being_fixed(problem: Problem, work: Work) -> bool:
    """Whether a run mends it now; warnings are left until the errors are gone."""
    return work == "fixing" and problem.status == "open" and problem.level == "error"


def status_words(problem: Problem, work: Work) -> str:
    """Return what becomes of it."""
    if problem.status == "skipped":
        return _tr("Skipped")
    if problem.status == "given_up":
        return _tr("Needs you")
    if is_being_fixed(problem, work):
        return _tr("Fixing")
    if work == "fixing":
        return _tr("Waits for the errors")
    return _tr("Waits for the review") if work == "building" else ""


def level_words(level: Level) -> str:
    return _tr("Error") if level == "error" else _tr("Warning")


def seen_words(problem: Problem) -> str:
    """Return since when it is known and how often it was seen."""
    if not problem.first_seen:
        return ""
    if problem.times_seen > 1:
        words = _tr("First seen {when}, seen {count} times")
        return words.format(when=moment_words(problem.first_seen), count=problem.times_seen)
    return _tr("First seen {when}").format(when=moment_words(problem.first_seen))


def try_words(tried: Try) -> str:
    """Return a try and its outcome in one line."""
    how = {
        "deterministic": _tr("Without a model"),
        "model": _tr("By the model"),
        "debug": _tr("By debugging"),
    }.get(tried.strategy, tried.strategy.capitalize())
    outcomes = {
        "": _tr("not looked at yet"),
        "still there": _tr("still there"),
        "fixed": _tr("helped"),
        "no mend": _tr("found no cause"),
    }
    outcome = outcomes.get(tried.outcome, tried.outcome)
    names = [path.rsplit("/", 1)[-1] for path in tried.paths]
    if len(names) > 2:
        names = [_tr("{count} files").format(count=len(names))]
    parts = [f"{how}: {outcome}", ", ".join(names)]
    if tried.cost is not None:
        parts.append(money(tried.cost))
    return " · ".join(part for part in parts if part)


def cost_words(*problems: Problem) -> str:
    """Return what the tries at problems came to, `$0.21, 12 k tokens`, as far as it is known.

    A try at several of them counts once.
    """
    tries = {(t.strategy, t.at, t.session): t for problem in problems for t in problem.tries}
    known = [tried.cost for tried in tries.values() if tried.cost is not None]
    tokens = sum(tried.tokens for tried in tries.values())
    parts = [money(sum(known))] if known else []
    if tokens:
        parts.append(_tr("{0} tokens").format(count(tokens)))
    return ", ".join(parts)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Problems", text)
