"""The one protocol that every model provider speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.models.capabilities import ModelCapabilities

Operation = Literal[
    "blueprint",
    "plan_phase",
    "implement_phase",
    "continue",
    "fix",
    "converse",
    "regenerate_file",
    "review",
    "debug",
    "checks",
    "summarize",
]
"""What a request is for; sent as the header `x-vibedesk-operation`."""


ReasoningEffort = Literal["", "low", "medium", "high"]
"""How long a model may think before it answers; empty: the model's own default."""

ImageType = Literal["image/png", "image/jpeg", "image/webp", "image/gif"]


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture that goes with a message; `name` is what a model without eyes is told instead."""

    media_type: ImageType
    data: bytes = field(repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn. A request ends with a `user` turn.

    `stable_ends`: rising places in `text`; what stands before one will be the same in requests that follow, the
    more of them the earlier the place, so a prompt cache may keep it (the system prompt always is kept). Only the
    first turn of a request may have some. `images` come after that and before the rest of the text.
    """

    role: Literal["user", "assistant"]
    text: str
    images: tuple[ImagePart, ...] = ()
    stable_ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a model.

    `system` is the stable prefix (byte-identical between consecutive requests of an operation, so that prompt
    caches hit). `json_schema` asks for one JSON object of that shape; providers may pass it on, and every
    answer is accepted as plain text all the same. `phase` and `turn` tell a recorded model which answer is
    meant: the phase number from 1, and how many messages of the person came before this one; `phase` is also
    what usage is recorded under. `temperature`, `reasoning_effort` and a smaller `max_output_tokens` come from
    the route and are sent where the model takes them. `continues`: the operation that a `continue` goes on with,
    whose route it takes. `other_model`: the second model of the route is asked first, where it has one.
    """

    operation: Operation
    system: str
    messages: tuple[ChatMessage, ...]
    max_output_tokens: int = 32_000
    temperature: float | None = None
    reasoning_effort: ReasoningEffort = ""
    continues: Operation | None = None
    other_model: bool = False
    json_schema: dict[str, Any] | None = None
    phase: int = 0
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens of one call, as the provider counts them.

    `input_tokens` includes the cached ones and those written to the cache, `output_tokens` the reasoning ones.
    `cost` is what the provider itself says that the call cost, in USD; few do.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageSoFar:
    """What the provider has counted up to here; holds if the answer never finishes. The router keeps it to itself."""

    usage: TokenUsage


StopReason = Literal["end", "max_tokens", "refusal", "tool", "other"]
"""tool: it called a tool, though none was offered, so its text is half an answer; other: a word that is not known."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is over; always the last item of a stream that did not raise."""

    stop_reason: StopReason
    usage: TokenUsage = field(default_factory=TokenUsage)


StreamItem = TextDelta | UsageSoFar | Finished


class ChatModel(Protocol):
    """A model that streams text.

    `stream` yields text, perhaps counts, and then exactly one `Finished`, or raises a `ModelError`. Closing the iterator (or
    cancelling the task) ends the request on the wire at once. It does not retry; the router does.
    """

    @property
    def name(self) -> str:
        """Name of the model, for people and usage records."""
        ...

    @property
    def provider(self) -> str:
        """Name of the configured provider."""
        ...

    @property
    def capabilities(self) -> ModelCapabilities:
        """What is known of the model."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]: ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class ModelError(VibeDeskError):
    """A model call failed. `retry_after` is the wait in seconds the provider asked for, if any."""

    code = "model_failed"

    def __init__(self, message: str, *, retry_after: float | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after


NO_MODEL_REMEDY: Final = (
    "Enter a key in Settings, or set ANTHROPIC_API_KEY or OPENAI_API_KEY. For Ollama, LM Studio, llama.cpp, vLLM "
    "and the like, choose a model in Settings, or set OPENAI_COMPATIBLE_BASE_URL and OPENAI_COMPATIBLE_MODEL."
)


class NoModelError(ModelError):
    """No model is set up, or none that can be used for what is asked."""

    code = "no_model"


class KeyRejectedError(ModelError):
    """The provider does not accept the key (401, 403)."""

    code = "key_rejected"


class QuotaExceededError(ModelError):
    """The account has no credit left (402, or 429 that says so)."""

    code = "quota_exceeded"


class RequestRefusedError(ModelError):
    """The provider refuses the request itself (400, 404, 413, 422): model name, size, form."""

    code = "request_refused"


class RateLimitedError(ModelError):
    """The provider asks to slow down (429)."""

    code = "rate_limited"
    retryable = True


class ModelUnavailableError(ModelError):
    """The provider cannot answer now: 5xx, 529, no connection, a broken stream."""

    code = "model_unavailable"
    retryable = True


class BrokenAnswerError(ModelUnavailableError):
    """Something came, but no answer: a broken stream, a web page, nothing at all."""

    code = "model_answer_broken"


class StreamStalledError(ModelUnavailableError):
    """Nothing came for too long."""

    code = "model_stalled"


class StreamInterruptedError(ModelUnavailableError):
    """The answer broke off after some of its text had already been given out; the cause says why.

    Asking again would give that text twice, so the operation goes on from what came.
    """

    code = "model_interrupted"


class BadAnswerError(ModelError):
    """The answer has not the form that was asked for, also after asking again."""

    code = "bad_answer"


class BudgetExceededError(ModelError):
    """The project has spent what it may; nothing was asked."""

    code = "budget"


class NoMoreRecordedAnswersError(ModelError):
    """The recorded example has no answer to this."""

    code = "no_more_recorded_answers"
