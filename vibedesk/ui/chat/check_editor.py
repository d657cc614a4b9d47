"""What a user of the app does and must then see, as sentences; each check can be changed step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.engine.check_words import check_words
from vibedesk.ui.chat.card_header import CardHeader
from vibedesk.ui.chat.quiet_fields import quiet_field, set_editable, written
from vibedesk.ui.chat.row_list import Row, RowList
from vibedesk.ui.chat.step_editor import StepEditor
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.prose import Prose

_PHASE_WIDTH = 168
_INDENT = 42


def sentences(check: Mapping[str, Any]) -> str:
    """Return the steps of a check as numbered sentences, one a line."""
    words = check_words(list(check.get("steps", ())))
    return "\n".join(f"{number}. {line}" for number, line in enumerate(words, start=1))


def check_name(check: Mapping[str, Any]) -> str:
    """Return what a check is called; its first sentence where it has no name."""
    name = str(check.get("name", "")).strip()
    return name or next(iter(check_words(list(check.get("steps", ())))), "")


class CheckSummary(QWidget):
    """How many checks there are; behind the chevron what each of them does and sees."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._checks: list[Mapping[str, Any]] = []
        self._header = CardHeader(theme, "list-checks")
        self._header.set_state(None)
        self._header.set_expandable(True)
        self._header.toggled.connect(self._on_toggled)
        self._body = QWidget()
        self._lines = QVBoxLayout(self._body)
        self._lines.setContentsMargins(10, 0, 10, 8)
        self._lines.setSpacing(10)
        self._body.hide()
        self.setLayout(vbox(self._header, self._body, gap=2))

    def set_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        if list(checks) == self._checks:
            return
        self._checks = list(checks)
        count = len(self._checks)
        many = self.tr("{0} checks to pass").format(count)
        self._header.set_words(self.tr("1 check to pass") if count == 1 else many)
        self._fill()

    def text(self) -> str:
        return "\n".join(f"{check_name(check)}\n{sentences(check)}" for check in self._checks)

    def _on_toggled(self, opened: bool) -> None:
        self._body.setVisible(opened)
        self._fill()

    def _fill(self) -> None:
        while (taken := self._lines.takeAt(0)) is not None:
            old = taken.widget()
            if isinstance(old, QWidget):
                old.hide()
                old.deleteLater()
        for check in self._checks if self._header.expanded else ():
            name = label(check_name(check), strong="mid", fs="small")
            name.setWordWrap(True)
            steps = Prose(self._theme, "secondary", "small")
            steps.set_text(sentences(check))
            part = QWidget()
            part.setLayout(vbox(name, steps, gap=2))
            self._lines.addWidget(part)
        self.updateGeometry()


class _CheckRow(Row):
    """One check: name, when it counts, its sentences, and the steps while they are changed."""

    def __init__(self, theme: Theme, check: Mapping[str, Any], phases: Sequence[str]) -> None:
        tr = QCoreApplication.translate
        name = check_name(check)
        super().__init__(
            theme,
            tr("CheckEditor", "Move the check {0}").format(name),
            tr("CheckEditor", "Remove the check {0}").format(name),
        )
        self._check = dict(check)
        self._name = quiet_field(
            str(check.get("name", "")), self.tr("Name of the check"), strong="mid"
        )
        self._name.setPlaceholderText(self.tr("What is checked"))
        self._name.textEdited.connect(lambda _text: self.edited.emit())
        self._phase = QComboBox()
        self._phase.setProperty("kind", "compact")
        self._phase.setFixedWidth(_PHASE_WIDTH)
        self._phase.setAccessibleName(self.tr("When {0} is checked").format(name))
        self._phase.activated.connect(lambda _index: self.edited.emit())
        self._when = label("", tone="muted", fs="small")
        self._edit = icon_button(
            theme, "pencil-simple", self.tr("Change the steps of {0}").format(name),
            size=14, small=True, checkable=True,
        )  # fmt: skip
        self._edit.toggled.connect(self._on_editing)
        self._sentences = Prose(theme, "secondary")
        self._steps = StepEditor(theme)
        self._steps.set_values(list(check.get("steps", ())), editable=True)
        self._steps.edited.connect(self.edited)
        self._steps.hide()
        head = hbox(self.grip, (self._name, 1), self._edit, self.remove, gap=6)
        when = hbox(self._when, self._phase, None, gap=0)
        body = hbox(_INDENT, vbox(when, self._sentences, self._steps, gap=6), 4, gap=0)
        body.setStretch(1, 1)
        self._line = hairline()
        self.setLayout(vbox(self._line, vbox(head, body, gap=2, margins=(8, 8, 8, 10)), gap=0))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_phases(phases)
        self._say()

    def value(self) -> dict[str, Any]:
        made = dict(self._check)
        changes = {
            "name": written(self._name, str(self._check.get("name", ""))),
            "phase": self._phase.currentData(),
            "steps": self._steps.values(),
        }
        made.update({k: v for k, v in changes.items() if v or k in made})
        return made

    def set_phases(self, phases: Sequence[str]) -> None:
        """Offer these phases, and the one the check has."""
        chosen = self._phase.currentData() if self._phase.count() else self._check.get("phase")
        self._phase.clear()
        self._phase.addItem(self.tr("When it is complete"), None)
        for number in range(1, max(len(phases), chosen or 0) + 1):
            self._phase.addItem(self.tr("After phase {0}").format(number), number)
            if number <= len(phases):
                self._phase.setItemData(number, phases[number - 1], 3)
        self._phase.setCurrentIndex(chosen or 0)
        self._when.setText(self._phase.currentText())

    def set_number(self, number: int) -> None:
        self._line.setVisible(number > 1)

    def set_editable(self, *, editable: bool) -> None:
        set_editable(self._name, editable)
        self._phase.setVisible(editable)
        self._when.setVisible(not editable)
        self._edit.setVisible(editable)
        if not editable:
            self._edit.setChecked(False)

    def focus(self) -> None:
        self._edit.setChecked(True)
        self._name.setFocus()

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        match path:
            case ["phase", *_]:
                return self._phase
            case ["steps", *rest]:
                self._edit.setChecked(True)
                return self._steps.field_at(rest)
            case _:
                return self._name

    def _on_editing(self, on: bool) -> None:
        self._steps.setVisible(on)
        self._sentences.setVisible(not on)
        self._say()
        self.updateGeometry()

    def _say(self) -> None:
        self._sentences.set_text(sentences({"steps": self._steps.values()}))


class CheckEditor(RowList):
    """The acceptance checks in their order."""

    def __init__(self, theme: Theme) -> None:
        self._phases: list[str] = []
        super().__init__(
            theme,
            lambda check: _CheckRow(theme, check, self._phases),
            add=QCoreApplication.translate("CheckEditor", "Add a check"),
            blank={"name": "", "phase": None, "steps": [{"do": "goto", "path": "/"}]},
        )

    def set_phases(self, phases: Sequence[str]) -> None:
        """Say which phases a check can belong to, in their order."""
        self._phases = list(phases)
        for row in self.rows:
            if isinstance(row, _CheckRow):
                row.set_phases(phases)
