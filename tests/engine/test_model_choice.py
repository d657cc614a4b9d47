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


class TestAGatewayOnThisMachine:
    ADDRESS = "http://127.0.0.1:4000/v1"

    async def price(self, engine: Engine, name: str) -> float | None:
        [facts] = await engine.model_facts(name, ["claude-opus-5-5"])
        return facts.input_price

    async def test_that_takes_a_key_costs_what_its_models_cost(self, engine: Engine) -> None:
        await engine.set_up_provider("gate", base_url=self.ADDRESS, model="claude-opus-5-5")
        assert (await provider(engine, "gate")).free
        assert await self.price(engine, "gate") == 0
        await engine.set_up_provider("gate", key="sk-typed")
        changed = await provider(engine, "gate")
        assert (changed.free, changed.key_required) == (False, True)
        assert changed.base_url == self.ADDRESS
        assert await self.price(engine, "gate") == 4

    async def test_keeps_what_is_not_given_when_its_address_changes(self, engine: Engine) -> None:
        await engine.set_up_provider("other", base_url=self.ADDRESS, model="m")
        await engine.set_up_provider(
            "gate", key="sk-typed", base_url=self.ADDRESS, model="claude-opus-5-5"
        )
        await engine.set_up_provider("other", base_url="http://127.0.0.1:1/v1", use=False)
        await engine.set_up_provider("gate", base_url="http://127.0.0.1:4001/v1", use=False)
        changed = await provider(engine, "gate")
        assert changed.base_url == "http://127.0.0.1:4001/v1"
        assert changed.default_model == "claude-opus-5-5"
        assert (changed.ready, changed.key_required, changed.free) == (True, True, False)
        assert await self.price(engine, "gate") == 4
        assert (await provider(engine, "other")).free

    async def test_is_not_free_with_a_key_in_the_environment(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_COMPATIBLE_BASE_URL", self.ADDRESS)
        assert await self.price(engine, "openai-compatible") == 0
        monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", "sk-environment")
        assert await self.price(engine, "openai-compatible") == 4
        assert not (await provider(engine, "openai-compatible")).free

    async def test_is_not_called_free_while_nobody_can_say_whether_it_has_a_key(
        self, engine: Engine, keychain: MemoryKeychain
    ) -> None:
        await engine.set_up_provider("gate", base_url=self.ADDRESS, model="claude-opus-5-5")
        keychain.locked = True
        assert await self.price(engine, "gate") == 4


async def test_a_local_model_is_remembered_while_another_provider_is_asked(engine: Engine) -> None:
    await engine.set_up_provider("ollama", model="qwen3:8b")
    await engine.set_up_provider("openai", key="sk-typed")
    assert (await provider(engine, "ollama")).default_model == "qwen3:8b"
    await engine.set_up_provider("ollama")
    assert (await provider(engine, "ollama")).default_model == "qwen3:8b"
    assert (await engine._ours.models.model(ProjectOptions())).name == "qwen3:8b"
    await engine.remove_provider("ollama")
    assert (await provider(engine, "ollama")).default_model == ""


async def test_one_with_a_usual_model_goes_back_to_it(engine: Engine) -> None:
    usual = (await provider(engine, "openai")).default_model
    await engine.set_up_provider("openai", key="sk-typed", model="gpt-6-luna")
    assert (await provider(engine, "openai")).default_model == "gpt-6-luna"
    await engine.set_up_provider("openai", use=False)
    assert (await provider(engine, "openai")).default_model == "gpt-6-luna"
    await engine.set_up_provider("openai")
    assert (await provider(engine, "openai")).default_model == usual


async def test_the_one_model_that_was_kept_before_is_still_known(engine: Engine) -> None:
    await engine.set_setting("providers.default", "ollama")
    await engine.set_setting("providers.default_model", "qwen3:8b")
    assert (await provider(engine, "ollama")).default_model == "qwen3:8b"
    await engine.set_up_provider("openai", key="sk-typed")
    assert (await provider(engine, "ollama")).default_model == "qwen3:8b"
