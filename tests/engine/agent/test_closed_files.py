"""A file is checked as soon as it is whole, while the next one still comes; the review afterwards decides."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.agent.conftest import Bench, Open, ReactBench
from tests.support import model_faults as faults
from tests.support.mendable_app import GOOD, WRONG
from tests.support.model_server import ModelServer
from tests.support.processes import Leftovers
from tests.support.tiny_app import whole
from vibedesk.engine.events import Diagnostics, Event
from vibedesk.engine.files.replica import DocumentReplica
from vibedesk.engine.repair.fixer import check_file

CARD = "export interface CardProps {\n  name: string\n}\n\nexport function Card({ name }: CardProps) {\n  return <p>{name.toUpperCase()}</p>\n}\n"
WRONG_CARD = CARD.replace("toUpperCase", "toUpperCas")
APP = "import { Card } from './Card'\n\nexport default function App() {\n  return <Card name=\"you\" />\n}\n"
MISSPELT = "TS2551"


def codes(event: Event) -> set[str]:
    found: list[dict[str, Any]] = event.payload.issues  # type: ignore[attr-defined]
    return {issue["code"] for issue in found}


def tells(*wanted: str) -> Any:
    return lambda event: isinstance(event.payload, Diagnostics) and codes(event) == set(wanted)


def has_ended(path: str) -> Any:
    return lambda event: event.type == "file_end" and event.payload.path == path


async def begin(bench: Bench, *files: tuple[str, str], held_in: str) -> str:
    """Begin a build whose answer stops in the middle of the text of `held_in`."""
    answer = bench.script(*files)
    held = answer.index(f"cat > {held_in}") + len(f"cat > {held_in} <<") + 30
    bench.server.fail(faults.stall(after_chars=held), operation="implement_phase")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    return project_id


async def test_what_is_wrong_is_told_while_the_next_file_comes_and_mended_afterwards(
    react: ReactBench,
) -> None:
    project_id = await begin(
        react, ("src/Card.tsx", WRONG_CARD), ("src/App.tsx", APP), held_in="src/App.tsx"
    )
    told = await react.until(tells(MISSPELT))
    [issue] = told.payload.issues  # type: ignore[attr-defined]
    assert (issue["source"], issue["file"], issue["line"]) == ("types", "src/Card.tsx", 6)
    assert not any(map(has_ended("src/App.tsx"), react.events))
    assert await react.state(project_id) == "implementing_phase"
    react.server.release()
    await react.engine.wait(project_id)
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert react.fixes == [("src/Card.tsx", "deterministic", True)]
    assert await react.engine.read_file(project_id, "src/Card.tsx") == CARD
    # One mistake was seen once, though two looked at it.
    lists = [e for e in react.of("diagnostics") if codes(e)]
    assert {i["times_seen"] for e in lists for i in e.payload.issues} == {1}  # type: ignore[attr-defined]


PART = "export interface Part {\n  size: number\n}\n"
WIDTH = "import type { Part } from './part'\n\nexport const width = (part: Part): number => part.width\n"
NAMES = "export interface Card {\n  name: string\n}\n\nexport const useCard = (pick: (card: Card) => string) => pick({ name: 'you' })\n"
ALL = """\
import { useCard } from './names'
import { width } from './width'

export default function App() {
  const name = useCard((card) => card.name)
  return <p>{name + width({ width: 1 })}</p>
}
"""


async def test_what_is_still_to_come_explains_what_it_brings_and_an_edit_is_seen(
    react: ReactBench,
) -> None:
    project_id = await begin(
        react,
        ("src/App.tsx", ALL),
        ("src/part.ts", PART),
        ("src/width.ts", WIDTH),
        ("src/names.ts", NAMES),
        held_in="src/names.ts",
    )
    # Nothing of the modules that `App` names before they are there, but what is wrong with the one that came.
    await react.until(tells("TS2339", "TS2353"))
    editor = DocumentReplica()
    editor.apply(*await react.engine.updates_since(project_id, 0))
    update = editor.edit("src/part.ts", PART.index("size"), len("size"), "width")
    assert update is not None
    await react.engine.apply_update(project_id, update)
    await react.until(tells())
    assert not any(map(has_ended("src/names.ts"), react.events))
    react.server.release()
    await react.engine.wait(project_id)
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    told = {code for event in react.of("diagnostics") for code in codes(event)}
    assert told == {"TS2339", "TS2353"}
    assert react.fixes == []


async def test_what_was_put_off_is_looked_at_again_when_another_file_came(
    react: ReactBench,
) -> None:
    """However much later it comes."""
    react.script(("src/App.tsx", "export default function App() {\n  return null\n}\n"))
    agent = react.agent(await react.build())
    access = agent.access

    async def come(*files: tuple[str, str]) -> None:
        await access.commit(lambda _: [access.files.write(*file, "agent") for file in files])
        assert access.on_closed is not None
        access.on_closed([path for path, _ in files])

    call, looking = react.engine._call, agent._steps.mending.files_checked()
    await call(looking.__aenter__())
    # What is wrong with the second is told, so the first was looked at before.
    await call(come(("src/App.tsx", ALL), ("src/Card.tsx", WRONG_CARD)))
    await react.until(tells(MISSPELT))
    await call(come(("src/part.ts", PART), ("src/width.ts", WIDTH)))
    await react.until(tells(MISSPELT, "TS2339", "TS2353"))
    await call(looking.__aexit__(None, None, None))


@pytest.mark.parametrize("when", ["before it is checked", "after it was checked"])
async def test_a_stop_meanwhile_leaves_nothing(
    leftovers: Leftovers, react: ReactBench, when: str
) -> None:
    project_id = await begin(
        react, ("src/Card.tsx", WRONG_CARD), ("src/App.tsx", APP), held_in="src/App.tsx"
    )
    await react.until(has_ended("src/Card.tsx"))
    if when.startswith("after"):
        await react.until(tells(MISSPELT))
        assert [
            process for process in leftovers() if "language-service" in " ".join(process.cmdline())
        ]
    await react.engine.cancel(project_id)
    assert leftovers() == []
    assert await react.state(project_id) == "idle"
    react.server.release()
    react.server.answer(whole("src/App.tsx", APP), operation="continue")
    await react.engine.resume(project_id)
    await react.engine.wait(project_id)
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert react.fixes == [("src/Card.tsx", "deterministic", True)]


async def test_later_looks_see_the_packages_and_settings_of_now(react: ReactBench) -> None:
    react.script(("src/Card.tsx", WRONG_CARD), ("src/App.tsx", APP))
    project_id = await react.build()
    assert react.fixes == [("src/Card.tsx", "deterministic", True)]
    agent, folder = react.agent(project_id), await react.folder(project_id)
    code = agent._steps.mending._code
    uses = "import { n } from 'came-later'\n\nexport const m = (a) => n + a\n"

    async def look() -> list[str]:
        sandbox = await agent.runtime.ready_sandbox()
        assert sandbox is not None
        service = await code.within(sandbox)
        assert service is not None
        await service.show({})
        return [issue.code for issue in await check_file("src/uses.ts", uses, service)]

    assert await react.engine._call(look()) == ["TS2307", "TS7006"]
    package = folder / "node_modules" / "came-later"
    package.mkdir()
    (package / "package.json").write_text('{"name": "came-later", "types": "index.d.ts"}')
    (package / "index.d.ts").write_text("export const n: number\n")
    manifest = json.loads((folder / "package.json").read_text())
    manifest["dependencies"]["came-later"] = "1.0.0"
    (folder / "package.json").write_text(json.dumps(manifest))
    await react.engine._call(agent.runtime.take_in())
    assert await react.engine._call(look()) == ["TS7006"]
    settings = (folder / "tsconfig.app.json").read_text()
    (folder / "tsconfig.app.json").write_text(settings.replace('"strict": true', '"strict": false'))
    assert await react.engine._call(look()) == []


async def test_what_is_no_typescript_is_checked_too(react: ReactBench) -> None:
    project_id = await begin(
        react,
        ("tool.mjs", "export const a: number = 1\n"),
        ("src/Later.vue", '<script setup lang="ts">\nconst a = ]\n</script>\n'),
        ("src/data.json", '{ "a": 1 // one\n}\n'),
        ("src/App.tsx", APP),
        held_in="src/App.tsx",
    )
    await react.until(tells("TS8010", "TS1109", "JSON"))
    assert not any(map(has_ended("src/App.tsx"), react.events))
    await react.engine.cancel(project_id)
    react.server.release()


# -- where the tools are not what they are in a TypeScript project ------------------------------------


async def test_where_no_compiler_is_nothing_is_checked_and_nothing_disturbed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vibedesk.engine.agent.closed_files")
    wrong = ("part.ts", "export const part: number = 'text'\n")
    project_id = await begin(bench, wrong, ("app.js", GOOD), held_in="app.js")
    await bench.server.wait_until(lambda: "are not checked while they come" in caplog.text)
    bench.server.release()
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.told(Diagnostics) == []


async def test_what_no_compiler_has_to_read_is_checked_without_one(bench: Bench) -> None:
    wrong = ("data.json", '{ "name": "app", }\n')
    project_id = await begin(bench, wrong, ("app.js", GOOD), held_in="app.js")
    told = await bench.until(tells("JSON"))
    [issue] = told.payload.issues  # type: ignore[attr-defined]
    assert (issue["file"], issue["line"]) == ("data.json", 1)
    await bench.engine.cancel(project_id)
    bench.server.release()


@pytest.fixture
async def python(
    open_engine: Open, model: ModelServer, template: Path, tmp_path: Path
) -> AsyncIterator[Bench]:
    """A starter for Python: files are read without any tools, and its checker does not know them."""
    folder = tmp_path / "python"
    shutil.copytree(template, folder)
    described = json.loads((folder / "template.json").read_text())
    described |= {
        "language": "python",
        "install_command": "sh -c 'mkdir -p .venv && touch .venv/pyvenv.cfg'",
    }
    (folder / "template.json").write_text(json.dumps(described))
    bench = Bench(open_engine(attended=False, browser=False), model, folder)
    yield bench
    await bench.leave()


TOOL = ("tool.py", "def run(:\n")


async def ends_well(bench: Bench, project_id: str) -> None:
    bench.server.release()
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason


async def test_what_the_review_does_not_find_is_gone(python: Bench) -> None:
    project_id = await begin(python, TOOL, ("app.js", GOOD), held_in="app.js")
    await python.until(tells("SyntaxError"))
    await ends_well(python, project_id)
    await python.until(tells())
    assert python.asked("fix") == []


async def test_the_files_of_a_fix_are_checked_too(python: Bench) -> None:
    python.script(("app.js", WRONG))
    mend = whole(*TOOL) + whole("app.js", GOOD)
    python.server.answer(mend, operation="fix")
    python.server.fail(faults.stall(after_chars=len(mend) - 40), operation="fix")
    project_id = await python.create()
    await python.engine.generate(project_id)
    await python.until(tells("SyntaxError", "TS2304"))
    assert await python.state(project_id) == "fixing"
    await ends_well(python, project_id)
    assert sorted(python.fixes) == [("app.js", "model", True), ("tool.py", "model", True)]


async def test_the_files_of_a_change_from_the_conversation_are_checked_too(python: Bench) -> None:
    python.script(("app.js", GOOD))
    project_id = await python.build()
    # The second file of the answer does not fit, and comes whole.
    patch = "cat <<'EOF_P' | patch app.js\n@@ -1,1 +1,1 @@\n-nothing like it\n+other\nEOF_P\n"
    python.server.answer(f"I add a tool.\n\n{whole(*TOOL)}{patch}", operation="converse")
    again = whole("app.js", GOOD + "// more\n")
    python.server.answer(again, operation="continue")
    python.server.fail(faults.stall(after_chars=len(again) - 40), operation="continue")
    await python.engine.say(project_id, "Add a tool")
    await python.until(tells("SyntaxError"))
    await ends_well(python, project_id)
    assert (await python.texts(project_id))["app.js"].endswith("// more\n")
