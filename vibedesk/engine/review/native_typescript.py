"""The native TypeScript 7 of the sandbox's image: checks a whole project several times as fast as the app's own.

Its `--lsp` server is not used, though it is quick: after one edit it answers for that file of 100 in 0.02 to 0.14 s, where
the kept-alive service of TypeScript 6 (`repair/language_service.py`) takes 0.4 to 1.0 s, and for all of them, asked one
by one, in 0.13 to 0.7 s against 0.7 to 2.6 s (best to median of alternating rounds, two busy cores). But it says nothing
of a project as a whole (`workspaceDiagnostics` is false), for which `tsc -b` needs 0.3 s without being kept alive; a
repair is confirmed in the memory of the TypeScript 6 program that made it; and nobody waits for the look at a file that
has closed, which runs beside a stream that takes seconds a file. So it would be a second server (230 MB) and a second
set of opened texts, and no answer would come earlier.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.parsers.typescript import parse_typescript
from vibedesk.engine.sandboxes.driver import OutputLine, Sandbox, SandboxError

_PROGRAM: Final = ("/opt/vibedesk/review/node_modules/.bin/tsc",)
# It must not touch what the app's own compiler keeps for its next run.
_FLAGS: Final = ("-b", "--noEmit", "--incremental", "false", "--pretty", "false")
_SECONDS = 120.0
_FIRST_NATIVE = 7
"""The first version of TypeScript that is native. It refuses what the ones before it allow."""
_MAJOR = re.compile(r"[~^v=]?(\d+)\b")


def is_native(manifest: str) -> bool:
    """Whether an app's own compiler, by its package.json, is native too, so that both say the same."""
    try:
        described = json.loads(manifest)
        wanted = {**described.get("dependencies", {}), **described.get("devDependencies", {})}
        major = _MAJOR.match(str(wanted.get("typescript", "")))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False
    return major is not None and int(major[1]) >= _FIRST_NATIVE


async def native_types(sandbox: Sandbox, program: Sequence[str] = _PROGRAM) -> list[Issue] | None:
    """Return the type errors of the project, or None where there is no native TypeScript: use the app's own then.

    Raises:
        SandboxError: the sandbox does not run.
    """
    try:
        printed = [
            output.text
            async for output in sandbox.exec([*program, *_FLAGS], timeout=_SECONDS)
            if isinstance(output, OutputLine)
        ]
    except SandboxError as error:
        if error.code == "command_not_found":
            return None
        raise
    return parse_typescript("\n".join(printed), sandbox.workdir)
