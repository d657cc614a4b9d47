"""Python: names, imports, syntax and what the project's checkers propose, mended inside the project's sandbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vibedesk.base.resources import resource
from vibedesk.engine.repair.program import LineProgram
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.sandboxes.driver import Sandbox

_PYTHON = ("uv", "run", "--frozen", "--no-sync", "python")
_LAST_CHECKS_SECONDS = 120.0  # mypy begins from nothing where it has not run here yet
_UNREADABLE = frozenset({"syntax", "SyntaxError"})
# The program's files come as its first line: nothing of VibeDesk has to lie inside the sandbox.
_BOOT: Final = """
import json, pathlib, sys, tempfile
first = json.loads(sys.stdin.readline())
with tempfile.TemporaryDirectory() as folder:
    package = pathlib.Path(folder, "vibedesk_repair")
    package.mkdir()
    for name, text in first["program"].items():
        (package / name).write_text(text, "utf-8")
    sys.path.append(folder)
    from vibedesk_repair.main import answer
    print(json.dumps(answer(first["request"])), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonFix:
    """What was mended; `fixed` has signatures that the checkers no longer find."""

    edits: Mapping[str, str]
    packages: Mapping[str, str] = field(default_factory=dict)
    """Package that is not there → module of it that is imported."""
    fixed: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class PythonRepair:
    """Repairs one project; a program inside, started for each repair.

    Args:
        sandbox: Where the project runs.
        command: What starts its Python there.
    """

    def __init__(self, sandbox: Sandbox, command: Sequence[str] = _PYTHON) -> None:
        self._sandbox = sandbox
        self._command = tuple(command)

    async def repair(
        self,
        issues: Sequence[Issue],
        texts: Mapping[str, str],
        *,
        protect: Collection[str] = (),
        seconds: float = 20.0,
    ) -> PythonFix:
        """Mend what is wrong in `texts`, which must be the whole project; no new step begins after `seconds`.

        Raises:
            SandboxError: there is no Python in the sandbox, or it does not answer.
        """
        own = [i for i in issues if i.file.endswith(".py") and i.file not in protect]
        if not own:
            return PythonFix(edits={})
        source = resource("repair", "python")
        request = {
            "files": {p: t for p, t in texts.items() if p.endswith(".py") or p == "pyproject.toml"},
            "protect": sorted(protect),
            "codes": sorted({i.code for i in own if i.source == "lint"} - _UNREADABLE),
            "told": [(i.code, i.file, i.line, i.message) for i in own],
            "seconds": seconds,
            "types": any(i.source in ("types", "server") for i in own),
        }
        program, answer = await LineProgram.start(
            self._sandbox,
            [*self._command, "-c", _BOOT],
            {
                "program": {path.name: path.read_text("utf-8") for path in source.glob("*.py")},
                "request": request,
            },
            name="The Python repair",
            # Its own time counts as the processor's, and on a busy machine for up to four times that.
            seconds=4 * seconds + _LAST_CHECKS_SECONDS,
        )
        await program.end()
        left = {(str(f["code"]), str(f["path"]), str(f["message"])) for f in answer["left"]}
        judged = set(answer["judged"])
        return PythonFix(
            edits={str(p): str(t) for p, t in answer["edits"].items()},
            packages={str(p): str(module) for p, module in answer["packages"].items()},
            fixed=tuple(
                issue.signature
                for issue in own
                if issue.source in judged and (issue.code, issue.file, issue.message) not in left
            ),
            log=tuple(map(str, answer["log"])),
        )
