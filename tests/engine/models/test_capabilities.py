"""Facts about models: shipped, told by servers, and a person's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.models.capabilities import ModelCatalogue


def own(tmp_path: Path, models: Any) -> Path:
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"models": models}))
    return path


def test_an_unknown_model_gets_cautious_defaults() -> None:
    facts = ModelCatalogue.load().find("nobody-knows:7b")
    assert not facts.known
    assert not facts.images
    assert facts.price is None
    assert facts.max_output_tokens < facts.context_window <= 32_000


def test_a_persons_facts_win_one_by_one(tmp_path: Path) -> None:
    path = own(tmp_path, {"claude-sonnet-5-5": {"max_output_tokens": 5}, "qwen3": {"images": True}})
    catalogue = ModelCatalogue.load(path)
    claude, qwen = catalogue.find("claude-sonnet-5-5"), catalogue.find("qwen3:8b")
    assert claude.max_output_tokens == 5
    assert claude.context_window == 1_000_000
    assert qwen.images
    assert qwen.known
    told = catalogue.find("qwen3:8b", told={"images": False, "context_window": 9})
    assert (told.images, told.context_window) == (True, 9)


def test_a_price_says_who_says_it(tmp_path: Path) -> None:
    price = {"price": {"input": 1, "output": 2}}
    catalogue = ModelCatalogue.load(own(tmp_path, {"mine": price, "gpt-5.4": {"images": False}}))
    assert catalogue.find("claude-sonnet-5-5").price_from == "shipped"
    assert catalogue.find("gpt-5.4").price_from == "shipped"
    assert catalogue.find("claude-sonnet-5-5", told=price).price_from == "server"
    assert catalogue.find("mine", told=price).price_from == "person"


def test_servers_know_better_than_the_list() -> None:
    facts = ModelCatalogue.load().find("gpt-oss-120b", told={"context_window": 131_072})
    assert facts.context_window == 131_072
    assert facts.reasoning_efforts == ("low", "medium", "high")


@pytest.mark.parametrize(
    ("models", "place"),
    [
        ({"m": {"context_window": "big"}}, "models.m.context_window"),
        ({"m": {"context_window": True}}, "models.m.context_window"),
        ({"m": {"max_output_tokens": 0}}, "models.m.max_output_tokens"),
        ({"m": {"images": 1}}, "models.m.images"),
        ({"m": {"prompt_caching": "perhaps"}}, "models.m.prompt_caching"),
        ({"m": {"reasoning_efforts": ["extreme"]}}, "models.m.reasoning_efforts"),
        ({"m": {"price": {"input": 1}}}, "models.m.price"),
        ({"m": {"price": {"input": -1, "output": 1}}}, "models.m.price"),
        ({"m": {"price": 5}}, "models.m.price"),
        ({"m": {"wisdom": 1}}, "models.m.wisdom"),
        ({"m": 5}, "models.m"),
        ([], "models"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_file_stays(
    tmp_path: Path, models: Any, place: str
) -> None:
    path = own(tmp_path, models)
    before = path.read_bytes()
    with pytest.raises(InvalidInputError) as raised:
        ModelCatalogue.load(path)
    assert raised.value.details["field"] == place
    assert str(path) in raised.value.message
    assert raised.value.remedy
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b'{"models": {\n  "m": oops', b"\xff\xfe\xfd", b"[]"])
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as raised:
        ModelCatalogue.load(path)
    if b"oops" in content:
        assert "line 2" in raised.value.message


def test_no_file_is_fine(tmp_path: Path) -> None:
    assert ModelCatalogue.load(tmp_path / "models.json").find("claude-opus-5-5").known
