"""Shows that the labels are true: the starters and the working apps are clean, each broken app has its errors.

    python -m tests.corpora.broken.validate [--installed FOLDER] [NAME …]

FOLDER holds starters with their packages, one folder each; without it they are installed into a temporary one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.corpora.broken import Entry, app_files, corpus
from tests.starters.workshop import Workshop, starter_folder
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.parsers.python import parse_mypy, parse_ruff
from vibedesk.engine.review.parsers.typescript import typescript_issue
from vibedesk.engine.sandboxes.node import find_toolchains

_HERE = Path(__file__).parent
_PYTHON = "python-fastapi"
_moments = itertools.count(1_700_000_000)
_LEFT = shutil.ignore_patterns("template.json", "node_modules", ".venv", "__pycache__", ".*_cache")

Installed = Callable[[str], Path]
"""Gives the folder in which a starter is installed."""


@dataclass(frozen=True)
class Finding:
    """What the checkers say of a project."""

    codes: tuple[int | str, ...]
    said: str = ""
    status: int = 0
    issues: tuple[Issue, ...] = ()


def findings(
    entries: Sequence[Entry], installed: Installed, root: Path, *, alone: bool = False
) -> dict[str, Finding]:
    """Lay the entries, their apps and starters out below `root`, check them and return what is found.

    An app is named `app:NAME`, a starter `starter:NAME`; `alone` leaves both out.
    """
    found: dict[str, Finding] = {}
    for template in dict.fromkeys(entry.template for entry in entries):
        own = [entry for entry in entries if entry.template == template]
        projects: list[dict[str, Any]] = []
        if not alone:
            projects.append(_project(f"starter:{template}", template, root))
            projects += [
                _project(f"app:{app}", template, root, app_files(app))
                for app in dict.fromkeys(entry.app for entry in own)
            ]
        projects += [_project(entry.name, template, root, entry.files, entry) for entry in own]
        check = _check_python if template == _PYTHON else _check_typescript
        found |= check(projects, installed(template), root)
    return found


def complaints(entries: Iterable[Entry], found: dict[str, Finding]) -> list[str]:
    """Return what is not as the labels say."""
    wrong = [
        f"{name}: {finding.said or finding.codes}"
        for name, finding in found.items()
        if ":" in name and finding.codes
    ]
    for entry in entries:
        finding = found[entry.name]
        missing = set(entry.codes) - set(finding.codes)
        if missing:
            wrong.append(
                f"{entry.name}: {sorted(map(str, missing))} not in\n{finding.said or finding.codes}"
            )
        if not entry.codes and finding.codes:
            wrong.append(f"{entry.name}: unexpected {finding.said or finding.codes}")
        if entry.template == _PYTHON and entry.visit:
            wrong += _visit_complaints(entry, finding)
    return wrong


def _visit_complaints(entry: Entry, finding: Finding) -> list[str]:
    shown = entry.visit["shows"]
    expected = 0 if shown == "no server" else int(entry.visit["text"].split()[-1])
    if finding.status == expected and entry.visit.get("log", "") in finding.said:
        return []
    return [f"{entry.name}: {finding.status} in place of {expected}\n{finding.said[-1500:]}"]


def _project(
    name: str, template: str, root: Path, files: Any = None, entry: Entry | None = None
) -> dict[str, Any]:
    folder = root / template / name.replace(":", "-")
    shutil.copytree(starter_folder(template), folder, ignore=_LEFT)
    for path, text in (files or {}).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        # mypy, whose cache they share, takes files of one second and one size for the same.
        moment = next(_moments)
        os.utime(target, (moment, moment))
    return {
        "name": name,
        "folder": str(folder),
        "touched": list(entry.touched) if entry else [],
        "lint": "lint" in entry.clean if entry else name.startswith("app:"),
        "path": entry.visit.get("path", "") if entry else "",
    }


def _check_typescript(
    projects: list[dict[str, Any]], starter: Path, root: Path
) -> dict[str, Finding]:
    modules = starter.resolve() / "node_modules"
    for project in projects:
        Path(project["folder"], "node_modules").symlink_to(modules)
    order = json.dumps({"modules": str(modules), "projects": projects})
    node = find_toolchains()[0].node
    said = json.loads(_run([str(node), str(_HERE / "typecheck.mjs")], order, root))
    return {
        name: Finding(
            tuple(item["code"] for item in items),
            "\n".join(f"  {i['file']}:{i['line']} {i['code']} {i['message']}" for i in items),
            issues=tuple(map(_issue, items)),
        )
        for name, items in said.items()
    }


def _issue(item: dict[str, Any]) -> Issue:
    place = {"file": item["file"], "line": item["line"], "message": item["message"]}
    if isinstance(item["code"], int):
        return typescript_issue(code=f"TS{item['code']}", column=0, **place)
    return Issue(source="lint", kind="runtime", code=item["code"], severity="blocking", **place)


def _check_python(projects: list[dict[str, Any]], starter: Path, root: Path) -> dict[str, Finding]:
    python = starter.absolute() / ".venv" / "bin" / "python"
    cache = root / "mypy-cache"
    said = json.loads(
        _run([str(python), str(_HERE / "check_python.py"), str(cache)], json.dumps(projects), root)
    )
    return {
        name: Finding(
            tuple(item["codes"]),
            item["said"] + item["log"],
            item["status"],
            (
                *parse_mypy(item["said"]),
                *parse_ruff(item["lint"], str(root / _PYTHON / name)),
            ),
        )
        for name, item in said.items()
    }


def _run(command: list[str], order: str, root: Path) -> str:
    done = subprocess.run(
        command, input=order, capture_output=True, text=True, cwd=root, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[1]} failed\n{done.stderr[-3000:]}")
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--installed", type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    entries = [entry for entry in corpus() if not options.names or entry.name in options.names]

    with tempfile.TemporaryDirectory(prefix="broken-") as place:
        root = Path(place)
        workshop = Workshop(root / "starters")
        installed: Installed = lambda name: (  # noqa: E731
            options.installed / name if options.installed else workshop.installed(name).folder
        )
        for template in dict.fromkeys(entry.template for entry in entries):
            installed(template)
        started = time.monotonic()
        found = findings(entries, installed, root / "projects")
        seconds = time.monotonic() - started
    wrong = complaints(entries, found)
    print("\n".join(wrong))
    print(f"{len(entries)} entries, {len(wrong)} complaints, {seconds:.1f} s")
    print("kinds:", dict(Counter(entry.kind for entry in entries)))
    repairable = Counter(entry.kind for entry in entries if entry.repairable)
    print("repairable:", dict(repairable))
    print("codes:", dict(sorted(Counter(str(code) for e in entries for code in e.codes).items())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
