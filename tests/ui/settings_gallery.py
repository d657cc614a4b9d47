"""Pictures of settings, usage and their dialogs, for looking at.

`xvfb-run -a -s "-screen 0 1600x1000x24" python -m tests.ui.settings_gallery FOLDER [name …]`
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
import tempfile
from datetime import date, timedelta
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_API", "pyside6")

import qasync
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from tests.ui.gallery import open_window
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.views import (
    BugReportView,
    CallView,
    ConnectionView,
    DiscoveredServerView,
    ModelView,
    ProviderView,
    ReportFileView,
    RouteStepView,
    RoutesView,
    RouteView,
    SecretsView,
    StoredView,
    TemplateView,
    UsageDayView,
    UsageReport,
    UsageSumView,
    VariableView,
)
from vibedesk.ui.dialogs.add_starter import AddStarterDialog
from vibedesk.ui.dialogs.bug_report import BugReportDialog
from vibedesk.ui.dialogs.inspector import InspectorDialog
from vibedesk.ui.dialogs.model_setup import KeyPlace, ModelSetupDialog
from vibedesk.ui.dialogs.variables import VariableActions, VariableEntry, VariablesDialog
from vibedesk.ui.settings.building_page import BuildingPage, BuildingSettings
from vibedesk.ui.settings.data_page import DataPage
from vibedesk.ui.settings.model_picker import ModelOption
from vibedesk.ui.settings.models_page import ModelsPage
from vibedesk.ui.settings.page import SettingsEntry, SettingsPage
from vibedesk.ui.settings.place_page import PlacePage
from vibedesk.ui.settings.route_rows import KnownModels
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.usage.page import UsagePage

TODAY = date(2026, 11, 27)
MIB = 1024**2


def facts(
    name: str, context: int, price: tuple[float, float] | None, *, images: bool = True
) -> ModelView:
    return ModelView(
        name=name,
        known=True,
        context_window=context,
        max_output_tokens=64_000,
        images=images,
        structured_output=True,
        prompt_caching="explicit" if images else "none",
        reasoning_efforts=("low", "medium", "high"),
        input_price=price[0] if price else None,
        output_price=price[1] if price else None,
        cached_price=None,
        price_date="2026-11-27",
    )


def option(provider: str, label: str, view: ModelView, **more: bool) -> ModelOption:
    return ModelOption(provider=provider, provider_label=label, model=view.name, facts=view, **more)


OPTIONS = (
    option("anthropic", "Anthropic", facts("claude-opus-5-5", 1_000_000, (4, 20))),
    option("anthropic", "Anthropic", facts("claude-sonnet-5-5", 1_000_000, (3, 15))),
    option("anthropic", "Anthropic", facts("claude-haiku-5-5", 200_000, (0.8, 4))),
    option("openai", "OpenAI", facts("gpt-6.1-sol", 400_000, (1.25, 10))),
    option("google", "Google Gemini", facts("gemini-3.8-flash", 1_000_000, (0.3, 2.5))),
    option("ollama", "Ollama", facts("qwen3-coder:30b", 262_144, None, images=False), free=True),
    option("openrouter", "OpenRouter", facts("z-ai/glm-5", 128_000, (0.4, 1.6)), ready=False),
)
KNOWN = KnownModels(
    options=OPTIONS,
    labels={o.provider: o.provider_label for o in OPTIONS},
    free=frozenset({"ollama"}),
)


def provider(name: str, label: str, **more: object) -> ProviderView:
    values: dict[str, object] = {
        "name": name,
        "label": label,
        "base_url": f"https://api.{name}.com",
        "default_model": "",
        "ready": True,
        "key_source": "keychain",
        **more,
    }
    return ProviderView(**values)  # type: ignore[arg-type]


PROVIDERS = [
    provider("anthropic", "Anthropic", key_page="https://platform.claude.com/settings/keys"),
    provider("openai", "OpenAI"),
    provider(
        "google", "Google Gemini", key_source="environment", key_variable="GEMINI_API_KEY",
        overrides_keychain=True,
    ),
    provider("openrouter", "OpenRouter", ready=False, key_source=""),
    provider(
        "ollama", "Ollama", base_url="http://127.0.0.1:11434/v1", kind="local", key_source="",
        key_required=False, free=True, reachable=True,
    ),
    provider(
        "lmstudio", "LM Studio", base_url="http://127.0.0.1:1234/v1", kind="local", key_source="",
        key_required=False, free=True, reachable=False, ready=False,
    ),
    provider(
        "office", "office", base_url="https://models.example.org/v1", key_source="file", own=True
    ),
]  # fmt: skip


def routes(preset: str = "balanced") -> RoutesView:
    step = RouteStepView
    return RoutesView(
        preset=preset,
        presets=("best", "balanced", "cheap", "local", "custom"),
        routes=(
            RouteView("blueprint", (step("anthropic", "claude-opus-5-5", reasoning_effort="high"),)),
            RouteView("plan_phase", (step("anthropic", "claude-sonnet-5-5", reasoning_effort="medium"),)),
            RouteView(
                "implement_phase",
                (
                    step("anthropic", "claude-sonnet-5-5", temperature=0.3, max_output_tokens=32_000),
                    step("ollama", "qwen3-coder:30b"),
                ),
            ),
            RouteView(
                "fix",
                (
                    step(
                        "openai",
                        "gpt-6.1-sol",
                        reasoning_effort="medium",
                        problem="There is no key for OpenAI.",
                        remedy="Enter it below, or set OPENAI_API_KEY.",
                    ),
                    step("anthropic", "claude-sonnet-5-5"),
                ),
            ),
            RouteView("converse", (step("google", "gemini-3.8-flash", reasoning_effort="low"),)),
        ),
    )  # fmt: skip


def models_page(theme: Theme, *, busy: bool = False) -> ModelsPage:
    page = ModelsPage(theme)
    page.show_routes(routes("custom" if busy else "balanced"), KNOWN)
    page.show_providers(PROVIDERS, "anthropic")
    if busy:
        page.show_secrets(
            SecretsView(
                "none",
                True,
                "This system has no keychain. Choose a passphrase: secrets are then kept in a file encrypted with it.",
            )
        )
        page.show_result(
            "anthropic",
            ConnectionView(
                True,
                "ok",
                "claude-sonnet-5-5 answers.",
                "",
                0.412,
                ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"),
            ),
        )
        page.show_result(
            "openai",
            ConnectionView(
                False,
                "key",
                "OpenAI refused the key (401). It says: Incorrect API key provided.",
                "Copy the key again from platform.openai.com/api-keys and enter it here.",
                0.2,
            ),
        )
        page.set_testing("google", testing=True)
        page.provider_row("google")._more.click()
    else:
        page.show_secrets(
            SecretsView("keychain", False, "Secrets are kept in this system's keychain.")
        )
    page.show_local(
        [
            DiscoveredServerView("ollama", "Ollama", "http://127.0.0.1:11434/v1", ("qwen3-coder:30b", "gemma4:12b", "llama5:8b"), in_use=busy),
        ],
        {},
    )  # fmt: skip
    return page


def settings(theme: Theme, key: str, *, busy: bool = False) -> SettingsPage:
    def data() -> DataPage:
        page = DataPage(theme, "/home/me/.local/share/vibedesk")
        page.show_settings(30, "info")
        page.show_stored(
            [
                StoredView("image", "vibedesk-sandbox", 780 * MIB, "2026-11-20T10:00:00Z", True),
                StoredView("packages", "a", 190 * MIB, "2026-11-19T10:00:00Z", True),
                StoredView("packages", "b", 96 * MIB, "2026-10-02T10:00:00Z", False),
                StoredView("tarballs", "", 120 * MIB, "2026-11-20T10:00:00Z", False),
                StoredView("database", "vibedesk.db", 31 * MIB, "2026-11-27T10:00:00Z", True),
                StoredView("logs", "logs", 4 * MIB, "2026-11-27T10:00:00Z", False),
                StoredView("browser", "b", 58 * MIB, "2026-11-26T10:00:00Z", False),
            ]
        )
        page.say("Done. 96 MB became free.")
        return page

    def place() -> PlacePage:
        page = PlacePage(theme)
        page.show_place("auto", "Docker answers. Each app gets a container that it cannot leave.")
        return page

    def building() -> BuildingPage:
        page = BuildingPage(theme)
        page.show_settings(
            BuildingSettings(
                budget=5.0, depth="tools" if busy else "full", depth_fixed=busy, automatic=not busy,
                agents=5, sandboxes=10,
            )
        )  # fmt: skip
        return page

    page = SettingsPage(
        theme,
        [
            SettingsEntry(key="models", title="Models and keys", icon="brain", make=lambda: models_page(theme, busy=busy)),
            SettingsEntry(key="building", title="Building", icon="hammer", make=building),
            SettingsEntry(key="place", title="Where apps run", icon="shipping-container", make=place),
            SettingsEntry(key="usage", title="Usage and limits", icon="coins"),
            SettingsEntry(key="data", title="Data", icon="hard-drives", make=data),
        ],
    )  # fmt: skip
    page.show_entry(key)
    return page


def usage_sum(key: str, cost: float, calls: int, label: str = "", **more: float) -> UsageSumView:
    given = int(cost * 230_000)
    return UsageSumView(
        key=key,
        label=label or key.replace("_", " ").capitalize(),
        calls=calls,
        input_tokens=int(more.get("input", given)),
        cached_tokens=int(given * 0.62),
        cache_write_tokens=0,
        output_tokens=int(cost * 22_000),
        reasoning_tokens=int(cost * 4_000),
        cost=cost,
        unpriced=int(more.get("unpriced", 0)),
        saved=cost * 0.6,
        mean_seconds=4 + cost,
    )


def report(*, budget: float | None = None) -> UsageReport:
    operations = ("implement_phase", "blueprint", "plan_phase", "fix", "converse")
    models = ("claude-sonnet-5-5", "claude-opus-5-5", "gpt-6.1-sol", "gemini-3.8-flash", "qwen3-coder:30b")  # fmt: skip
    days = [TODAY - timedelta(days=29 - n) for n in range(30)]
    sizes = [abs(math.sin(n * 1.7)) * 2.2 if n % 4 else 0.1 for n in range(30)]
    shares = (0.58, 0.14, 0.08, 0.13, 0.07)

    def split(keys: tuple[str, ...], amount: float) -> tuple[UsageSumView, ...]:
        return tuple(
            usage_sum(k, amount * s, 1 + round(9 * s), k if "-" in k else "")
            for k, s in zip(keys, shares, strict=True)
        )

    total = sum(sizes)
    calls = tuple(
        CallView(
            at=f"2026-11-27T1{n}:12:08.000Z",
            project_id="p1",
            operation=operations[n % 5],
            provider="anthropic",
            model=models[n % 4],
            phase=1,
            outcome=("finished", "finished", "interrupted", "failed")[n % 4],
            input_tokens=41_200 + n,
            cached_tokens=31_000,
            cache_write_tokens=0,
            output_tokens=3_812,
            reasoning_tokens=512,
            cost=0.08 * (n + 1) if n % 4 else None,
            saved=0.01,
            seconds=12.4 + n,
        )
        for n in range(9)
    )
    local = usage_sum(models[4], 0.0, 14, models[4], input=20_000, unpriced=14)
    return UsageReport(
        totals=usage_sum("", total, 412, "In all", unpriced=14),
        by_day=tuple(usage_sum(d.isoformat(), s, 8) for d, s in zip(days, sizes, strict=True)),
        by_operation=split(operations, total),
        by_model=(*split(models, total)[:4], local),
        by_phase=(
            usage_sum("0", 1.2, 9, "Outside phases"),
            usage_sum("1", 4.1, 40, "Phase 1: Plants"),
        ),
        by_project=tuple(
            usage_sum(f"p{n}", cost, n * 9 + 8, title)
            for n, (title, cost) in enumerate(
                (("Fernwood", 11.24), ("Tidepool", 8.1), ("Ledgerly", 6.62), ("Crumb & Co", 2.47))
            )
        ),
        calls=calls,
        budget=budget,
        days_by_operation=tuple(
            UsageDayView(day=d.isoformat(), parts=split(operations, s))
            for d, s in zip(days, sizes, strict=True)
        ),
        days_by_model=tuple(
            UsageDayView(day=d.isoformat(), parts=split(models, s))
            for d, s in zip(days, sizes, strict=True)
        ),
    )


def usage(theme: Theme, name: str) -> UsagePage:
    page = UsagePage(theme)
    page.set_projects([("p1", "Fernwood"), ("p2", "Tidepool")])
    if name == "empty":
        nothing = usage_sum("", 0.0, 0)
        page.show_report(UsageReport(totals=nothing, by_day=(), by_operation=(), by_model=(), by_phase=(), by_project=(), calls=()))  # fmt: skip
        return page
    if name == "project":
        page._projects.setCurrentIndex(1)
        page._range.set_current("all")
        page.show_report(report(budget=40.0), TODAY)
        page._plot._stack.set_current("model")
        page._plot._stack.chosen.emit("model")
        page._tables._which.set_current("calls")
        page._tables._which.chosen.emit("calls")
        return page
    page.show_report(report(), TODAY)
    page._plot._bars._set_current(17)
    return page


VARIABLES = [
    VariableView("MAIL_FROM", False, "hello@fernwood.app", True, "The sender of reminder mails", "you", True),
    VariableView("STRIPE_SECRET_KEY", True, "", True, "Takes payments for premium plants", "agent", True),
    VariableView("WEATHER_API_KEY", True, "", False, "Looks up the weather for watering", "agent", False),
]  # fmt: skip


def variables(theme: Theme, parent: QWidget) -> QDialog:
    async def load() -> list[VariableView]:
        return VARIABLES

    async def keep(entry: VariableEntry) -> None: ...

    async def remove(name: str) -> None: ...

    async def secrets() -> SecretsView:
        return SecretsView("keychain", False, "Secrets are kept in this system's keychain.")

    async def unlock(words: str) -> SecretsView:
        return await secrets()

    actions = VariableActions(load=load, keep=keep, remove=remove, secrets=secrets, unlock=unlock)
    return VariablesDialog(theme, parent, app="Fernwood", actions=actions, wanted="WEATHER_API_KEY")


def first_model(theme: Theme, parent: QWidget) -> QDialog:
    async def state() -> SecretsView:
        return SecretsView(
            "none",
            True,
            "This system has no keychain. Choose a passphrase: secrets are then kept in a file encrypted with it.",
        )

    async def unlock(words: str) -> SecretsView:
        return await state()

    async def look() -> list[DiscoveredServerView]:
        return [
            DiscoveredServerView("ollama", "Ollama", "http://127.0.0.1:11434/v1", ("qwen3:8b",))
        ]

    keys = KeyPlace(state=state, unlock=unlock)
    models = {"anthropic": "claude-sonnet-5-5"}
    return ModelSetupDialog(theme, parent, models=models, keys=keys, look=look)  # type: ignore[arg-type]


def inspector(theme: Theme, parent: QWidget) -> QDialog:
    async def inspect() -> dict[str, object]:
        return {
            "id": "01JDP", "name": "fernwood", "state": "phase_implementing", "running": True,
            "model": "claude-sonnet-5-5", "cost": 0.58, "phases": [{"number": 1, "name": "Plants"}],
            "sandbox": {"kind": "docker", "state": "running", "port": 5173},
            "usage": {"totals": {"calls": 41}}, "queue": {"running": ["01JDP"], "waiting": []},
            "timings": [
                {"at": "2026-11-27T10:12:08.000Z", "operation": "blueprint", "phase": 0, "seconds": 21.4, "outcome": "done"},
                {"at": "2026-11-27T10:12:40.000Z", "operation": "install", "phase": 0, "seconds": 8.2, "outcome": "done"},
                {"at": "2026-11-27T10:13:40.000Z", "operation": "implement_phase", "phase": 1, "seconds": 71.9, "outcome": "done"},
            ],
        }  # fmt: skip

    return InspectorDialog(theme, parent, app="Fernwood", inspect=inspect)


def bug_report(theme: Theme, parent: QWidget) -> QDialog:
    async def collect(with_project: bool) -> BugReportView:
        files = [
            ReportFileView("about.json", '{\n  "version": "0.1.0",\n  "system": "Linux"\n}'),
            ReportFileView("doctor.json", '{\n  "can_build": true\n}'),
            ReportFileView("settings.json", "{}"),
            ReportFileView("vibedesk.log", "10:12:08 info engine: started\n" * 400),
        ]
        if with_project:
            files.append(ReportFileView("project.json", '{\n  "state": "complete"\n}'))
        return BugReportView(tuple(files))

    async def write(report: BugReportView, path: Path) -> None: ...

    return BugReportDialog(theme, parent, collect=collect, write=write, project="Fernwood")


def add_starter(theme: Theme, parent: QWidget, *, wrong: bool = False) -> QDialog:
    async def add(source: str) -> TemplateView:
        raise InvalidInputError(f"{source!r} is no template.", remedy="Give a folder's path.")

    dialog = AddStarterDialog(theme, parent, add)
    if wrong:
        dialog._source.setText("my-starter")
        dialog._add.click()
    return dialog


PAGES = {
    "models": lambda theme: settings(theme, "models"),
    "models-busy": lambda theme: settings(theme, "models", busy=True),
    "building": lambda theme: settings(theme, "building"),
    "building-fixed": lambda theme: settings(theme, "building", busy=True),
    "place": lambda theme: settings(theme, "place"),
    "data": lambda theme: settings(theme, "data"),
    "usage": lambda theme: usage(theme, "all"),
    "usage-project": lambda theme: usage(theme, "project"),
    "usage-empty": lambda theme: usage(theme, "empty"),
}
DIALOGS = {
    "first-model": first_model,
    "variables": variables,
    "inspector": inspector,
    "bug-report": bug_report,
    "add-starter": add_starter,
    "add-starter-wrong": partial(add_starter, wrong=True),
}
SIZES = ((1600, 1000), (1280, 800))
SCHEMES: tuple[Scheme, ...] = ("dark", "light", "high_contrast")


async def _wait(milliseconds: int) -> None:
    await asyncio.sleep(milliseconds / 1000)


async def shoot(folder: Path, names: list[str]) -> None:
    theme = Theme("dark")
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app)
    for scheme in SCHEMES:
        theme.set_scheme(scheme)
        for width, height in SIZES:
            with tempfile.TemporaryDirectory() as home:
                for name, make in PAGES.items():
                    if names and name not in names:
                        continue
                    window = open_window(theme, Path(home), 3, "Claude Sonnet 5.5")
                    place = "usage" if name.startswith("usage") else "settings"
                    window.add_page("usage", lambda make=make: make(theme))
                    window.add_page("settings", lambda make=make: make(theme))
                    window.resize(width, height)
                    window.show_page(place)
                    window.show()
                    await _wait(150)
                    window.grab().save(str(folder / f"{name}-{scheme}-{width}.png"))
                    page = window._pages[place]
                    for bar in page.findChildren(QWidget, "qt_scrollarea_vcontainer"):
                        scroll = bar.parentWidget()
                        if (
                            name in ("models", "models-busy", "usage", "usage-project")
                            and scroll.verticalScrollBar().maximum() > 60
                            and scroll.accessibleName() in ("Models and keys", "Usage and cost")
                        ):  # type: ignore[attr-defined]
                            scroll.verticalScrollBar().setValue(10_000)  # type: ignore[attr-defined]
                            await _wait(60)
                            window.grab().save(str(folder / f"{name}-end-{scheme}-{width}.png"))
                    window.close()
                    window.deleteLater()
                for name, make_dialog in DIALOGS.items():
                    if (names and name not in names) or width != 1280:
                        continue
                    window = open_window(theme, Path(home), 3, "Claude Sonnet 5.5")
                    window.resize(width, height)
                    window.show_page("projects")
                    window.show()
                    dialog = make_dialog(theme, window)
                    dialog.show()
                    await _wait(200)
                    dialog.grab().save(str(folder / f"{name}-{scheme}.png"))
                    dialog.close()
                    window.close()
                    window.deleteLater()
                    await _wait(10)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    with qasync.QEventLoop(app) as loop:
        loop.run_until_complete(shoot(folder, sys.argv[2:]))


if __name__ == "__main__":
    main()
