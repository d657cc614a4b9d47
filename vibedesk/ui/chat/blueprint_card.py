"""The plan of the app in short, as a card of the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.chat.check_editor import CheckSummary
from vibedesk.ui.chat.objection import Objection
from vibedesk.ui.chat.roadmap import Roadmap, RoadmapItem
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import IconLabel, StatusChip, label
from vibedesk.ui.widgets.marks import Swatch, TopStripeCard
from vibedesk.ui.widgets.prose import Prose
from vibedesk.ui.widgets.rings import Spinner

BlueprintState = Literal["streaming", "awaiting_approval", "resting", "approved"]
"""Still being drawn up; ready and waiting for the person; ready and stopped there; agreed and being built."""

_MOST_SWATCHES = 3
_SIDE = 14


class BlueprintCard(TopStripeCard):
    """Stripe, title, one sentence, colours, views, roadmap. Sections appear as they come."""

    opened = Signal()
    edit_requested = Signal()
    approved = Signal()
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme = theme
        self._title = label("", fs="title_sm")
        self._title.setWordWrap(True)
        self._swatches = hbox(gap=4)
        self._shown_colours: list[str] = []
        self._description = Prose(theme, "secondary")
        self._views: list[str] = []
        self._view_chips = FlowLayout(5)
        self._view_box = QWidget()
        self._view_box.setLayout(self._view_chips)
        self._roadmap = Roadmap(theme)
        self._roadmap_line = hairline()
        self._checks = CheckSummary(theme)
        self._checks_line = hairline()
        self._objection = Objection(theme)
        self._objection.agreed.connect(self.approved)
        self._objection.stop_requested.connect(self.stop_requested)
        over = hbox(
            IconLabel(theme, "blueprint", "text.muted", 13),
            label(self.tr("Blueprint"), tone="muted", fs="caption"),
            None,
            gap=5,
        )
        head = hbox(vbox(over, self._title, gap=0), self._swatches)
        head.setStretch(0, 1)
        self.add(vbox(head, self._description, self._view_box, gap=6, margins=(_SIDE, 9, _SIDE, 8)))
        self.add(hbox(self._objection, margins=(8, 0, 8, 8)))
        self.add(hbox(self._roadmap_line, margins=(_SIDE, 0, _SIDE, 0)))
        self.add(hbox(self._roadmap, margins=(_SIDE, 5, _SIDE, 6)))
        self.add(hbox(self._checks_line, margins=(_SIDE, 0, _SIDE, 0)))
        self.add(hbox(self._checks, margins=(_SIDE - 10, 0, _SIDE - 10, 0)))
        self._make_foot()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setSizePolicy(policy)
        self.set_blueprint({}, "streaming")

    @property
    def state(self) -> BlueprintState:
        return self._state

    def set_blueprint(self, blueprint: Mapping[str, Any], state: BlueprintState) -> None:
        """Show what is known of a blueprint, whole or in part."""
        self._state: BlueprintState = state
        title = str(blueprint.get("title", ""))
        self._title.setText(title)
        self._title.setVisible(bool(title))
        description = str(blueprint.get("description", ""))
        if description != self._description.text():
            self._description.set_text(description)
        self._description.setVisible(bool(description))
        self._show_colours([str(colour) for colour in blueprint.get("color_palette", ())])
        self._show_views([str(view.get("name", "")) for view in blueprint.get("views", ())])
        phases = [
            str(item.get("phase", "")) for item in blueprint.get("implementation_roadmap", ())
        ]
        if [item.name for item in self._roadmap.items] != phases:
            self.set_roadmap([RoadmapItem(name, "todo") for name in phases if name])
        checks = list(blueprint.get("acceptance_checks", ()))
        self._checks.set_checks(checks)
        self._checks.setVisible(bool(checks))
        self._checks_line.setVisible(bool(checks))
        awaiting = state == "awaiting_approval"
        self._objection.set_words(str(blueprint.get("not_a_web_app") or ""), choose=awaiting)
        self._working.setVisible(state == "streaming")
        self._buttons.setVisible(state != "streaming")
        # With an objection the choice stands beside it.
        self._approve.setVisible(awaiting and not self._objection.has_words)
        self._edit.setText("\u2009" + self._edit_words())
        self._edit.setAccessibleName(self._edit_words())
        self._edit.setVisible(awaiting)
        self._say(title, description)

    def retire(self) -> None:
        """Stop offering anything: another blueprint has taken its place."""
        self._buttons.hide()
        self._foot_line.hide()
        self._working.hide()
        self._objection.set_words("", choose=False)

    def set_roadmap(self, items: Sequence[RoadmapItem]) -> None:
        self._roadmap.set_items(items)
        self._roadmap.setVisible(bool(items))
        self._roadmap_line.setVisible(bool(items))
        self.updateGeometry()

    def text(self) -> str:
        phases = (f"{i}. {item.name}" for i, item in enumerate(self._roadmap.items, 1))
        parts = [self._title.text(), self._description.text(), *phases, self._checks.text()]
        return "\n".join(part for part in parts if part)

    def _make_foot(self) -> None:
        working = hbox(
            Spinner(self._theme, 14),
            label(self.tr("Drawing up the blueprint"), tone="live", fs="small"),
            None,
            margins=(_SIDE, 9, _SIDE, 9),
        )
        self._working = QWidget()
        self._working.setLayout(working)
        open_ = text_button(
            self._theme, self.tr("Open blueprint"), variant="ghost", icon="article", compact=True
        )
        open_.clicked.connect(self.opened)
        self._edit = text_button(
            self._theme, self._edit_words(), variant="ghost", icon="pencil-simple", compact=True
        )
        self._edit.clicked.connect(self.edit_requested)
        self._approve = text_button(
            self._theme, self.tr("Start building"), variant="primary", icon="hammer", compact=True
        )
        self._approve.clicked.connect(self.approved)
        self._buttons = QWidget()
        row = FlowLayout(4)
        row.setContentsMargins(6, 5, 6, 5)
        for button in (open_, self._edit, self._approve):
            row.addWidget(button)
        self._buttons.setLayout(row)
        self._foot_line = hairline()
        self.add(self._foot_line)
        self.add(self._working)
        self.add(self._buttons)

    def _edit_words(self) -> str:
        return self.tr("Edit")

    def _show_colours(self, colours: list[str]) -> None:
        if colours == self._shown_colours:
            return
        self._shown_colours = colours
        self.set_palette(colours)
        while (taken := self._swatches.takeAt(0)) is not None:
            swatch = taken.widget()
            if isinstance(swatch, QWidget):
                swatch.hide()
                swatch.deleteLater()
        for colour in _telling(colours):
            self._swatches.addWidget(Swatch(self._theme, colour))

    def _show_views(self, views: list[str]) -> None:
        self._view_box.setVisible(bool(views))
        if views == self._views:
            return
        self._views = views
        self._view_chips.clear()
        for name in views:
            if name:
                self._view_chips.addWidget(StatusChip(self._theme, name))

    def _say(self, title: str, description: str) -> None:
        self.setAccessibleName(self.tr("Blueprint: {title}").format(title=title))
        self.setAccessibleDescription(description)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 60)


def _telling(colours: Sequence[str]) -> Sequence[str]:
    """Return the few colours that tell most: the first, the middle and the last."""
    if len(colours) <= _MOST_SWATCHES:
        return colours
    return (colours[0], colours[len(colours) // 2], colours[-1])
