"""Packages that an app imports and does not have are added without a model, where the registry has them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.engine.agent.conftest import ReactBench
from tests.engine.sandboxes.egress.tiny_registry import tiny_registry
from tests.support.tiny_app import whole
from vibedesk.engine.events import Diagnostics, FixApplied

ADDED = "import { greet } from 'tiny'\n"
MADE_UP = "import { name } from 'surely-made-up'\n"
APP = "\nexport default function App() {\n  return <h1>{greet(%s)}</h1>\n}\n"


def take_from(registry: str, folder: Path) -> None:
    """Have an app's packages installed from `registry`."""
    (folder / ".npmrc").write_text(f"registry={registry}\nfetch-retries=0\n", "utf-8")
    # npm writes into this file, which is the same one for all tests.
    listed = folder / "node_modules" / ".package-lock.json"
    text = listed.read_bytes()
    listed.unlink()
    listed.write_bytes(text)


async def test_a_package_that_exists_is_added_and_one_that_is_made_up_goes_to_a_model(
    react: ReactBench,
) -> None:
    react.script(("src/App.tsx", ADDED + MADE_UP + APP % "name"))
    react.server.answer(whole("src/App.tsx", ADDED + APP % "'you'"), operation="fix")
    project_id = await react.create()
    async with tiny_registry() as registry:
        registry.publish(
            "tiny",
            "1.2.0",
            "exports.greet = (name) => `Hello ${name}`\n",
            types="export declare function greet(name: string): string\n",
        )
        await asyncio.to_thread(take_from, registry.address, await react.folder(project_id))
        await react.engine.generate(project_id)
        await react.engine.wait(project_id)
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    manifest = json.loads((await react.texts(project_id))["package.json"])
    assert manifest["dependencies"]["tiny"] == "1.2.0"
    assert "surely-made-up" not in manifest["dependencies"]

    [asked] = react.asked("fix")
    assert "Cannot find module 'surely-made-up'" in asked
    assert "Cannot find module 'tiny'" not in asked
    first, second = react.told(FixApplied)
    assert (first.path, first.strategy, first.verified) == ("package.json", "deterministic", True)
    assert first.issue.startswith("Cannot find module 'tiny'")
    assert (second.path, second.strategy, second.verified) == ("src/App.tsx", "model", True)
    # The error's card shows what was tried.
    last = {i["message"].split("'")[1]: i for told in react.told(Diagnostics) for i in told.issues}
    tried = {
        name: [(t["strategy"], t["paths"]) for t in i["fixes_tried"]] for name, i in last.items()
    }
    assert tried == {
        "tiny": [("deterministic", ["package.json"])],
        "surely-made-up": [("model", ["src/App.tsx"])],
    }
