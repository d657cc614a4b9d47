"""The native TypeScript 7 of the sandbox's image: checks a whole project several times as fast as the app's own.

It checks apps that have TypeScript 7 themselves. Of any other, only its own compiler may say what is wrong and that nothing
is: 7 refuses settings that 6 takes. A native check would come before that one, not in its place.

Its `--lsp` server is not used, though it is quick. For 100 files (`tests/benchmarks/native_typescript.py`, which fails where
this no longer holds; medians on two busy cores), a cold check by TypeScript 6 takes 4 to 6 times that of the native
compiler; the service of TypeScript 6 (`repair/language_service.py`) 6 times the server's time for its first check, 3 to 6
times for the whole project after an edit, and 8 to 11 times for the edited file alone. But a repair is made and confirmed in the
memory of the TypeScript 6 program, which has to be warm for it whoever finds the error; it warms with the first file that
closes, beside a stream that takes seconds a file, and nobody waits for that look. So the server would be a second process
with a second set of opened texts, and no answer would come earlier.
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
