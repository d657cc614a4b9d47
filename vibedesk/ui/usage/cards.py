"""The cards of the usage page: numbers, the limit, the plot, models, tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.engine.views import UsageReport
from vibedesk.ui.settings.cards import Card, StateLine
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.usage.figures import (
    MEASURES,
    Figure,
    Measure,
    Series,
    figure,
    in_words,
    measure_name,
    percent,
    seconds,
    tr,
)
from vibedesk.ui.usage.plots import StackedBars, ToneBar
from vibedesk.ui.usage.tables import (
    GROUPINGS,
    Grouping,
    Table,
    TableColumn,
    UsageTable,
    grouping_name,
    table,
    to_csv,
)
from vibedesk.ui.widgets.amounts import count, money
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented, icon_button, text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import ElidedLabel, label
from vibedesk.ui.widgets.number_validators import DecimalValidator

_MODELS = 5
_WARN, _FULL = 0.8, 1.0


class NumberCards(QWidget):
    """Four numbers in front."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._spent = _NumberCard(self.tr("Spent"))
        self._requests = _NumberCard(self.tr("Requests"))
        self._tokens = _NumberCard(self.tr("Tokens"))
        self._cache = _NumberCard(self.tr("Reused from cache"))
        cards = (self._spent, self._requests, self._tokens, self._cache)
        self.setLayout(hbox(*((card, 1) for card in cards), gap=14))

    def show_report(self, report: UsageReport) -> None:
        totals = report.totals
        note = self.tr("by the providers' own count")
        if totals.unpriced:
            note = self.tr("{0} requests of unknown price are not counted").format(totals.unpriced)
        self._spent.show_number(money(totals.cost), note)
        mean = self.tr("{0} on average").format(seconds(totals.mean_seconds))
        self._requests.show_number(f"{totals.calls:,}", mean if totals.calls else "")
        both = self.tr("{0} in, {1} out").format(
            count(totals.input_tokens), count(totals.output_tokens)
        )
        if totals.reasoning_tokens:
            both += self.tr(", {0} of that thinking").format(count(totals.reasoning_tokens))
        self._tokens.show_number(count(totals.input_tokens + totals.output_tokens), both)
        share = totals.cached_tokens / totals.input_tokens if totals.input_tokens else 0.0
        saved = self.tr("saved about {0}").format(money(totals.saved))
        self._cache.show_number(percent(share), saved)


class _NumberCard(Card):
    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._number = label("", fs="title")
        self._note = ElidedLabel("", tone="muted")
        self._note.setProperty("fs", "small")
        inside = QWidget()
        inside.setLayout(
            vbox(
                label(title, tone="secondary", fs="small"),
                self._number,
                self._note,
                gap=3,
                margins=(16, 13, 16, 13),
            )
        )
        self.add_row(inside)

    def show_number(self, number: str, note: str) -> None:
        self._number.setText(number)
        self._note.setText(note)
        self.setAccessibleName(f"{self._title}: {number}. {note}")


class BudgetCard(Card):
    """What a project may cost in all."""

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._spent = 0.0
        self._field = QLineEdit()
        self._field.setFixedWidth(110)
        self._field.setAccessibleName(self.tr("Limit in US dollars; empty for none"))
        self._field.setPlaceholderText(self.tr("no limit"))
        self._field.setValidator(DecimalValidator(0.01, 1_000_000.0, 2, self._field, optional=True))
        self._field.returnPressed.connect(self._set)
        self._field.textEdited.connect(self._refresh)
        self._button = text_button(theme, self.tr("Set limit"))
        self._button.clicked.connect(self._set)
        self._bar = ToneBar(theme, "accent.solid", 6)
        self._words = StateLine(theme)
        self._budget: float | None = None
        inside = QWidget()
        left = vbox(label(self.tr("Limit of this project"), strong="mid"), self._words, None, gap=2)
        row = hbox(gap=16, margins=(16, 12, 16, 12))
        add_layout(row, left)
        row.addWidget(self._bar, 1)
        row.addWidget(label("$", tone="muted"))
        row.addWidget(self._field)
        row.addWidget(self._button)
        inside.setLayout(row)
        self.add_row(inside)

    def show_budget(self, budget: float | None, spent: float, *, whole: bool) -> None:
        """Show the limit and what is spent of it; not `whole`: what is spent in all is not known yet."""
        if budget != self._budget or not self._field.hasFocus():
            self._field.setText("" if budget is None else f"{budget:.2f}")
        self._budget, self._spent = budget, spent
        self._bar.setVisible(budget is not None)
        if budget is None:
            self._words.set_state(
                self.tr("No limit. At a limit the build pauses and asks."), "muted"
            )
        elif whole:
            share = spent / budget if budget else 1.0
            words = self.tr("{0} of your {1} limit ({2})").format(
                money(spent), money(budget), percent(share)
            )
            if share >= _FULL:
                words = self.tr("{0}. Builds pause until you raise it.").format(words)
                self._words.set_state(words, "danger", "x-circle-fill")
                tone = "danger.solid"
            elif share >= _WARN:
                self._words.set_state(words, "warning", "warning-fill")
                tone = "warning.solid"
            else:
                self._words.set_state(words, "secondary")
                tone = "accent.solid"
            self._bar.set_share(share, tone, mark=_WARN)
            self._bar.setAccessibleName(words)
        else:
            self._words.set_state(self.tr("A limit of {0}").format(money(budget)), "secondary")
        self._refresh()

    def _wanted(self) -> float | None:
        try:
            return float(self._field.text())
        except ValueError:
            return None

    def _refresh(self) -> None:
        wanted = self._wanted()
        self._button.setEnabled(wanted != self._budget and self._field.hasAcceptableInput())
        none = not self._field.text() and self._budget is not None
        self._button.setText(self.tr("Remove limit") if none else self.tr("Set limit"))
        self._button.setAccessibleName(self._button.text())

    def _set(self) -> None:
        if self._button.isEnabled():
            self.chosen.emit(self._wanted())


class PlotCard(Card):
    """The plot by day, with what is drawn and what it is made of; as a table on request."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._measure = QComboBox()
        self._measure.setAccessibleName(self.tr("What is drawn"))
        for measure in MEASURES:
            self._measure.addItem(self.tr("{0} per day").format(measure_name(measure)), measure)
        self._measure.activated.connect(lambda _: self.changed.emit())
        self._stack = Segmented(
            theme,
            self.tr("Made of"),
            [
                Segment(key="operation", text=self.tr("By operation")),
                Segment(key="model", text=self.tr("By model")),
            ],
        )
        self._stack.chosen.connect(lambda _: self.changed.emit())
        self._as_table = icon_button(theme, "table", self.tr("Show as table"), checkable=True)
        self._as_table.toggled.connect(self._on_table)
        self._legend = QWidget()
        self._keys = FlowLayout(gap=14)
        self._legend.setLayout(self._keys)
        self._bars = StackedBars(theme)
        self._table = UsageTable(theme)
        self._views = QStackedLayout()
        self._views.addWidget(self._bars)
        self._views.addWidget(self._table)
        inside = QWidget()
        column = vbox(
            hbox(self._measure, None, self._stack, self._as_table, gap=8),
            self._legend,
            gap=12,
            margins=(16, 12, 16, 12),
        )
        add_layout(column, self._views, 1)
        inside.setLayout(column)
        self.add_row(inside)

    def show_report(self, report: UsageReport, days: int | None, today: date) -> None:
        measure: Measure = self._measure.currentData()
        stack: Measure | str = self._stack.current
        made = figure(report, measure, "model" if stack == "model" else "operation", days, today)
        self._stack.setVisible(measure != "latency")
        words = in_words(measure)
        self._bars.show_figure(self._measure.currentText(), made, words)
        self._show_legend(made.series)
        self._table.show_table(self._measure.currentText(), _as_table(made, measure))
        self._table.setMaximumHeight(16777215)
        self._table.setMinimumHeight(220)

    def _show_legend(self, series: Sequence[Series]) -> None:
        self._keys.clear()
        for one in series:
            self._keys.addWidget(_Key(self._theme, one))
        self._legend.setVisible(len(series) > 1)

    def _on_table(self, shown: bool) -> None:
        self._views.setCurrentIndex(int(shown))


def _as_table(made: Figure, measure: Measure) -> Table:
    words = in_words(measure)
    columns = [TableColumn(title=tr("Day"), csv="day")]
    columns += [TableColumn(title=s.label, csv=s.key or "other", words=words) for s in made.series]
    if len(made.series) > 1:
        columns.append(TableColumn(title=tr("In all"), csv="total", words=words))
    rows = [
        (c.title, *c.values, *((c.total,) if len(made.series) > 1 else ()))
        for c in made.columns
        if c.total
    ]
    return Table(columns=tuple(columns), rows=tuple(rows))


class _Key(QWidget):
    """A colour and what it stands for."""

    def __init__(self, theme: Theme, series: Series) -> None:
        super().__init__()
        swatch = ToneBar(theme, series.tone, 8)
        swatch.setFixedWidth(8)
        swatch.set_share(1.0)
        name = label(series.label, tone="secondary", fs="small")
        self.setLayout(hbox(swatch, name, gap=6))


class ModelsCard(Card):
    """The models that cost most, or were asked most where none has a price."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._count = label("", tone="muted", fs="small")
        self._lines = QVBoxLayout()
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(14)
        inside = QWidget()
        column = vbox(
            hbox(label(self.tr("Most used models"), strong=True), None, self._count),
            gap=16,
            margins=(16, 16, 16, 16),
        )
        add_layout(column, self._lines)
        column.addStretch(1)
        inside.setLayout(column)
        self.add_row(inside)

    def show_report(self, report: UsageReport) -> None:
        while (taken := self._lines.takeAt(0)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        self._count.setText(self.tr("{0} in use").format(len(report.by_model)))
        shown = report.by_model[:_MODELS]
        costs = any(total.cost for total in shown)
        most = max((t.cost if costs else float(t.calls) for t in shown), default=0.0)
        tones = ("chart.c2", "chart.c1", "chart.c3", "chart.c4", "chart.c6")
        for total, tone in zip(shown, tones, strict=False):
            amount = total.cost if costs else float(total.calls)
            words = self.tr("not counted") if total.unpriced == total.calls else money(total.cost)
            calls = self.tr("{0} requests").format(total.calls)
            name = ElidedLabel(total.label, mode=Qt.TextElideMode.ElideMiddle)
            bar = ToneBar(self._theme, tone, 5)
            bar.set_share(amount / most if most else 0.0)
            row = QWidget()
            row.setLayout(
                vbox(
                    hbox(
                        (name, 1),
                        label(calls, tone="muted", fs="small"),
                        label(words, strong="mid"),
                        gap=10,
                    ),
                    bar,
                    gap=7,
                )
            )
            row.setAccessibleName(f"{total.label}: {words}, {calls}")
            self._lines.addWidget(row)


class TablesCard(Card):
    """One of the tables, and its CSV."""

    export_requested = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._report: UsageReport | None = None
        self._of_project = False
        self._which = Segmented(
            theme,
            self.tr("Table"),
            [Segment(key=grouping, text=grouping_name(grouping)) for grouping in GROUPINGS],
        )
        self._which.set_current("projects")
        self._which.chosen.connect(lambda _: self._show())
        export = text_button(theme, self.tr("CSV"), icon="download-simple", compact=True)
        export.setAccessibleName(self.tr("Save this table as CSV"))
        export.setToolTip(self.tr("Save this table as CSV"))
        export.clicked.connect(self._on_export)
        self._table = UsageTable(theme)
        head = frame("header", hbox(self._which, None, export, margins=(14, 10, 14, 10)))
        inside = QWidget()
        inside.setLayout(vbox(head, self._table, gap=0))
        self.add_row(inside)

    def show_report(self, report: UsageReport, *, of_project: bool) -> None:
        self._report, self._of_project = report, of_project
        self._which.set_shown("phases", shown=of_project)
        self._which.set_shown("projects", shown=not of_project)
        if of_project and self._which.current == "projects":
            self._which.set_current("operations")
        elif not of_project and self._which.current == "phases":
            self._which.set_current("projects")
        self._which.set_shown("phases", shown=of_project)
        self._which.set_shown("projects", shown=not of_project)
        self._show()

    def _grouping(self) -> Grouping:
        return next(g for g in GROUPINGS if g == self._which.current)

    def _show(self) -> None:
        if self._report is not None:
            grouping = self._grouping()
            self._table.show_table(grouping_name(grouping), self._shown(self._report, grouping))

    def _shown(self, report: UsageReport, grouping: Grouping) -> Table:
        return table(report, grouping, of_project=self._of_project)

    def _on_export(self) -> None:
        if self._report is not None:
            grouping = self._grouping()
            shown = self._shown(self._report, grouping)
            self.export_requested.emit(f"vibedesk-{grouping}.csv", to_csv(shown))
