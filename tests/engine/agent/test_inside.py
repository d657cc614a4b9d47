"""Looking inside: the state inspector, durations, and a bug report that has no secrets and nothing of the person's."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.keychains import MemoryKeychain, in_use
from tests.support.model_server import ModelServer
from tests.support.tiny_app import whole
from vibedesk.base.errors import InvalidInputError
from vibedesk.base.paths import Home

SECRET = "s3cret-of-the-app"


async def test_the_inspector_knows_everything_but_secrets(desk: Desk) -> None:
    with in_use(MemoryKeychain()):
        project_id = await desk.build()
        await desk.engine.set_variable(project_id, "API_KEY", SECRET, consent=True)
        await desk.engine.say(project_id, "Mark the style")
        await desk.engine.wait(project_id)
        facts = await desk.engine.inspect(project_id)
    text = json.dumps(facts)
    assert SECRET not in text
    assert facts["state"] == facts["stored_state"]["state"] == "complete"
    assert facts["memory"]["phase"] == 3
    assert [plan["number"] for plan in facts["plans"]] == [1, 2, 3]
    assert len(facts["versions"]) == len(await desk.engine.history(project_id))
    assert facts["usage"]["totals"]["calls"] == 5
    assert facts["queue"] == {"running": [], "waiting": []}
    assert facts["sandbox"]["kind"] == facts["sandbox_kind"]
    assert facts["variables"][0]["name"] == "API_KEY"
    assert "template" in facts["options"]
    done = {t["operation"] for t in facts["timings"] if t["outcome"] == "done"}
    assert done >= {
        "blueprint", "plan_phase", "implement_phase", "install", "review", "finalize", "snapshot",
        "converse",
    }  # fmt: skip
    assert all(t["seconds"] >= 0 for t in facts["timings"])
    phases = [t["phase"] for t in facts["timings"] if t["operation"] == "implement_phase"]
    assert phases == [1, 2, 3]


async def test_an_operation_that_is_cut_off_has_a_duration(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.stall(after_chars=10), operation="blueprint")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "blueprint_chunk")
    await desk.engine.cancel(project_id)
    facts = await desk.engine.inspect(project_id)
    assert [(t["operation"], t["outcome"]) for t in facts["timings"]] == [
        ("blueprint", "cancelled")
    ]


async def test_what_a_person_asks_for_beside_a_run_has_a_duration(
    desk: Desk, server: ModelServer, tmp_path: Path
) -> None:
    project_id = await desk.build()
    server.answer(whole("style.css", "/* anew */\n"), operation="regenerate_file")
    await desk.engine.regenerate_file(project_id, "style.css", "Shorter")
    await desk.until(lambda e: e.type == "proposal_ready")
    await desk.engine.start_preview(project_id)
    await desk.engine.security_review(project_id)
    await desk.engine.export(project_id, tmp_path / "out")
    *_, first = await desk.engine.history(project_id)
    await desk.engine.restore(project_id, first.commit)
    facts = await desk.engine.inspect(project_id)
    done = {t["operation"] for t in facts["timings"] if t["outcome"] == "done"}
    assert done >= {"regenerate_file", "start_preview", "security", "export", "restore"}


async def test_a_bug_report_is_seen_before_it_is_written(
    desk: Desk, home: Home, tmp_path: Path
) -> None:
    project_id = await desk.create()
    await desk.engine.set_setting("a.setting", "token sk-ant-api03-AbCdEfGhIjKlMnOpQrSt")
    report = await desk.engine.bug_report(project_id)
    texts = {file.name: file.text for file in report.files}
    assert set(texts) == {
        "about.json", "doctor.json", "settings.json", "vibedesk.log", "project.json"
    }  # fmt: skip
    everything = "".join(texts.values())
    assert "sk-ant" not in everything
    assert str(home.root) not in everything
    assert "Count things for me" not in everything  # the wish is the person's
    assert json.loads(texts["project.json"])["stored_state"]["state"] == "idle"
    without = await desk.engine.bug_report()
    assert "project.json" not in {file.name for file in without.files}
    destination = tmp_path / "report.zip"
    await desk.engine.write_bug_report(report, destination)
    with zipfile.ZipFile(destination) as archive:
        assert {n: archive.read(n).decode() for n in archive.namelist()} == texts
    with pytest.raises(InvalidInputError):
        await desk.engine.write_bug_report(report, destination)


async def test_the_log_level_is_a_setting(desk: Desk) -> None:
    await desk.engine.set_setting("log.level", "debug")
    with pytest.raises(InvalidInputError):
        await desk.engine.set_setting("log.level", "loud")
    assert await desk.engine.setting("log.level") == "debug"
