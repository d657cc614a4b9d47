"""Providers as configuration, and where their keys come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keyring
import pytest

from tests.support.keychains import MemoryKeychain, PlainFileKeychain, in_use
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.engine.models.anthropic_provider import AnthropicModel
from vibedesk.engine.models.capabilities import shipped_catalogue
from vibedesk.engine.models.costs import cache_saving, call_cost
from vibedesk.engine.models.keys import (
    KeychainUnavailableError,
    KeyVariable,
    clean_key,
    find_key,
    key_status,
    store_key,
)
from vibedesk.engine.models.openai_provider import OpenAIModel
from vibedesk.engine.models.prices import read_price
from vibedesk.engine.models.protocol import NoModelError, TokenUsage
from vibedesk.engine.models.provider_config import built_in_providers, parse_provider
from vibedesk.engine.models.providers import STALL_VARIABLE, ModelChoice, Providers

VARIABLES = (KeyVariable(name="SOME_KEY"),)


@pytest.fixture
def keychain() -> Iterator[MemoryKeychain]:
    with in_use(MemoryKeychain()) as chain:
        yield chain


class TestKeys:
    def test_the_keychain_keeps_a_key(self, keychain: MemoryKeychain) -> None:
        assert find_key("anthropic", VARIABLES, {}) is None
        store_key("anthropic", " sk-typed\n")
        assert keychain.kept == {("vibedesk", "anthropic"): "sk-typed"}
        key = find_key("anthropic", VARIABLES, {})
        assert key is not None
        assert (key.value, key.source) == ("sk-typed", "keychain")

    def test_the_environment_wins_and_says_so(self, keychain: MemoryKeychain) -> None:
        store_key("anthropic", "sk-typed")
        environ = {"SOME_KEY": "sk-environment"}
        key = find_key("anthropic", VARIABLES, environ)
        assert key is not None
        assert (key.value, key.source, key.variable) == (
            "sk-environment",
            "environment",
            "SOME_KEY",
        )
        status = key_status("anthropic", VARIABLES, environ)
        assert status.overrides_keychain
        assert status.variable == "SOME_KEY"
        assert not key_status("anthropic", VARIABLES, {}).overrides_keychain

    def test_a_key_is_in_no_repr(self, keychain: MemoryKeychain) -> None:
        store_key("anthropic", "sk-typed")
        assert "sk-typed" not in repr(find_key("anthropic", VARIABLES, {}))
        assert "sk-typed" not in repr(key_status("anthropic", VARIABLES, {}))

    def test_a_locked_keychain_is_told(self, keychain: MemoryKeychain) -> None:
        keychain.locked = True
        with pytest.raises(KeychainUnavailableError):
            find_key("anthropic", VARIABLES, {})
        with pytest.raises(KeychainUnavailableError):
            store_key("anthropic", "sk-typed")
        assert key_status("anthropic", VARIABLES, {}).problem

    @pytest.mark.parametrize("plain", [False, True])
    def test_without_a_real_keychain_nothing_is_written(
        self, keychain: MemoryKeychain, plain: bool
    ) -> None:
        from keyring.backends.fail import Keyring as NoKeychain

        chain = PlainFileKeychain() if plain else NoKeychain()
        keyring.set_keyring(chain)
        with pytest.raises(KeychainUnavailableError) as raised:
            store_key("anthropic", "sk-typed")
        assert "sk-typed" not in str(raised.value)
        assert "environment variable" in raised.value.remedy
        assert find_key("anthropic", VARIABLES, {}) is None
        if isinstance(chain, PlainFileKeychain):
            assert not chain.kept

    @pytest.mark.parametrize("text", ["", "  ", "two words", "sk-“curly”", "a\nb"])
    def test_what_is_no_key_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidInputError) as raised:
            clean_key(text)
        assert raised.value.details["field"] == "key"


class TestChoosing:
    def test_the_first_provider_with_a_key_is_used(self) -> None:
        assert Providers(environ={"OPENAI_API_KEY": "k"}).choose().provider == "openai"
        both = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
        assert Providers(environ=both).choose() == ModelChoice("anthropic", "claude-sonnet-5-5")

    def test_nothing_set_up_is_said_with_the_way_out(self) -> None:
        with pytest.raises(NoModelError) as raised:
            Providers(environ={}).choose()
        assert "ANTHROPIC_API_KEY" in raised.value.remedy
        with pytest.raises(NoModelError, match="no key for Anthropic"):
            Providers(environ={}).build_model(ModelChoice("anthropic", "m"))

    def test_any_openai_compatible_address(self) -> None:
        environ = {
            "OPENAI_COMPATIBLE_BASE_URL": "http://localhost:11434/v1",
            "OPENAI_COMPATIBLE_MODEL": "qwen",
        }
        providers = Providers(environ=environ)
        choice = providers.choose()
        assert str(choice) == "openai-compatible/qwen"
        model = providers.build_model(choice)
        assert isinstance(model, OpenAIModel)
        assert (model.provider, model.name) == ("openai-compatible", "qwen")

    def test_a_provider_of_ones_own(self) -> None:
        entry = {
            "name": "gateway",
            "wire": "anthropic",
            "base_url": "https://gateway.example",
            "key_envs": ["GATEWAY_KEY"],
            "default_model": "claude-x",
        }
        providers = Providers([entry], environ={"GATEWAY_KEY": "k"})
        assert providers.choose("gateway").model == "claude-x"
        assert providers.choose("gateway", "other").model == "other"
        assert isinstance(providers.build_model(providers.choose("gateway")), AnthropicModel)
        (status,) = [s for s in providers.configured_providers() if s.config.name == "gateway"]
        assert status.ready
        with pytest.raises(NoModelError, match="no key"):
            Providers([entry], environ={}).build_model(ModelChoice("gateway", "m"))

    def test_an_unknown_provider_is_answered_with_the_nearest(self) -> None:
        with pytest.raises(NotFoundError) as raised:
            Providers(environ={}).choose("antropic")
        assert "Did you mean anthropic?" in raised.value.remedy

    def test_no_address_no_model(self) -> None:
        providers = Providers(environ={})
        with pytest.raises(NoModelError, match="address"):
            providers.build_model(ModelChoice("openai-compatible", "m"))
        with pytest.raises(NoModelError, match="chosen"):
            providers.choose("openai-compatible")

    @pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
    def test_a_wrong_stall_limit_is_told(self, value: str) -> None:
        providers = Providers(environ={"ANTHROPIC_API_KEY": "k", STALL_VARIABLE: value})
        with pytest.raises(InvalidInputError):
            providers.build_model(ModelChoice("anthropic", "m"))

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": 3}, "name"),
            ({"wire": "grpc"}, "wire"),
            ({"base_url": "ftp://x"}, "base_url"),
            ({"base_url": "nonsense"}, "base_url"),
            ({"stall_s": 0}, "stall_s"),
            ({"key_required": "yes"}, "key_required"),
            ({"key_envs": [3]}, "key_envs"),
            ({"key_envs": [{"name": "X", "kind": "magic"}]}, "key_envs"),
            ({"quirks": {"json_mode": "yes"}}, "quirks.json_mode"),
            ({"quirks": {"max_output_tokens": 0}}, "quirks.max_output_tokens"),
            ({"quirks": {"speed": 1}}, "quirks.speed"),
            ({"api_key": "sk-do-not-keep-me"}, "api_key"),
        ],
    )
    def test_a_wrong_entry_names_its_field(self, change: dict[str, Any], field: str) -> None:
        entry = {"name": "x", "wire": "openai", "base_url": "http://localhost/v1", **change}
        with pytest.raises(InvalidInputError) as raised:
            parse_provider(entry)
        assert raised.value.details["field"] == field
        assert "sk-do-not-keep-me" not in str(raised.value.to_dict())


def cost(usage: TokenUsage, model: str) -> float | None:
    return call_cost(usage, shipped_catalogue().find(model).price)


class TestPrices:
    def test_cached_and_written_tokens_have_their_own_price(self) -> None:
        usage = TokenUsage(
            input_tokens=1_000_000,
            output_tokens=100_000,
            cached_tokens=400_000,
            cache_write_tokens=100_000,
        )
        assert cost(usage, "claude-sonnet-5-5-20260928") == pytest.approx(
            0.5 * 2 + 0.4 * 0.1 + 0.1 * 2.5 + 0.1 * 10
        )
        price = shipped_catalogue().find("claude-sonnet-5-5").price
        assert cache_saving(usage, price) == pytest.approx(0.4 * (2 - 0.1))

    def test_long_prompts_cost_what_they_cost(self) -> None:
        short, long = (TokenUsage(input_tokens=tokens) for tokens in (100_000, 100_001))
        assert cost(short, "claude-haiku-5-5") == pytest.approx(0.01)
        assert cost(long, "claude-haiku-5-5") == pytest.approx(0.0500005)

    @pytest.mark.parametrize("model", ["qwen3:8b", "gpt-5.4-ultra", "claude", "", "gpt-4.10"])
    def test_an_unknown_model_has_no_price(self, model: str) -> None:
        assert cost(TokenUsage(input_tokens=5), model) is None

    @pytest.mark.parametrize(
        ("model", "expected"),
        [("openai/gpt-5.4-mini", 0.75), ("anthropic/claude-sonnet-5.5", 2.0)],
    )
    def test_the_spelling_of_routers_does_not_matter(self, model: str, expected: float) -> None:
        assert cost(TokenUsage(input_tokens=1_000_000), model) == expected

    def test_what_the_provider_says_itself_holds(self) -> None:
        assert cost(TokenUsage(input_tokens=1_000_000, cost=0.5), "gpt-5.4-mini") == 0.5

    def test_a_price_that_ended_is_unknown(self) -> None:
        entry = {"input": 1, "output": 2, "until": "2020-01-01"}
        assert call_cost(TokenUsage(input_tokens=5), read_price(entry)) is None

    def test_every_model_of_a_preset_is_known(self) -> None:
        for config in built_in_providers():
            for model in (config.default_model, *config.tiers.values()):
                if model:
                    facts = shipped_catalogue().find(model)
                    assert facts.known, model
                    assert facts.price is not None, model
