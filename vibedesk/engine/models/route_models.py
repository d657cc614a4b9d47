"""From the steps of a route to models that can be asked, and the servers they are at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.models.attempts import RoutedModel
from vibedesk.engine.models.protocol import NO_MODEL_REMEDY, ChatModel, NoModelError
from vibedesk.engine.models.providers import ModelChoice, Providers
from vibedesk.engine.models.routes import RoutedOperation, RouteStep
from vibedesk.engine.models.server_facts import Server

_WORDS: Mapping[RoutedOperation, str] = {
    "blueprint": "make the blueprint",
    "plan_phase": "plan phases",
    "implement_phase": "write files",
    "fix": "fix problems",
    "converse": "answer messages",
}


def server_of(providers: Providers, name: str, *, key: str = "", base_url: str = "") -> Server:
    """Return where a provider's models are; `key` and `base_url` replace what is set. May ask the keychain.

    Raises:
        NoModelError: it has no address, or no key though it needs one.
        NotFoundError: there is no such provider.
        InvalidInputError: the address or the key is none.
    """
    config = providers.get(name)
    connection = providers.connection(ModelChoice(name, ""), key=key, base_url=base_url)
    return Server(
        label=config.label,
        base_url=connection.base_url,
        wire=config.wire,
        kind=config.server,
        key=connection.key,
    )


def tells_more(providers: Providers, choice: ModelChoice) -> bool:
    """Tell whether a model's server is worth asking: its window is set there, or nobody else knows the model."""
    config = providers.get(choice.provider)
    if config.is_local(providers.environ) and not config.key_required:
        return True
    return config.server == "openrouter" and not providers.capabilities(choice).known


def build_route(
    steps: Sequence[RouteStep],
    providers: Providers,
    built: dict[ModelChoice, ChatModel | VibeDeskError],
    operation: RoutedOperation,
    *,
    named: bool,
) -> Sequence[RoutedModel] | VibeDeskError:
    """Return the steps that can be used, or why none can; of one that the project names, nothing else will do."""
    usable: list[RoutedModel] = []
    missing: list[VibeDeskError] = []
    for step in steps:
        if step.choice not in built:
            try:
                built[step.choice] = providers.build_model(step.choice)
            except VibeDeskError as error:
                built[step.choice] = error
        model = built[step.choice]
        if isinstance(model, VibeDeskError):
            if named and step is steps[0]:
                return model
            missing.append(model)
            continue
        usable.append(
            RoutedModel(
                model=model,
                temperature=step.temperature,
                max_output_tokens=step.max_output_tokens,
                reasoning_effort=step.reasoning_effort,
            )
        )
    return usable or no_usable_step(operation, missing)


def no_usable_step(operation: RoutedOperation, missing: Sequence[VibeDeskError]) -> NoModelError:
    """Return the error of an operation that no model can be asked for."""
    if not missing:
        return NoModelError("No model is set up.", remedy=NO_MODEL_REMEDY)
    if len(missing) == 1:
        return NoModelError(missing[0].message, remedy=missing[0].remedy)
    reasons = " ".join(dict.fromkeys(error.message for error in missing))
    return NoModelError(
        f"No model can be used to {_WORDS[operation]}: {reasons}", remedy=missing[0].remedy
    )
