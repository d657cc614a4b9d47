"""Commands that a model debugs with may look: what they change in the project's files is undone."""

from __future__ import annotations

import pytest

from tests.engine.agent.conftest import Bench
from tests.support.mendable_app import MESSAGE, PAGE, STUCK, WRONG, script_app
from vibedesk.engine.events import FileChanged, FileDeleted

WRITES = "require('fs').writeFileSync('{}', 'let x;')"
CHANGING = [
    "sed -i s/Counter/Stolen/ index.html",
    'node -e "' + WRITES.format("extra.js") + '"',
    'node -e "' + WRITES.format("package.json") + '"',
    "rm app.js",
]
ALL = "require('fs').readdirSync('.').forEach(p => p.startsWith('.') || require('fs').rmSync(p, {recursive: true}))"


async def debugged(bench: Bench, project_id: str, *commands: str) -> str:
    """Have the stuck app debugged with commands that solve nothing; return what the model was told of them."""
    bench.server.answer(
        "Let me see.\n\n" + "".join(f"[run {command}]\n" for command in commands), operation="debug"
    )
    bench.server.answer("I do not know.", operation="debug")
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    assert await bench.statuses(project_id) == [(MESSAGE, "given_up")]
    timings = (await bench.engine.inspect(project_id))["timings"]
    assert "debug" in {t["operation"] for t in timings if t["outcome"] == "done"}
    return bench.asked("debug")[-1]


@pytest.mark.parametrize("commands", [CHANGING, [f'node -e "{ALL}"']], ids=["some", "all"])
async def test_what_a_debugging_command_changes_is_undone(
    bench: Bench, commands: list[str]
) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    await bench.engine.lock_file(project_id, "index.html", True)
    await bench.engine.create_file(project_id, "notes/mine.md", "mine\n")
    before = await bench.texts(project_id)
    bench.fix_with(*STUCK)
    facts = await debugged(bench, project_id, *commands)
    assert await bench.texts(project_id) == {**before, "app.js": STUCK[-1]}
    folder = await bench.folder(project_id)
    assert {p: (folder / p).read_text() for p in before} == await bench.texts(project_id)
    assert not (folder / "extra.js").exists()
    assert (folder / "index.html").read_text() == PAGE
    for path in ("index.html", "app.js"):
        assert path in facts
    assert facts.count("was undone") == len(commands)
    assert len(bench.notices("undone")) == len(commands)
    labels = [version.label for version in await bench.engine.history(project_id)]
    assert not [label for label in labels if label.startswith("Your edits: index.html")]


async def test_what_was_undone_can_be_brought_back(bench: Bench) -> None:
    """Somebody else may have saved it while the command ran."""
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    bench.fix_with(*STUCK)
    await debugged(bench, project_id, CHANGING[1], CHANGING[0])
    told = [e.payload for e in bench.events if isinstance(e.payload, FileChanged | FileDeleted)]
    assert ("extra.js", "disk") in [(t.path, t.origin) for t in told]
    files = bench.agent(project_id).access.files
    [changed] = [t.version for t in told if (t.path, t.origin) == ("index.html", "disk")]
    assert "Stolen" in files.at(changed)["index.html"]
    files.undelete("extra.js", "user")
    assert files.read("extra.js") == "let x;"


async def test_what_tools_and_the_app_keep_for_themselves_stays(bench: Bench) -> None:
    script_app(bench.server, WRONG, also="cat > .gitignore <<'EOF_G'\ndata/\nEOF_G\n")
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    bench.fix_with(*STUCK)
    await debugged(bench, project_id, "mkdir -p data", "cp index.html data/kept.html")
    assert (await bench.folder(project_id) / "data/kept.html").read_text() == PAGE
    assert bench.notices("undone") == []
