"""The whole plan of the app: read while it comes, edited while it waits, agreed with one button."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.chat.blueprint_card import BlueprintState
from vibedesk.ui.chat.blueprint_fields import (
    ColourRow,
    RoadmapEditor,
    ViewGrid,
    section,
)
from vibedesk.ui.chat.flow_layout import FlowLayout
from vibedesk.ui.chat.quiet_fields import QuietText, quiet_field, set_editable
from vibedesk.ui.chat.roadmap import RoadmapItem
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import IconLabel, StatusChip, label
from vibedesk.ui.widgets.marks import paint_stripe, stripe_colours
from vibedesk.ui.widgets.prose import Prose
from vibedesk.ui.widgets.rings import Spinner

_WIDE = 820
_ASIDE = 330


class _Stripe(QWidget):
    """The palette across the top of the page."""

    def __init__(self) -> None:
        super().__init__()
        self._colours = stripe_colours(())
        self.setFixedHeight(5)

    def set_colours(self, colours: Sequence[str]) -> None:
        self._colours = stripe_colours(colours)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_stripe(QPainter(self), QRectF(self.rect()), self._colours)


class BlueprintPage(QWidget):
    """Title, views, roadmap, colours, what it is built with, what is worth knowing.

    Everything a person may change is a field while the state is `awaiting_approval`. What they
    changed stays until another blueprint comes.
    """

    approve_requested = Signal(dict)
    changes_requested = Signal()
    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._blueprint: dict[str, Any] = {}
        self._state: BlueprintState = "streaming"
        self._stripe = _Stripe()
        self._title = quiet_field("", self.tr("Title of the app"), fs="title")
        self._description = QuietText("", self.tr("The app in one sentence"))
        self._title.textEdited.connect(lambda _text: self.edited.emit())
        self._description.textChanged.connect(self.edited)
        self._title.textChanged.connect(self._fit_title)
        self._views = ViewGrid(theme)
        self._roadmap = RoadmapEditor(theme)
        self._colours = ColourRow(theme)
        self._colours.edited.connect(self._on_colours_edited)
        for part in (self._views, self._roadmap, self._colours):
            part.edited.connect(self.edited)
        self._frameworks = FlowLayout()
        self._pitfalls = Prose(theme, "secondary")
        self._details = Prose(theme, "secondary")
        self._build()
        self.clear()

    @property
    def state(self) -> BlueprintState:
        return self._state

    def clear(self) -> None:
        self._blueprint = {}
        self.set_blueprint({}, "streaming")

    def set_blueprint(self, blueprint: Mapping[str, Any], state: BlueprintState) -> None:
        """Show a blueprint, whole or in part. Edits are kept if it is the one already shown."""
        same = self._blueprint == blueprint and self._state == state and bool(blueprint)
        if same:
            return
        kept = self.edited_blueprint() if self._blueprint == blueprint and blueprint else blueprint
        self._blueprint = copy.deepcopy(dict(blueprint))
        self._state = state
        self._show(kept)

    def set_roadmap(self, items: Sequence[RoadmapItem]) -> None:
        """Show beside the phases how they stand."""
        words = {
            "todo": ("", "muted"),
            "active": (self.tr("in progress"), "live"),
            "done": (self.tr("done"), "success"),
            "failed": (self.tr("stopped"), "danger"),
        }
        self._roadmap.set_states(
            {
                item.name: (item.extra or words[item.state][0], words[item.state][1])
                for item in items
            }
        )

    def set_estimate(self, text: str) -> None:
        """Say beside the buttons what to expect, for example "4 phases, about 6 min"."""
        self._estimate.setText(text)
        self._estimate.setVisible(bool(text))

    def edited_blueprint(self) -> dict[str, Any]:
        """Return the blueprint with what the person changed."""
        made = copy.deepcopy(self._blueprint)
        values: dict[str, Any] = {
            "title": self._title.text().strip(),
            "description": self._description.text().strip(),
            "color_palette": self._colours.values(),
            "views": self._views.values(),
            "implementation_roadmap": self._roadmap.values(),
        }
        made.update({key: value for key, value in values.items() if value or key in made})
        return made

    def approve(self) -> None:
        """Agree to the blueprint as it is shown now."""
        if self._state == "awaiting_approval":
            self.approve_requested.emit(self.edited_blueprint())

    # Showing -------------------------------------------------------------------------------

    def _show(self, blueprint: Mapping[str, Any]) -> None:
        editable = self._state == "awaiting_approval"
        self._title.setText(str(blueprint.get("title", "")))
        self._title.setPlaceholderText(self.tr("Title") if editable else "")
        self._title.setCursorPosition(0)
        self._description.set_text(str(blueprint.get("description", "")))
        for field in (self._title, self._description):
            set_editable(field, editable)
        views = list(blueprint.get("views", ()))
        phases = list(blueprint.get("implementation_roadmap", ()))
        colours = [str(colour) for colour in blueprint.get("color_palette", ())]
        frameworks = [str(name) for name in blueprint.get("frameworks", ())]
        pitfalls = [str(text) for text in blueprint.get("pitfalls", ())]
        self._views.set_values(views, editable=editable)
        self._roadmap.set_values(phases, editable=editable)
        self._colours.set_values(colours, editable=editable)
        self._stripe.set_colours(colours)
        self._show_frameworks(frameworks)
        self._pitfalls.set_text("\n".join(pitfalls))
        details = str(blueprint.get("detailed_description", ""))
        self._details.set_text(details)
        for part, filled in (
            (self._views_part, views),
            (self._roadmap_part, phases),
            (self._colours_part, colours),
            (self._frameworks_part, frameworks),
            (self._pitfalls_part, pitfalls),
            (self._details_part, details),
        ):
            part.setVisible(bool(filled))
        self._show_standing(phases)

    def _show_standing(self, phases: Sequence[Any]) -> None:
        awaiting = self._state == "awaiting_approval"
        self._buttons.setVisible(awaiting)
        self._working.setVisible(self._state == "streaming" and bool(self._blueprint))
        count = len(phases)
        words = self.tr("1 phase") if count == 1 else self.tr("{n} phases").format(n=count)
        self.set_estimate(words if awaiting and count else "")

    def _show_frameworks(self, frameworks: Sequence[str]) -> None:
        self._frameworks.clear()
        for framework in frameworks:
            name, _, version = framework.rpartition("@")
            words = f"{name} {version.split('.')[0]}" if name else framework
            chip = StatusChip(self._theme, words)
            chip.setToolTip(framework)
            self._frameworks.addWidget(chip)

    # Building ------------------------------------------------------------------------------

    def _build(self) -> None:
        chips = QWidget()
        chips.setLayout(self._frameworks)
        note = self.tr("Drag to reorder")
        self._views_part = section(self.tr("Views"), self._views)
        self._roadmap_part = section(self.tr("Roadmap"), self._roadmap, note)
        self._colours_part = section(self.tr("Colours"), self._colours)
        self._frameworks_part = section(self.tr("Built with"), chips)
        self._details_part = section(self.tr("In detail"), self._details)
        self._pitfalls_part = frame(
            "worthknowing",
            hbox(
                vbox(2, IconLabel(self._theme, "lightbulb", "warning.text", 16), None, gap=0),
                _stretched(
                    vbox(label(self.tr("Worth knowing"), strong="mid"), self._pitfalls, gap=4)
                ),
                gap=10,
                margins=(14, 12, 14, 12),
            ),
        )
        main = vbox(
            self._views_part,
            self._roadmap_part,
            self._pitfalls_part,
            self._details_part,
            None,
            gap=22,
        )
        aside = vbox(self._colours_part, self._frameworks_part, None, gap=22)
        self._main, self._aside = QWidget(), QWidget()
        self._main.setLayout(main)
        self._aside.setLayout(aside)
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._body.setContentsMargins(16, 16, 16, 20)
        self._body.setSpacing(22)
        self._body.addWidget(self._main, 1)
        self._body.addWidget(self._aside)
        inner = QWidget()
        inner.setLayout(self._body)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._stripe)
        self._column.addWidget(self._make_head())
        self._column.addWidget(scroll, 1)

    def _make_head(self) -> QWidget:
        self._estimate = label("", tone="muted", fs="small")
        ask = text_button(self._theme, self.tr("Ask for changes"))
        ask.clicked.connect(self.changes_requested)
        start = text_button(
            self._theme, self.tr("Start building"), variant="primary", icon="hammer"
        )
        start.clicked.connect(self.approve)
        self._buttons = QWidget()
        self._buttons.setLayout(hbox(self._estimate, ask, start, gap=10))
        self._buttons.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._working = QWidget()
        self._working.setLayout(
            hbox(
                Spinner(self._theme, 14),
                label(self.tr("Drawing up the blueprint"), tone="live", fs="small"),
                None,
            )
        )
        chip = StatusChip(self._theme, self.tr("Blueprint"), "plain", "blueprint")
        title = hbox((self._title, 1), chip, None, gap=8)
        words = vbox(title, self._description, gap=0)
        self._head = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._head.setContentsMargins(11, 12, 16, 12)
        self._head.setSpacing(8)
        self._head.addLayout(words, 1)
        self._head.addWidget(self._working)
        self._head.addWidget(self._buttons)
        head = frame("header", self._head)
        head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        return head

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._body.setDirection(direction)
        self._head.setDirection(direction)
        self._aside.setFixedWidth(_ASIDE) if wide else self._aside.setMaximumWidth(16_777_215)
        if not wide:
            self._aside.setMinimumWidth(0)
        self._views.set_room(self.width() - (_ASIDE + 60 if wide else 32))

    def _fit_title(self, text: str) -> None:
        """Keep the chip close behind the title."""
        words = text or self._title.placeholderText()
        # Before that its font is not the one it is shown in.
        self._title.ensurePolished()
        self._title.setMaximumWidth(self._title.fontMetrics().horizontalAdvance(words) + 24)

    def _on_colours_edited(self) -> None:
        self._stripe.set_colours(self._colours.values())


def _stretched(layout: QVBoxLayout) -> QWidget:
    made = QWidget()
    made.setLayout(layout)
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    made.setSizePolicy(policy)
    return made
