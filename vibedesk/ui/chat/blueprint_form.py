"""Every part of a blueprint below its title, as fields with headings, in one or two columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.chat.blueprint_fields import ColourRow, RoadmapEditor, ViewGrid, section
from vibedesk.ui.chat.blueprint_texts import (
    FirstPhase,
    LineEditor,
    LineList,
    Starter,
    StarterChoice,
    TagEditor,
    TextEditor,
    TextGroup,
)
from vibedesk.ui.chat.check_editor import CheckEditor
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.labels import IconLabel, label

_ASIDE = 330
_UNLIMITED = 16_777_215
LATER_FIELDS = ("implementation_roadmap", "acceptance_checks")
"""What can still be changed while the app is built."""


class BlueprintForm(QScrollArea):
    """Shows a blueprint, whole or in part; empty parts are left out where nothing can be written."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._given: dict[str, Any] = {}
        self._views = ViewGrid(theme)
        self._roadmap = RoadmapEditor(theme)
        self._checks = CheckEditor(theme)
        self._colours = ColourRow(theme)
        self._starter = StarterChoice()
        # Each has `edited`, `set_values(given, editable=…)`, `values()` and `field_at(path)`.
        self._editors: dict[str, Any] = {
            "views": self._views,
            "implementation_roadmap": self._roadmap,
            "acceptance_checks": self._checks,
            "pitfalls": LineList(
                theme, self.tr("Something worth knowing"), self.tr("Add a sentence")
            ),
            "detailed_description": TextEditor(self.tr("What the app does, in detail")),
            "user_flow": TextGroup(
                {
                    "ui_layout": self.tr("How the screen is laid out"),
                    "ui_design": self.tr("How it looks"),
                    "user_journey": self.tr("How a person walks through it"),
                }
            ),
            "data_flow": TextEditor(self.tr("What data there is and where it is kept")),
            "architecture": TextGroup({"data_flow": self.tr("How data moves inside")}),
            "initial_phase": FirstPhase(theme),
            "color_palette": self._colours,
            "frameworks": TagEditor(theme, self.tr("Add a framework or package")),
            "template": self._starter,
            "project_name": LineEditor(self.tr("Name of the project's folder")),
        }
        self._parts = self._make_parts()
        for editor in self._editors.values():
            editor.edited.connect(self.edited)
        self._roadmap.edited.connect(lambda: self._checks.set_phases(self._roadmap.names()))
        self._build()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the parts that there are."""
        return tuple(self._editors)

    @property
    def colours(self) -> list[str]:
        return self._colours.values()

    def set_starters(self, starters: Sequence[Starter]) -> None:
        """Offer these starters."""
        self._starter.set_starters(starters)

    def set_blueprint(
        self, blueprint: Mapping[str, Any], editable: Sequence[str], *, begun: int = 0
    ) -> None:
        """Show a blueprint.

        Args:
            blueprint: The fields that are known.
            editable: The names of those that may be changed.
            begun: How many phases of the roadmap were begun and stay as they are.
        """
        self._given = dict(blueprint)
        # Before the checks, so that their rows are made with them.
        self._checks.set_phases(
            [str(step.get("phase", "")) for step in blueprint.get("implementation_roadmap", ())]
        )
        for name, editor in self._editors.items():
            given = blueprint.get(name) or _EMPTY[name]
            may_edit = name in editable
            if editor is self._roadmap:
                self._roadmap.set_values(given, editable=may_edit, fixed=begun)
            else:
                editor.set_values(given, editable=may_edit)
            self._parts[name].setVisible(may_edit or _filled(given))

    def values(self) -> dict[str, Any]:
        """Return every part as it stands now; one that was not there and is empty is left out."""
        now = {name: editor.values() for name, editor in self._editors.items()}
        return {name: value for name, value in now.items() if value or name in self._given}

    def set_begun(self, begun: int) -> None:
        """Say how many phases of the roadmap were begun and stay as they are."""
        self._roadmap.set_fixed(begun)

    def set_roadmap_states(self, states: Mapping[str, tuple[str, str]]) -> None:
        self._roadmap.set_states(states)

    def field_at(self, path: Sequence[str]) -> tuple[QWidget, QWidget] | None:
        """Return the part that `path` names ("views", "0", "name") and its field."""
        editor = self._editors.get(path[0]) if path else None
        if editor is None:
            return None
        return self._parts[path[0]], editor.field_at(path[1:]) or editor

    def set_room(self, width: int, *, wide: bool) -> None:
        """Arrange for a width: in two columns where it is wide."""
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._body.setDirection(direction)
        self._aside.setMinimumWidth(_ASIDE if wide else 0)
        self._aside.setMaximumWidth(_ASIDE if wide else _UNLIMITED)
        self._views.set_room(width - (_ASIDE + 60 if wide else 32))

    def _make_parts(self) -> dict[str, QWidget]:
        titles = {
            "views": self.tr("Views"),
            "implementation_roadmap": self.tr("Roadmap"),
            "acceptance_checks": self.tr("Checks the app has to pass"),
            "detailed_description": self.tr("In detail"),
            "user_flow": self.tr("Layout, look and way"),
            "data_flow": self.tr("Data"),
            "architecture": self.tr("Inside"),
            "initial_phase": self.tr("First phase"),
            "color_palette": self.tr("Colours"),
            "frameworks": self.tr("Built with"),
            "template": self.tr("Starter"),
            "project_name": self.tr("Folder"),
        }
        notes = {"implementation_roadmap": self.tr("Drag to reorder")}
        parts = {
            name: section(title, self._editors[name], notes.get(name, ""))
            for name, title in titles.items()
        }
        words = vbox(
            label(self.tr("Worth knowing"), strong="mid"), self._editors["pitfalls"], gap=4
        )
        glyph = IconLabel(self._theme, "lightbulb", "warning.text", 16)
        row = hbox(vbox(2, glyph, None, gap=0), _stretched(words), gap=10, margins=(14, 12, 8, 12))
        parts["pitfalls"] = frame("worthknowing", row)
        return parts

    def _build(self) -> None:
        main, aside = vbox(gap=22), vbox(gap=22)
        beside = ("color_palette", "template", "frameworks", "project_name")
        for name in self._editors:
            (aside if name in beside else main).addWidget(self._parts[name])
        main.addStretch(1)
        aside.addStretch(1)
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
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)


_EMPTY: dict[str, Any] = {
    "views": [],
    "implementation_roadmap": [],
    "acceptance_checks": [],
    "pitfalls": [],
    "detailed_description": "",
    "user_flow": {},
    "data_flow": "",
    "architecture": {},
    "initial_phase": {},
    "color_palette": [],
    "frameworks": [],
    "template": "",
    "project_name": "",
}


def _filled(given: Any) -> bool:
    if isinstance(given, Mapping):
        return any(_filled(value) for value in given.values())
    return bool(given)


def _stretched(layout: QVBoxLayout) -> QWidget:
    made = QWidget()
    made.setLayout(layout)
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    made.setSizePolicy(policy)
    return made
