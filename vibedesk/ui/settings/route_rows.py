"""Which models answer an operation: a row for it, a line for each model in the order they are asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from vibedesk.engine.views import ModelView, RouteStepView, RouteView
from vibedesk.ui.settings.cards import GlyphTile, StateLine
from vibedesk.ui.settings.model_picker import ModelField, ModelOption, ModelPicker
from vibedesk.ui.settings.number_field import ReturningField
from vibedesk.ui.settings.words import effort_words, facts_words, operation_words, token_words
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.number_validators import DecimalValidator, WholeValidator

Effort = Literal["", "low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = ("", "low", "medium", "high")
_NAME_WIDTH = 208
_EFFORT_WIDTH = 104
_MOST_TOKENS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModels:
    """What a page knows to offer: the models in order, and what is known of each."""

    options: tuple[ModelOption, ...] = ()
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    free: frozenset[str] = frozenset()
    """The providers that cost nothing."""

    def facts(self, provider: str, model: str) -> ModelView | None:
        for option in self.options:
            if (option.provider, option.model) == (provider, model):
                return option.facts
        return None


class StepLine(QWidget):
    """One model of a route: which, how it thinks, and more where that is opened."""

    changed = Signal(object)
    """The step as it is to be: a RouteStepView."""
    moved = Signal(int)
    """By so many places: -1 is earlier."""
    removed = Signal()

    def __init__(
        self, theme: Theme, step: RouteStepView, known: Callable[[], KnownModels], where: str
    ) -> None:
        super().__init__()
        self._theme = theme
        self._step = step
        self._known = known
        self._where = where
        self._model = ModelField(theme)
        self._model.clicked.connect(self._pick)
        self._effort = QComboBox()
        self._effort.setFixedWidth(_EFFORT_WIDTH)
        self._effort.setAccessibleName(self.tr("{0}, thinking").format(where))
        for effort in EFFORTS:
            self._effort.addItem(effort_words(effort), effort)
        self._effort.setCurrentIndex(EFFORTS.index(step.reasoning_effort))
        self._effort.activated.connect(self._on_effort)
        self._more = icon_button(
            theme, "sliders", self.tr("{0}, more choices").format(where), checkable=True
        )
        self._more.toggled.connect(self._on_more)
        self._up = icon_button(theme, "arrow-up", self.tr("{0}, ask earlier").format(where))
        self._up.clicked.connect(lambda: self.moved.emit(-1))
        self._down = icon_button(theme, "arrow-down", self.tr("{0}, ask later").format(where))
        self._down.clicked.connect(lambda: self.moved.emit(1))
        self._remove = icon_button(theme, "x", self.tr("{0}, remove").format(where))
        self._remove.clicked.connect(self.removed)
        self._facts = StateLine(theme, wraps=True)
        self._details = self._make_details()
        self._details.hide()
        row = hbox((self._model, 1), self._effort, self._more, gap=8)
        order = hbox(self._up, self._down, self._remove, gap=0)
        add_layout(row, order)
        self.foot = hbox((self._facts, 1), gap=8)
        self.setLayout(vbox(row, self._details, self.foot, gap=3))
        self.show_facts()

    @property
    def step(self) -> RouteStepView:
        return self._step

    def set_place(self, place: int, count: int) -> None:
        """Say which of how many it is."""
        several = count > 1
        for button in (self._up, self._down, self._remove):
            button.setVisible(several)
        self._up.setEnabled(place > 0)
        self._down.setEnabled(place < count - 1)

    def show_facts(self) -> None:
        """Say again what is known of the model, or why it cannot be used."""
        step, known = self._step, self._known()
        title = known.labels.get(step.provider, step.provider)
        self._model.set_model(step.provider, title, step.model, self._where)
        self._model.set_invalid(invalid=bool(step.problem))
        if step.problem:
            words = f"{step.problem} {step.remedy}".strip()
            self._facts.set_state(words, "danger", "warning-circle-fill")
            return
        parts = []
        facts = known.facts(step.provider, step.model)
        if facts is not None:
            parts.append(facts_words(facts, free=step.provider in known.free))
        if step.temperature is not None:
            words = self.tr("temperature {0:g}").format(step.temperature)
            if facts is not None and not facts.temperature:
                words = self.tr("temperature {0:g} is not sent: this model takes none").format(
                    step.temperature
                )
            parts.append(words)
        if step.max_output_tokens is not None:
            limit = token_words(step.max_output_tokens)
            parts.append(self.tr("at most {0} tokens out").format(limit))
        self._facts.set_state(" · ".join(parts))

    def _make_details(self) -> QWidget:
        self._temperature = self._number(self.tr("temperature"), self._step.temperature)
        degrees = DecimalValidator(0.0, 2.0, 2, self._temperature, optional=True)
        self._temperature.setValidator(degrees)
        self._limit = self._number(self.tr("output limit"), self._step.max_output_tokens)
        self._limit.setValidator(WholeValidator(1, _MOST_TOKENS, self._limit, optional=True))
        made = QWidget()
        made.setLayout(
            hbox(
                label(self.tr("Temperature"), tone="secondary", fs="small"),
                self._temperature,
                8,
                label(self.tr("Most tokens"), tone="secondary", fs="small"),
                self._limit,
                None,
                gap=8,
            )
        )
        return made

    def _number(self, name: str, value: float | None) -> QLineEdit:
        field = ReturningField("" if value is None else f"{value:g}" if value < 1e6 else str(value))
        field.setPlaceholderText(self.tr("usual"))
        field.setFixedWidth(76)
        field.setAccessibleName(f"{self._where}, {name}")
        field.editingFinished.connect(self._on_numbers)
        return field

    def _on_more(self, shown: bool) -> None:
        self._details.setVisible(shown)
        if shown:
            self._temperature.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_numbers(self) -> None:
        temperature = float(self._temperature.text()) if self._temperature.text() else None
        limit = int(self._limit.text()) if self._limit.text() else None
        self._change(
            dataclasses.replace(self._step, temperature=temperature, max_output_tokens=limit)
        )

    def _on_effort(self, index: int) -> None:
        self._change(dataclasses.replace(self._step, reasoning_effort=EFFORTS[index]))

    def _pick(self) -> None:
        picker = ModelPicker(
            self._theme, self, self._known().options, self._step.provider, self._step.model
        )
        picker.chosen.connect(self._on_picked)
        picker.open_below(self._model)

    def _on_picked(self, option: ModelOption) -> None:
        self._change(dataclasses.replace(self._step, provider=option.provider, model=option.model))

    def _change(self, step: RouteStepView) -> None:
        if step != self._step:
            self._step = step
            self.changed.emit(step)


class RouteRow(QWidget):
    """An operation and the models that answer it, first to last."""

    changed = Signal(str, object)
    """The operation and its steps as they are to be."""

    def __init__(self, theme: Theme, operation: str, known: Callable[[], KnownModels]) -> None:
        super().__init__()
        self._theme = theme
        self._operation = operation
        self._known = known
        self._words = operation_words(operation)
        self._lines: list[StepLine] = []
        self._add: QPushButton | None = None
        name = QWidget()
        name.setFixedWidth(_NAME_WIDTH)
        text = label(self._words.text, tone="muted", fs="small")
        text.setWordWrap(True)
        words = vbox(label(self._words.title, strong="mid"), text, None, gap=0)
        tile = vbox(GlyphTile(theme, self._words.icon), None, gap=0)
        row = hbox(gap=12)
        add_layout(row, tile)
        add_layout(row, words, 1)
        name.setLayout(row)
        self._steps = QVBoxLayout()
        self._steps.setContentsMargins(0, 0, 0, 0)
        self._steps.setSpacing(8)
        self._problem = StateLine(theme, wraps=True)
        self._none = hbox((self._problem, 1), gap=8)
        steps = vbox(self._steps, self._none, gap=2)
        outer = hbox(gap=16, margins=(16, 11, 16, 9))
        outer.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
        add_layout(outer, steps, 1)
        self.setLayout(outer)

    @property
    def lines(self) -> Sequence[StepLine]:
        return self._lines

    def show_route(self, route: RouteView) -> None:
        """Show its steps; nothing is drawn anew where they are the ones that are shown."""
        if self._add is None or [line.step for line in self._lines] != list(route.steps):
            self._set_lines(route.steps)
        for line in self._lines:
            line.show_facts()
        # A problem of every single step is said beside the step.
        said = route.problem if not route.steps else ""
        self._problem.set_state(said, "warning", "warning-fill")

    def _set_lines(self, steps: Sequence[RouteStepView]) -> None:
        for line in self._lines:
            self._steps.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._lines = []
        for place, step in enumerate(steps):
            where = self._words.title
            if place:
                where = self.tr("{0}, fallback {1}").format(self._words.title, place)
            line = StepLine(self._theme, step, self._known, where)
            line.set_place(place, len(steps))
            line.changed.connect(lambda new, at=place: self._replace(at, [new]))
            line.moved.connect(lambda by, at=place: self._move(at, by))
            line.removed.connect(lambda at=place: self._replace(at, []))
            self._steps.addWidget(line)
            self._lines.append(line)
        if self._add is not None:
            self._add.hide()
            self._add.deleteLater()
        self._add = self._make_add()
        (self._lines[-1].foot if self._lines else self._none).addWidget(self._add)

    def _make_add(self) -> QPushButton:
        words = self.tr("Add a fallback") if self._lines else self.tr("Choose a model")
        made = text_button(self._theme, words, variant="link", icon="plus", compact=True)
        made.setAccessibleName(f"{self._words.title}, {words.lower()}")
        made.setToolTip(self.tr("Asked where the models above it cannot answer"))
        made.clicked.connect(self._on_add)
        return made

    def _present(self) -> list[RouteStepView]:
        return [line.step for line in self._lines]

    def _replace(self, place: int, with_: Sequence[RouteStepView]) -> None:
        steps = self._present()
        self._tell([*steps[:place], *with_, *steps[place + 1 :]])

    def _move(self, place: int, by: int) -> None:
        steps = self._present()
        steps.insert(place + by, steps.pop(place))
        self._tell(steps)

    def _on_add(self) -> None:
        known = self._known()
        taken = {(step.provider, step.model) for step in self._present()}
        free = [o for o in known.options if (o.provider, o.model) not in taken]
        picker = ModelPicker(self._theme, self, sorted(free, key=lambda o: not o.ready), "", "")
        picker.chosen.connect(self._on_added)
        picker.open_below(self._add or self)

    def _on_added(self, option: ModelOption) -> None:
        step = RouteStepView(provider=option.provider, model=option.model)
        self._tell([*self._present(), step])

    def _tell(self, steps: Sequence[RouteStepView]) -> None:
        self.changed.emit(self._operation, tuple(steps))
