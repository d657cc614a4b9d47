"""What goes out, against the providers' documented schemas: every option that VibeDesk sends, to every provider."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.model_http import API_KEY
from tests.support.model_server import ModelServer
from vibedesk.engine.models.protocol import ChatMessage, ImagePart, ModelRequest
from vibedesk.engine.models.provider_config import built_in_providers
from vibedesk.engine.models.providers import ModelChoice, Providers

SCHEMAS = Path(__file__).with_name("schemas")
FILES = {"anthropic": "anthropic_messages.json", "openai": "openai_chat_completions.json"}
MARK = {"cache_control": {"type": "ephemeral"}}
PICTURE = ImagePart("image/png", b"\x89PNG not really", "sketch.png")
FACTS = "The project, which stays the same.\n"
STABLE = FACTS + "Its files.\n"

REQUEST = ModelRequest(
    operation="blueprint",
    system="Answer in JSON.",
    messages=(
        ChatMessage(
            "user", STABLE + "Build this.", (PICTURE,), stable_ends=(len(FACTS), len(STABLE))
        ),
        ChatMessage("assistant", "(an answer)"),
        ChatMessage("user", "Again."),
    ),
    temperature=0.5,
    reasoning_effort="high",
    json_schema={"type": "object"},
)
REQUESTS = {
    "everything": REQUEST,
    "plain": ModelRequest(operation="fix", system="", messages=(ChatMessage("user", "x"),)),
    "all of it stable": replace(
        REQUEST, messages=(ChatMessage("user", STABLE, (), stable_ends=(len(STABLE),)),)
    ),
    "a picture only": replace(REQUEST, messages=(ChatMessage("user", "", (PICTURE,)),)),
}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


async def body_of(
    server: ModelServer, provider: str, model: str, request: ModelRequest
) -> dict[str, Any]:
    config = next(c for c in built_in_providers() if c.name == provider)
    address = server.url if config.wire == "anthropic" else f"{server.url}/v1"
    environ = {config.base_url_env: address}
    environ |= {variable.name: API_KEY for variable in config.key_envs[:1]}
    answering = Providers(environ=environ).build_model(ModelChoice(provider, model))
    server.answer("x")
    async with aclosing(answering.stream(request)) as items:
        async for _ in items:
            pass
    await answering.aclose()
    return server.requests[-1].body


def violations(body: dict[str, Any], wire: str) -> list[str]:
    schema = json.loads((SCHEMAS / FILES[wire]).read_text())
    return [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(body)
    ]


DOCUMENTED = [
    (config.name, model)
    for config in built_in_providers()
    # OpenRouter adds fields of its own to the schema; they are looked at below.
    if config.name != "openrouter"
    for model in dict.fromkeys([config.default_model or "unknown", *config.tiers.values()])
]


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize(("provider", "model"), DOCUMENTED)
async def test_bodies_are_as_documented(
    server: ModelServer, provider: str, model: str, name: str
) -> None:
    config = next(c for c in built_in_providers() if c.name == provider)
    body = await body_of(server, provider, model, REQUESTS[name])
    assert violations(body, config.wire) == []


def test_the_schemas_refuse_what_is_not_documented() -> None:
    turn = {"role": "user", "content": "x"}
    assert violations({"model": "m", "messages": [turn], "max_tokens": 0}, "anthropic")
    assert violations({"model": "m", "messages": [turn], "top_level": 1}, "openai")
    both = {"max_tokens": 1, "max_completion_tokens": 1}
    assert violations({"model": "m", "messages": [turn], **both}, "openai")
    image = {"type": "image_url", "image_url": {"url": "http://x"}}
    assert violations({"model": "m", "messages": [{"role": "user", "content": [image]}]}, "openai")


async def test_anthropic_gets_images_as_sources_and_after_what_is_cached(
    server: ModelServer,
) -> None:
    body = await body_of(server, "anthropic", "claude-opus-5-5", REQUEST)
    texts = ["Answer in JSON.", FACTS, "Its files.\n"]
    assert body["system"] == [{"type": "text", "text": text, **MARK} for text in texts]
    image, rest = body["messages"][0]["content"]
    assert base64.b64decode(image["source"]["data"]) == PICTURE.data
    assert image["source"]["media_type"] == "image/png"
    assert rest == {"type": "text", "text": "Build this."}
    assert body["output_config"] == {"effort": "high"}
    assert "temperature" not in body


async def test_anthropic_gets_four_marks_at_most(server: ModelServer) -> None:
    many = ChatMessage("user", "abcdefgh", stable_ends=(1, 2, 3, 4, 5))
    body = await body_of(server, "anthropic", "claude-opus-5-5", replace(REQUEST, messages=(many,)))
    marked = [block["text"] for block in body["system"] if "cache_control" in block]
    assert marked == ["Answer in JSON.", "a", "d", "e"]
    assert body["messages"] == [{"role": "user", "content": "fgh"}]


async def test_openai_gets_images_as_data_addresses(server: ModelServer) -> None:
    body = await body_of(server, "openai", "gpt-6.1-sol", REQUEST)
    stable, image, text = body["messages"][1]["content"]
    kind, _, data = image["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == PICTURE.data
    assert (stable["text"], text["text"]) == (STABLE, "Build this.")
    assert body["reasoning_effort"] == "high"
    assert body["max_completion_tokens"] == 32_000


async def test_openrouter_gets_marks_and_efforts_in_its_own_form(server: ModelServer) -> None:
    body = await body_of(server, "openrouter", "anthropic/claude-sonnet-5.5", REQUEST)
    assert body.pop("reasoning") == {"effort": "high"}
    system, first = body["messages"][:2]
    assert [part["type"] for part in first["content"]] == ["image_url", "text"]
    for part in system["content"]:
        assert part.pop("cache_control") == MARK["cache_control"]
    assert violations(body, "openai") == []
    assert server.requests[-1].headers["x-title"] == "VibeDesk"
    plain = await body_of(server, "openrouter", "some/other", REQUEST)
    assert plain["messages"][0]["content"] == "Answer in JSON."


async def test_a_model_that_sees_nothing_is_told_what_there_is(server: ModelServer) -> None:
    body = await body_of(server, "cerebras", "gpt-oss-120b", REQUEST)
    text = body["messages"][1]["content"]
    assert "sketch.png" in text
    assert text.startswith(STABLE)
    assert text.endswith("Build this.")


async def test_the_marked_part_is_the_same_bytes_from_request_to_request(
    server: ModelServer,
) -> None:
    bodies = []
    for task in ("Build this.", "Now that."):
        turn = ChatMessage("user", STABLE + task, (), stable_ends=(len(STABLE),))
        request = replace(REQUEST, messages=(turn,))
        bodies.append(await body_of(server, "anthropic", "claude-sonnet-5-5", request))
    first, second = (json.dumps(body["system"]) for body in bodies)
    assert "Its files." in first
    assert first == second


async def test_a_small_context_leaves_room_for_the_question(server: ModelServer) -> None:
    body = await body_of(server, "ollama", "unknown", replace(REQUEST, max_output_tokens=99_000))
    assert body["max_tokens"] <= 16_000
