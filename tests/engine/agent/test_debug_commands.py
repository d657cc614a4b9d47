"""Commands that a model debugs with may look: what they change in the project's files is undone."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench
from tests.support.mendable_app import MESSAGE, PAGE, STUCK, WRONG, script_app
from tests.support.model_server import serve_in_thread
from tests.support.program import Program
from tests.support.tiny_app import whole
from vibedesk.engine.events import FileChanged, FileDeleted
from vibedesk.engine.files.history import HISTORY_REFERENCE

WRITES = "require('fs').writeFileSync('{}', 'let x;')"
CHANGING = [
    "sed -i s/Counter/Stolen/ index.html",
    'node -e "' + WRITES.format("extra.js") + '"',
    'node -e "' + WRITES.format("package.json") + '"',
    "rm app.js",
]
ALL = "require('fs').readdirSync('.').forEach(p => p.startsWith('.') || require('fs').rmSync(p, {recursive: true}))"

FOLDER = "require('fs').rmSync('{0}'); require('fs').mkdirSync('{0}/deep', {{recursive: true}})"
FOLDERS = "; ".join(map(FOLDER.format, ("app.js", "index.html")))


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


@pytest.mark.parametrize(
    "commands",
    [CHANGING, [f'node -e "{ALL}"'], [f'node -e "{FOLDERS}"']],
    ids=["some", "all", "folders"],
)
async def test_what_a_debugging_command_changes_is_undone(
    bench: Bench, commands: list[str]
) -> None:
    project_id = await changed_and_undone(bench, *commands)
    folder = await bench.folder(project_id)
    assert not (folder / "extra.js").exists()
    assert (folder / "index.html").read_text() == PAGE


async def changed_and_undone(bench: Bench, *commands: str) -> str:
    """Have commands of a debugging session change the app, wherever it runs; return the project, as it was."""
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
    for path in ("index.html", "app.js"):
        assert path in facts
    assert facts.count("was undone") == len(commands)
    assert len(bench.notices("undone")) == len(commands)
    labels = [version.label for version in await bench.engine.history(project_id)]
    assert not [label for label in labels if label.startswith("Your edits: index.html")]
    return project_id


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
    stolen, extra = [
        version
        for version in await bench.engine.history(project_id)
        if version.label == "Before undoing what a command changed"
    ]
    await bench.engine.restore_file(project_id, extra.commit, "extra.js")
    await bench.engine.restore_file(project_id, stolen.commit, "index.html")
    assert "Stolen" in (await bench.folder(project_id) / "index.html").read_text()


def test_what_a_command_changed_is_undone_although_the_program_was_killed(
    template: Path, tmp_path: Path
) -> None:
    """Then nobody is left to undo it, and it must not become the person's edits."""
    with socket.create_server(("127.0.0.1", 0)) as told, serve_in_thread() as server:
        told.settimeout(120)
        environment = {**server.environment(), "VIBEDESK_REVIEW": "tools"}
        script_app(server, WRONG)
        for script in STUCK:
            server.answer(whole("app.js", script), operation="fix")
        steps = [
            WRITES.format("extra.js"),
            WRITES.format("index.html"),
            f"require('net').connect({told.getsockname()[1]}, '127.0.0.1')",
        ]
        server.answer(f'[run node -e "{"; ".join(steps)}"]\n', operation="debug")
        server.answer("I do not know.", operation="debug")
        place = ("--home", tmp_path / "home", "--json")
        program = Program("build", "Count", "--template", template, *place, env=environment)
        told.accept()
        program.kill()
        folder = program.folder
        assert (folder / "extra.js").exists()
        again = Program("resume", program.project_id, *place, env=environment)
        again.end()
    assert (folder / "index.html").read_text() == PAGE
    assert not (folder / "extra.js").exists()
    notices = [e["data"]["message"] for e in again.of("notice") if e["data"]["code"] == "undone"]
    assert len(notices) == 1
    assert "extra.js, index.html" in notices[0]
    assert git(folder, "show", f"{kept(folder)}:extra.js") == "let x;"
    assert "Your edits" not in git(folder, "log", "--format=%s", HISTORY_REFERENCE)


def kept(folder: Path) -> str:
    """Return the commit that has what was undone."""
    lines = git(folder, "log", "--format=%H %s", HISTORY_REFERENCE).splitlines()
    [commit] = [line.split()[0] for line in lines if "Before undoing what a command" in line]
    return commit


def git(folder: Path, *arguments: str) -> str:
    argv = ["git", "-c", f"safe.directory={folder}", "-C", str(folder), *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("own", ["", "data/\n"], ids=["new", "changed"])
async def test_a_gitignore_that_a_command_writes_is_undone_and_kept_with_what_it_hides(
    bench: Bench, own: str
) -> None:
    also = f"cat > .gitignore <<'EOF_G'\n{own}EOF_G\n" if own else ""
    script_app(bench.server, WRONG, also=also)
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    before = await bench.texts(project_id)
    bench.fix_with(*STUCK)
    hiding = WRITES.format("extra.js") + "; require('fs').writeFileSync('.gitignore', '*.js')"
    facts = await debugged(bench, project_id, f'node -e "{hiding}"')
    assert ".gitignore, extra.js" in facts
    assert await bench.texts(project_id) == {**before, "app.js": STUCK[-1]}
    folder = await bench.folder(project_id)
    assert not (folder / "extra.js").exists()
    assert (folder / ".gitignore").exists() == bool(own)
    [kept] = [
        version
        for version in await bench.engine.history(project_id)
        if version.label == "Before undoing what a command changed"
    ]
    changed = await bench.engine.version_diff(project_id, kept.commit)
    assert {d.path for d in changed.files} >= {".gitignore", "extra.js"}
    assert "deleted" not in {d.status for d in changed.files}
    for path, text in ((".gitignore", "*.js"), ("extra.js", "let x;")):
        await bench.engine.restore_file(project_id, kept.commit, path)
        assert await bench.engine.read_file(project_id, path) == text


async def test_what_tools_and_the_app_keep_for_themselves_stays(bench: Bench) -> None:
    script_app(bench.server, WRONG, also="cat > .gitignore <<'EOF_G'\ndata/\nEOF_G\n")
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    bench.fix_with(*STUCK)
    await debugged(bench, project_id, "mkdir -p data", "cp index.html data/kept.html")
    assert (await bench.folder(project_id) / "data/kept.html").read_text() == PAGE
    assert bench.notices("undone") == []
