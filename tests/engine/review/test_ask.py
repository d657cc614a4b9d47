"""What a tool of the app prints, in a real sandbox; the tool's settings are the app's own code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vibedesk.engine.review.checkers import TOO_MUCH, ask
from vibedesk.engine.sandboxes.driver import SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.output import MAX_REPORT_CHARS
from vibedesk.engine.sandboxes.ports import pick_port


@pytest.mark.parametrize("line", ["x" * 100_000, ""], ids=["long lines", "empty lines"])
async def test_what_prints_without_end_is_ended(tmp_path: Path, line: str) -> None:
    driver = LocalDriver(tmp_path / "state")
    spec = SandboxSpec(project_id="flood", folder=tmp_path / "app", port=pick_port())
    spec.folder.mkdir()
    sandbox = await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
    try:
        status, lines = await ask(sandbox, ["yes", line])
        assert status == TOO_MUCH
        assert sum(map(sys.getsizeof, lines)) < 1.5 * MAX_REPORT_CHARS
        assert await ask(sandbox, ["echo", "well"]) == (0, ["well"])
    finally:
        await driver.aclose()
