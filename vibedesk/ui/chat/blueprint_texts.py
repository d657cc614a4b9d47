"""The parts of a blueprint that are words: tags, lines, paragraphs, files, and the starter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.chat.quiet_fields import QuietText, quiet_field, set_editable, written
from vibedesk.ui.chat.row_list import Row, RowList
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import StatusChip, label

_TAG_FIELD = 110


class Starter(NamedTuple):
    """What an app can begin with."""

    name: str
    title: str
    description: str


class StarterChoice(QWidget):
    """Which starter the app begins with."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._starters: tuple[Starter, ...] = ()
        self._chosen = ""
        self._combo = QComboBox()
        self._combo.setAccessibleName(self.tr("Starter of the app"))
        self._combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._combo.setMinimumContentsLength(12)
        self._combo.activated.connect(self._on_chosen)
        self._name = label("")
        self._words = label("", tone="muted", fs="small")
        self._words.setWordWrap(True)
        self.setLayout(vbox(self._combo, self._name, self._words, gap=6))

    def set_starters(self, starters: Sequence[Starter]) -> None:
        """Offer these."""
        self._starters = tuple(starters)
        self._fill()

    def set_values(self, name: str, *, editable: bool) -> None:
        self._chosen = name
        self._combo.setVisible(editable)
        self._name.setVisible(not editable)
        self._fill()

    def values(self) -> str:
        return self._chosen

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._combo

    def _fill(self) -> None:
        known = {starter.name: starter for starter in self._starters}
        if self._chosen and self._chosen not in known:
            known[self._chosen] = Starter(self._chosen, self._chosen, "")
        self._combo.clear()
        for starter in known.values():
            self._combo.addItem(starter.title, starter.name)
            self._combo.setItemData(
                self._combo.count() - 1, starter.description, Qt.ItemDataRole.ToolTipRole
            )
        self._combo.setCurrentIndex(self._combo.findData(self._chosen))
        shown = known.get(self._chosen)
        self._name.setText(shown.title if shown else "")
        self._words.setText(shown.description if shown else "")
        self._words.setVisible(bool(self._words.text()))

    def _on_chosen(self) -> None:
        chosen = str(self._combo.currentData())
        if chosen != self._chosen:
            self._chosen = chosen
            self._fill()
            self.edited.emit()


class LineEditor(QWidget):
    """One line of text."""

    edited = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._given = ""
        self._field = quiet_field("", name)
        self._field.setPlaceholderText(name)
        self._field.textEdited.connect(lambda _text: self.edited.emit())
        self.setLayout(vbox(self._field, gap=0))

    def set_values(self, text: str, *, editable: bool) -> None:
        self._given = text
        self._field.setText(text)
        self._field.setCursorPosition(0)
        set_editable(self._field, editable)

    def values(self) -> str:
        return written(self._field, self._given)

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._field


class TextEditor(QWidget):
    """Paragraphs."""

    edited = Signal()

    def __init__(self, name: str, placeholder: str = "") -> None:
        super().__init__()
        self._field = QuietText("", name, lines=True)
        self._field.setPlaceholderText(placeholder or name)
        self._field.textChanged.connect(self.edited)
        self.setLayout(vbox(self._field, gap=0))

    def set_values(self, text: str, *, editable: bool) -> None:
        self._field.set_text(text)
        set_editable(self._field, editable)

    def values(self) -> str:
        return self._field.text()

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._field


class TextGroup(QWidget):
    """Several texts of one object, each under its name."""

    edited = Signal()

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._given: dict[str, Any] = {}
        self._editors = {key: TextEditor(name, self.tr("Not said")) for key, name in names.items()}
        self._parts: dict[str, QWidget] = {}
        column = vbox(gap=10)
        for key, editor in self._editors.items():
            editor.edited.connect(self.edited)
            part = QWidget()
            heading = hbox(5, label(names[key], tone="muted", fs="small"), gap=0)
            part.setLayout(vbox(heading, editor, gap=2))
            column.addWidget(part)
            self._parts[key] = part
        self.setLayout(column)

    def set_values(self, given: Mapping[str, Any], *, editable: bool) -> None:
        self._given = dict(given)
        for key, editor in self._editors.items():
            text = str(given.get(key, ""))
            editor.set_values(text, editable=editable)
            self._parts[key].setVisible(editable or bool(text))

    def values(self) -> dict[str, Any]:
        texts = {key: editor.values() for key, editor in self._editors.items()}
        return self._given | {k: v for k, v in texts.items() if v or k in self._given}

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        key = path[0] if path and path[0] in self._editors else next(iter(self._editors))
        return self._editors[key].field_at(())


class _Tag(QPushButton):
    """One name; a click or Delete takes it away."""

    removed = Signal()

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(theme.icon("x", "text.muted", 12), _short(text))
        self.setIconSize(QSize(12, 12))
        self.setProperty("variant", "tag")
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setAccessibleName(QCoreApplication.translate("TagEditor", "Remove {0}").format(text))
        self.setToolTip(text)
        self.clicked.connect(self.removed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)


class TagEditor(QWidget):
    """Short names, such as of packages; Enter in the field adds one."""

    edited = Signal()

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._tags: list[str] = []
        self._flow = FlowLayout()
        self._field = QLineEdit()
        self._field.setProperty("kind", "step")
        self._field.setFixedWidth(_TAG_FIELD)
        self._field.setPlaceholderText(self.tr("Add…"))
        self._field.setAccessibleName(name)
        self._field.returnPressed.connect(self._on_added)
        self._box = QWidget()
        self._box.setLayout(self._flow)
        self._row = QWidget()
        self._row.setLayout(hbox(self._field, None))
        self.setLayout(vbox(self._box, self._row, gap=6))

    def set_values(self, tags: Sequence[str], *, editable: bool) -> None:
        self._tags = list(tags)
        self._editable = editable
        self._row.setVisible(editable)
        self._show()

    def values(self) -> list[str]:
        return list(self._tags)

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._field

    def _show(self) -> None:
        self._flow.clear()
        for tag in self._tags:
            if self._editable:
                made: QWidget = self._removable(tag)
            else:
                made = StatusChip(self._theme, _short(tag))
                made.setToolTip(tag)
            self._flow.addWidget(made)
        self.updateGeometry()

    def _removable(self, tag: str) -> _Tag:
        made = _Tag(self._theme, tag)
        made.removed.connect(lambda: self._on_removed(tag))
        return made

    def _on_added(self) -> None:
        tag = self._field.text().strip()
        self._field.clear()
        if tag and tag not in self._tags:
            self._tags.append(tag)
            self._show()
            self.edited.emit()

    def _on_removed(self, tag: str) -> None:
        self._tags.remove(tag)
        self._field.setFocus()
        self._show()
        self.edited.emit()


class _LineRow(Row):
    def __init__(self, theme: Theme, text: str, name: str) -> None:
        tr = QCoreApplication.translate
        super().__init__(
            theme, tr("LineList", "Move this line"), tr("LineList", "Remove this line")
        )
        self._field = QuietText(text, name)
        self._field.textChanged.connect(self.edited)
        self.setLayout(hbox(self.grip, (self._field, 1), self.remove, gap=4, margins=(2, 2, 4, 2)))

    def value(self) -> str:
        return self._field.text()

    def set_editable(self, *, editable: bool) -> None:
        set_editable(self._field, editable)

    def focus(self) -> None:
        self._field.setFocus()

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._field


class LineList(RowList):
    """Sentences, one a row. Empty ones are left out."""

    def __init__(self, theme: Theme, name: str, add: str, role: str = "plain") -> None:
        super().__init__(
            theme, lambda text: _LineRow(theme, text, name), add=add, blank="", role=role
        )

    def values(self) -> list[str]:
        return [text for text in super().values() if text]


class _FileRow(Row):
    def __init__(self, theme: Theme, file: Mapping[str, Any]) -> None:
        tr = QCoreApplication.translate
        path = str(file.get("path", ""))
        super().__init__(
            theme,
            tr("FileList", "Move the file {0}").format(path),
            tr("FileList", "Remove the file {0}").format(path),
        )
        self._file = dict(file)
        self._path = quiet_field(path, self.tr("Path of the file"))
        self._path.setPlaceholderText(self.tr("Path, such as src/App.tsx"))
        self._path.textEdited.connect(lambda _text: self.edited.emit())
        self._purpose = QuietText(
            str(file.get("purpose", "")), self.tr("What {0} is for").format(path)
        )
        self._purpose.textChanged.connect(self.edited)
        words = vbox(self._path, self._purpose, gap=0)
        row = hbox(self.grip, gap=4, margins=(4, 4, 4, 4))
        add_layout(row, words, 1)
        row.addWidget(self.remove)
        self.setLayout(row)

    def value(self) -> dict[str, Any]:
        path = written(self._path, str(self._file.get("path", "")))
        made = {**self._file, "path": path}
        purpose = self._purpose.text()
        return made | ({"purpose": purpose} if purpose or "purpose" in made else {})

    def set_editable(self, *, editable: bool) -> None:
        set_editable(self._path, editable)
        set_editable(self._purpose, editable)

    def focus(self) -> None:
        self._path.setFocus()

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._purpose if path and path[0] == "purpose" else self._path


class FirstPhase(QWidget):
    """The plan of the first phase: what it is called, its files, and what is installed for it."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._given: dict[str, Any] = {}
        tr = QCoreApplication.translate
        self._name = LineEditor(self.tr("Name of the first phase"))
        self._words = TextEditor(self.tr("What the first phase brings"))
        self._files = RowList(
            theme,
            lambda file: _FileRow(theme, file),
            add=tr("FirstPhase", "Add a file"),
            blank={"path": "", "purpose": ""},
        )
        self._commands = LineList(
            theme,
            self.tr("Command that installs packages"),
            tr("FirstPhase", "Add a command"),
            role="card",
        )
        for editor in self._editors.values():
            editor.edited.connect(self.edited)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for editor in self._editors.values():
            column.addWidget(editor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setSizePolicy(policy)

    @property
    def _editors(self) -> dict[str, LineEditor | TextEditor | RowList]:
        return {
            "name": self._name,
            "description": self._words,
            "files": self._files,
            "install_commands": self._commands,
        }

    def set_values(self, phase: Mapping[str, Any], *, editable: bool) -> None:
        self._given = dict(phase)
        self._name.set_values(str(phase.get("name", "")), editable=editable)
        self._words.set_values(str(phase.get("description", "")), editable=editable)
        self._files.set_values(list(phase.get("files", ())), editable=editable)
        commands = list(phase.get("install_commands", ()))
        self._commands.set_values(commands, editable=editable)
        self._words.setVisible(editable or bool(phase.get("description")))
        self._commands.setVisible(editable or bool(commands))

    def values(self) -> dict[str, Any]:
        now = {key: editor.values() for key, editor in self._editors.items()}
        return self._given | {k: v for k, v in now.items() if v or k in self._given}

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        editor = self._editors.get(path[0]) if path else None
        return editor.field_at(path[1:]) if editor else self._name.field_at(())


def _short(name: str) -> str:
    """Return `react@19.2.0` as "react 19"."""
    bare, _, version = name.rpartition("@")
    return f"{bare} {version.split('.')[0]}" if bare else name
