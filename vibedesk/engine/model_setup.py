"""What a person sees and sets of models: providers, routes, connection tests, and servers on this machine."""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from urllib.parse import urlsplit

from vibedesk.base.errors import InvalidInputError, NotFoundError, VibeDeskError
from vibedesk.engine.model_choice import ModelChoices
from vibedesk.engine.models.capabilities import ModelCapabilities, shipped_catalogue
from vibedesk.engine.models.protocol import (
    ChatMessage,
    KeyRejectedError,
    ModelError,
    ModelRequest,
    NoModelError,
    QuotaExceededError,
    RateLimitedError,
    RequestRefusedError,
)
from vibedesk.engine.models.provider_config import (
    ProviderConfig,
    built_in_providers,
    check_address,
    parse_provider,
)
from vibedesk.engine.models.providers import ModelChoice, Providers, ProviderStatus, connect
from vibedesk.engine.models.route_models import no_usable_step, server_of
from vibedesk.engine.models.routes import PRESETS, ROUTED, RoutedOperation, RouteStep
from vibedesk.engine.models.server_facts import ListedModel, Server, ServerProblemError
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import (
    ConnectionView,
    DiscoveredServerView,
    ModelView,
    ProviderView,
    RouteStepView,
    RoutesView,
    RouteView,
)

_REACH_PATIENCE_S = 0.3
_DISCOVERY_PATIENCE_S = 2.0
_TEST_STALL_S = 60.0
_TEST_TOKENS = 64
_SMALL_CONTEXT = 16_000


class ModelSetup:
    """The models page of one home.

    Args:
        choices: The settings.
        on_change: Called when routers have to be built anew.
    """

    def __init__(self, choices: ModelChoices, on_change: Callable[[], None]) -> None:
        self._choices = choices
        self._on_change = on_change

    # -- providers ------------------------------------------------------------------------------------
    async def providers(self) -> list[ProviderView]:
        """Return every provider with what is there and what is missing."""
        settings = await self._choices.settings()

        def look() -> tuple[Providers, list[ProviderStatus]]:
            providers = self._choices.providers({**settings})
            return providers, providers.configured_providers()

        providers, statuses = await asyncio.to_thread(look)
        reached = await asyncio.gather(*(_reachable(status, providers) for status in statuses))

        def views() -> list[ProviderView]:
            return [
                _provider_view(status, providers, reachable)
                for status, reachable in zip(statuses, reached, strict=True)
            ]

        return await asyncio.to_thread(views)

    async def set_up(
        self, name: str, *, key: str, base_url: str, model: str, use: bool = True
    ) -> None:
        """As `ModelChoices.set_up`; what runs asks the new provider with its next question."""
        await self._choices.set_up(name, key=key, base_url=base_url, model=model, use=use)
        self._on_change()

    async def list_models(self, provider: str) -> list[ModelView]:
        """Return the models that a provider offers now, with what is known of each.

        Raises:
            ServerProblemError: it cannot be reached, or does not answer as such a server does.
            NoModelError: its address or key is missing.
            NotFoundError: there is no such provider.
        """
        from vibedesk.engine.models.servers import fetch_models

        providers = await self._providers()
        server = await asyncio.to_thread(server_of, providers, provider)
        listed = await fetch_models(server)
        self._note(provider, listed)
        names = sorted(model.name for model in listed)
        return await asyncio.to_thread(_model_views, providers, provider, names)

    async def model_facts(self, provider: str, models: Sequence[str]) -> list[ModelView]:
        """Return what is known of models without asking anyone.

        Raises:
            NotFoundError: there is no such provider.
        """
        providers = await self._providers()
        providers.get(provider)
        return await asyncio.to_thread(_model_views, providers, provider, models)

    async def remove(self, name: str) -> None:
        """As `ModelChoices.remove`; what runs asks what is left with its next question."""
        await self._choices.remove(name)
        self._on_change()

    # -- routes ---------------------------------------------------------------------------------------
    async def routes(self) -> RoutesView:
        """Return which models answer which operation, and what is missing where none can."""
        settings = await self._choices.settings()

        def look() -> RoutesView:
            try:
                providers = self._choices.providers(settings)
            except InvalidInputError as error:
                return RoutesView(
                    preset=settings["preset"], presets=PRESETS, routes=(), problem=str(error)
                )
            views = [self._route_view(settings, providers, operation) for operation in ROUTED]
            return RoutesView(preset=settings["preset"], presets=PRESETS, routes=tuple(views))

        return await asyncio.to_thread(look)

    async def set_preset(self, name: str) -> None:
        """As `ModelChoices.set_preset`; what runs asks by it with its next question."""
        await self._choices.set_preset(name)
        self._on_change()

    async def set_route(self, operation: str, steps: Sequence[RouteStepView]) -> None:
        """As `ModelChoices.set_route`."""
        own = [
            RouteStep(
                provider=step.provider,
                model=step.model,
                temperature=step.temperature,
                max_output_tokens=step.max_output_tokens,
                reasoning_effort=step.reasoning_effort,
            )
            for step in steps
        ]
        await self._choices.set_route(operation, own)
        self._on_change()

    def _route_view(
        self, settings: Mapping[str, object], providers: Providers, operation: RoutedOperation
    ) -> RouteView:
        try:
            steps = self._choices.steps(settings, providers, operation, ProjectOptions())
        except NoModelError as error:
            return RouteView(operation=operation, steps=(), problem=str(error))
        views: list[RouteStepView] = []
        missing: list[VibeDeskError] = []
        for step in steps:
            try:
                providers.connection(step.choice)
                problem, remedy = "", ""
            except VibeDeskError as error:
                problem, remedy = error.message, error.remedy
                missing.append(error)
            views.append(
                RouteStepView(
                    provider=step.provider,
                    model=step.model,
                    temperature=step.temperature,
                    max_output_tokens=step.max_output_tokens,
                    reasoning_effort=step.reasoning_effort,
                    problem=problem,
                    remedy=remedy,
                )
            )
        usable = len(missing) < len(views)
        return RouteView(
            operation=operation,
            steps=tuple(views),
            problem="" if usable else str(no_usable_step(operation, missing)),
        )

    # -- tests ----------------------------------------------------------------------------------------
    async def test_connection(
        self, provider: str, *, key: str, base_url: str, model: str
    ) -> ConnectionView:
        """Ask a provider for its models and a model for a word; say exactly what is wrong where that fails.

        What is given replaces what is set, and nothing of it is kept.

        Raises:
            NotFoundError: there is no such provider, and no `base_url` to reach it at.
        """
        from vibedesk.engine.models.servers import fetch_models

        begun = time.monotonic()
        names: list[str] = []
        try:
            providers, config = await self._provider_to_test(provider, base_url)
            server = await asyncio.to_thread(
                server_of, providers, provider, key=key, base_url=base_url
            )
            listed = await fetch_models(server)
            self._note(provider, listed)
            names = [found.name for found in listed]
            asked = model or config.model(providers.environ) or next(iter(names), "")
            _check_model(config, asked, names)
            connection = await asyncio.to_thread(
                lambda: providers.connection(
                    ModelChoice(provider, asked),
                    key=key,
                    base_url=base_url,
                    stall_s=_TEST_STALL_S,
                )
            )
            begun = time.monotonic()
            answering = connect(config.wire, connection)
            try:
                request = ModelRequest(
                    operation="checks",
                    system="",
                    messages=(ChatMessage("user", "Answer with the word ready."),),
                    max_output_tokens=_TEST_TOKENS,
                )
                async with aclosing(answering.stream(request)) as items:
                    async for _ in items:
                        pass
            finally:
                await answering.aclose()
        except VibeDeskError as error:
            return ConnectionView(
                ok=False,
                code=_code(error),
                message=_with_said(error),
                remedy=error.remedy,
                latency=time.monotonic() - begun,
                models=tuple(names),
            )
        return ConnectionView(
            ok=True,
            code="ok",
            message=_success(asked, connection.capabilities),
            remedy="",
            latency=time.monotonic() - begun,
            models=tuple(names),
            model=asked,
        )

    async def _provider_to_test(self, name: str, base_url: str) -> tuple[Providers, ProviderConfig]:
        settings = await self._choices.settings()
        if base_url:
            check_address(base_url)

        def look() -> tuple[Providers, ProviderConfig]:
            providers = self._choices.providers(settings)
            if name in providers.names() or not base_url:
                return providers, providers.get(name)
            entry = {"name": name, "wire": "openai", "base_url": base_url, "key_required": False}
            custom = {**settings, "custom": [*settings["custom"], entry]}
            return self._choices.providers(custom), parse_provider(entry)

        return await asyncio.to_thread(look)

    # -- servers on this machine ----------------------------------------------------------------------
    async def discover_local(
        self, ports: Mapping[str, int] | None = None
    ) -> list[DiscoveredServerView]:
        """Return the model servers that run on this machine, at their usual ports; takes three seconds at most.

        Args:
            ports: By provider, instead of the usual ones.
        """
        usual = {c.name: c for c in built_in_providers() if c.kind == "local"}
        places = ports or {name: urlsplit(c.base_url).port or 0 for name, c in usual.items()}
        settings = await self._choices.settings()
        found = await asyncio.gather(
            *(self._discover(usual[name], port) for name, port in places.items() if name in usual)
        )
        return [
            DiscoveredServerView(
                provider=view.provider,
                label=view.label,
                base_url=view.base_url,
                models=view.models,
                in_use=view.provider == settings["provider"],
            )
            for view in found
            if view is not None
        ]

    async def _discover(self, config: ProviderConfig, port: int) -> DiscoveredServerView | None:
        from vibedesk.engine.models.servers import fetch_models, identify

        address = f"http://127.0.0.1:{port}"
        if not await _answers("127.0.0.1", port):
            return None
        try:
            async with asyncio.timeout(_DISCOVERY_PATIENCE_S):
                server = Server(label=config.label, base_url=f"{address}/v1")
                kind = await identify(server, patience_s=_DISCOVERY_PATIENCE_S)
                named = next((c for c in built_in_providers() if kind and c.server == kind), None)
                label = named.label if named else "OpenAI-compatible server"
                server = Server(label=label, base_url=f"{address}/v1", kind=kind)
                models = await fetch_models(server, patience_s=_DISCOVERY_PATIENCE_S)
        except (ServerProblemError, TimeoutError):
            return None
        return DiscoveredServerView(
            provider=named.name if named else "openai-compatible",
            label=label,
            base_url=f"{address}/v1",
            models=tuple(model.name for model in models),
        )

    # -- inside ---------------------------------------------------------------------------------------
    async def _providers(self) -> Providers:
        settings = await self._choices.settings()
        return await asyncio.to_thread(self._choices.providers, settings)

    def _note(self, provider: str, listed: Sequence[ListedModel]) -> None:
        for model in listed:
            self._choices.note_facts(ModelChoice(provider, model.name), model.facts)


async def _reachable(status: ProviderStatus, providers: Providers) -> bool | None:
    """Tell whether something answers at a server on this machine; None for others, which are not asked."""
    config = status.config
    parts = urlsplit(status.base_url)
    if config.kind != "local" or not config.is_local(providers.environ) or not parts.hostname:
        return None
    return await _answers(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


async def _answers(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_REACH_PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _provider_view(
    status: ProviderStatus, providers: Providers, reachable: bool | None
) -> ProviderView:
    config = status.config
    known = dict.fromkeys(filter(None, (status.default_model, *config.tiers.values())))
    return ProviderView(
        name=config.name,
        label=config.label,
        base_url=status.base_url,
        default_model=status.default_model,
        ready=status.ready,
        key_source=status.key.source or "",
        problem=status.key.problem,
        overrides_keychain=status.key.overrides_keychain,
        kind="local" if config.is_local(providers.environ) else "cloud",
        models=tuple(known),
        reachable=reachable,
        key_page=config.key_page,
        key_required=config.key_required,
        free=providers.is_free(config.name),
        key_variable=status.key.variable,
        own=config.name not in {built_in.name for built_in in built_in_providers()},
    )


def _model_views(providers: Providers, provider: str, models: Sequence[str]) -> list[ModelView]:
    return [
        _model_view(name, providers.capabilities(ModelChoice(provider, name))) for name in models
    ]


def _model_view(name: str, facts: ModelCapabilities) -> ModelView:
    price = facts.price.usual if facts.price is not None else None
    return ModelView(
        name=name,
        known=facts.known,
        context_window=facts.context_window,
        max_output_tokens=facts.max_output_tokens,
        images=facts.images,
        structured_output=bool(facts.structured_output),
        prompt_caching=facts.prompt_caching,
        reasoning_efforts=facts.reasoning_efforts,
        input_price=price.input if price else None,
        output_price=price.output if price else None,
        cached_price=price.cached if price else None,
        price_date=shipped_catalogue().as_of.isoformat() if facts.price_from == "shipped" else "",
        price_from=facts.price_from,
        temperature=bool(facts.temperature),
    )


def _check_model(config: ProviderConfig, model: str, names: Sequence[str]) -> None:
    """Refuse a model that a server does not offer.

    Raises:
        ServerProblemError: it is not among `names`, or there is none at all.
    """
    if not model:
        raise ServerProblemError(
            "model",
            f"{config.label} answers, but has no model.",
            "Load or download one there, then test again.",
        )
    # Ollama calls the version that is meant by a bare name `latest`.
    if names and model not in names and f"{model}:latest" not in names:
        near = difflib.get_close_matches(model, names, n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Choose one of those it offers."
        raise ServerProblemError("model", f"{config.label} has no model {model}.", hint)


def _code(error: VibeDeskError) -> str:
    match error:
        case ServerProblemError():
            return error.problem
        case KeyRejectedError():
            return "key"
        case QuotaExceededError():
            return "quota"
        case RateLimitedError():
            return "rate_limited"
        case RequestRefusedError():
            return "model"
        case NoModelError():
            return "key_missing" if "key" in error.message else "address"
        case ModelError():
            return "server_down"
        case InvalidInputError():
            return "key" if error.details.get("field") == "key" else "address"
        case NotFoundError():
            raise error
    return error.code


def _with_said(error: VibeDeskError) -> str:
    said = error.details.get("said")
    return f"{error.message} It says: {said}" if said else error.message


def _success(model: str, facts: ModelCapabilities) -> str:
    words = f"{model} answers."
    if facts.known and facts.context_window < _SMALL_CONTEXT:
        words += (
            f" Its context of {facts.context_window:,} tokens is small for building apps; "
            "give it more in the server's settings."
        )
    return words
