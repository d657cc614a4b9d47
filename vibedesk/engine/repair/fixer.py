"""Deterministic repair of a project's issues, and the check of one file while others still stream.

It gets texts and returns texts; who applies them merges them into the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from vibedesk.base.python_syntax import parse_python
from vibedesk.engine.repair.config_files import mended_config
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.repair.program import RepairError
from vibedesk.engine.repair.python_repair import PythonRepair
from vibedesk.engine.review.issues import Issue, deduplicated

_COMPONENTS = (".vue", ".svelte")
_SCRIPTS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", *_COMPONENTS)
_SETTINGS = re.compile(r"(?:.*/)?[tj]sconfig[\w.-]*\.json")
_WITH_COMMENTS = re.compile(r"(?:.*/)?(?:\..+|(?:deno|turbo|biome|wrangler)\.json)")
_VERSION = re.compile(r"(?<=.)@[^/]*$")
_TYPES = re.compile(r"^@types/(?:([\w.-]+?)__)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairResult:
    """What was mended, confirmed by a last check of the whole project."""

    edits: Mapping[str, str]
    """Path → whole new text; only files that changed."""
    packages: tuple[str, ...] = ()
    """Packages to install, if they exist (`builder.package_versions` says so); then repair once more."""
    asking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Package → signatures of the given issues that name what it brings."""
    fixed: tuple[str, ...] = ()
    """Signatures that the check no longer finds."""
    left: tuple[Issue, ...] = ()
    """What is still wrong: the given issues that were not mended, and what the check finds."""
    rounds: int = 0
    log: tuple[str, ...] = field(default=())
    """What was tried and became of it, a line each."""


async def repair(
    issues: Sequence[Issue],
    texts: Mapping[str, str],
    service: LanguageService | None,
    *,
    python: PythonRepair | None = None,
    protect: Collection[str] = (),
    seconds: float = 20.0,
) -> RepairResult:
    """Mend what can be mended without a model.

    Args:
        issues: What the checkers found.
        texts: The project's files as they are in the document, by path; those that differ from the work folder are
            enough for TypeScript, for Python all are needed. What the service had open besides is forgotten.
        service: For TypeScript; None where the project has none.
        python: For Python; None where the project has none.
        protect: Files that must stay as they are.
        seconds: About how long it may take.

    Raises:
        SandboxError: the programs that repair do not run here, and nothing could be mended without them.
    """
    edits = {p: text for p, text in mended_config(texts).items() if p not in protect}
    texts = {**texts, **edits}
    fixed: set[str] = set()
    left: list[Issue] = []
    packages: dict[str, str] = {}
    rounds = 0
    log: tuple[str, ...] = ()
    if service is not None:
        try:
            await service.show(texts)
            components = [i for i in issues if i.source == "types" and i.file.endswith(_COMPONENTS)]
            done = await service.fix(protect=protect, components=components, seconds=seconds)
        except RepairError as error:
            if not edits:
                raise
            log += (error.message,)  # what needs no service is mended all the same
        else:
            edits.update(done.edits)
            packages = {package: _VERSION.sub("", package) for package in done.packages}
            rounds, log = done.rounds, done.log
            left += done.left
            fixed |= {issue.signature for issue in done.fixed}
    if python is not None:
        mended = await python.repair(issues, texts, protect=protect, seconds=seconds)
        edits.update(mended.edits)
        packages |= mended.packages
        fixed |= set(mended.fixed)
        log += mended.log
    still = {issue.signature for issue in left}
    fixed -= still
    left += [issue for issue in issues if issue.signature not in fixed]
    return RepairResult(
        edits=edits,
        packages=tuple(packages),
        asking={
            package: tuple(i.signature for i in issues if _names(i.message, module))
            for package, module in packages.items()
        },
        fixed=tuple(sorted(fixed)),
        left=tuple(deduplicated(left)),
        rounds=rounds,
        log=log,
    )


def _names(message: str, module: str) -> bool:
    """Whether a tool's words name a module, or what the types of `@types/…` are for."""
    described = _TYPES.sub(lambda of: f"@{of[1]}/" if of[1] else "", module)
    named = "|".join(map(re.escape, (module, described)))
    return re.search(rf"(?:[\"'`]|--save-dev )(?:{named})[\"'`/.]", message) is not None


async def check_file(path: str, text: str, service: LanguageService | None) -> list[Issue]:
    """Return what is wrong in a file that was just written, while others may still come; empty where nobody can tell.

    Raises:
        SandboxError: the language service does not run here.
    """
    if path.endswith(".py"):
        return _python_syntax(path, text)
    if is_read_alone(path):
        return _json_syntax(path, text)
    if service is None or not (path.endswith(_SCRIPTS) or _SETTINGS.fullmatch(path)):
        return []
    return await service.check_file(path, text)


def is_checked(path: str, language: str) -> bool:
    """Whether `check_file` says anything of a file, in a project of this language."""
    if language == "typescript" and (path.endswith(_SCRIPTS) or _SETTINGS.fullmatch(path)):
        return True
    return is_read_alone(path)


def is_read_alone(path: str) -> bool:
    """Whether `check_file` needs no service for a file."""
    is_strict = _SETTINGS.fullmatch(path) is None and _WITH_COMMENTS.fullmatch(path) is None
    return path.endswith(".py") or (path.endswith(".json") and is_strict)


def _python_syntax(path: str, text: str) -> list[Issue]:
    try:
        parse_python(text)
    except (SyntaxError, ValueError) as error:
        place = error if isinstance(error, SyntaxError) else None
        return [
            Issue(
                source="types",
                kind="syntax",
                code="SyntaxError",
                message=f"SyntaxError: {place.msg if place else error}",
                severity="critical",
                file=path,
                line=(place.lineno or 0) if place else 0,
                column=(place.offset or 0) if place else 0,
            )
        ]
    return []


def _json_syntax(path: str, text: str) -> list[Issue]:
    line = column = 1
    try:
        json.loads(text.removeprefix("\ufeff"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        line, column, wrong = error.lineno, error.colno, error.msg
    except ValueError as error:
        wrong = str(error)
    except RecursionError:
        wrong = "It is nested too deep."
    else:
        return []
    return [
        Issue(
            source="build",
            kind="syntax",
            code="JSON",
            message=wrong,
            severity="critical",
            file=path,
            line=line,
            column=column,
        )
    ]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
