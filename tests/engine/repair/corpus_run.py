"""Runs the fixer over broken projects of the corpus, and a TypeScript or Python of its own over what it leaves."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.corpora.broken import Entry
from tests.corpora.broken.validate import Finding, findings
from tests.starters.workshop import Workshop
from tests.support.starter_packages import starter_with_packages
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.repair.fixer import RepairResult, repair
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.repair.python_repair import PythonRepair
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.sandboxes.driver import Sandbox, SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

PYTHON: Final = "python-fastapi"
_SETTINGS: Final = re.compile(r"(package|tsconfig[\w.]*)\.json")
_SILENCERS: Final = {
    True: re.compile(r"\bAny\b|type: ignore|noqa"),
    False: re.compile(r"\bany\b|@ts-\w+|eslint-disable"),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one project.

    Attributes:
        told: The issues that the fixer was given or found before it began.
        before, after: What the separate check says.
        seconds: What the fixer took.
    """

    entry: Entry
    told: tuple[Issue, ...]
    result: RepairResult
    before: Finding
    after: Finding
    seconds: float

    @property
    def files(self) -> Mapping[str, str]:
        return {**self.entry.files, **self.result.edits}

    @property
    def judged(self) -> bool:
        """Whether the check alone can say that it is mended: it neither builds nor opens the app in a browser."""
        entry = self.entry
        return set(entry.clean) <= {"types", "lint"} and (
            entry.template == PYTHON or not entry.visit
        )

    @property
    def complaints(self) -> list[str]:
        """What of the entry's label does not hold now."""
        entry = self.entry
        texts = list(self.files.values())
        wrong = [
            f"{issue.place} {issue.code} {issue.message}"
            for issue in self.after.issues
            if not self._waits_for_package(issue)
        ]
        wrong += [f"kept not: {part!r}" for part in entry.keep if not _in_one(part, texts)]
        wrong += [f"in it now: {part!r}" for part in entry.never if _in_one(part, texts)]
        wrong += [f"not gained: {part!r}" for part in entry.gains if not _in_one(part, texts)]
        wrong += [f"not lost: {part!r}" for part in entry.loses if _in_one(part, texts)]
        if entry.installs and not set(entry.installs) & _names(self.result.packages):
            wrong.append(f"none of {entry.installs} in {self.result.packages}")
        # What is asked for is not installed here, so the app cannot be visited.
        visited = entry.template == PYTHON and not entry.installs
        if visited and entry.after and entry.after not in self.after.said:
            wrong.append(f"the visit does not show {entry.after!r}")
        return wrong

    @property
    def lost(self) -> list[str]:
        """What the broken files had, must keep, and have no more."""
        broken, mended = list(self.entry.files.values()), list(self.files.values())
        return [p for p in self.entry.keep if _in_one(p, broken) and not _in_one(p, mended)]

    @property
    def stubbed(self) -> list[str]:
        """What must never be in the files, and came with the repair."""
        broken, mended = list(self.entry.files.values()), list(self.files.values())
        return [p for p in self.entry.never if _in_one(p, mended) and not _in_one(p, broken)]

    @property
    def unconfirmed(self) -> list[str]:
        """What the fixer says it mended, and the separate check still finds."""
        fixed = set(self.result.fixed)
        left = {issue.signature for issue in self.after.issues}
        # The service words the rules of hooks in its own way.
        rules = {(i.code, i.file) for i in self.after.issues if i.source == "lint"}
        return [
            f"{issue.place} {issue.code} {issue.message}"
            for issue in self.told
            if issue.signature in fixed
            and (issue.signature in left or (issue.code, issue.file) in rules)
        ]

    @property
    def silenced(self) -> list[str]:
        """Files with more in them than before of what hides an error."""
        silencers = _SILENCERS[self.entry.template == PYTHON]
        return [
            path
            for path, text in self.result.edits.items()
            if len(silencers.findall(text)) > len(silencers.findall(self.entry.files.get(path, "")))
        ]

    def _waits_for_package(self, issue: Issue) -> bool:
        """Whether this only says that a package is not there which the fixer asks for, and which is the right one."""
        wanted = _names(self.result.packages) & set(self.entry.installs)
        return any(
            re.search(rf"['\"]{re.escape(name.removeprefix('@types/'))}['\"/]", issue.message)
            for name in wanted
        )


async def run(entries: Sequence[Entry], place: Path) -> list[Outcome]:
    """Return what the fixer makes of each entry, in their order; `place` is an empty folder."""
    repaired: list[tuple[Entry, tuple[Issue, ...], RepairResult, float]] = []
    folders: dict[str, Path] = {}
    known: dict[str, Finding] = {}
    for template in dict.fromkeys(entry.template for entry in entries):
        own = [entry for entry in entries if entry.template == template]
        if template == PYTHON:
            folders[template] = Workshop(place / "python").installed(PYTHON).folder
            known |= await _check(own, folders, place / "python-before")
            repaired += await _python(own, folders[template], known, place)
        else:
            folders[template] = starter_with_packages(template, place / template)
            repaired += await _typescript(own, folders[template], place)

    after = await _check(
        [
            _laid_out(entry, result, {**entry.files, **result.edits})
            for entry, _, result, _ in repaired
        ],
        folders,
        place / "after",
    )
    # What is clean now has not become worse, and what was not edited is as it was.
    before = await _check(
        [
            _laid_out(entry, result, entry.files)
            for entry, _, result, _ in repaired
            if result.edits and after[entry.name].codes and entry.name not in known
        ],
        folders,
        place / "before",
    )
    outcomes = {
        entry.name: Outcome(
            entry=entry,
            told=told,
            result=result,
            before=known.get(entry.name) or before.get(entry.name) or after[entry.name],
            after=after[entry.name],
            seconds=seconds,
        )
        for entry, told, result, seconds in repaired
    }
    return [outcomes[entry.name] for entry in entries]


def table(outcomes: Sequence[Outcome], families: Mapping[str, str]) -> str:
    """Return the share that is mended, a line for each family, and what is wrong with the rest."""
    lines = []
    counted: Counter[tuple[str, bool]] = Counter()
    for outcome in outcomes:
        if outcome.entry.repairable and outcome.judged:
            counted[families[outcome.entry.name], not outcome.complaints] += 1
    for family in dict.fromkeys(families.values()):
        mended, all_of_it = counted[family, True], counted[family, True] + counted[family, False]
        if all_of_it:
            lines.append(f"{family:10} {mended:3} of {all_of_it:3}  {mended / all_of_it:4.0%}")
    lines += [
        f"left: {outcome.entry.name}: {wrong[0]}"
        for outcome in outcomes
        if outcome.entry.repairable and outcome.judged and (wrong := outcome.complaints)
    ]
    not_judged = sum(not outcome.judged for outcome in outcomes)
    lines.append(f"{not_judged} need a build or a visit and are not in the shares")
    lines.append(f"the fixer took {sum(outcome.seconds for outcome in outcomes):.1f} s")
    return "\n".join(lines)


async def _typescript(
    entries: Sequence[Entry], folder: Path, place: Path
) -> list[tuple[Entry, tuple[Issue, ...], RepairResult, float]]:
    repaired = []
    async with _sandbox(folder, place / "state") as sandbox:
        service = LanguageService(sandbox)
        starter, _ = load_template(entries[0].template).files()
        for entry in entries:
            # Settings are read from the disk; everything else may lie above it.
            settings = {p: entry.files[p] for p in entry.touched if _SETTINGS.fullmatch(p)}
            kept = {path: (folder / path).read_text("utf-8") for path in settings}
            for path, text in settings.items():
                (folder / path).write_text(text, "utf-8")
            if settings:
                await service.refresh()
            began = time.monotonic()
            texts = {**starter, **entry.files}
            await service.open(texts)
            told = tuple(await service.diagnose())
            result = await repair(told, texts, service)
            repaired.append((entry, told, result, time.monotonic() - began))
            await service.forget()
            for path, text in kept.items():
                (folder / path).write_text(text, "utf-8")
            if settings:
                await service.refresh()
        await service.aclose()
    return repaired


async def _python(
    entries: Sequence[Entry], folder: Path, known: Mapping[str, Finding], place: Path
) -> list[tuple[Entry, tuple[Issue, ...], RepairResult, float]]:
    repaired = []
    async with _sandbox(folder, place / "python-state") as sandbox:
        python = PythonRepair(sandbox, [str(folder / ".venv" / "bin" / "python")])
        starter, _ = load_template(PYTHON).files()
        for entry in entries:
            told = known[entry.name].issues
            began = time.monotonic()
            result = await repair(told, {**starter, **entry.files}, None, python=python)
            repaired.append((entry, told, result, time.monotonic() - began))
    return repaired


@asynccontextmanager
async def _sandbox(folder: Path, state: Path) -> AsyncIterator[Sandbox]:
    driver = LocalDriver(state, use_bubblewrap=False)
    spec = SandboxSpec(project_id=folder.name, folder=folder, port=pick_port())
    yield await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    await driver.aclose()


async def _check(
    entries: Sequence[Entry], folders: Mapping[str, Path], root: Path
) -> dict[str, Finding]:
    return await asyncio.to_thread(findings, entries, folders.__getitem__, root, alone=True)


def _laid_out(entry: Entry, result: RepairResult, files: Mapping[str, str]) -> Entry:
    """Return the entry with these files; what is checked of it has all that was broken or edited in it."""
    touched = tuple(dict.fromkeys((*entry.touched, *result.edits)))
    return dataclasses.replace(entry, files=files, touched=touched)


def _in_one(part: str, texts: Sequence[str]) -> bool:
    return any(part in text for text in texts)


def _names(packages: Sequence[str]) -> set[str]:
    return {re.sub(r"(?<=.)@[^/]*$", "", package) for package in packages}
