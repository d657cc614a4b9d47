"""The program is killed (-9) in every state, and goes on: same files, nothing shown lost, nobody left behind."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from tests.support import model_faults as faults
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.program import Program, PythonProcess
from tests.support.shown import (
    Files,
    assert_nothing_shown_is_lost,
    assert_states_follow_each_other,
    shown_files,
    stored,
)
from tests.support.tiny_app import (
    APP,
    FIRST,
    PAGE,
    SAID,
    SECOND,
    SECOND_PHASE,
    TINY_TEMPLATE,
    script_tiny_app,
    whole,
)
from vibedesk.base.paths import Home
from vibedesk.engine.builder.going_on import whole_lines
from vibedesk.engine.engine import Engine

pytestmark = pytest.mark.e2e

WISH = "Count things for me"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve_in_thread() as server:
        script_tiny_app(server)
        yield server


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a build that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with serve_in_thread() as server:
        script_tiny_app(server)
        home = Home(root=folder / "home", projects=folder / "home" / "projects")
        program = build(server, home)
        assert program.end() == 0, program.stderr
        return stored(home, program.project_id)[1]


def build(server: ModelServer, home: Home) -> Program:
    return Program(
        "build", WISH, "--template", TINY_TEMPLATE, "--home", home.root, "--json",
        env=server.environment(),
    )  # fmt: skip


def resume(server: ModelServer, home: Home, project_id: str) -> Program:
    return Program("resume", project_id, "--home", home.root, "--json", env=server.environment())


def assert_goes_on(server: ModelServer, home: Home, killed: Program, undisturbed: Files) -> Program:
    """Resume, and require the result of an undisturbed run and an unbroken sequence of events."""
    view = assert_nothing_shown_is_lost(home, killed)
    assert view.can_continue
    program = resume(server, home, killed.project_id)
    assert program.end() == 0, program.stderr
    assert program.events[0]["type"] == "snapshot"
    assert program.events[0]["seq"] == view.seq
    assert_nothing_shown_is_lost(home, program)
    assert_states_follow_each_other(view.state, program.events)
    assert program.of("state_change")[-1]["data"]["state"] == "complete"
    assert stored(home, killed.project_id)[1] == undisturbed
    assert not server.unanswered
    return program


def asked(server: ModelServer, operation: str) -> list[str]:
    return [str(r.messages[-1]["content"]) for r in server.requests_for(operation)]


def until_asked(server: ModelServer, operation: str) -> None:
    deadline = time.monotonic() + 30
    while not server.requests_for(operation):
        assert time.monotonic() < deadline, f"{operation} was not asked for"
        time.sleep(0.005)


# -- the states ------------------------------------------------------------------------------------------


def test_in_blueprinting(server: ModelServer, home: Home, undisturbed: Files) -> None:
    server.fail(faults.stall(after_chars=120), operation="blueprint")
    program = build(server, home)
    program.until_type("blueprint_chunk")
    program.kill()
    assert_goes_on(server, home, program, undisturbed)
    assert len(server.requests_for("implement_phase")) == 2


def test_in_awaiting_approval(server: ModelServer, home: Home, undisturbed: Files) -> None:
    """Approval is asked for in the window only, so a process of the engine's face waits here."""
    script = (
        "import asyncio, sys\n"
        "from vibedesk.base.paths import resolve_home\n"
        "from vibedesk.engine.engine import Engine\n"
        "from vibedesk.engine.project_options import ProjectOptions\n"
        "async def main():\n"
        "    engine = Engine(resolve_home()); engine.start()\n"
        f"    options = ProjectOptions(template={str(TINY_TEMPLATE)!r}, approval=True)\n"
        f"    project = await engine.create({WISH!r}, options)\n"
        "    await engine.generate(project); await engine.wait(project)\n"
        "    view = await engine.project(project)\n"
        "    print(project, view.state, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    process = PythonProcess(script, server)
    project_id, state = process.first_line().split()
    process.kill()
    assert state == "awaiting_approval"
    view, _ = stored(home, project_id)
    assert view.state == "awaiting_approval"
    assert view.blueprint is not None

    refused = resume(server, home, project_id)
    assert refused.end() == 1
    assert "approval" in refused.stderr

    async def approve() -> str:
        engine = Engine(home)
        engine.start()
        try:
            await engine.approve(project_id)
            await engine.wait(project_id)
            return (await engine.project(project_id)).state
        finally:
            await engine.shutdown()

    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        assert asyncio.run(approve()) == "complete"
    assert stored(home, project_id)[1] == undisturbed
    assert len(server.requests_for("blueprint")) == 1


def test_in_planning_phase(server: ModelServer, home: Home, undisturbed: Files) -> None:
    server.fail(faults.stall(after_chars=40), operation="plan_phase")
    program = build(server, home)
    program.until_state("planning_phase")
    until_asked(server, "plan_phase")
    program.kill()
    again = assert_goes_on(server, home, program, undisturbed)
    assert len(server.requests_for("blueprint")) == 1
    assert not [e for e in again.of("file_start") if e["data"]["path"] == "style.css"]


def test_inside_a_file_of_implementing_phase(
    server: ModelServer, home: Home, undisturbed: Files
) -> None:
    inside = len("".join(FIRST[:2])) + len(FIRST[2]) // 2
    server.fail(faults.stall(after_chars=inside), operation="implement_phase")
    server.answer("".join(FIRST[2:]), operation="continue")
    program = build(server, home)
    program.until(lambda e: e["type"] == "file_chunk" and e["data"]["path"] == "app.js")
    program.kill()
    shown = shown_files(program.events)["app.js"]
    assert shown
    assert APP.startswith(shown)
    assert_goes_on(server, home, program, undisturbed)
    [question] = asked(server, "continue")
    assert "These files are finished: index.html." in question
    assert "send app.js again" in question
    assert whole_lines(shown)[-200:] in question


def test_between_files_of_implementing_phase(
    server: ModelServer, home: Home, undisturbed: Files
) -> None:
    server.fail(faults.stall(after_chars=len("".join(FIRST[:3]))), operation="implement_phase")
    server.answer(FIRST[3], operation="continue")
    program = build(server, home)
    program.until(lambda e: e["type"] == "file_end" and e["data"]["path"] == "app.js")
    program.kill()
    again = assert_goes_on(server, home, program, undisturbed)
    assert "These files are finished: app.js, index.html." in asked(server, "continue")[0]
    [first, *_] = again.of("file_start")
    assert first["data"]["path"] == "style.css"
    # The package line came before the kill; nobody repeats it, nobody forgets it.
    assert again.of("deps_installed")[-1]["data"]["packages"] == ["left-pad@1.3.0"]


def test_while_packages_are_installed(server: ModelServer, home: Home, undisturbed: Files) -> None:
    program = build_and_hold_before_the_end(server, home)
    hold_file(program, ".hold-install")
    server.release()
    program.until_state("installing_deps")
    program.until(
        lambda e: e["type"] == "command_output" and e["data"]["line"] == "install is holding"
    )
    program.kill()
    (program.folder / "node_modules" / ".hold-install").unlink()
    again = assert_goes_on(server, home, program, undisturbed)
    assert again.of("deps_installed")[0]["data"]["packages"] == ["left-pad@1.3.0"]
    assert "continue" not in [r.operation for r in server.requests]
    assert len(server.requests_for("implement_phase")) == 2


def test_while_the_server_starts(server: ModelServer, home: Home, undisturbed: Files) -> None:
    program = build_and_hold_before_the_end(server, home)
    program.kill()
    server.release()
    hold_file(program, ".hold-server")
    second = resume(server, home, program.project_id)
    second.until_state("starting_server")
    second.until(lambda e: e["type"] == "sandbox_log" and e["data"]["line"] == "server is holding")
    second.kill()
    (second.folder / "node_modules" / ".hold-server").unlink()
    assert_goes_on(server, home, second, undisturbed)


def build_and_hold_before_the_end(server: ModelServer, home: Home) -> Program:
    """Build until every file of the first phase has come, but the answer has not ended."""
    server.fail(faults.stall(after_chars=len("".join(FIRST))), operation="implement_phase")
    program = build(server, home)
    program.until(lambda e: e["type"] == "file_end" and e["data"]["path"] == "style.css")
    if not program.of("deps_installed"):  # the starter's, beside the blueprint
        program.until_type("deps_installed")
    return program


def hold_file(program: Program, name: str) -> None:
    """Make the app's stand-in for npm or for its server wait from now on."""
    (program.folder / "node_modules" / name).write_text("")


@pytest.mark.parametrize("state", ["reviewing", "finalizing", "planning_phase"])
def test_as_soon_as_it_is_shown(
    state: str, server: ModelServer, home: Home, undisturbed: Files
) -> None:
    """These take milliseconds; where the kill lands in them is chance, and any place has to do, also one after them."""
    # The first phase's answer comes as it is, for it ends before that place. The second's is held until the kill.
    server.fail(faults.duplicate(after_chars=10 * len("".join(FIRST))), operation="implement_phase")
    server.fail(faults.stall(), operation="implement_phase")
    program = build(server, home)
    program.until_state(state)
    program.kill()
    server.release()
    # What was being answered is asked for again.
    server.answer(json.dumps(SECOND_PHASE), operation="plan_phase")
    server.answer("".join(SECOND), operation="implement_phase")
    assert_goes_on(server, home, program, undisturbed)
    requests = [r for r in server.requests if r.operation in ("plan_phase", "implement_phase")]
    assert len(requests) <= 3 + 1


def test_in_fixing(home: Home) -> None:
    broken, fixed = whole("index.html", "<title>BROKEN</title>\n"), whole("index.html", PAGE)
    with serve_in_thread() as server:
        script_tiny_app(server, second=broken)
        server.answer(fixed, operation="fix")
        server.fail(faults.stall(after_chars=len(fixed) // 2), operation="fix")
        program = build(server, home)
        program.until_state("fixing")
        program.until(lambda e: e["type"] == "file_chunk" and e["data"]["path"] == "index.html")
        program.kill()
        view = assert_nothing_shown_is_lost(home, program)
        assert view.state == "fixing"
        again = resume(server, home, program.project_id)
        assert again.end() == 0, again.stderr
        assert stored(home, program.project_id)[1]["index.html"] == PAGE
        assert len(server.requests_for("fix")) == 2


def test_while_a_message_is_answered(server: ModelServer, home: Home) -> None:
    built = build(server, home)
    assert built.end() == 0, built.stderr
    before = stored(home, built.project_id)[1]
    server.fail(faults.stall(after_chars=SAID.index("cat")), operation="converse")
    program = Program(
        "say", built.project_id, "Mark the style", "--home", home.root, "--json",
        env=server.environment(),
    )  # fmt: skip
    program.until_type("message_chunk")
    program.kill()
    assert_nothing_shown_is_lost(home, program)
    again = resume(server, home, built.project_id)
    assert again.end() == 0, again.stderr
    after = stored(home, built.project_id)[1]
    assert after == {**before, "said.css": "/* said */\n"}
    replies = [m for m in stored(home, built.project_id)[0].messages if m.role == "assistant"]
    assert [reply.text for reply in replies] == [SAID.split("\n\n")[0]]


def test_while_an_answers_change_is_written(server: ModelServer, home: Home) -> None:
    built = build(server, home)
    assert built.end() == 0, built.stderr
    before = stored(home, built.project_id)[1]
    program = Program(
        "say", built.project_id, "Mark the style", "--home", home.root, "--json",
        env=server.environment(),
    )  # fmt: skip
    program.until(lambda e: e["type"] == "message_complete" and e["data"]["role"] == "assistant")
    program.kill()
    assert_nothing_shown_is_lost(home, program)
    again = resume(server, home, built.project_id)
    assert again.end() == 0, again.stderr
    after = stored(home, built.project_id)[1]
    assert after == {**before, "said.css": "/* said */\n"}
    assert len(server.requests_for("converse")) == 1


def test_a_message_during_a_cut_off_run_is_answered_after_it(
    server: ModelServer, home: Home
) -> None:
    """Killed with a run and an answer under way: both go on."""
    server.fail(faults.stall(after_chars=20), operation="implement_phase")
    server.fail(faults.stall(after_chars=SAID.index("cat")), operation="converse")
    script = (
        "import asyncio\n"
        "from vibedesk.base.paths import resolve_home\n"
        "from vibedesk.engine.engine import Engine\n"
        "from vibedesk.engine.project_options import ProjectOptions\n"
        "async def main():\n"
        "    engine = Engine(resolve_home()); engine.start()\n"
        f"    options = ProjectOptions(template={str(TINY_TEMPLATE)!r})\n"
        f"    project = await engine.create({WISH!r}, options)\n"
        "    events = await engine.subscribe(project)\n"
        "    await engine.generate(project)\n"
        "    async for event in events:\n"
        "        if event.type == 'state_change' and event.payload.state == 'implementing_phase':\n"
        "            await engine.say(project, 'Mark the style')\n"
        "        if event.type == 'message_chunk':\n"
        "            print(project, flush=True)\n"
        "asyncio.run(main())\n"
    )
    process = PythonProcess(script, server)
    project_id = process.first_line()
    process.kill()
    again = resume(server, home, project_id)
    assert again.end() == 0, again.stderr
    files = stored(home, project_id)[1]
    assert files["said.css"] == "/* said */\n"
    assert files["later.js"]
