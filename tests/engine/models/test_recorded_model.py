"""The recorded model and the samples that ship."""

from __future__ import annotations

import json
import shutil
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.support.recordings import recording, recordings
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.engine.models.protocol import (
    ChatMessage,
    Finished,
    ModelRequest,
    NoMoreRecordedAnswersError,
    Operation,
    TextDelta,
    TokenUsage,
)
from vibedesk.engine.models.recorded import RecordedModel
from vibedesk.engine.models.router import CallUsage, ModelRouter, RouterHooks
from vibedesk.engine.models.samples import get_sample, list_samples, load_recording

OPERATIONS: dict[str, Operation] = {
    "blueprint": "blueprint",
    "phase": "plan_phase",
    "implement": "implement_phase",
    "fix": "fix",
}


def request(
    operation: Operation, phase: int = 0, *, said: str = "x", turn: int = 0
) -> ModelRequest:
    return ModelRequest(
        operation=operation,
        system="",
        messages=(ChatMessage("user", said),),
        phase=phase,
        turn=turn,
    )


async def read(model: RecordedModel, asked: ModelRequest) -> tuple[str, Finished]:
    items = [item async for item in model.stream(asked)]
    last = items.pop()
    assert isinstance(last, Finished)
    return "".join(item.text for item in items if isinstance(item, TextDelta)), last


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
async def test_every_reply_is_played_byte_for_byte_in_any_order(folder: Path) -> None:
    model = RecordedModel(folder, pace=0)
    manifest = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    for entry in reversed(manifest["order"]):
        expected = (folder / entry["file"]).read_bytes().decode()
        if entry["kind"] == "conversation":
            talk = json.loads(expected)
            text, _ = await read(model, request("converse", said=f"They say: {talk['user']}"))
            assert text == f"{talk['reply']}\n\n{talk['scof']}"
            continue
        asked = request(OPERATIONS[entry["kind"]], entry["phase"])
        text, finished = await read(model, asked)
        assert text == expected
        assert finished == Finished("end", TokenUsage())


async def test_it_says_that_it_is_recorded_and_costs_nothing() -> None:
    model = RecordedModel(recording("kanban-board"), pace=0)
    assert "recorded" in model.name
    assert model.provider == "recorded"
    used: list[CallUsage] = []

    async def on_usage(usage: CallUsage) -> None:
        used.append(usage)

    router = ModelRouter([model], hooks=RouterHooks(on_usage=on_usage))
    async with aclosing(router.stream(request("blueprint"))) as items:
        async for _ in items:
            pass
    assert used[0].cost == 0.0
    assert used[0].tokens == TokenUsage()


@pytest.mark.parametrize(
    "asked",
    [
        request("plan_phase", 3),
        request("implement_phase", 9),
        request("fix", 1),
        request("review", 1),
        request("regenerate_file", 1),
        request("converse", said="Now make it green"),
        request("converse", said="", turn=0),
        request("converse", said="works great!", turn=1),
    ],
    ids=lambda asked: f"{asked.operation}-{asked.phase}-{asked.turn}",
)
async def test_beyond_the_recording_it_says_so(asked: ModelRequest) -> None:
    with pytest.raises(NoMoreRecordedAnswersError, match="recorded example") as raised:
        await read(RecordedModel(recording("kanban-board"), pace=0), asked)
    assert raised.value.code == "no_more_recorded_answers"
    assert raised.value.remedy


async def test_going_on_re_sends_the_phase() -> None:
    folder = recording("recipe-finder")
    text, _ = await read(RecordedModel(folder, pace=0), request("continue", 1))
    assert text == (folder / "02-implement-1.scof").read_bytes().decode()


async def test_the_truncated_variant_ends_at_the_token_limit_and_goes_on() -> None:
    folder = recording("recipe-finder")
    model = RecordedModel(folder, pace=0, truncated=True)
    text, finished = await read(model, request("implement_phase", 1))
    assert text == (folder / "02-implement-1.truncated.scof").read_bytes().decode()
    assert finished.stop_reason == "max_tokens"
    text, finished = await read(model, request("continue", 1))
    assert text == (folder / "02b-continue.scof").read_bytes().decode()
    assert finished.stop_reason == "end"
    assert (await read(model, request("implement_phase", 2)))[1].stop_reason == "end"


async def test_pieces_are_uneven_and_paced() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    model = RecordedModel(recording("kanban-board"), pace=100, sleep=sleep)
    sizes = {
        len(item.text)
        async for item in model.stream(request("plan_phase", 2))
        if isinstance(item, TextDelta)
    }
    length = (recording("kanban-board") / "03-phase-2.json").stat().st_size
    assert len(sizes) > 3
    assert sum(waits) == pytest.approx(length / 4 / 100, rel=0.05)


async def test_line_ends_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "messy"
    shutil.copytree(recording("kanban-board"), folder)
    (folder / "02-implement-1.scof").write_bytes(b"cat > a <<EOF\r\nx\r\nEOF\r\n")
    text, _ = await read(RecordedModel(folder, pace=0), request("implement_phase", 1))
    assert text == "cat > a <<EOF\r\nx\r\nEOF\r\n"


@pytest.mark.parametrize(
    "manifest", ["", "[]", '{"order": [{"kind": "nope", "file": "x"}]}', '{"order": 3}']
)
def test_an_unreadable_recording_is_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "session.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(InvalidInputError):
        load_recording(tmp_path)


def test_the_samples_that_ship() -> None:
    samples = {sample.slug: sample for sample in list_samples()}
    assert list(samples) == ["expense-tracker", "kanban-board", "recipe-finder"]
    kanban = samples["kanban-board"]
    assert kanban.title == "Workbench"
    assert kanban.prompt.startswith("I'd like a simple kanban board")
    assert kanban.phases == 2
    assert kanban.messages[0].startswith("works great!")
    assert kanban.bundled
    assert samples["expense-tracker"].phases == 3


def test_samples_are_found_by_name_title_or_folder() -> None:
    assert get_sample("kanban-board").slug == "kanban-board"
    assert get_sample("Workbench").slug == "kanban-board"
    other = get_sample(str(recording("pomodoro-tasks")))
    assert other.slug == "pomodoro-tasks"
    assert not other.bundled


def test_an_unknown_sample_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError) as raised:
        get_sample("kanban-bord")
    assert "Did you mean kanban-board?" in raised.value.remedy
    with pytest.raises(NotFoundError) as raised:
        get_sample("zzz")
    assert "Did you mean" not in raised.value.remedy
    assert "recipe-finder" in raised.value.remedy
