"""Outages, fallbacks, circuit breakers and what unfinished calls cost: over real wires, on a clock of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from tests.engine.models.test_model_router import REQUEST, Told, read
from tests.support import model_faults as faults
from tests.support.model_faults import Fault
from tests.support.model_server import ModelServer
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.models.attempts import RetryPolicy
from vibedesk.engine.models.circuit import CircuitBreakers
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    BrokenAnswerError,
    ChatMessage,
    ChatModel,
    ImagePart,
    ModelRequest,
    ModelUnavailableError,
    StreamInterruptedError,
    TextDelta,
)
from vibedesk.engine.models.providers import ModelChoice, Providers
from vibedesk.engine.models.router import ModelRouter

MakeRouter = Callable[..., ModelRouter]
EXACT = RetryPolicy(jitter=0)


@pytest.fixture
async def servers() -> AsyncIterator[tuple[ModelServer, ModelServer]]:
    async with ModelServer() as first, ModelServer() as second:
        yield first, second


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def make_router(
    servers: tuple[ModelServer, ModelServer], told: Told
) -> AsyncIterator[MakeRouter]:
    made: list[ModelRouter] = []

    def make(
        count: int = 1,
        *,
        breakers: CircuitBreakers | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        policy: RetryPolicy = EXACT,
        stall_s: float = 5.0,
    ) -> ModelRouter:
        models: list[ChatModel] = []
        wires = ("anthropic", "openai")
        for server, wire in list(zip(servers, wires, strict=True))[:count]:
            providers = Providers(environ=server.environment(wire))
            names = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol"}
            models.append(providers.build_model(ModelChoice(wire, names[wire]), stall_s=stall_s))
        router = ModelRouter(
            models,
            policy=policy,
            hooks=told.hooks,
            breakers=breakers,
            sleep=sleep or told.sleep,
            clock=told.clock,
        )
        made.append(router)
        return router

    yield make
    for router in made:
        await router.aclose()


@pytest.mark.parametrize("fault", [faults.status(503), faults.status(529), faults.drop()])
async def test_a_minutes_outage_is_survived_by_one_model_alone(
    servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter, fault: Fault
) -> None:
    servers[0].answer("back again")
    servers[0].fail(fault, times=99)

    async def sleep(seconds: float) -> None:
        await told.sleep(seconds)
        if told.now >= 60:
            servers[0]._faults.clear()

    assert await read(make_router(sleep=sleep)) == "back again<end>"
    assert 60 <= told.now < 95
    assert len(servers[0].requests) <= 9, "a server that is down is not hammered"
    assert told.log.count("waiting network") == told.log.count("resumed network")


async def test_fallbacks_are_tried_in_between_in_order(
    servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
) -> None:
    servers[0].fail(faults.status(503), times=99)
    servers[1].fail(faults.status(503), times=6)
    servers[1].answer("the second is back")
    assert await read(make_router(2)) == "the second is back<end>"
    assert told.now < 120
    assert 4 < len(servers[0].requests) < 10
    assert len(servers[1].requests) == 7


async def test_broken_answers_are_not_paid_for_without_end(
    servers: tuple[ModelServer, ModelServer], make_router: MakeRouter
) -> None:
    servers[0].answer("never comes")
    servers[0].fail(faults.html(), times=99)
    with pytest.raises(BrokenAnswerError) as raised:
        await read(make_router())
    assert len(servers[0].requests) == 4
    assert "web page" in raised.value.message
    assert "network" in raised.value.remedy


async def test_an_empty_answer_is_none(
    servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
) -> None:
    servers[0].answer("something")
    servers[0].fail(faults.empty())
    assert await read(make_router()) == "something<end>"
    assert [usage.outcome for usage in told.usage] == ["failed", "finished"]
    assert told.usage[0].tokens.output_tokens > 0, "an empty answer costs what its provider counts"


async def test_a_model_that_only_thought_is_told_apart(
    servers: tuple[ModelServer, ModelServer], make_router: MakeRouter
) -> None:
    servers[0].answer("", stop_reason="max_tokens")
    with pytest.raises(BadAnswerError, match="output limit"):
        await read(make_router())


class TestBreakers:
    def breakers(self, told: Told) -> CircuitBreakers:
        return CircuitBreakers(after=3, for_s=30, clock=told.clock)

    async def test_an_open_circuit_is_skipped_at_once_by_every_router(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        breakers = self.breakers(told)
        first, second = (make_router(2, breakers=breakers) for _ in range(2))
        servers[0].fail(faults.status(503), times=3)
        for answer in ("one", "two"):
            servers[1].answer(answer)
        assert await read(first) == "one<end>"
        asked, waited = len(servers[0].requests), told.now
        assert await read(second) == "two<end>"
        assert len(servers[0].requests) == asked == 3
        assert told.now == waited

    async def test_one_call_tries_it_again_and_closes_it(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        router = make_router(2, breakers=self.breakers(told))
        servers[0].fail(faults.status(503), times=3)
        servers[1].answer("one")
        await read(router)
        told.now += 31
        for answer in ("two", "three"):
            servers[0].answer(answer)
        assert await read(router) == "two<end>"
        assert await read(router) == "three<end>"

    async def test_without_another_model_it_is_asked_all_the_same(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        router = make_router(1, breakers=self.breakers(told))
        servers[0].fail(faults.status(503), times=4)
        servers[0].answer("one")
        assert await read(router) == "one<end>"

    def test_while_one_tries_no_other_does(self, told: Told) -> None:
        breakers = self.breakers(told)
        for _ in range(3):
            breakers.failed("p", "m")
        assert breakers.is_open("p", "m")
        told.now += 31
        assert not breakers.is_open("p", "m")
        breakers.asked("p", "m")
        assert breakers.is_open("p", "m")
        breakers.succeeded("p", "m")
        assert not breakers.is_open("p", "m")


class TestUsage:
    @pytest.mark.parametrize("fault", [faults.drop(after_chars=10), faults.stall(after_chars=10)])
    async def test_an_interrupted_call_has_what_was_told_until_then(
        self,
        servers: tuple[ModelServer, ModelServer],
        told: Told,
        make_router: MakeRouter,
        fault: Fault,
    ) -> None:
        servers[0].answer("a long answer that breaks off")
        servers[0].fail(fault)
        with pytest.raises(StreamInterruptedError):
            await read(make_router(stall_s=1.0))
        (usage,) = told.usage
        assert usage.outcome == "interrupted"
        assert usage.tokens.input_tokens > 0
        assert usage.cost is not None

    async def test_a_cancelled_call_is_recorded_too(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        servers[0].answer("a long answer that is not waited for")
        servers[0].fail(faults.stall(after_chars=5))
        router = make_router()
        request = ModelRequest(
            operation="fix", system="s", messages=(ChatMessage("user", "x"),), phase=3
        )
        async with aclosing(router.stream(request)) as items:
            assert isinstance(await anext(items), TextDelta)
        (usage,) = told.usage
        assert (usage.outcome, usage.phase, usage.operation) == ("cancelled", 3, "fix")
        assert usage.tokens.input_tokens > 0

    async def test_a_stopped_answer_that_nobody_counted_is_not_free(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        """On this wire usage comes with the end, which a stopped answer does not have."""
        servers[0].fail(faults.status(401))
        servers[1].answer("a long answer that is not waited for")
        servers[1].fail(faults.stall(after_chars=20))
        async with aclosing(make_router(2).stream(REQUEST)) as items:
            assert isinstance(await anext(items), TextDelta)
        refused, stopped = told.usage
        assert (refused.outcome, refused.cost) == ("failed", 0)
        assert (stopped.provider, stopped.outcome) == ("openai", "cancelled")
        assert stopped.cost is None

    async def test_a_cancelled_task_is_recorded_too(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        servers[0].answer("x")
        servers[0].fail(faults.stall())
        task = asyncio.create_task(read(make_router()))
        await servers[0].wait_until(lambda: bool(servers[0].requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [usage.outcome for usage in told.usage] == ["cancelled"]
        assert told.usage[0].cost == 0

    async def test_what_a_provider_does_not_count_is_not_invented(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        servers[0].answer("uncounted")
        servers[0].fail(faults.no_usage())
        await read(make_router())
        assert told.usage[0].tokens.output_tokens == 0
        assert told.usage[0].cost is None

    async def test_the_cache_saves_money_that_is_told(
        self, servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
    ) -> None:
        router = make_router()
        request = ModelRequest(
            operation="fix", system="s" * 8000, messages=(ChatMessage("user", "x"),)
        )
        for answer in ("one", "two"):
            servers[0].answer(answer)
            await read(router, request)
        first, second = told.usage
        assert first.saved == 0
        assert second.saved == pytest.approx(2000 * (2 - 0.1) / 1e6)
        assert first.cost is not None
        assert second.cost is not None
        assert second.cost < first.cost


@pytest.mark.parametrize("wire", [0, 1])
async def test_halves_of_a_character_come_together(
    servers: tuple[ModelServer, ModelServer], make_router: MakeRouter, wire: int
) -> None:
    server = servers[wire]
    text = "ein 👋 und 👍🏽 zurück"
    for _ in range(2):
        server.answer(text)
    server.fail(faults.split_surrogate())
    if wire == 1:
        servers[0].fail(faults.status(401), times=9)
    router = make_router(wire + 1)
    assert await read(router) == f"{text}<end>"


async def test_images_that_a_model_cannot_see_are_told_once(
    servers: tuple[ModelServer, ModelServer], told: Told
) -> None:
    environ = servers[1].environment("openai")
    model = Providers(
        [
            {
                "name": "blind",
                "wire": "openai",
                "base_url": environ["OPENAI_BASE_URL"],
                "key_required": False,
            }
        ],
        environ={},
    ).build_model(ModelChoice("blind", "tiny"))
    router = ModelRouter([model], hooks=told.hooks)
    picture = ImagePart("image/png", b"x", "a.png")
    request = ModelRequest(
        operation="blueprint", system="s", messages=(ChatMessage("user", "x", (picture,)),)
    )
    for _ in range(2):
        servers[1].answer("x")
        await read(router, request)
    (notice,) = told.log
    assert "tiny cannot see images" in notice
    await router.aclose()


@pytest.mark.parametrize(
    "stored",
    [[], {"speed": 1}, {"base_s": -1}, {"base_s": "1"}, {"max_tries": 0}, {"max_tries": True}],
)
def test_a_wrong_retry_policy_is_refused(stored: object) -> None:
    with pytest.raises(InvalidInputError):
        RetryPolicy.from_dict(stored)


async def test_text_is_never_given_out_twice_by_a_fallback(
    servers: tuple[ModelServer, ModelServer], make_router: MakeRouter
) -> None:
    servers[0].answer("half of an answer")
    servers[0].fail(faults.drop(after_chars=8))
    servers[1].answer("another answer")
    with pytest.raises(StreamInterruptedError):
        await read(make_router(2))
    assert not servers[1].requests


async def test_nobody_answers_for_two_minutes(
    servers: tuple[ModelServer, ModelServer], told: Told, make_router: MakeRouter
) -> None:
    for server in servers:
        server.fail(faults.status(503), times=99)
    with pytest.raises(ModelUnavailableError) as raised:
        await read(make_router(2), REQUEST)
    assert 120 <= told.now < 160
    assert {"claude-sonnet-5-5", "gpt-6.1-sol"} <= raised.value.details.keys()
