"""Packages that an app imports and does not have are added without a model, where the registry has them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Literal

from tests.engine.agent.conftest import ReactBench
from tests.engine.sandboxes.egress.tiny_registry import tiny_registry
from tests.support.tiny_app import whole
from vibedesk.engine.events import Diagnostics, FixApplied
from vibedesk.engine.files.replica import DocumentReplica

ADDED = "import { greet } from 'tiny'\n"
MADE_UP = "import { name } from 'surely-made-up'\n"
GREETS = "exports.greet = (name) => `Hello ${name}`\n"
TYPES = "export declare function greet(name: string): string\n"
GREETING = "export const loud = (name: string) => name.toUpperCase()\n"
MISSPELT = GREETING.replace("toUpperCase", "toUpperCas")
APP = "\nexport default function App() {\n  return <h1>{greet(%s)}</h1>\n}\n"


def take_from(registry: str, folder: Path) -> None:
    """Have an app's packages installed from `registry`."""
    (folder / ".npmrc").write_text(f"registry={registry}\nfetch-retries=0\n", "utf-8")
    # npm writes into this file, which is the same one for all tests.
    listed = folder / "node_modules" / ".package-lock.json"
    text = listed.read_bytes()
    listed.unlink()
    listed.write_bytes(text)


class Gate(asyncio.Event):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


async def typed(react: ReactBench, project_id: str, path: str, text: str) -> None:
    """Have the person type at the beginning of a file."""
    editor = DocumentReplica()
    editor.apply(*await react.engine.updates_since(project_id, 0))
    update = editor.edit(path, 0, 0, text)
    assert update is not None
    await react.engine.apply_update(project_id, update)


async def test_a_package_that_exists_is_added_and_one_that_is_made_up_goes_to_a_model(
    react: ReactBench,
) -> None:
    react.script(("src/App.tsx", ADDED + MADE_UP + APP % "name"))
    react.server.answer(whole("src/App.tsx", ADDED + APP % "'you'"), operation="fix")
    project_id = await react.create()
    async with tiny_registry() as registry:
        registry.publish("tiny", "1.2.0", GREETS, types=TYPES)
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


async def test_what_is_typed_during_a_repair_without_a_model_survives_in_the_same_file(
    react: ReactBench,
) -> None:
    """The registry is asked between the look at the files and the writing of what was mended in them."""
    react.script(("src/App.tsx", ADDED + APP % "'you'"), ("src/loud.ts", MISSPELT))
    project_id = await react.create()
    async with tiny_registry() as registry:
        registry.publish("tiny", "1.2.0", GREETS, types=TYPES)
        await asyncio.to_thread(take_from, registry.address, await react.folder(project_id))
        registry.hold = gate = Gate()
        await react.engine.generate(project_id)
        await gate.reached.wait()
        assert await react.engine.read_file(project_id, "src/loud.ts") == MISSPELT
        await typed(react, project_id, "src/loud.ts", "// mine\n")
        gate.set()
        await react.engine.wait(project_id)
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert await react.engine.read_file(project_id, "src/loud.ts") == "// mine\n" + GREETING
    assert react.fixes == [("src/loud.ts", "deterministic", True)]
