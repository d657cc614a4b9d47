"""Usage and cost: what was spent, on what, and how much may still be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from vibedesk.engine.views import UsageReport
from vibedesk.ui.settings.cards import PageColumn
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.usage.cards import BudgetCard, ModelsCard, NumberCards, PlotCard, TablesCard
from vibedesk.ui.usage.figures import (
    tr,
)
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented
from vibedesk.ui.widgets.island import Island
from vibedesk.ui.widgets.messages import EmptyState

_WIDTH = 1300
_RANGES: dict[str, int | None] = {"7": 7, "30": 30, "90": 90, "all": None}


class UsagePage(Island):
    """Shows a report and says which one is wanted."""

    wanted = Signal(str, object)
    """A project's id (empty: all), and so many days up to today, or None for all time."""
    budget_chosen = Signal(str, object)
    """Of a project: the most in USD in all, or None for no limit."""
    export_requested = Signal(str, str)
    """A name for the file and its CSV."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme = theme
        self._report: UsageReport | None = None
        self._today = datetime.now().astimezone().date()
        self._body = PageColumn(tr("Usage and cost"), width=_WIDTH)
        self.column.addWidget(self._body, 1)
        self._projects = QComboBox()
        self._projects.setAccessibleName(self.tr("Which project"))
        self._projects.setMinimumWidth(190)
        self._projects.addItem(self.tr("All projects"), "")
        self._projects.activated.connect(lambda _: self._ask())
        self._range = Segmented(
            theme,
            self.tr("Time"),
            [
                Segment(key="7", text=self.tr("7 days")),
                Segment(key="30", text=self.tr("30 days")),
                Segment(key="90", text=self.tr("90 days")),
                Segment(key="all", text=self.tr("All time")),
            ],
        )
        self._range.set_current("30")
        self._range.chosen.connect(lambda _: self._ask())
        self._body.head.addWidget(self._projects)
        self._body.head.addWidget(self._range)
        self._cards = NumberCards(theme)
        self._budget = BudgetCard(theme)
        self._budget.chosen.connect(lambda most: self.budget_chosen.emit(self.project, most))
        self._plot = PlotCard(theme)
        self._plot.changed.connect(self._show_plot)
        self._models = ModelsCard(theme)
        self._tables = TablesCard(theme)
        self._tables.export_requested.connect(self.export_requested)
        self._nothing = EmptyState(
            theme,
            "coins",
            self.tr("No cost yet"),
            self.tr("Numbers appear after your first build. Recorded examples cost nothing."),
        )
        self._full = QWidget()
        self._full.setLayout(
            vbox(
                self._cards,
                self._budget,
                hbox((self._plot, 5), (self._models, 2), gap=14),
                self._tables,
                gap=14,
            )
        )
        self._body.column.addWidget(self._full)
        self._body.column.addWidget(self._nothing)
        self._nothing.hide()
        self._full.hide()

    # -- what is asked for --------------------------------------------------------------------------
    @property
    def project(self) -> str:
        """The chosen project's id; empty for all."""
        return str(self._projects.currentData() or "")

    @property
    def days(self) -> int | None:
        return _RANGES[self._range.current]

    def set_projects(self, projects: Sequence[tuple[str, str]]) -> None:
        """Offer these (id, title); the chosen one stays chosen."""
        chosen = self.project
        self._projects.clear()
        self._projects.addItem(self.tr("All projects"), "")
        for project_id, title in projects:
            self._projects.addItem(title, project_id)
        self._projects.setCurrentIndex(max(0, self._projects.findData(chosen)))

    def choose_project(self, project_id: str) -> None:
        """Show this project's numbers."""
        self._projects.setCurrentIndex(max(0, self._projects.findData(project_id)))
        self._ask()

    def _ask(self) -> None:
        self.wanted.emit(self.project, self.days)

    # -- what is shown ------------------------------------------------------------------------------
    def show_report(self, report: UsageReport, today: date | None = None) -> None:
        """Show a report of what `project` and `days` say."""
        self._report = report
        self._today = today or datetime.now().astimezone().date()
        empty = not report.totals.calls and not self.project
        self._full.setVisible(not empty)
        self._nothing.setVisible(empty)
        self._cards.show_report(report)
        self._budget.setVisible(bool(self.project))
        self._budget.show_budget(report.budget, report.totals.cost, whole=self.days is None)
        self._models.show_report(report)
        self._tables.show_report(report, of_project=bool(self.project))
        self._show_plot()

    def show_spent(self, spent: float) -> None:
        """Say what the chosen project cost in all, whatever time is shown: the limit counts that."""
        if self._report is not None:
            self._budget.show_budget(self._report.budget, spent, whole=True)

    def _show_plot(self) -> None:
        if self._report is not None:
            self._plot.show_report(self._report, self.days, self._today)
