"""Asks models in order, with retries, waits, fallbacks and a record of every finished call.

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
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from vibedesk.engine.models.prices import call_cost
from vibedesk.engine.models.protocol import (
    NO_MODEL_REMEDY,
    ChatModel,
    Finished,
    ModelError,
    ModelRequest,
    ModelUnavailableError,
    NoModelError,
    Operation,
    RateLimitedError,
    StreamInterruptedError,
    StreamItem,
    TextDelta,
    TokenUsage,
)
from vibedesk.engine.models.recorded import RECORDED_PROVIDER
from vibedesk.engine.models.structured import OnRestart, OnText, ask_structured

if TYPE_CHECKING:
    from pydantic import BaseModel

_log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer", bound="BaseModel")

WaitReason = Literal["rate_limit", "network"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUsage:
    """One finished model call. `cost` is in USD, None where the price is unknown."""

    operation: Operation
    provider: str
    model: str
    tokens: TokenUsage
    cost: float | None
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long to wait for one model before the next one is asked.

    The wait before try n+1 is `base_s * 2**(n-1)`, at most `max_s`, with up to `jitter` of it added at random;
    a provider's own Retry-After is waited for exactly, unless it is longer than `patience_s`.
    """

    max_tries: int = 4
    base_s: float = 1.0
    max_s: float = 30.0
    jitter: float = 0.25
    patience_s: float = 300.0


async def _ignore_waiting(reason: WaitReason, until: datetime, message: str) -> None:
    """Stand in where nobody listens."""


async def _ignore_resumed(reason: WaitReason) -> None:
    """Stand in where nobody listens."""


async def _ignore_notice(message: str) -> None:
    """Stand in where nobody listens."""


async def _ignore_usage(usage: CallUsage) -> None:
    """Stand in where nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterHooks:
    """What the router tells while it works; each is awaited before it goes on.

    `on_resumed` follows every `on_waiting`, also one whose wait is cancelled. `on_notice` says that another model
    is asked and why.
    """

    on_waiting: Callable[[WaitReason, datetime, str], Awaitable[None]] = _ignore_waiting
    on_resumed: Callable[[WaitReason], Awaitable[None]] = _ignore_resumed
    on_notice: Callable[[str], Awaitable[None]] = _ignore_notice
    on_usage: Callable[[CallUsage], Awaitable[None]] = _ignore_usage


class ModelRouter:
    """Models in order of preference, asked so that a passing failure is nobody's business.

    Args:
        models: Asked in this order; the router owns them from here on (`aclose`).
        policy: Retries and waits.
        hooks: Who is told about waits, fallbacks and usage.
        sleep: How to wait; tests pass a coroutine function that returns at once.
    """

    def __init__(
        self,
        models: Sequence[ChatModel],
        *,
        policy: RetryPolicy | None = None,
        hooks: RouterHooks | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._models = tuple(models)
        self._policy = policy or RetryPolicy()
        self._hooks = hooks or RouterHooks()
        self._sleep = sleep

    @property
    def models(self) -> tuple[ChatModel, ...]:
        return self._models

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Yield text and then exactly one `Finished`, from the first model that answers.

        Raises:
            StreamInterruptedError: The answer broke off after text had been yielded.
            ModelError: No model answered; the last one's error, `details` names every model's.
        """
        failures: list[tuple[ChatModel, ModelError]] = []
        for model in self._models:
            await self._tell_fallback(failures, model)
            try:
                async with aclosing(self._stream_with_retries(model, request)) as items:
                    async for item in items:
                        yield item
                return
            except StreamInterruptedError:
                raise
            except ModelError as error:
                failures.append((model, error))
        raise _all_failed(failures)

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
            ModelError: No model answered in that form; `BadAnswerError` if the last one answered badly.
        """
        failures: list[tuple[ChatModel, ModelError]] = []
        for model in self._models:
            if failures and on_restart is not None:
                await on_restart()
            await self._tell_fallback(failures, model)

            def ask(
                asked: ModelRequest, model: ChatModel = model
            ) -> AsyncGenerator[StreamItem, None]:
                return self._stream_with_retries(model, asked)

            try:
                return await ask_structured(ask, request, schema, on_text, on_restart)
            except ModelError as error:
                failures.append((model, error))
        raise _all_failed(failures)

    async def aclose(self) -> None:
        """Release the connections of every model."""
        for model in self._models:
            await model.aclose()

    async def _tell_fallback(
        self, failures: Sequence[tuple[ChatModel, ModelError]], model: ChatModel
    ) -> None:
        if failures:
            failed, error = failures[-1]
            await self._hooks.on_notice(
                f"{failed.name} did not answer: {error.message} Asking {model.name} instead."
            )

    async def _stream_with_retries(
        self, model: ChatModel, request: ModelRequest
    ) -> AsyncGenerator[StreamItem, None]:
        """Yield one model's answer; retry what may pass while nothing was yielded."""
        tries = 0
        while True:
            tries += 1
            started = False
            try:
                async with aclosing(self._stream_once(model, request)) as items:
                    async for item in items:
                        started = True
                        yield item
                return
            except ModelError as error:
                if started:
                    raise _interrupted(model, error) from error
                if not error.retryable or tries >= self._policy.max_tries:
                    raise
                wait = self._wait_before_retry(error, tries)
                if wait > self._policy.patience_s:
                    raise
                failure = error
            await self._wait(model, failure, wait)

    async def _stream_once(
        self, model: ChatModel, request: ModelRequest
    ) -> AsyncGenerator[StreamItem, None]:
        """Yield one call's items; check that it ends with `Finished`, and record its usage."""
        begun = time.monotonic()
        finished: Finished | None = None
        async with aclosing(model.stream(request)) as items:
            async for item in items:
                match item:
                    case TextDelta():
                        yield item
                    case Finished():
                        finished = item
                        break
        if finished is None:
            raise ModelUnavailableError(
                f"The answer of {model.name} ended too early.", remedy="Try again."
            )
        await self._hooks.on_usage(
            CallUsage(
                operation=request.operation,
                provider=model.provider,
                model=model.name,
                tokens=finished.usage,
                cost=_cost(model, finished.usage),
                latency_s=time.monotonic() - begun,
            )
        )
        yield finished

    def _wait_before_retry(self, error: ModelError, tries: int) -> float:
        if error.retry_after is not None:
            return max(error.retry_after, 0.0)
        wait = min(self._policy.base_s * 2.0 ** (tries - 1), self._policy.max_s)
        return wait * (1 + self._policy.jitter * random.random())

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


def _cost(model: ChatModel, tokens: TokenUsage) -> float | None:
    return 0.0 if model.provider == RECORDED_PROVIDER else call_cost(tokens, model.name)


def _interrupted(model: ChatModel, error: ModelError) -> StreamInterruptedError:
    return StreamInterruptedError(
        f"The answer of {model.name} broke off: {error.message}",
        remedy="What came is kept; go on from there.",
        details={"cause": error.code, **error.details},
        retry_after=error.retry_after,
    )


def _all_failed(failures: Sequence[tuple[ChatModel, ModelError]]) -> ModelError:
    """Return the error to raise when no model answered: the last one's, naming the others."""
    if not failures:
        return NoModelError(
            "No model is set up.",
            remedy=NO_MODEL_REMEDY,
        )
    last = failures[-1][1]
    if len(failures) > 1:
        last.details.update({model.name: error.message for model, error in failures})
    return last
