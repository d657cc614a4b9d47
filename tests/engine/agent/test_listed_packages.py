"""Packages that a model lists in package.json are looked up before they are installed: npm and a registry on loopback."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench
from tests.engine.agent.test_ended_in_part import NOTHING
from tests.engine.sandboxes.egress.tiny_registry import TinyRegistry, tiny_registry
from tests.support import model_faults as faults
from tests.support.mendable_app import GOOD, PAGE
from tests.support.tiny_app import whole
from vibedesk.engine.agent.wanted_packages import install_commands
from vibedesk.engine.builder.templates import load_template

LATER = "// later\n"
APP = (("index.html", PAGE), ("app.js", GOOD))


@pytest.fixture
async def registry() -> AsyncIterator[TinyRegistry]:
    async with tiny_registry() as registry:
        for version in ("1.0.0", "1.5.0", "2.0.0"):
            registry.publish("tiny", version)
        registry.publish("old", "1.0.0")
        yield registry


@pytest.fixture
async def npm_bench(bench: Bench, registry: TinyRegistry, tmp_path: Path) -> Bench:
    """A bench whose apps get their packages from `registry`, `old` from the beginning."""
    starter = tmp_path / "npm-starter"
    await asyncio.to_thread(shutil.copytree, bench.template, starter)
    described = json.loads((starter / "template.json").read_text("utf-8"))
    install = "npm install --no-audit --no-fund"
    described |= {
        # As in the bundled starters: it takes nothing that the lock file does not know.
        "install_command": "npm ci --no-audit --no-fund",
        "sync_command": install,
        "add_command": f"{install} {{packages}}",
    }
    (starter / "template.json").write_text(json.dumps(described), "utf-8")
    (starter / "package.json").write_text(listing(old="1.0.0"), "utf-8")
    root = json.loads(listing(old="1.0.0"))
    lock = {
        "name": "app",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": root, "node_modules/old": {"version": "1.0.0"}},
    }
    (starter / "package-lock.json").write_text(json.dumps(lock, indent=2), "utf-8")
    npmrc = f"registry={registry.address}\nfetch-retries=0\n"
    (starter / ".npmrc").write_text(npmrc, "utf-8")
    (starter / ".gitignore").write_text("node_modules\n", "utf-8")
    bench.template = starter
    return bench


def listing(**packages: str) -> str:
    content = {"name": "app", "version": "1.0.0", "private": True, "dependencies": packages}
    return json.dumps(content, indent=2) + "\n"


async def listed(bench: Bench, project_id: str) -> dict[str, str]:
    read = json.loads(await bench.engine.read_file(project_id, "package.json"))["dependencies"]
    assert isinstance(read, dict)
    return read


MADE_UP = {"old": "1.0.0", "tiny": "^1.0.0", "surely-made-up": "^3.1.0"}


def list_made_up(bench: Bench) -> None:
    """Have a model list a package that nobody made, and do without it when it is told."""
    bench.script(*APP, ("package.json", listing(**MADE_UP)))
    bench.fix_with(f"// Without it.\n{GOOD}")


async def goes_on_without_it(bench: Bench, project_id: str) -> None:
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.notices("no_such_package") == [
        "There is no package surely-made-up@^3.1.0; going on without it."
    ]
    assert await listed(bench, project_id) == {"old": "1.0.0", "tiny": "^1.0.0"}


async def test_a_version_that_does_not_exist_is_replaced_before_the_install(
    npm_bench: Bench, registry: TinyRegistry
) -> None:
    wanted = listing(old="1.0.0", tiny="^99")
    npm_bench.script(*APP, ("package.json", wanted))
    project_id = await npm_bench.build()
    view = await npm_bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert await listed(npm_bench, project_id) == {"old": "1.0.0", "tiny": "^2.0.0"}
    assert npm_bench.notices("version_replaced") == [
        "There is no tiny@^99 to be had; taking tiny@2.0.0."
    ]
    assert npm_bench.notices("no_such_package") == []
    assert (Path(view.folder) / "node_modules" / "tiny").is_dir()


async def test_a_made_up_package_never_gets_into_the_folder(npm_bench: Bench) -> None:
    list_made_up(npm_bench)
    project_id = await npm_bench.build()
    await goes_on_without_it(npm_bench, project_id)
    assert "there is no package surely-made-up@^3.1.0" in npm_bench.asked("fix")[0]
    installed = await npm_bench.folder(project_id) / "node_modules" / "tiny" / "package.json"
    assert json.loads(installed.read_text("utf-8"))["version"] == "1.5.0"


@pytest.mark.parametrize("opened_first", [False, True])
async def test_it_is_looked_up_where_the_first_install_had_failed(
    npm_bench: Bench, registry: TinyRegistry, opened_first: bool
) -> None:
    """The phase is written by then, so the next try would install for all of it at once."""
    list_made_up(npm_bench)
    registry.status = 500
    project_id = await npm_bench.build()
    assert await npm_bench.state(project_id) == "error"
    registry.status = 0
    if opened_first:
        # By this all that was written comes to the folder.
        await npm_bench.engine.start_preview(project_id)
    await npm_bench.engine.resume(project_id)
    await npm_bench.engine.wait(project_id)
    await goes_on_without_it(npm_bench, project_id)
    assert (await npm_bench.folder(project_id) / "node_modules" / "tiny").is_dir()


@pytest.mark.parametrize("gone", [False, True])
async def test_what_a_stopped_phase_lists_is_looked_up_also_where_the_app_was_opened_meanwhile(
    npm_bench: Bench, gone: bool
) -> None:
    manifest = ("package.json", listing(**MADE_UP))
    npm_bench.script(manifest, *APP)
    npm_bench.server.fail(
        faults.stall(after_chars=len(whole(*manifest)) + 10), operation="implement_phase"
    )
    project_id = await npm_bench.create()
    await npm_bench.engine.generate(project_id)
    await npm_bench.until(
        lambda e: e.type == "file_end" and e.payload.path == "package.json"  # type: ignore[attr-defined]
    )
    agent = npm_bench.agent(project_id)
    await npm_bench.engine._call(agent._steps.setup.ready())
    await npm_bench.engine.cancel(project_id)
    folder = await npm_bench.folder(project_id)
    if gone:
        await npm_bench.engine.stop_sandbox(project_id)
        await asyncio.to_thread(shutil.rmtree, folder / "node_modules")
    await npm_bench.engine.start_preview(project_id)
    assert "tiny" in (folder / "package.json").read_text("utf-8")

    npm_bench.fix_with(f"// Without it.\n{GOOD}")
    await npm_bench.engine.resume(project_id)
    await npm_bench.engine.wait(project_id)
    await goes_on_without_it(npm_bench, project_id)
    assert (await npm_bench.folder(project_id) / "node_modules" / "tiny").is_dir()


async def test_an_app_that_is_started_in_a_pause_has_none_of_what_is_not_looked_up_yet(
    npm_bench: Bench,
) -> None:
    list_made_up(npm_bench)
    npm_bench.server.fail(faults.stall(after_chars=3), operation="implement_phase")
    project_id = await npm_bench.create()
    folder = await npm_bench.folder(project_id)
    await npm_bench.engine.generate(project_id)
    await npm_bench.server.wait_until(lambda: bool(npm_bench.asked("implement_phase")))
    await npm_bench.engine.pause(project_id)
    npm_bench.server.release()
    await npm_bench.until(lambda e: e.type == "waiting" and e.payload.reason == "paused")  # type: ignore[attr-defined]
    assert (await listed(npm_bench, project_id)).keys() == MADE_UP.keys()

    for gone in (False, True):
        if gone:
            await npm_bench.engine.stop_sandbox(project_id)
            await asyncio.to_thread(shutil.rmtree, folder / "node_modules")
        await npm_bench.engine.start_preview(project_id)
        assert json.loads((folder / "package.json").read_text("utf-8"))["dependencies"] == {
            "old": "1.0.0"
        }
        assert (folder / "index.html").read_text("utf-8") != PAGE

    await npm_bench.engine.resume(project_id)
    await npm_bench.engine.wait(project_id)
    await goes_on_without_it(npm_bench, project_id)
    # The folder has the app's name by now.
    assert (await npm_bench.folder(project_id) / "node_modules" / "tiny").is_dir()


async def test_only_what_is_new_is_looked_up(npm_bench: Bench, registry: TinyRegistry) -> None:
    npm_bench.script(*APP, ("package.json", listing(old="1.0.0", tiny="1.0.0")))
    registry.publish("unasked", "1.0.0")
    project_id = await npm_bench.build()
    assert await npm_bench.state(project_id) == "complete"
    npm_bench.server.answer(
        "So be it.\n\n" + whole("package.json", listing(old="1.0.0", tiny="1.0.0", unasked="7")),
        operation="converse",
    )
    asked = registry.asked["tiny"]
    await npm_bench.engine.say(project_id, "Change it")
    await npm_bench.engine.wait(project_id)
    assert await listed(npm_bench, project_id) == {
        "old": "1.0.0", "tiny": "1.0.0", "unasked": "^1.0.0",
    }  # fmt: skip
    assert npm_bench.notices("version_replaced") == [
        "There is no unasked@7 to be had; taking unasked@1.0.0."
    ]
    assert registry.asked["tiny"] == asked

    # Packages that are gone come again as the lock file has them.
    await npm_bench.engine.stop_sandbox(project_id)
    folder = await npm_bench.folder(project_id)
    await asyncio.to_thread(shutil.rmtree, folder / "node_modules")
    await npm_bench.engine.start_preview(project_id)
    assert npm_bench.of("command_started")[-1].payload.command.startswith("npm ci ")  # type: ignore[attr-defined]
    assert (folder / "node_modules" / "unasked").is_dir()

    # Also where the lock file was not made for something else that it says.
    text = await npm_bench.engine.read_file(project_id, "package.json")
    described = {**json.loads(text), "workspaces": ["part"]}
    part = json.dumps({"name": "part", "version": "1.0.0"})
    await npm_bench.engine.create_file(project_id, "part/package.json", part)
    (folder / "package.json").write_text(json.dumps(described), "utf-8")
    await npm_bench.engine.stop_sandbox(project_id)
    await asyncio.to_thread(shutil.rmtree, folder / "node_modules")
    await npm_bench.engine.start_preview(project_id)
    ran = [event.payload.command.split()[1] for event in npm_bench.of("command_started")[-2:]]  # type: ignore[attr-defined]
    assert ran == ["ci", "install"]
    assert (folder / "node_modules" / "part").exists()


NPM = {"install_command": "npm ci", "sync_command": "npm install"}
OWN = listing(old="1.0.0")
AHEAD = listing(old="1.0.0", tiny="1")
OTHER = OWN.replace("private", "overrides")
LOCK = {"packages": {"": {"dependencies": {"old": "1.0.0"}}}}
SHELL = "sh -c 'npm ci && x'"
PNPM = {"install_command": "pnpm install --frozen-lockfile", "sync_command": "pnpm install"}


@pytest.mark.parametrize(
    ("commands", "manifest", "lock", "expected"),
    [
        (NPM, OWN, LOCK, ["npm ci"]),
        (NPM, OWN, None, ["npm ci"]),
        (NPM, OTHER, LOCK, ["npm ci", "npm install"]),
        (NPM, AHEAD, LOCK, ["npm install"]),
        (NPM, AHEAD, None, ["npm install"]),
        (NPM, "", None, ["npm install"]),
        ({"install_command": "npm ci --x"}, OTHER, LOCK, ["npm ci --x", "npm install"]),
        ({"install_command": "bun install"}, AHEAD, LOCK, ["bun install"]),
        ({"install_command": SHELL}, AHEAD, LOCK, [SHELL]),
        (PNPM, AHEAD, LOCK, ["pnpm install"]),
        (PNPM, OWN, None, ["pnpm install --frozen-lockfile"]),
    ],
)
def test_a_manifest_that_is_ahead_of_its_lock_file_is_not_installed_as_the_starter_s_own(
    commands: dict[str, str], manifest: str, lock: object, expected: list[str], tmp_path: Path
) -> None:
    folder, starter = tmp_path / "folder", tmp_path / "starter"
    folder.mkdir()
    starter.mkdir()
    described = {"description": "x", "dev_command": "x", "build_command": "x", **commands}
    (starter / "template.json").write_text(json.dumps(described), "utf-8")
    (starter / "package.json").write_text(listing(old="1.0.0"), "utf-8")
    if manifest:
        (folder / "package.json").write_text(manifest, "utf-8")
    if lock is not None:
        (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    ways = install_commands(load_template(str(starter)), folder)
    assert ways == [shlex.split(way) for way in expected]


async def test_a_registry_that_does_not_answer_changes_no_manifest(
    npm_bench: Bench, registry: TinyRegistry
) -> None:
    npm_bench.script(*APP)
    project_id = await npm_bench.build()
    registry.status = 503
    wanted = listing(old="1.0.0", tiny="^99")
    npm_bench.server.answer(f"So be it.\n\n{whole('package.json', wanted)}", operation="converse")
    await npm_bench.engine.say(project_id, "Change it")
    await npm_bench.engine.wait(project_id)
    assert await npm_bench.state(project_id) == "error"
    assert await npm_bench.engine.read_file(project_id, "package.json") == wanted
    assert npm_bench.notices("version_replaced") == []

    registry.status = 0
    await npm_bench.engine.resume(project_id)
    await npm_bench.engine.wait(project_id)
    assert await npm_bench.state(project_id) == "complete"
    assert await listed(npm_bench, project_id) == {"old": "1.0.0", "tiny": "^2.0.0"}


async def test_what_npm_refused_and_the_person_skipped_is_not_installed_again(
    npm_bench: Bench, attended: Bench
) -> None:
    attended.template = npm_bench.template
    # No registry name that could be looked up: only npm's install finds out.
    wanted = listing(old="1.0.0", alias="npm:surely-made-up@1.0.0")
    attended.script(*APP, ("package.json", wanted))
    attended.fix_with(*(f"{GOOD}// try {number}\n" for number in range(3)))
    project_id = await attended.build()
    assert (await attended.engine.project(project_id)).issues, "it waits for the person"
    attended.server.answer(NOTHING, operation="plan_phase")
    await attended.engine.skip_issues(project_id)
    await attended.engine.wait(project_id)
    installs = len(attended.of("command_started"))
    refused = len(attended.notices("no_such_package"))
    attended.server.answer(f"So be it.\n\n{whole('app.js', GOOD + LATER)}", operation="converse")
    attended.server.answer(NOTHING, operation="plan_phase")
    await attended.engine.say(project_id, "Change it")
    await attended.engine.wait(project_id)
    assert await attended.state(project_id) != "error"
    assert (await attended.texts(project_id))["app.js"] == GOOD + LATER
    assert len(attended.of("command_started")) == installs
    assert len(attended.notices("no_such_package")) == refused
