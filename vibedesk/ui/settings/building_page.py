"""How apps are built: what waits for the person, what it may cost, how it is looked at, and how much at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from vibedesk.ui.settings.cards import Card, PageColumn, Strip, setting_row
from vibedesk.ui.settings.number_field import NumberField
from vibedesk.ui.settings.words import tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.switch import Switch

ReviewDepth = Literal["full", "tools", "page"]
Network = Literal["registries", "none"]
NETWORKS: tuple[Network, ...] = ("registries", "none")
DEPTHS: tuple[ReviewDepth, ...] = ("full", "tools", "page")
_MOST_AT_ONCE = 50
_MOST_BUDGET = 100_000
_COMBO_WIDTH = 190


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingSettings:
    """What is set. `budget`: in USD, 0 for no limit; `depth_fixed`: the environment says it and wins."""

    approval: bool = True
    budget: float = 0.0
    network: Network = "registries"
    depth: ReviewDepth = "full"
    depth_fixed: bool = False
    automatic: bool = True
    agents: int = 1
    sandboxes: int = 1


class BuildingPage(PageColumn):
    """Every setting counts as soon as it is changed; each row says for what."""

    approval_changed = Signal(bool)
    budget_changed = Signal(float)
    """In USD; 0: no limit."""
    network_changed = Signal(str)
    depth_changed = Signal(str)
    automatic_changed = Signal(bool)
    agents_changed = Signal(int)
    sandboxes_changed = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            tr("Building"),
            tr(
                "What happens between your wish and the running app. Nothing here changes an app by itself."
            ),
        )
        self._theme = theme
        self._make_new_projects()
        self._make_review()
        self._make_at_once()

    def show_settings(self, settings: BuildingSettings) -> None:
        """Show what is set."""
        self._approval.setChecked(settings.approval)
        self._budget.set_number(settings.budget)
        self._network.setCurrentIndex(NETWORKS.index(settings.network))
        self._show_network()
        self._depth.setCurrentIndex(DEPTHS.index(settings.depth))
        self._show_depth()
        self._depth.setEnabled(not settings.depth_fixed)
        self._fixed.setVisible(settings.depth_fixed)
        self._automatic.setChecked(settings.automatic)
        self._agents.set_number(settings.agents)
        self._sandboxes.set_number(settings.sandboxes)

    def _make_new_projects(self) -> None:
        self._approval = Switch(self._theme, self.tr("Wait for your approval of the plan"))
        self._approval.clicked.connect(self.approval_changed)
        self._budget = NumberField(
            self.tr("Budget of a new project in US dollars"), 0, _MOST_BUDGET, decimals=2
        )
        self._budget.changed.connect(self.budget_changed)
        self._network = QComboBox()
        self._network.setAccessibleName(self.tr("What apps may reach"))
        self._network.setFixedWidth(_COMBO_WIDTH)
        names: dict[Network, str] = {
            "registries": self.tr("Only what you allow"),
            "none": self.tr("None"),
        }
        for network in NETWORKS:
            self._network.addItem(names[network], network)
        self._network.activated.connect(self._on_network)
        self._network_words = label("", tone="muted", fs="small")
        self._add(
            self.tr("New projects"),
            self._row(
                "blueprint",
                self.tr("Wait for your approval of the plan"),
                self.tr("You read and change the plan before anything is built."),
                self._approval,
            ),
            self._row(
                "coins",
                self.tr("Budget"),
                self.tr(
                    "What models may cost in a new project, which can get another budget later. 0 is no limit."
                ),
                label(self.tr("USD"), tone="secondary"),
                self._budget,
            ),
            self._row("globe", self.tr("Network"), self._network_words, self._network),
        )

    def _make_review(self) -> None:
        self._depth = QComboBox()
        self._depth.setAccessibleName(self.tr("How thoroughly each phase is reviewed"))
        self._depth.setFixedWidth(_COMBO_WIDTH)
        names: dict[ReviewDepth, str] = {
            "full": self.tr("Everything"),
            "tools": self.tr("Without a browser"),
            "page": self.tr("Only whether it runs"),
        }
        for depth in DEPTHS:
            self._depth.addItem(names[depth], depth)
        self._depth.activated.connect(self._on_depth)
        self._depth_words = label("", tone="muted", fs="small")
        self._automatic = Switch(self._theme, self.tr("Mend errors of the preview unasked"))
        self._automatic.clicked.connect(self.automatic_changed)
        self._fixed = Strip(self._theme)
        self._fixed.say(
            "info",
            self.tr("An environment variable decides how thoroughly apps are reviewed."),
            self.tr("Start VibeDesk without VIBEDESK_REVIEW to choose it here."),
        )
        self._add(
            self.tr("Review"),
            self._row(
                "seal-check-bold",
                self.tr("After each phase"),
                self._depth_words,
                self._depth,
            ),
            self._row(
                "wrench",
                self.tr("Mend errors of the preview unasked"),
                self.tr(
                    "An error that the app throws while you use it is mended at once. Each try is paid for."
                ),
                self._automatic,
            ),
        )
        self.column.addWidget(self._fixed)
        self._fixed.hide()

    def _make_at_once(self) -> None:
        self._agents = NumberField(self.tr("Builds at once"), 1, _MOST_AT_ONCE)
        self._agents.changed.connect(lambda number: self.agents_changed.emit(round(number)))
        self._sandboxes = NumberField(self.tr("Running apps at once"), 1, _MOST_AT_ONCE)
        self._sandboxes.changed.connect(lambda number: self.sandboxes_changed.emit(round(number)))
        self._add(
            self.tr("At once"),
            self._row(
                "robot",
                self.tr("Builds"),
                self.tr("More than these wait in line and say so."),
                self._agents,
            ),
            self._row(
                "shipping-container",
                self.tr("Running apps"),
                self.tr(
                    "For one more, the one unused for longest is stopped; while all are at work, it waits."
                ),
                self._sandboxes,
            ),
        )

    def _add(self, title: str, *rows: QWidget) -> None:
        self.column.addWidget(label(title, fs="title_sm"))
        card = Card()
        for row in rows:
            card.add_row(row)
        self.column.addWidget(card)
        self.column.addSpacing(8)

    def _row(self, icon: str, title: str, text: str | QLabel, *controls: QWidget) -> QWidget:
        return setting_row(self._theme, icon, title, text, hbox(*controls, gap=8))

    def _on_network(self, index: int) -> None:
        self._show_network()
        self.network_changed.emit(NETWORKS[index])

    def _show_network(self) -> None:
        words: dict[Network, str] = {
            "registries": self.tr(
                "Apps in Docker reach the package registries and hosts you allow, where their project says nothing else."
            ),
            "none": self.tr(
                "Apps in Docker reach nothing, where their project says nothing else. No package can be added to them."
            ),
        }
        self._network_words.setText(words[NETWORKS[self._network.currentIndex()]])

    def _on_depth(self, index: int) -> None:
        self._show_depth()
        self.depth_changed.emit(DEPTHS[index])

    def _show_depth(self) -> None:
        words: dict[ReviewDepth, str] = {
            "full": self.tr(
                "Types, lint, the page in a real browser, the plan's checks, and a model's look at the code."
            ),
            "tools": self.tr(
                "Types, lint, and a model's look at the code. Nobody looks at the page or runs the checks."
            ),
            "page": self.tr(
                "Whether the app starts and answers. Quick and free, but mistakes stay until you meet them."
            ),
        }
        self._depth_words.setText(words[DEPTHS[self._depth.currentIndex()]])
