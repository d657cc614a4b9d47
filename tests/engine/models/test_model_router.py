"""Retries, waits, fallbacks and usage, over real wires and without waiting for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    BudgetExceededError,
    ChatMessage,
    ChatModel,
    Finished,
    ModelRequest,
    ModelUnavailableError,
    NoModelError,
    RateLimitedError,
    StreamInterruptedError,
    TextDelta,
)
from vibedesk.engine.models.providers import ModelChoice, Providers
from vibedesk.engine.models.router import CallUsage, ModelRouter, RetryPolicy, RouterHooks

REQUEST = ModelRequest(operation="converse", system="s", messages=(ChatMessage("user", "hi"),))


class Told:
    """What the router said, in order; and a clock that goes on only while it is waited for."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.sleeps: list[float] = []
        self.until: list[datetime] = []
        self.usage: list[CallUsage] = []
        self.now = 0.0
        self.most_calls = 99
        self.hooks = RouterHooks(
            before_call=self.before_call,
            on_waiting=self.waiting,
            on_resumed=self.resumed,
            on_notice=self.notice,
            on_usage=self.used,
        )

    async def before_call(self) -> None:
        if len(self.usage) >= self.most_calls:
            raise BudgetExceededError("The budget is used up.")

    async def waiting(self, reason: str, until: datetime, message: str) -> None:
        self.log.append(f"waiting {reason}")
        self.until.append(until)
        assert message

    async def resumed(self, reason: str) -> None:
        self.log.append(f"resumed {reason}")

    async def notice(self, message: str, code: str) -> None:
        self.log.append(message)
        assert code

    async def used(self, usage: CallUsage) -> None:
        self.usage.append(usage)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now

    @property
    def finished(self) -> list[CallUsage]:
        return [usage for usage in self.usage if usage.outcome == "finished"]


@pytest.fixture
async def servers() -> AsyncIterator[tuple[ModelServer, ModelServer]]:
    async with ModelServer() as first, ModelServer() as second:
        yield first, second


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def router(
    servers: tuple[ModelServer, ModelServer], told: Told
) -> AsyncIterator[ModelRouter]:
    """Claude on the first server, and a GPT on the second to fall back to."""
    async with AsyncExitStack() as stack:
        models: list[ChatModel] = []
        for server, wire, name in zip(
            servers, ("anthropic", "openai"), ("claude-sonnet-5-5", "unheard-of"), strict=True
        ):
            providers = Providers(environ=server.environment(wire))
            models.append(providers.build_model(ModelChoice(wire, name), stall_s=5.0))
        router = ModelRouter(models, hooks=told.hooks, sleep=told.sleep, clock=told.clock)
        stack.push_async_callback(router.aclose)
        yield router


async def read(router: ModelRouter, request: ModelRequest = REQUEST) -> str:
    text = ""
    async with aclosing(router.stream(request)) as items:
        async for item in items:
            text += item.text if isinstance(item, TextDelta) else f"<{item.stop_reason}>"
    return text


@pytest.mark.parametrize("structured", [True, False])
async def test_a_used_up_budget_keeps_every_further_call_from_being_made(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told, structured: bool
) -> None:
    told.most_calls = 1
    if structured:
        servers[0].answer('{"name": "x"}')
    else:
        servers[0].fail(faults.status(401))
    with pytest.raises(BudgetExceededError):
        await (router.ask_structured(REQUEST, Plan) if structured else read(router))
    assert len(told.usage) == 1
    assert [len(server.requests) for server in servers] == [1, 0]


async def test_an_answer_passes_and_its_usage_is_recorded(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].answer("hello")
    assert await read(router) == "hello<end>"
    (usage,) = told.usage
    assert (usage.operation, usage.provider, usage.model) == (
        "converse",
        "anthropic",
        "claude-sonnet-5-5",
    )
    assert usage.tokens.output_tokens == 2
    assert usage.cost is not None
    assert 0 < usage.cost < 0.001
    assert (usage.outcome, usage.phase) == ("finished", 0)
    assert not told.log


async def test_passing_failures_are_retried_with_growing_waits(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].answer("hello")
    for fault in (faults.status(500), faults.drop(), faults.status(529)):
        servers[0].fail(fault)
    assert await read(router) == "hello<end>"
    assert len(servers[0].requests) == 4
    assert not servers[1].requests
    assert 1 <= told.sleeps[0] <= 1.25 < 2 <= told.sleeps[1] <= 2.5 < 4 <= told.sleeps[2] <= 5
    assert told.log == ["waiting network", "resumed network"] * 3
    assert [usage.outcome for usage in told.usage] == ["failed"] * 3 + ["finished"]
    assert not any(usage.tokens.input_tokens for usage in told.usage[:3])


async def test_retry_after_is_waited_for_exactly(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].answer("hello")
    servers[0].fail(faults.status(429, retry_after=17))
    before = datetime.now(UTC)
    await read(router)
    assert told.sleeps == [17.0]
    assert 16.5 < (told.until[0] - before).total_seconds() < 20
    assert told.log == ["waiting rate_limit", "resumed rate_limit"]


async def test_a_wait_beyond_patience_falls_back_at_once(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].fail(faults.status(429, retry_after=3600))
    servers[1].answer("from the second")
    assert await read(router) == "from the second<end>"
    assert not told.sleeps


async def test_a_rejected_key_falls_back_and_says_so(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].fail(faults.status(401))
    servers[1].answer("from the second")
    assert await read(router) == "from the second<end>"
    assert len(servers[0].requests) == 1
    (notice,) = told.log
    assert "claude-sonnet-5-5" in notice
    assert "unheard-of" in notice
    assert told.finished[0].cost is None


async def test_an_outage_is_waited_out_for_two_minutes_and_the_last_error_is_clear(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].fail(faults.status(500), times=99)
    servers[1].fail(faults.status(403), times=99)
    with pytest.raises(ModelUnavailableError) as raised:
        await read(router)
    assert 120 <= told.now < 160
    assert len(servers[1].requests) == 1, "a rejected key does not pass by itself"
    assert {"claude-sonnet-5-5", "unheard-of"} <= raised.value.details.keys()
    assert raised.value.remedy


async def test_text_that_was_given_out_is_never_given_twice(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
) -> None:
    servers[0].answer("a long answer that breaks off")
    servers[0].fail(faults.drop(after_chars=10))
    came = ""
    with pytest.raises(StreamInterruptedError) as raised:  # noqa: PT012 - the text is checked too
        async with aclosing(router.stream(REQUEST)) as items:
            async for item in items:
                assert isinstance(item, TextDelta)
                came += item.text
    assert came == "a long ans"
    assert isinstance(raised.value.__cause__, ModelUnavailableError)
    assert raised.value.retryable
    assert not told.sleeps
    assert len(servers[0].requests) == 1
    assert not servers[1].requests


async def test_closing_the_router_stream_closes_the_wire(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter
) -> None:
    servers[0].answer("a long answer")
    servers[0].fail(faults.stall(after_chars=5))
    async with aclosing(router.stream(REQUEST)) as items:
        assert isinstance(await anext(items), TextDelta)
    await servers[0].wait_until(lambda: servers[0].requests[0].client_left, timeout=30)


async def test_without_models_it_says_what_to_do() -> None:
    with pytest.raises(NoModelError) as raised:
        await read(ModelRouter([]))
    assert "ANTHROPIC_API_KEY" in raised.value.remedy


async def test_policy_is_a_value(servers: tuple[ModelServer, ModelServer], told: Told) -> None:
    providers = Providers(environ=servers[0].environment("openai"))
    model = providers.build_model(ModelChoice("openai", "m"))
    policy = RetryPolicy(max_tries=2, jitter=0, outage_s=0)
    router = ModelRouter([model], policy=policy, sleep=told.sleep, clock=told.clock)
    servers[0].fail(faults.status(429), times=9)
    with pytest.raises(RateLimitedError):
        await read(router)
    assert told.sleeps == [1.0]
    await router.aclose()


class Plan(BaseModel):
    name: str
    files: list[str]


class Noted(BaseModel):
    name: str
    notes: list[str] = []


class TestStructured:
    async def test_the_second_model_is_asked_when_the_first_cannot_form_an_answer(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
    ) -> None:
        servers[0].answer('{"name": "x"}')
        servers[0].answer("I would rather not.")
        servers[1].answer('```json\n{"name": "x", "files": ["a"],}\n```')
        shown: list[str] = []

        async def on_text(text: str) -> None:
            shown.append(text)

        async def on_restart() -> None:
            shown.append("|")

        plan = await router.ask_structured(REQUEST, Plan, on_text, on_restart)
        assert plan == Plan(name="x", files=["a"])
        assert len("".join(shown).split("|")) == 3
        assert len(told.log) == 1
        correction = servers[0].requests[1].messages[-1]["content"]
        assert "files" in str(correction)
        assert len(told.usage) == 3

    async def test_nobody_manages(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter
    ) -> None:
        for server in servers:
            for _ in range(2):
                server.answer("no")
        with pytest.raises(BadAnswerError):
            await router.ask_structured(REQUEST, Plan)

    async def test_an_interrupted_answer_is_asked_for_anew(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter
    ) -> None:
        servers[0].answer('{"name": "x", "files": ["a", "b"]}')
        servers[0].fail(faults.drop(after_chars=25))
        plan = await router.ask_structured(REQUEST, Plan)
        assert plan.files == ["a", "b"]
        assert len(servers[0].requests[1].messages) == 1

    async def test_an_answer_the_token_limit_cut_is_asked_for_again(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter
    ) -> None:
        servers[0].answer('{"name": "x", "files": ["a", "b"]}')
        servers[0].fail(faults.max_tokens(after_chars=28))
        plan = await router.ask_structured(REQUEST, Plan)
        assert plan.files == ["a", "b"]

    async def test_a_cut_answer_is_better_than_none(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter
    ) -> None:
        servers[0].answer('{"name": "x", "files": ["a", "b"]}')
        servers[0].fail(faults.max_tokens(after_chars=28), times=2)
        assert (await router.ask_structured(REQUEST, Plan)).files == ["a"]

    async def test_at_the_budget_a_cut_answer_waits_for_more_and_a_poor_one_is_taken(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter, told: Told
    ) -> None:
        told.most_calls = 1
        servers[0].answer('{"name": "x", "files": ["a", "b"]}')
        servers[0].fail(faults.max_tokens(after_chars=28))
        with pytest.raises(BudgetExceededError):
            await router.ask_structured(REQUEST, Plan)
        told.most_calls = 2
        servers[0].answer('{"name": "x"}')
        form = {**Noted.model_json_schema(), "required": ["name", "notes"]}
        noted = await router.ask_structured(replace(REQUEST, json_schema=form), Noted)
        assert noted.model_fields_set == {"name"}
        assert len(servers[0].requests) == 2

    @pytest.mark.parametrize("again", ['{"name": "x", "notes": []}', '{"name": "y"}'])
    async def test_what_a_request_requires_is_asked_for_once_more(
        self, servers: tuple[ModelServer, ModelServer], router: ModelRouter, again: str
    ) -> None:
        servers[0].answer('{"name": "x"}')
        servers[0].answer(again)
        form = {**Noted.model_json_schema(), "required": ["name", "notes"]}
        noted = await router.ask_structured(replace(REQUEST, json_schema=form), Noted)
        assert noted == Noted.model_validate_json(again)
        assert "notes: Field required" in str(servers[0].requests[1].messages[-1]["content"])
        assert servers[1].requests == []


async def test_finished_is_the_last_item(
    servers: tuple[ModelServer, ModelServer], router: ModelRouter
) -> None:
    servers[0].answer("hello")
    async with aclosing(router.stream(REQUEST)) as items:
        kinds = [type(item) async for item in items]
    assert kinds.count(Finished) == 1
    assert kinds[-1] is Finished


async def test_a_cancelled_wait_is_told_to_be_over(
    servers: tuple[ModelServer, ModelServer], told: Told
) -> None:
    first, _ = servers
    first.fail(faults.status(429, retry_after=60))
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    model = Providers(environ=first.environment()).build_model(ModelChoice("anthropic", "m"))
    router = ModelRouter([model], hooks=told.hooks, sleep=sleep)

    async def ask() -> None:
        async with aclosing(router.stream(REQUEST)) as items:
            async for _ in items:
                pass

    task = asyncio.create_task(ask())
    await asyncio.wait_for(asleep.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.log == ["waiting rate_limit", "resumed rate_limit"]
    await router.aclose()
