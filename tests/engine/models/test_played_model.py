"""The harness with which wishes are built by hand: requests become files, files become answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.played_model import PlayedModel, answers_in
from vibedesk.engine.models.protocol import ChatMessage, Finished, ModelRequest, TextDelta
from vibedesk.engine.models.providers import Providers


async def ask(model: PlayedModel, operation: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in model.environment().items():
        monkeypatch.setenv(name, value)
    providers = Providers()
    asked = providers.build_model(providers.choose("anthropic", None))
    request = ModelRequest(
        operation=operation,  # type: ignore[arg-type]
        system="Be brief",
        messages=(ChatMessage("user", f"Your task: {operation}"),),
        turn=1,
    )
    items = [item async for item in asked.stream(request)]
    await asked.aclose()
    assert isinstance(items[-1], Finished)
    return "".join(item.text for item in items if isinstance(item, TextDelta))


async def test_requests_are_written_and_answers_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "001-fix.answer.txt").write_text("mended\n", "utf-8")
    (tmp_path / "002-converse.answer.txt").write_text("geht klar, Zoë\n" * 20, "utf-8")
    async with PlayedModel(tmp_path) as model:
        assert await ask(model, "converse", monkeypatch) == "geht klar, Zoë\n" * 20
        assert await ask(model, "fix", monkeypatch) == "mended\n"
    assert answers_in(tmp_path) == [("fix", "mended\n"), ("converse", "geht klar, Zoë\n" * 20)]
    told = (tmp_path / "001-converse.request.txt").read_text("utf-8")
    assert "--- system\nBe brief" in told
    assert "--- user\nYour task: converse" in told
