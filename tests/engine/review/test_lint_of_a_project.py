"""ESLint's report of a project of ordinary size: one line of hundreds of kilobytes, read whole through a real sandbox."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.starter_packages import starter_with_packages
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.review.checkers import Checkers, ask
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.sandboxes.driver import SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

_FILES = 40
_BODY = "\n".join(f"export const entry{n} = [{n}, 'é'] // {{ [ }}" for n in range(200))
_UNUSED = f"{_BODY}\nexport function sum(): number {{\n  let total = 1\n  const spare = 2\n  return total\n}}\n"
_CONDITIONAL = """\
import { useState } from 'react'

export function Card({ open }: { open: boolean }) {
  if (open) {
    useState(0)
  }
  return null
}
"""


@pytest.mark.parametrize("broken", [False, True], ids=["warnings", "one error"])
async def test_the_findings_in_forty_files_are_all_there(tmp_path: Path, broken: bool) -> None:
    folder = starter_with_packages("react-vite", tmp_path / "app")
    for number in range(_FILES):
        (folder / f"src/part{number}.ts").write_text(_UNUSED, "utf-8")
    if broken:
        (folder / "src/Card.tsx").write_text(_CONDITIONAL, "utf-8")
    found = await _lint(folder, tmp_path / "state")
    advice = [issue for issue in found if not issue.blocks]
    assert sorted((issue.file, issue.code, issue.line) for issue in advice) == sorted(
        (f"src/part{number}.ts", code, line)
        for number in range(_FILES)
        for code, line in (("prefer-const", 202), ("@typescript-eslint/no-unused-vars", 203))
    )
    assert [(issue.code, issue.place) for issue in found if issue.blocks] == (
        [("react-hooks/rules-of-hooks", "src/Card.tsx:5:5")] if broken else []
    )


async def _lint(folder: Path, state: Path) -> list[Issue]:
    driver = LocalDriver(state)
    spec = SandboxSpec(project_id="lint", folder=folder, port=pick_port())
    sandbox = await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
    try:
        return await Checkers(
            load_template("react-vite"), sandbox.workdir, partial(ask, sandbox)
        ).lint()
    finally:
        await driver.aclose()
