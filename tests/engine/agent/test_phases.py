"""A phase is checked before it is built, and what it promised is asked for."""

from __future__ import annotations

import json

import pytest

from tests.engine.agent.conftest import Desk
from tests.support.model_server import ModelServer
from tests.support.tiny_app import APP, BLUEPRINT, FIRST, PAGE, STYLE, phase, whole
from vibedesk.base.errors import NotAllowedNowError
from vibedesk.engine.events import FileMarked, Notice

CONTINUED = "cat > style.css <<'EOF'\n" + STYLE + "EOF\n"


def notices(desk: Desk, code: str) -> list[str]:
    return [
        e.payload.message
        for e in desk.events
        if isinstance(e.payload, Notice) and e.payload.code == code
    ]


@pytest.mark.parametrize("answers", [{"first": "".join(FIRST[:3])}])
async def test_a_file_that_the_model_forgot_is_asked_for(desk: Desk, server: ModelServer) -> None:
    server.answer(CONTINUED, operation="continue")
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    assert (await desk.texts(project_id))["style.css"] == STYLE
    [asked] = server.requests_for("continue")
    assert "style.css" in str(asked.messages[-1]["content"])
    assert notices(desk, "not_written") == []


@pytest.mark.parametrize("answers", [{"first": "".join(FIRST[:3])}])
async def test_a_file_that_never_comes_is_named(desk: Desk, server: ModelServer) -> None:
    server.answer("It is not needed.", operation="continue")
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    assert len(server.requests_for("continue")) == 1
    [said] = notices(desk, "not_written")
    assert "style.css" in said


GONE = "rm style.css\n"
MOVED = whole("theme.css", STYLE) + "mv theme.css style.css\n"


@pytest.mark.parametrize(
    "answers", [{"first": "".join(FIRST[:3]) + way} for way in (GONE, MOVED)], ids=["rm", "mv"]
)
async def test_a_planned_file_that_is_deleted_or_moved_into_place_is_not_asked_for(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    assert server.requests_for("continue") == []
    assert notices(desk, "not_written") == []


EXTRA = whole("extra.js", "1\n") + whole("spare.js", "2\n") + whole("gone.js", "3\n")
EXTRA += "rm gone.js\nmv extra.js spare.js\nmv style.css theme.css\n"


@pytest.mark.parametrize("answers", [{"first": "".join(FIRST) + EXTRA}])
async def test_what_happens_to_a_file_outside_the_plan_is_said(desk: Desk) -> None:
    project_id = await desk.build()
    assert (await desk.texts(project_id))["spare.js"] == "1\n"
    assert [said.partition(" too;")[0] for said in notices(desk, "outside_plan")] == [
        "extra.js was written",
        "spare.js was written",
        "gone.js was written",
        "gone.js was deleted",
        "spare.js was replaced",
        "extra.js was renamed to spare.js",
        "theme.css was made of style.css",
    ]


STARTER = whole("server.mjs", "process.exit(1)\n") + "rm install.mjs\nmv server.mjs gone.mjs\n"


@pytest.mark.parametrize("answers", [{"first": "".join(FIRST) + STARTER}])
async def test_what_the_starter_needs_stays(desk: Desk) -> None:
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    texts = await desk.texts(project_id)
    assert "process.exit(1)" not in texts["server.mjs"]
    assert "install.mjs" in texts
    assert len(notices(desk, "untouchable")) == 3


@pytest.mark.parametrize("answers", [{"first": "".join(FIRST[:3]) + whole("package.json", "{\n")}])
async def test_a_broken_manifest_never_replaces_a_good_one(desk: Desk, server: ModelServer) -> None:
    sound = json.dumps({"name": "tiny-app", "dependencies": {}}) + "\n"
    server.answer(whole("package.json", sound) + CONTINUED, operation="continue")
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    [asked, *_] = server.requests_for("continue")
    assert "package.json is no JSON" in str(asked.messages[-1]["content"])
    assert json.loads((await desk.texts(project_id))["package.json"])["name"] == "tiny-app"


SOUND = json.dumps({"name": "mine", "dependencies": {}}) + "\n"
NOT_SENT_WHOLE = {
    "moved onto it": whole("new.json", SOUND) + "mv new.json package.json\n",
    "broken, moved onto it": whole("new.json", "{\n") + "mv new.json package.json\n",
}


@pytest.mark.parametrize(
    "answers",
    [{"first": "".join(FIRST) + way} for way in NOT_SENT_WHOLE.values()],
    ids=NOT_SENT_WHOLE,
)
async def test_what_is_moved_onto_a_manifest_is_asked_for_whole(
    desk: Desk, server: ModelServer
) -> None:
    server.answer(whole("package.json", SOUND), operation="continue")
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    [asked] = server.requests_for("continue")
    assert "package.json is only taken where it is sent whole" in str(asked.messages[-1]["content"])
    assert json.loads((await desk.texts(project_id))["package.json"])["name"] == "mine"


GOES = "rm package.json\nmv package.json old.json\n" + whole("lock.json", "{}\n")
GOES += "mv lock.json package-lock.json\n"


@pytest.mark.parametrize(
    "answers", [{"said": "Without packages.\n\n" + GOES + whole("a.js", "1\n")}]
)
async def test_what_the_packages_hang_on_neither_goes_nor_is_replaced(desk: Desk) -> None:
    project_id = await desk.build()
    before = await desk.texts(project_id)
    await desk.engine.say(project_id, "Do without packages")
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert await desk.texts(project_id) == {**before, "lock.json": "{}\n", "a.js": "1\n"}
    assert len(notices(desk, "managed")) == 3


# -- plans ------------------------------------------------------------------------------------------------


_STRAY = phase("Basics", ["index.html", "app.js", "style.css", "../up.js", "server.mjs"], last=True)
STRAY_PLAN = {**BLUEPRINT, "initial_phase": {**_STRAY, "install_commands": ["rm -rf /"]}}


@pytest.mark.parametrize("answers", [{"blueprint": STRAY_PLAN}])
async def test_what_a_plan_may_not_do_is_taken_out_and_said(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    assert len(notices(desk, "plan_checked")) == 3
    view = await desk.engine.project(project_id)
    assert [f["path"] for f in view.phases[0].files] == ["index.html", "app.js", "style.css"]
    asked = str(server.requests_for("implement_phase")[0].messages)
    assert "up.js" not in asked


# -- locked files ----------------------------------------------------------------------------------------------


LOCK_BREAKER = (
    "I changed it all.\n\n"
    + whole("style.css", "/* not yours */\n")
    + "cat <<'EOF' | patch app.js\n@@ -1,1 +1,1 @@\n-export const line0 = 0;\n+export const line0 = 9;\nEOF\n"
    + "rm index.html\nmv app.js moved.js\n"
    + whole("free.js", "1\n")
)


@pytest.mark.parametrize("answers", [{"said": LOCK_BREAKER}])
async def test_no_answer_touches_a_locked_file(desk: Desk) -> None:
    project_id = await desk.build()
    before = await desk.texts(project_id)
    for path in ("style.css", "app.js", "index.html"):
        await desk.engine.lock_file(project_id, path, True)
    await desk.until(lambda e: isinstance(e.payload, FileMarked) and e.payload.path == "index.html")
    views = {f.path: f.marks for f in await desk.engine.files(project_id)}
    assert views["app.js"] == ("locked",)
    await desk.engine.say(project_id, "Change all of it")
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert await desk.texts(project_id) == {**before, "free.js": "1\n"}
    folder = await desk.folder(project_id)
    assert (folder / "index.html").read_text() == PAGE
    assert (folder / "style.css").read_text() == STYLE
    assert len(notices(desk, "locked")) == 4


@pytest.mark.parametrize("answers", [{"said": "Adding it.\n\nnpm install is-odd@3.0.1\n"}])
async def test_no_answer_installs_into_a_locked_manifest(desk: Desk) -> None:
    project_id = await desk.build()
    before = (await desk.texts(project_id))["package.json"]
    await desk.engine.lock_file(project_id, "package.json", True)
    await desk.engine.say(project_id, "Add is-odd")
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert (await desk.texts(project_id))["package.json"] == before
    assert ((await desk.folder(project_id)) / "package.json").read_text() == before
    notices = [e.payload.message for e in desk.of("notice")]  # type: ignore[attr-defined]
    assert "Not installed: is-odd@3.0.1. You locked package.json." in notices


async def test_the_person_writes_a_locked_file_and_frees_it(desk: Desk) -> None:
    project_id = await desk.build()
    await desk.engine.lock_file(project_id, "style.css", True)
    await desk.engine.rename_file(project_id, "style.css", "look.css")
    assert {f.path: f.marks for f in await desk.engine.files(project_id)}["look.css"] == ("locked",)
    await desk.engine.lock_file(project_id, "look.css", False)
    assert {f.path: f.marks for f in await desk.engine.files(project_id)}["look.css"] == ()


async def test_a_file_that_is_being_written_is_locked_later(
    desk: Desk, server: ModelServer
) -> None:
    from tests.support import model_faults as faults

    server.fail(
        faults.stall(after_chars=len("".join(FIRST[:3])) - 400), operation="implement_phase"
    )
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk" and e.payload.path == "app.js")
    with pytest.raises(NotAllowedNowError):
        await desk.engine.lock_file(project_id, "app.js", True)
    server.release()
    await desk.engine.wait(project_id)
    assert (await desk.texts(project_id))["app.js"].startswith(APP[:20])


# -- the same error again and again -------------------------------------------------------------------------------


BAD_PATCH = "cat <<'EOF' | patch app.js\n@@ -1,1 +1,1 @@\n-no such line\n+x\nEOF\n"


@pytest.mark.parametrize("answers", [{"second": BAD_PATCH}])
async def test_the_same_error_three_times_stops_the_run_and_says_what_it_cost(
    desk: Desk, server: ModelServer
) -> None:
    for _ in range(2):
        server.answer(BAD_PATCH, operation="implement_phase")
    for _ in range(30):
        server.answer(BAD_PATCH, operation="continue")
    project_id = await desk.build()
    view = await desk.engine.project(project_id)
    assert view.state == "error"
    assert view.error is not None
    assert "3 times" in view.error["message"]
    assert "call" in view.error["details"]["tried"]
    assert "USD" in view.error["details"]["spent"]
    assert float(view.error["details"]["cost"]) > 0, "the error card shows it"
    assert len(server.requests_for("implement_phase")) == 4
    assert (await desk.texts(project_id))["app.js"] == APP
