"""Both model APIs through their real SDKs against the loopback server: text, usage, faults, cancel, secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.support import model_faults as faults
from tests.support.model_faults import Fault
from tests.support.model_http import API_KEY
from tests.support.model_server import ModelServer
from vibedesk.engine.models.capabilities import ModelCatalogue
from vibedesk.engine.models.protocol import (
    BrokenAnswerError,
    ChatMessage,
    ChatModel,
    Finished,
    KeyRejectedError,
    ModelError,
    ModelRequest,
    ModelUnavailableError,
    QuotaExceededError,
    RateLimitedError,
    RequestRefusedError,
    StreamStalledError,
    TextDelta,
)
from vibedesk.engine.models.providers import ModelChoice, Providers

TEXT = "Grüße 👋\r\ncat > a.ts <<'EOF'\nlet x = '日本'\nEOF\n" * 20
REQUEST = ModelRequest(
    operation="implement_phase",
    system="You write apps. " * 40,
    messages=(ChatMessage("user", "a"), ChatMessage("assistant", "b"), ChatMessage("user", "c")),
    max_output_tokens=1234,
)

MakeModel = Callable[..., ChatModel]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture(params=["anthropic", "openai"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def make_model(server: ModelServer, wire: str) -> AsyncIterator[MakeModel]:
    made: list[ChatModel] = []

    def make(*, stall_s: float = 5.0, **custom: object) -> ChatModel:
        environ = server.environment(wire)
        entry = {"name": wire, "wire": wire, **custom}
        providers = Providers([entry] if custom else [], environ=environ)
        model = providers.build_model(ModelChoice(wire, "some-model"), stall_s=stall_s)
        made.append(model)
        return model

    yield make
    for model in made:
        await model.aclose()


async def ask(model: ChatModel, request: ModelRequest = REQUEST) -> tuple[str, Finished]:
    text = ""
    finished: list[Finished] = []
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            if isinstance(item, TextDelta):
                assert not finished
                text += item.text
            elif isinstance(item, Finished):
                finished.append(item)
    assert len(finished) == 1
    return text, finished[0]


async def test_text_arrives_byte_for_byte_and_the_end_says_why(
    server: ModelServer, make_model: MakeModel
) -> None:
    server.answer(TEXT)
    text, finished = await ask(make_model())
    assert text == TEXT
    assert finished.stop_reason == "end"
    request = server.requests[0]
    assert request.operation == "implement_phase"
    assert request.key_was_right
    assert request.answered
    assert request.system == REQUEST.system
    assert [turn["role"] for turn in request.messages] == ["user", "assistant", "user"]


@pytest.mark.parametrize("size", [1, 7])
async def test_cuts_on_the_wire_do_not_matter(
    server: ModelServer, make_model: MakeModel, size: int
) -> None:
    server.wire_size = size
    server.answer(TEXT[:300])
    assert (await ask(make_model()))[0] == TEXT[:300]


async def test_usage_counts_cached_tokens_as_input(
    server: ModelServer, make_model: MakeModel, wire: str
) -> None:
    model = make_model()
    server.answer("one")
    server.answer("two")
    first = (await ask(model))[1].usage
    second = (await ask(model))[1].usage
    prefix = len(REQUEST.system) // 4
    assert first.cached_tokens == 0
    assert first.cache_write_tokens == (prefix if wire == "anthropic" else 0)
    assert second.cached_tokens == prefix
    assert second.input_tokens == first.input_tokens > prefix
    assert second.output_tokens == 1


async def test_the_token_limit_is_reported(server: ModelServer, make_model: MakeModel) -> None:
    server.answer(TEXT)
    server.fail(faults.max_tokens(after_chars=50))
    text, finished = await ask(make_model())
    assert text == TEXT[:50]
    assert finished.stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({"anthropic": "refusal", "openai": "content_filter"}, "refusal"),
        ({"anthropic": "tool_use", "openai": "tool_calls"}, "tool"),
        ({}, "other"),
    ],
)
async def test_other_stop_reasons_are_mapped(
    server: ModelServer, make_model: MakeModel, wire: str, reasons: dict[str, str], expected: str
) -> None:
    server.answer("no", stop_reason=reasons.get(wire, "something_new"))
    assert (await ask(make_model()))[1].stop_reason == expected


BEFORE_TEXT: list[tuple[Fault, type[ModelError]]] = [
    (faults.status(400), RequestRefusedError),
    (faults.status(401), KeyRejectedError),
    (faults.status(402), QuotaExceededError),
    (faults.status(403), KeyRejectedError),
    (faults.status(404), RequestRefusedError),
    (faults.status(408), ModelUnavailableError),
    (faults.status(413), RequestRefusedError),
    (faults.status(418), RequestRefusedError),
    (faults.status(429), RateLimitedError),
    (faults.status(429, error_type="insufficient_quota"), QuotaExceededError),
    (faults.status(400, message="Your credit balance is too low"), QuotaExceededError),
    (faults.status(500), ModelUnavailableError),
    (faults.status(503), ModelUnavailableError),
    (faults.status(529), ModelUnavailableError),
    (faults.drop(), ModelUnavailableError),
    (faults.drop(after_bytes=40), ModelUnavailableError),
    (faults.html(), BrokenAnswerError),
    (faults.stall(), StreamStalledError),
]
AFTER_TEXT: list[tuple[Fault, type[ModelError]]] = [
    (faults.drop(after_chars=60), ModelUnavailableError),
    (faults.drop(after_bytes=2000), ModelUnavailableError),
    (faults.stall(after_chars=60), StreamStalledError),
    (faults.broken_sse(after_chars=60), BrokenAnswerError),
    (faults.broken_json(after_chars=60), BrokenAnswerError),
    (faults.no_stop(after_chars=60), BrokenAnswerError),
    (faults.no_stop(after_chars=len(TEXT)), BrokenAnswerError),
    (faults.error_event("overloaded_error", after_chars=60), ModelUnavailableError),
    (faults.error_event("rate_limit_error", after_chars=60), RateLimitedError),
    (faults.error_event("invalid_request_error", after_chars=60), RequestRefusedError),
]


def patience(fault: Fault) -> tuple[float, float]:
    """Return how long no byte may come, and how long the whole may take; only a stall is to be short."""
    return (1.0, 6.0) if fault.kind == "stall" else (5.0, 30.0)


@pytest.mark.parametrize(
    ("fault", "expected"), BEFORE_TEXT, ids=lambda v: v.kind if isinstance(v, Fault) else ""
)
async def test_failures_before_any_text(
    server: ModelServer, make_model: MakeModel, fault: Fault, expected: type[ModelError]
) -> None:
    server.answer(TEXT)
    server.fail(fault)
    stall_s, bound = patience(fault)
    with pytest.raises(expected) as raised:
        # Less than the watch for silence takes: the watch for bytes ends a stall.
        await asyncio.wait_for(ask(make_model(stall_s=stall_s)), bound)
    assert type(raised.value) is expected
    assert raised.value.remedy
    assert len(server.requests) == 1, "the SDK retried on its own"


@pytest.mark.parametrize(
    ("fault", "expected"), AFTER_TEXT, ids=lambda v: v.kind if isinstance(v, Fault) else ""
)
async def test_failures_after_some_text_keep_the_text_and_never_look_finished(
    server: ModelServer, make_model: MakeModel, fault: Fault, expected: type[ModelError]
) -> None:
    server.answer(TEXT)
    server.fail(fault)
    came = ""
    with pytest.raises(expected) as raised:  # noqa: PT012 - what came before the failure is checked too
        async with aclosing(make_model(stall_s=patience(fault)[0]).stream(REQUEST)) as items:
            async for item in items:
                assert not isinstance(item, Finished)
                came += item.text if isinstance(item, TextDelta) else ""
    assert type(raised.value) is expected
    assert came
    assert TEXT.startswith(came)
    if fault.after_chars is not None:
        assert came == TEXT[: fault.after_chars]


async def test_pings_alone_are_a_stall_in_the_end(
    server: ModelServer, make_model: MakeModel
) -> None:
    server.answer(TEXT)
    server.fail(faults.stall(after_chars=10, how="pings"))
    with pytest.raises(StreamStalledError):
        await asyncio.wait_for(ask(make_model(stall_s=0.3)), 30)


async def test_a_slow_but_living_stream_is_no_stall(
    server: ModelServer, make_model: MakeModel
) -> None:
    server.answer(TEXT[:120])
    server.text_sizes = (10,)
    server.delay_s = 0.15
    text, _ = await ask(make_model(stall_s=1.5))
    assert text == TEXT[:120]


@pytest.mark.parametrize(("header", "expected"), [("2", 2.0), ("0.5", 0.5), ("nonsense", None)])
async def test_retry_after_is_read(
    server: ModelServer, make_model: MakeModel, header: str, expected: float | None
) -> None:
    server.fail(faults.status(429, retry_after=header))
    with pytest.raises(RateLimitedError) as raised:
        await ask(make_model())
    assert raised.value.retry_after == expected


async def test_nobody_listening_is_no_connection(wire: str) -> None:
    environ = {f"{wire.upper()}_BASE_URL": "http://127.0.0.1:9", f"{wire.upper()}_API_KEY": API_KEY}
    model = Providers(environ=environ).build_model(ModelChoice(wire, "m"))
    with pytest.raises(ModelUnavailableError) as raised:
        await ask(model)
    assert "127.0.0.1:9" in raised.value.details["address"]
    await model.aclose()


async def test_closing_the_stream_closes_the_wire(
    server: ModelServer, make_model: MakeModel
) -> None:
    server.answer(TEXT)
    server.fail(faults.stall(after_chars=40))
    items = make_model().stream(REQUEST)
    while not isinstance(await anext(items), TextDelta):
        pass
    await items.aclose()
    await server.wait_until(lambda: server.requests[0].client_left, timeout=30)


async def test_cancelling_the_task_closes_the_wire(
    server: ModelServer, make_model: MakeModel
) -> None:
    server.answer(TEXT)
    server.fail(faults.stall(after_chars=40))
    task = asyncio.create_task(ask(make_model()))
    await server.wait_until(lambda: bool(server.requests) and server.requests[0].sent_bytes > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.wait_until(lambda: server.requests[0].client_left, timeout=30)


async def test_two_answers_at_once_share_a_model(
    server: ModelServer, make_model: MakeModel
) -> None:
    server.answer("first", operation="converse")
    server.answer("second", operation="fix")
    model = make_model()
    other = ModelRequest(operation="fix", system="", messages=REQUEST.messages)
    talk = ModelRequest(operation="converse", system="", messages=REQUEST.messages)
    answers = await asyncio.gather(ask(model, talk), ask(model, other))
    assert [text for text, _ in answers] == ["first", "second"]
    assert "system" not in {turn["role"] for turn in server.requests[0].body["messages"]}


@pytest.mark.parametrize(
    "fault",
    [
        faults.status(401, message=f"Incorrect API key provided: {API_KEY}."),
        faults.status(500, message=f"key {API_KEY}"),
        faults.error_event("overloaded_error", message=f"key {API_KEY}"),
        faults.drop(),
    ],
    ids=lambda fault: f"{fault.kind}{fault.code or ''}",
)
async def test_keys_show_nowhere(
    server: ModelServer, make_model: MakeModel, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer(TEXT)
    server.fail(fault)
    model = make_model()
    with pytest.raises(ModelError) as raised:
        await ask(model)
    error = raised.value
    seen = [repr(model), repr(vars(model)), repr(error), str(error), str(error.to_dict())]
    seen.append("".join(traceback.format_exception(error)))
    seen.append(caplog.text)
    assert not [text for text in seen if API_KEY in text]


async def test_the_system_prefix_is_marked_for_the_cache_and_stays_the_same(
    server: ModelServer,
) -> None:
    model = Providers(environ=server.environment("anthropic")).build_model(
        ModelChoice("anthropic", "m")
    )
    for question in ("one", "two"):
        server.answer("x")
        messages = (ChatMessage("user", question),)
        await ask(model, ModelRequest(operation="fix", system="stable prefix", messages=messages))
    first, second = (request.body for request in server.requests)
    block = {"type": "text", "text": "stable prefix", "cache_control": {"type": "ephemeral"}}
    assert first["system"] == second["system"] == [block]
    assert first["max_tokens"] == 32_000
    assert "temperature" not in first
    await model.aclose()


async def test_quirks_of_compatible_servers_are_data(server: ModelServer) -> None:
    entry = {
        "name": "local",
        "wire": "openai",
        "base_url": f"{server.url}/v1",
        "key_required": False,
        "quirks": {
            "json_mode": True,
            "max_tokens_parameter": "max_completion_tokens",
            "include_usage": False,
            "max_output_tokens": 500,
        },
    }
    model = Providers([entry], environ={}).build_model(ModelChoice("local", "tiny"))
    server.answer("{}")
    request = ModelRequest(
        operation="blueprint",
        system="Answer in JSON.",
        messages=(ChatMessage("user", "x"),),
        temperature=0.5,
        json_schema={"type": "object"},
    )
    _, finished = await ask(model, request)
    body = server.requests[0].body
    assert body["max_completion_tokens"] == 500
    assert "max_tokens" not in body
    assert "stream_options" not in body
    assert body["response_format"] == {"type": "json_object"}
    assert body["temperature"] == 0.5
    assert finished.usage.input_tokens == 0
    await model.aclose()


@pytest.mark.parametrize(("own", "asked"), [({}, True), ({"structured_output": False}, False)])
async def test_a_model_that_takes_no_structured_output_is_not_asked_for_it(
    server: ModelServer, tmp_path: Path, own: dict[str, bool], asked: bool
) -> None:
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"models": {"tiny": own}}), encoding="utf-8")
    entry = {
        "name": "local",
        "wire": "openai",
        "base_url": f"{server.url}/v1",
        "key_required": False,
        "quirks": {"json_mode": True},
    }
    providers = Providers([entry], environ={}, catalogue=ModelCatalogue.load(file))
    model = providers.build_model(ModelChoice("local", "tiny"))
    server.answer("{}")
    request = ModelRequest(
        operation="blueprint",
        system="Answer in JSON.",
        messages=(ChatMessage("user", "x"),),
        json_schema={"type": "object"},
    )
    await ask(model, request)
    assert ("response_format" in server.requests[0].body) == asked
    await model.aclose()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ANTHROPIC_CUSTOM_HEADERS", "X-Gateway: secret-of-anthropic"),
        ("OPENAI_CUSTOM_HEADERS", "X-Gateway: secret-of-openai"),
        ("OPENAI_ORG_ID", "org-secret"),
    ],
)
async def test_what_is_meant_for_the_makers_does_not_reach_other_servers(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    wire = variable.partition("_")[0].lower()
    path = "/v1" if wire == "openai" else ""
    other = {"name": "other", "wire": wire, "base_url": server.url + path, "key_required": False}
    providers = Providers([other], environ=server.environment(wire))
    for name in (wire, "other"):
        server.answer("x")
        model = providers.build_model(ModelChoice(name, "m"))
        await ask(model)
        await model.aclose()
    own, foreign = (str(request.headers) for request in server.requests)
    secret = value.rpartition(" ")[2]
    assert secret in own
    assert secret not in foreign
    assert server.requests[0].key_was_right
    assert not server.requests[1].key_was_right


async def test_a_proxy_is_not_asked_for_this_machine(
    server: ModelServer, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server.answer("direct")
    assert (await ask(make_model()))[0] == "direct"


async def test_auth_token_is_sent_as_bearer(server: ModelServer) -> None:
    environ = {"ANTHROPIC_AUTH_TOKEN": API_KEY, "ANTHROPIC_BASE_URL": server.url}
    model = Providers(environ=environ).build_model(ModelChoice("anthropic", "m"))
    server.answer("x")
    await ask(model)
    assert server.requests[0].key_was_right
    await model.aclose()
