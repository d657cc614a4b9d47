"""The words for models: operations, presets, facts and prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QCoreApplication, QLocale

from vibedesk.engine.views import ConnectionView, ModelView, ProviderView
from vibedesk.ui.widgets.labels import Tone


def tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationWords:
    """How an operation is called, and what it does."""

    title: str
    text: str
    icon: str


def operation_words(operation: str) -> OperationWords:
    match operation:
        case "blueprint":
            return OperationWords(
                title=tr("Blueprint"), text=tr("Turns your words into a plan"), icon="blueprint"
            )
        case "plan_phase":
            return OperationWords(
                title=tr("Planning"), text=tr("Splits each phase into files"), icon="list-checks"
            )
        case "implement_phase":
            return OperationWords(
                title=tr("Implementation"), text=tr("Writes the files"), icon="code"
            )
        case "fix":
            return OperationWords(
                title=tr("Fixing"), text=tr("Checks and repairs what is wrong"), icon="wrench"
            )
        case "converse":
            return OperationWords(
                title=tr("Conversation"), text=tr("Answers you in the chat"), icon="chat-circle"
            )
        case _:
            return OperationWords(
                title=operation.replace("_", " ").capitalize(), text="", icon="sparkle"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetWords:
    """How a preset is called, and what one gets."""

    title: str
    text: str
    icon: str


def preset_words(preset: str) -> PresetWords:
    match preset:
        case "best":
            return PresetWords(
                title=tr("Best quality"),
                text=tr("The strongest model of each provider, thinking hard."),
                icon="star",
            )
        case "balanced":
            return PresetWords(
                title=tr("Balanced"),
                text=tr("Good apps at a fair price. Start here."),
                icon="sliders-horizontal",
            )
        case "cheap":
            return PresetWords(
                title=tr("Lowest cost"),
                text=tr("Small models. More tries, less money."),
                icon="coins",
            )
        case "local":
            return PresetWords(
                title=tr("Only this computer"),
                text=tr("Nothing leaves your own machines."),
                icon="desktop",
            )
        case _:
            return PresetWords(
                title=tr("Custom"), text=tr("Your own order for each part."), icon="pencil-simple"
            )


def effort_words(effort: str) -> str:
    return {
        "": tr("Usual"),
        "low": tr("Low"),
        "medium": tr("Medium"),
        "high": tr("High"),
    }.get(effort, effort)


def token_words(count: int) -> str:
    """Return a number of tokens as people say it: 812, 32 k, 1 M, 1.2 M."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}".removesuffix(".0") + " M"
    if count >= 1_000:
        return f"{round(count / 1_000)} k"
    return str(count)


def price_words(price: float) -> str:
    return f"${price:.2f}".removesuffix(".00")


def date_words(iso_date: str) -> str:
    """Return a date (YYYY-MM-DD) in words; as it is where it is none."""
    try:
        day = date.fromisoformat(iso_date)
    except ValueError:
        return iso_date
    return (
        f"{day.day} {QLocale.c().monthName(day.month, QLocale.FormatType.ShortFormat)} {day.year}"
    )


def facts_words(facts: ModelView, *, free: bool = False) -> str:
    """Say what a model can do and what it costs, in one line."""
    parts: list[str] = []
    if facts.known:
        parts.append(tr("{0} context").format(token_words(facts.context_window)))
        parts.append(tr("sees images") if facts.images else tr("no images"))
        if facts.prompt_caching != "none":
            parts.append(tr("caches prompts"))
    else:
        parts.append(
            tr("Nothing is known of it; {0} context is assumed").format(
                token_words(facts.context_window)
            )
        )
    if free:
        parts.append(tr("free"))
    elif facts.input_price is not None and facts.output_price is not None:
        parts.append(
            tr("{0} in, {1} out per M tokens, {2}").format(
                price_words(facts.input_price),
                price_words(facts.output_price),
                _price_origin(facts),
            )
        )
    else:
        parts.append(tr("price not known, so it is not counted"))
    return " · ".join(parts)


def _price_origin(facts: ModelView) -> str:
    match facts.price_from:
        case "person":
            return tr("as your models.json says")
        case "server":
            return tr("as its server says")
    return date_words(facts.price_date)


def milliseconds_words(seconds: float) -> str:
    if seconds < 1:
        return tr("{0} ms").format(round(seconds * 1000))
    return tr("{0} s").format(f"{seconds:.1f}")


def models_words(count: int) -> str:
    return tr("1 model") if count == 1 else tr("{0} models").format(count)


_CODES = {
    "address": "Address cannot be used",
    "unknown_host": "Host not found",
    "no_server": "Nothing answers",
    "tls": "No secure connection",
    "timeout": "No answer in time",
    "key": "Key rejected",
    "key_missing": "Key missing",
    "wrong_path": "Wrong address",
    "wrong_server": "Not such a server",
    "quota": "No credit left",
    "rate_limited": "Asked to slow down",
    "server_down": "Server has a problem",
    "model": "Model not there",
    "keychain_unavailable": "Keychain locked",
}


def connection_words(result: ConnectionView) -> str:
    """Say in a few words how a connection test went."""
    if result.ok:
        words = tr("Works, {0}").format(milliseconds_words(result.latency))
        return f"{words}, {models_words(len(result.models))}" if result.models else words
    return tr(_CODES.get(result.code, "Did not work"))


def provider_state(provider: ProviderView) -> tuple[str, Tone, str]:
    """Return how a provider stands where nobody tested it: words, tone, glyph."""
    if provider.problem and not provider.ready:
        return tr("Key cannot be read"), "warning", "warning-fill"
    if provider.kind == "local" and not provider.key_required:
        if provider.reachable:
            return tr("Running here"), "success", "check-circle-fill"
        if provider.reachable is None and provider.ready:
            return tr("Set up"), "success", "check-circle-fill"
        return tr("Not running"), "muted", ""
    if provider.key_source == "environment":
        return tr("Key from the environment"), "success", "check-circle-fill"
    if provider.key_source == "keychain":
        return tr("Key in the keychain"), "success", "check-circle-fill"
    if provider.key_source == "file":
        return tr("Key in encrypted file"), "success", "check-circle-fill"
    if provider.ready:
        return tr("Set up"), "success", "check-circle-fill"
    return tr("Not connected"), "muted", ""
