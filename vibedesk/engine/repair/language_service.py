"""TypeScript's language service, kept alive inside a project's sandbox: checks and code fixes of the app's own compiler.

The native TypeScript 7 has none, so beside it TypeScript 6 is installed, where npm and the app's manifest do not look.
Why its `--lsp` server is not asked instead says `review/native_typescript.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vibedesk.base.resources import resource
from vibedesk.engine.repair.program import LineProgram, ProgramEndedError, RepairError
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.parsers.typescript import typescript_issue
from vibedesk.engine.sandboxes.driver import OutputLine, Sandbox, SandboxError

_log = logging.getLogger(__name__)

_NAME: Final = "The TypeScript language service"
_BESIDE: Final = "node_modules/.vibedesk"
"""Where the program looks for a compiler if the app's own has no language service; an `npm ci` takes it away again."""
_COMPILER: Final = "typescript@6.0.3"
_INSTALL: Final = (
    "npm", "install", "--prefix", _BESIDE, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", _COMPILER,
)  # fmt: skip
_INSTALL_SECONDS = 60.0
_DIAGNOSE_SECONDS = 60.0
_FIX_MARGIN_SECONDS = 60.0  # one more look at the whole project after the time is up
_PATIENCE = 4  # the time counts as the program's own; a busy machine takes longer
# The program's files come as its first line: nothing of VibeDesk has to lie inside the sandbox.
_BOOT = """
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const folder = mkdtempSync(join(tmpdir(), 'language-service-'))
let program
try {
  const files = JSON.parse((await lines.next()).value)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  program = await import(pathToFileURL(join(folder, 'language_service.mjs')))
} finally {
  rmSync(folder, { recursive: true })
}
await program.serve(lines, (message) => process.stdout.write(JSON.stringify(message) + '\\n'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFix:
    """What the service mended; nothing of it is written anywhere."""

    edits: Mapping[str, str]
    """Path → whole new text."""
    packages: tuple[str, ...] = ()
    """Packages that are imported and not there: names, with a version where the project says one."""
    fixed: tuple[Issue, ...] = ()
    """Errors that its last check of the whole project no longer finds."""
    left: tuple[Issue, ...] = ()
    rounds: int = 0
    log: tuple[str, ...] = field(default=())


class LanguageService:
    """One project's service. It starts with its first use, and again where it ended; methods wait for each other.

    Texts that are opened stand in for the files of the work folder until they are forgotten.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._program: LineProgram | None = None
        self._opened: dict[str, str | None] = {}
        self._lock = asyncio.Lock()

    async def open(self, files: Mapping[str, str | None]) -> None:
        """Let these texts stand for their files; None says that there is no such file."""
        await self._ask({"do": "open", "files": dict(files)}, files=files)

    async def show(self, files: Mapping[str, str | None]) -> None:
        """Let these texts stand for their files, and no others: everything else is as the work folder has it."""
        gone = [path for path in self._opened if path not in files]
        if gone:
            await self.forget(gone)
        await self.open(files)

    async def forget(self, paths: Iterable[str] | None = None) -> None:
        """Take these files, or all, from the work folder again."""
        gone = list(self._opened if paths is None else paths)
        await self._ask({"do": "forget", "paths": gone}, forgotten=gone)

    async def refresh(self) -> None:
        """Packages, package.json or a tsconfig have changed: read everything anew."""
        await self._ask({"do": "refresh"})

    async def diagnose(self, paths: Collection[str] | None = None) -> list[Issue]:
        """Return the errors of the whole project, or of some of its files.

        Raises:
            SandboxError: the service cannot run here (no TypeScript among the app's packages), or does not answer.
        """
        request = {"do": "diagnose", **({"paths": list(paths)} if paths is not None else {})}
        return _issues((await self._ask(request)).get("problems"))

    async def check_file(self, path: str, text: str) -> list[Issue]:
        """Return what is wrong in one file with this text, which stays open.

        Other files may be on their way, so local modules that do not exist are not among it.
        """
        result = await self._ask({"do": "check", "path": path, "text": text}, files={path: text})
        return _issues(result.get("problems"))

    async def fix(
        self,
        *,
        codes: Collection[str] | None = None,
        paths: Collection[str] | None = None,
        protect: Collection[str] = (),
        components: Iterable[Issue] = (),
        seconds: float = 20.0,
    ) -> ServiceFix:
        """Mend what can be mended, checking the whole project after every step.

        Args:
            codes: Only these errors (`TS2304`); all where None.
            paths: Only errors in these files.
            protect: Files that must stay as they are.
            components: What their own checkers said of Vue's and Svelte's files; of these nothing else is looked at.
            seconds: No new step begins after so much processor time.
        """
        request: dict[str, Any] = {"do": "fix", "protect": list(protect), "seconds": seconds}
        request["components"] = [
            {"file": issue.file, "line": issue.line, "column": issue.column} for issue in components
        ]
        if codes is not None:
            request["codes"] = list(codes)
        if paths is not None:
            request["paths"] = list(paths)
        result = await self._ask(request, seconds=_PATIENCE * seconds + _FIX_MARGIN_SECONDS)
        edits = {str(path): str(text) for path, text in dict(result.get("edits") or {}).items()}
        self._opened.update(edits)
        return ServiceFix(
            edits=edits,
            packages=tuple(map(str, result.get("packages") or ())),
            fixed=tuple(_issues(result.get("fixed"))),
            left=tuple(_issues(result.get("left"))),
            rounds=int(result.get("rounds") or 0),
            log=tuple(map(str, result.get("log") or ())),
        )

    async def aclose(self) -> None:
        async with self._lock:
            await self._end()

    async def _ask(
        self,
        request: dict[str, Any],
        *,
        seconds: float = _DIAGNOSE_SECONDS,
        files: Mapping[str, str | None] | None = None,
        forgotten: Iterable[str] = (),
    ) -> dict[str, Any]:
        async with self._lock:
            self._opened.update(files or {})
            for path in forgotten:
                self._opened.pop(path, None)
            for last in (False, True):
                program = self._program or await self._start()
                try:
                    return await program.ask(request, seconds=seconds)
                except ProgramEndedError:
                    # Ended with its sandbox, or killed for its memory: once more, from the beginning.
                    await self._end()
                    if last:
                        raise
                except RepairError:
                    raise
                except BaseException:
                    await self._end()  # its answer would come in place of the next one's
                    raise
        raise AssertionError("unreachable")

    async def _start(self) -> LineProgram:
        program, greeting = await self._greeted()
        if greeting.get("native") and not greeting.get("ready"):
            await program.end()
            await self._install_compiler()
            program, greeting = await self._greeted()
        try:
            if not greeting.get("ready"):
                raise RepairError(
                    "There is no TypeScript whose language service could be used.",
                    remedy="Install the app's packages; where they have TypeScript 7, npm has to reach its registry.",
                    details={"log": str(greeting.get("error"))},
                )
            if self._opened:
                opened = {"do": "open", "files": self._opened}
                await program.ask(opened, seconds=_DIAGNOSE_SECONDS)
        except BaseException:
            await program.end()
            raise
        self._program = program
        return program

    async def _greeted(self) -> tuple[LineProgram, dict[str, Any]]:
        files = {path.name: path.read_text("utf-8") for path in resource("repair").glob("*.mjs")}
        argv = ["node", "--input-type=module", "-e", _BOOT]
        return await LineProgram.start(self._sandbox, argv, files, name=_NAME)

    async def _install_compiler(self) -> None:
        """Install the last TypeScript that has a language service beside the app's own; what npm says is logged."""
        printed = [
            output.text
            async for output in self._sandbox.exec(_INSTALL, timeout=_INSTALL_SECONDS)
            if isinstance(output, OutputLine)
        ]
        _log.info("%s beside the app's own: %s", _COMPILER, "\n".join(printed))

    async def _end(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            with contextlib.suppress(SandboxError):
                await program.end()


def _issues(problems: Any) -> list[Issue]:
    found = []
    for problem in problems or ():
        code = str(problem["code"])
        if code.startswith("TS"):
            issue = typescript_issue(
                code=code,
                message=str(problem["message"]),
                file=str(problem["file"]),
                line=int(problem["line"]),
                column=int(problem["column"]),
            )
        else:
            issue = Issue(
                source="lint",
                kind="runtime",
                code=code,
                message=str(problem["message"]),
                severity="blocking",
                file=str(problem["file"]),
                line=int(problem["line"]),
                column=int(problem["column"]),
            )
        found.append(issue)
    return found
