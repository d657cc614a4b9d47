"""Settings, environment and budget: which model a project asks, and what it may spend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.engine.models.test_model_providers import MemoryKeychain, keychain
from vibedesk.base.errors import InvalidInputError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import ProviderView

__all__ = ["keychain"]


@pytest.fixture
async def engine(
    home: Home, keychain: MemoryKeychain, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    made = Engine(home)
    await asyncio.to_thread(made.start)
    yield made
    await made.shutdown()


async def provider(engine: Engine, name: str) -> ProviderView:
    [found] = [p for p in await engine.providers() if p.name == name]
    return found


async def test_the_environments_model_wins_over_the_one_in_settings(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "openai-compatible"
    await engine.set_up_provider(name, base_url="http://127.0.0.1:1/v1", model="set")
    assert (await provider(engine, name)).default_model == "set"
    assert (await provider(engine, name)).ready
    monkeypatch.setenv("OPENAI_COMPATIBLE_MODEL", "from-environment")
    assert (await provider(engine, name)).default_model == "from-environment"
    model = await engine._ours.models.model(ProjectOptions())
    assert model.name == "from-environment"
    asked = await engine._ours.models.model(ProjectOptions(provider=name, model="named"))
    assert asked.name == "named"


async def test_a_shipped_provider_keeps_the_address_it_is_given(engine: Engine) -> None:
    usual = (await provider(engine, "openai")).base_url
    await engine.set_up_provider("openai", key="sk-typed", base_url="https://proxy.example/v1")
    assert (await provider(engine, "openai")).base_url == "https://proxy.example/v1"
    await engine.set_up_provider("openai")
    assert (await provider(engine, "openai")).base_url == usual


async def test_a_key_in_the_environment_is_told_to_override_the_entered_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.set_up_provider("openai", key="sk-typed")
    assert not (await provider(engine, "openai")).overrides_keychain
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    assert (await provider(engine, "openai")).overrides_keychain


@pytest.mark.parametrize("name", ["mine", "openai"])
@pytest.mark.parametrize(
    "address",
    [
        "https://me:sk-secret@host.example/v1",
        "https://sk-secret@host.example/v1",
        "https://host.example/v1?api_key=sk-secret",
    ],
)
async def test_an_address_with_a_key_in_it_is_refused_and_not_stored(
    engine: Engine, home: Home, name: str, address: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await engine.set_up_provider(name, base_url=address, model="m")
    assert "key field" in refused.value.remedy
    assert "sk-secret" not in str(refused.value.to_dict())
    await engine.shutdown()
    stored = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert b"sk-secret" not in stored
