"""The review of an app whose own compiler is the native TypeScript: by the one that the sandbox has, and it is the real one here."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench
from tests.support.mendable_app import make_mendable_template
from tests.support.starter_packages import link_review_tools
from tests.support.tiny_app import whole
from vibedesk.engine.review.native_typescript import native_types

_SETTINGS = {"compilerOptions": {"strict": True, "noEmit": True, "types": []}, "include": ["src"]}
_WRONG = "export const count: number = 'one'\n"
_RIGHT = "export const count: number = 1\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A starter that wants the native TypeScript, and whose own checker looks at no TypeScript."""
    folder = make_mendable_template(tmp_path_factory.mktemp("templates") / "native")
    manifest = json.loads((folder / "package.json").read_text("utf-8"))
    manifest["devDependencies"] = {"typescript": "^7.0.2"}
    (folder / "package.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "tsconfig.json").write_text(json.dumps(_SETTINGS), "utf-8")
    return folder


async def test_the_sandboxes_native_compiler_says_what_is_wrong(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await bench.create()
    await asyncio.to_thread(link_review_tools, await bench.folder(project_id))
    # The TypeScript before it, which mends without a model, is not to be had here.
    npmrc = tmp_path / "npmrc"
    npmrc.write_text("registry=http://127.0.0.1:9/\nfetch-retries=0\n", "utf-8")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(npmrc))
    compiler = ("node", "node_modules/typescript/bin/tsc")
    monkeypatch.setattr(native_types, "__defaults__", (compiler,))
    bench.script(("src/count.ts", _WRONG))
    bench.server.answer(whole("src/count.ts", _RIGHT), operation="fix")
    await bench.engine.generate(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.fixes == [("src/count.ts", "model", True)]
    [asked] = bench.asked("fix")
    assert "Type 'string' is not assignable to type 'number'." in asked
    assert "src/count.ts:1:14" in asked
