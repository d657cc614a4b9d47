"""Mends a Python project without a model: one JSON request in, one answer out.

The request is `{"files": {path: text}, "protect": [paths], "codes": [rules of ruff], "told": [problems], "types": bool,
"seconds": n}`, the answer `{"edits", "packages", "left", "judged", "log"}`; `judged` says which checkers have had the last
word. Only the standard library; ruff and mypy are the project's own, ruff else the one on PATH.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vibedesk_repair.edits import is_allowed
from vibedesk_repair.places import package_of
from vibedesk_repair.project import Problem, Project, counted, weight
from vibedesk_repair.rules import Fix, fixes, missing_packages
from vibedesk_repair.syntax import readable

_MOST_ROUNDS = 4
_MOST_SINGLE = 12  # each costs a check of the whole project
_PATIENCE = 4


if sys.platform == "win32":

    def processor_seconds() -> float:
        """Return a clock: nothing here counts what programs used that have ended."""
        return time.monotonic()

else:
    import resource

    def processor_seconds() -> float:
        """Return how long the processor has worked for this program, and for those it started that have ended."""
        used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(each.ru_utime + each.ru_stime for each in used)


class Mending:
    """One project's repair; `files` stay as they were where an edit is no gain."""

    def __init__(self, project: Project, protect: set[str], seconds: float) -> None:
        self.project = project
        self.protect = protect
        self._seconds = seconds
        self._began = time.monotonic()
        self._used = processor_seconds()
        self.log: list[str] = []
        self._refused: set[tuple[str, str]] = set()

    def run(self, codes: set[str]) -> None:
        self._make_readable()
        for _ in range(_MOST_ROUNDS):
            if self._is_late:
                break
            before = self.project.problems()
            wanted = list(self._fixes(before))
            if not wanted:
                break
            if not self._attempt(wanted, before):
                # One of them is none; each for itself then.
                for fix in wanted[:_MOST_SINGLE] if len(wanted) > 1 else ():
                    if not self._is_late:
                        self._attempt([fix], self.project.problems())
        if codes and not self._is_late:
            self._let_ruff_fix(codes)

    @property
    def _is_late(self) -> bool:
        """The time counts as this program's own and its checkers', and on a busy machine for some times that."""
        waited = time.monotonic() - self._began
        return (
            processor_seconds() - self._used > self._seconds or waited > _PATIENCE * self._seconds
        )

    def _make_readable(self) -> None:
        for problem in list(self.project.unreadable()):
            old = self.project.texts[problem.path]
            new = readable(old)
            allowed = problem.path not in self.protect and new is not None and is_allowed(old, new)
            if new is not None and allowed:
                self.project.write(problem.path, new)
            self.log.append(f"{problem.path}: {problem.message}: {'done' if allowed else 'left'}")

    def _fixes(self, problems: list[Problem]) -> Iterator[Fix]:
        seen = set()
        for problem in problems:
            if problem.code == "syntax" or problem.path in self.protect:
                continue
            for fix in fixes(problem, self.project):
                key = (fix.path, fix.what)
                if key not in self._refused and key not in seen:
                    seen.add(key)
                    yield fix
                    break

    def _attempt(self, wanted: list[Fix], before: list[Problem]) -> bool:
        """Keep the fixes if the checkers find less after them, and nothing new; return whether they were kept."""
        old = dict(self.project.texts)
        try:
            for fix in wanted:
                self.project.write(fix.path, fix.change(self.project.texts[fix.path]))
            self._sort_imports({fix.path for fix in wanted}, before)
        except SyntaxError:  # one has made the file unreadable for the next
            after = None
        else:
            after = self.project.problems()
        if after is not None and self._is_better(old, before, after):
            self.log += [f"{fix.path}: {fix.what}: done" for fix in wanted]
            return True
        self._restore(old)
        if len(wanted) == 1:
            self._refused.add((wanted[0].path, wanted[0].what))
            self.log.append(f"{wanted[0].path}: {wanted[0].what}: taken back")
        return False

    def _is_better(self, old: dict[str, str], before: list[Problem], after: list[Problem]) -> bool:
        new = counted(after) - counted(before)
        texts = self.project.texts
        changed = [path for path, text in texts.items() if text != old[path]]
        return (
            bool(changed)
            and not new
            and weight(after) < weight(before)
            and all(is_allowed(old[path], texts[path]) for path in changed)
        )

    def _sort_imports(self, paths: set[str], before: list[Problem]) -> None:
        """Let imports that were in order stay so."""
        unsorted = {p.path for p in self.project.ruff() if p.code == "I001"} & paths
        unsorted -= {p.path for p in before if p.code == "I001"}
        if unsorted:
            self.project.take_fixes({"I001"}, unsorted)

    def _let_ruff_fix(self, codes: set[str]) -> None:
        paths = {p.path for p in self.project.problems() if p.code in codes} - self.protect
        if paths and not self._take(codes, paths) and len(paths) > 1:
            # What is of no use in one file may be what another one takes from it.
            for path in sorted(paths)[:_MOST_SINGLE]:
                if not self._is_late:
                    self._take(codes, {path})

    def _take(self, codes: set[str], paths: set[str]) -> bool:
        """Let ruff make its fixes in these files; return whether they were kept."""
        before = self.project.problems()
        old = dict(self.project.texts)
        self.project.take_fixes(codes, paths)
        for path in paths:
            if not is_allowed(old[path], self.project.texts[path]):
                self.project.write(path, old[path])
        if not self._is_better(old, before, self.project.problems()):
            self._restore(old)
            return False
        self.log.append(f"ruff: {', '.join(sorted(codes))}")
        return True

    def _restore(self, texts: dict[str, str]) -> None:
        for path, text in texts.items():
            if text != self.project.texts[path]:
                self.project.write(path, text)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return what became of a request."""
    files: dict[str, str] = request["files"]
    with tempfile.TemporaryDirectory() as folder:
        told = [Problem(*each) for each in request["told"]]
        project = Project(Path(folder), files, types=request["types"], told=told)
        mending = Mending(project, set(request["protect"]), request["seconds"])
        mending.run(set(request["codes"]))
        left = project.problems()
        unreadable = any(problem.code == "syntax" for problem in left)
        missing = [] if unreadable else sorted(missing_packages(project))
        judged = [] if unreadable else ["lint", *(["types"] if project.asks_mypy else [])]
        return {
            "edits": {p: t for p, t in project.texts.items() if t != files.get(p)},
            "packages": {package_of(name): name for name in missing},
            "left": [problem._asdict() for problem in left],
            "judged": judged,
            "log": mending.log,
        }
