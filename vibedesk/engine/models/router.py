"""Asks models in order, with retries, waits, fallbacks and a record of every call.

    router = ModelRouter([first, fallback], hooks=RouterHooks(on_waiting=…, on_usage=…))
    async with aclosing(router.stream(request)) as items:
        async for item in items: ...                      # TextDelta…, then exactly one Finished
    blueprint = await router.ask_structured(request, Blueprint, on_text=show)

A call is asked again only while none of its text was given out. After that an interruption raises
`StreamInterruptedError` (its `__cause__` is the failure), so that the operation continues with what came.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.models.attempts import Attempts, RetryPolicy, RoutedModel
from vibedesk.engine.models.capabilities import ModelCapabilities
from vibedesk.engine.models.circuit import CircuitBreakers
from vibedesk.engine.models.costs import cache_saving, call_cost
from vibedesk.engine.models.prices import FREE
from vibedesk.engine.models.protocol import (
    NO_MODEL_REMEDY,
    BadAnswerError,
    BrokenAnswerError,
    BudgetExceededError,
    ChatModel,
    Finished,
    ModelError,
    ModelRequest,
    NoModelError,
    Operation,
    RateLimitedError,
    StreamInterruptedError,
    StreamItem,
    TextDelta,
    TokenUsage,
    UsageSoFar,
)
from vibedesk.engine.models.routes import RoutedOperation, route_of
from vibedesk.engine.models.structured import OnRestart, OnText, ask_structured

if TYPE_CHECKING:
    from pydantic import BaseModel

_log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer", bound="BaseModel")

WaitReason = Literal["rate_limit", "network"]
CallOutcome = Literal["finished", "interrupted", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUsage:
    """One model call, however it ended.

    `cost` is in USD, None where the price is unknown or nobody counted the answer; `saved` is what reading from the provider's cache saved
    against the plain input price. A call that did not finish has the tokens that the provider had told until then,
    often none: they are never estimated. `phase` is the request's, 0 outside phases. `continues` is the operation that
    a `continue` goes on with, else empty.
    """

    operation: Operation
    provider: str
    model: str
    tokens: TokenUsage
    cost: float | None
    latency_s: float
    phase: int = 0
    outcome: CallOutcome = "finished"
    saved: float | None = None
    continues: str = ""


async def _always_ask() -> None:
    """Stand in where nothing keeps a call from being made."""


async def _ignore_waiting(reason: WaitReason, until: datetime, message: str) -> None:
    """Stand in where nobody listens."""


async def _ignore_resumed(reason: WaitReason) -> None:
    """Stand in where nobody listens."""


async def _ignore_notice(message: str, code: str) -> None:
    """Stand in where nobody listens."""


async def _ignore_usage(usage: CallUsage) -> None:
    """Stand in where nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterHooks:
    """What the router tells while it works; each is awaited before it goes on.

    `before_call` comes before every call, also a retry's and a fallback's; a `BudgetExceededError` of its keeps this one
    and all that would follow it from being made.
    `on_resumed` follows every `on_waiting`, also one whose wait is cancelled. `on_notice` gets a sentence and its
    code: another model is asked and why (`fallback`), or a model cannot see what was attached (`images_not_seen`).
    """

    before_call: Callable[[], Awaitable[None]] = _always_ask
    on_waiting: Callable[[WaitReason, datetime, str], Awaitable[None]] = _ignore_waiting
    on_resumed: Callable[[WaitReason], Awaitable[None]] = _ignore_resumed
    on_notice: Callable[[str, str], Awaitable[None]] = _ignore_notice
    on_usage: Callable[[CallUsage], Awaitable[None]] = _ignore_usage


class ModelRouter:
    """Models in order of preference, asked so that a passing failure is nobody's business.

    Args:
        models: Asked in this order where an operation has no route of its own; the router owns them, and those of
            the routes, from here on (`aclose`).
        routes: Steps by operation, or why an operation has none.
        policy: Retries and waits.
        hooks: Who is told about waits, fallbacks and usage.
        breakers: Shared by routers that ask the same models.
        sleep: How to wait.
        clock: Monotonic seconds; goes on while `sleep` waits.
    """

    def __init__(
        self,
        models: Sequence[ChatModel],
        *,
        routes: Mapping[RoutedOperation, Sequence[RoutedModel] | VibeDeskError] | None = None,
        policy: RetryPolicy | None = None,
        hooks: RouterHooks | None = None,
        breakers: CircuitBreakers | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usual = [RoutedModel(model=model) for model in models]
        self._routes = dict(routes or {})
        self._policy = policy or RetryPolicy()
        self._hooks = hooks or RouterHooks()
        self._breakers = breakers or CircuitBreakers(clock=clock)
        self._sleep = sleep
        self._clock = clock
        self._told_blind: set[str] = set()

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """Every model that may be asked, each once."""
        routed = [
            step
            for steps in self._routes.values()
            if not isinstance(steps, VibeDeskError)
            for step in steps
        ]
        found = {id(step.model): step.model for step in (*self._usual, *routed)}
        return tuple(found.values())

    def capabilities(self, request: ModelRequest) -> ModelCapabilities:
        """Return what is known of the model that is asked first.

        Raises:
            VibeDeskError: none can be asked.
        """
        steps = self._steps(request)
        if not steps:
            raise NoModelError("No model is set up.", remedy=NO_MODEL_REMEDY)
        return steps[0].model.capabilities

    def prompt_room(self, request: ModelRequest) -> int:
        """Return how many tokens the model that is asked first takes beside its answer.

        Raises:
            VibeDeskError: none can be asked.
        """
        window = self.capabilities(request).context_window
        return window - min(self.answer_room(request), window // 2)

    def answer_room(self, request: ModelRequest) -> int:
        """Return how many tokens an answer of the model that is asked first may have.

        Raises:
            VibeDeskError: none can be asked.
        """
        facts = self.capabilities(request)
        (first, *_) = self._steps(request)
        return min(first.shape(request).max_output_tokens, facts.max_output_tokens)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Yield text and then exactly one `Finished`, from the first model that answers.

        Raises:
            StreamInterruptedError: The answer broke off after text had been yielded.
            BudgetExceededError: As the hook `before_call` raises it.
            ModelError: No model answered; the last one's error, `details` names every model's.
        """
        attempts = self._attempts(request)
        while True:
            step = await self._next(attempts, request)
            try:
                async with aclosing(self._stream_step(step, request)) as items:
                    async for item in items:
                        yield item
                return
            except (StreamInterruptedError, BudgetExceededError):
                raise
            except ModelError as error:
                attempts.failed(error)

    async def ask_structured(
        self,
        request: ModelRequest,
        schema: type[_Answer],
        on_text: OnText | None = None,
        on_restart: OnRestart | None = None,
    ) -> _Answer:
        """Return the answer as a `schema`, from the first model that manages one.

        Each model is asked as `structured.ask_structured` says; one whose answers have not the form is left for
        the next. `on_text` gets the text as it comes, `on_restart` says that it starts anew.

        Raises:
            BudgetExceededError: As the hook `before_call` raises it.
            ModelError: No model answered in that form; `BadAnswerError` if the last one answered badly.
        """
        attempts = self._attempts(request)
        shown = False

        async def show(text: str) -> None:
            nonlocal shown
            shown = True
            if on_text is not None:
                await on_text(text)

        while True:
            step = await self._next(attempts, request)
            if shown and on_restart is not None:
                await on_restart()
            shown = False

            def ask(
                asked: ModelRequest, step: RoutedModel = step
            ) -> AsyncGenerator[StreamItem, None]:
                return self._stream_step(step, asked)

            try:
                return await ask_structured(ask, request, schema, show, on_restart)
            except BudgetExceededError:
                raise
            except ModelError as error:
                attempts.failed(error)

    async def aclose(self) -> None:
        """Release the connections of every model."""
        for model in self.models:
            await model.aclose()

    def _steps(self, request: ModelRequest) -> Sequence[RoutedModel]:
        steps = self._routes.get(route_of(request), self._usual)
        if isinstance(steps, VibeDeskError):
            raise steps
        return steps

    def _attempts(self, request: ModelRequest) -> Attempts:
        steps = self._steps(request)
        if request.other_model and len(steps) > 1:
            steps = (*steps[1:], steps[0])
        return Attempts(steps, self._policy, self._breakers, self._clock)

    async def _next(self, attempts: Attempts, request: ModelRequest) -> RoutedModel:
        """Return the step to ask now: after its wait, and with what there is to tell told."""
        turn = attempts.next()
        model = turn.step.model
        if turn.failed is not None:
            failed, error = turn.failed
            if turn.wait:
                await self._wait(failed.model, error, turn.wait)
            if failed is not turn.step:
                await self._hooks.on_notice(
                    f"{failed.model.name} did not answer: {error.message} Asking {model.name} instead.",
                    "fallback",
                )
        unseen = any(turn.images for turn in request.messages) and not model.capabilities.images
        if unseen and model.name not in self._told_blind:
            self._told_blind.add(model.name)
            await self._hooks.on_notice(
                f"{model.name} cannot see images; it is told only that they are there.",
                "images_not_seen",
            )
        return turn.step

    async def _stream_step(
        self, step: RoutedModel, request: ModelRequest
    ) -> AsyncGenerator[StreamItem, None]:
        """Yield one call's text and its `Finished`; one that breaks off after text is an interruption."""
        model = step.model
        started = False
        await self._hooks.before_call()
        self._breakers.asked(model.provider, model.name)
        try:
            async with aclosing(self._stream_once(model, step.shape(request))) as items:
                async for item in items:
                    started = started or isinstance(item, TextDelta)
                    yield item
        except ModelError as error:
            if error.retryable:
                self._breakers.failed(model.provider, model.name)
            if started:
                raise _interrupted(model, error) from error
            raise
        self._breakers.succeeded(model.provider, model.name)

    async def _stream_once(
        self, model: ChatModel, request: ModelRequest
    ) -> AsyncGenerator[StreamItem, None]:
        """Yield one call's items; check that they are an answer, and record its usage however it ends."""
        begun = self._clock()
        finished: Finished | None = None
        tokens = TokenUsage()
        outcome: CallOutcome = "cancelled"
        started = False
        try:
            async with aclosing(model.stream(request)) as items:
                async for item in items:
                    match item:
                        case TextDelta():
                            started = True
                            yield item
                        case UsageSoFar(usage):
                            tokens = usage
                        case Finished():
                            finished, tokens = item, item.usage
                            break
            finished = _checked(finished, model, started=started)
            outcome = "finished"
        except Exception:
            outcome = "interrupted" if started else "failed"
            raise
        finally:
            call = CallUsage(
                operation=request.operation,
                provider=model.provider,
                model=model.name,
                tokens=tokens,
                cost=_cost(tokens, model, answered=started or outcome == "finished"),
                latency_s=self._clock() - begun,
                phase=request.phase,
                outcome=outcome,
                saved=cache_saving(tokens, model.capabilities.price),
                continues=request.continues or "",
            )
            # A call that is cancelled has cost something too; a second cancellation must not hide that.
            await asyncio.shield(asyncio.ensure_future(self._hooks.on_usage(call)))
        yield finished

    async def _wait(self, model: ChatModel, error: ModelError, seconds: float) -> None:
        reason: WaitReason = "rate_limit" if isinstance(error, RateLimitedError) else "network"
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        _log.info("%s: %s; next try in %.1f s", model.name, error.code, seconds)
        try:
            await self._hooks.on_waiting(
                reason, until, f"{error.message} Next try in {max(round(seconds), 1)} s."
            )
            await self._sleep(seconds)
        finally:
            # A cancelled wait is over, too; a second cancellation must not keep that from being told.
            await asyncio.shield(asyncio.ensure_future(self._hooks.on_resumed(reason)))


def _checked(finished: Finished | None, model: ChatModel, *, started: bool) -> Finished:
    """Return the end of an answer that is one.

    Raises:
        BrokenAnswerError: It has no end, nothing came before it, or it ended in the call of a tool.
        BadAnswerError: The model thought until its limit, and answered nothing.
    """
    if finished is None:
        raise BrokenAnswerError(f"The answer of {model.name} ended too early.", remedy="Try again.")
    if finished.stop_reason == "tool":
        raise BrokenAnswerError(
            f"{model.name} called a tool that it was not offered.",
            remedy="Try again, or choose another model.",
        )
    if not started and finished.stop_reason == "max_tokens":
        raise BadAnswerError(
            f"{model.name} reached its output limit before it answered anything.",
            remedy="Raise the output limit or lower the reasoning effort of its route in Settings › Models.",
        )
    if not started and finished.stop_reason != "refusal":
        raise BrokenAnswerError(
            f"The answer of {model.name} was empty.", remedy="Try again, or choose another model."
        )
    return finished


def _cost(tokens: TokenUsage, model: ChatModel, *, answered: bool) -> float | None:
    """Return the cost of a call; unknown, too, where anything was answered and its provider counted nothing."""
    price = model.capabilities.price
    uncounted = tokens == TokenUsage() and price != FREE
    if uncounted:
        return None if answered else 0.0
    return call_cost(tokens, price)


def _interrupted(model: ChatModel, error: ModelError) -> StreamInterruptedError:
    return StreamInterruptedError(
        f"The answer of {model.name} broke off: {error.message}",
        remedy="What came is kept; go on from there.",
        details={"cause": error.code, **error.details},
        retry_after=error.retry_after,
    )
