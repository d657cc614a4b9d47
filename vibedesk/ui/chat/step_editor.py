"""The steps of an acceptance check, one row each: what is done or seen, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QWidget

from vibedesk.engine.check_words import step_words
from vibedesk.ui.chat.row_list import Row, RowList
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import ElidedLabel
from vibedesk.ui.widgets.number_validators import WholeValidator

Step = Mapping[str, Any]
_FIELD_WIDTH = 136
_MAY_BE_EMPTY = "value"
_NUMBERS = frozenset({"ms", "count"})
_MOST = 600_000


class _Kind(NamedTuple):
    """What a step does, in words, and the keys that belong to it with what is asked for."""

    words: str
    fields: tuple[tuple[str, str], ...]


def _kinds() -> dict[str, _Kind]:
    def tr(text: str) -> str:
        return QCoreApplication.translate("StepEditor", text)

    where = ("selector", tr("Where (CSS), if needed"))
    on_it = ("text", tr("Words on it"))
    name = ("text", tr("Name of the field"))
    return {
        "goto": _Kind(tr("Open"), (("path", tr("Address, such as /settings")),)),
        "reload": _Kind(tr("Reload the page"), ()),
        "click": _Kind(tr("Click"), (on_it, where)),
        "fill": _Kind(tr("Write"), (("value", tr("Words to write")), name, where)),
        "select": _Kind(tr("Choose"), (("value", tr("Choice")), name, where)),
        "press": _Kind(tr("Press"), (("key", tr("Key, such as Enter")), where)),
        "attach": _Kind(
            tr("Choose a file"),
            (("filename", tr("Name of the file")), ("content", tr("Text in it")), where),
        ),
        "drag": _Kind(tr("Drag"), (("from", tr("What")), ("to", tr("Where to")))),
        "wait": _Kind(tr("Wait"), (("ms", tr("Milliseconds")),)),
        "expectText": _Kind(tr("See"), (("text", tr("Words that are there")), where)),
        "expectNoText": _Kind(tr("No longer see"), (("text", tr("Words that are gone")), where)),
        "expectCount": _Kind(tr("Count"), (("count", tr("How many")), where, on_it)),
        "expectValue": _Kind(tr("See in a field"), (("value", tr("What it holds")), name, where)),
        "expectUrl": _Kind(tr("See in the address"), (("text", tr("Part of the address")),)),
        "expectTitle": _Kind(tr("See in the title"), (("text", tr("Part of the title")),)),
        "expectDownload": _Kind(
            tr("Download"), (on_it, ("filename", tr("Name of the file")), where)
        ),
        "as": _Kind(tr("Go on as"), (("user", tr("Person: first, second, or a name")),)),
    }


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("text") or value.get("selector") or "")
    return "" if value is None else str(value)


class _StepRow(Row):
    def __init__(self, theme: Theme, step: Step) -> None:
        tr = QCoreApplication.translate
        super().__init__(
            theme,
            tr("StepEditor", "Move this step"),
            tr("StepEditor", "Remove this step"),
        )
        self._step = dict(step)
        self._kinds = _kinds()
        self._fields: dict[str, QLineEdit] = {}
        self._combo = QComboBox()
        self._combo.setProperty("kind", "compact")
        for do, kind in self._kinds.items():
            self._combo.addItem(kind.words, do)
        place = self._combo.findData(self._step.get("do"))
        if place < 0:
            self._combo.addItem(str(self._step.get("do", "")), self._step.get("do"))
            place = self._combo.count() - 1
        self._combo.setCurrentIndex(place)
        self._combo.setAccessibleName(self.tr("What is done"))
        self._combo.activated.connect(self._on_kind)
        self._flow = FlowLayout(6)
        self._flow.addWidget(self._combo)
        box = QWidget()
        box.setLayout(self._flow)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        box.setSizePolicy(policy)
        self._sentence = ElidedLabel("", tone="muted")
        self._sentence.setProperty("fs", "small")
        head = hbox(self.grip, gap=6, margins=(4, 4, 4, 4))
        add_layout(head, vbox(box, self._sentence, gap=3), 1)
        head.addWidget(self.remove)
        self.setLayout(head)
        self._make_fields()

    def value(self) -> dict[str, Any]:
        do = str(self._combo.currentData())
        kept = {k: v for k, v in self._step.items() if k not in self._fields}
        made: dict[str, Any] = {**kept, "do": do}
        for key, field in self._fields.items():
            given, shown = self._step.get(key), field.text()
            if shown == _shown(given):
                if key in self._step:
                    made[key] = given
            elif shown.strip() or key == _MAY_BE_EMPTY:
                made[key] = shown.strip()
        # In the order the step came in, so that an unchanged one is the same.
        order = [*self._step, *made]
        return {key: made[key] for key in dict.fromkeys(order) if key in made}

    def focus(self) -> None:
        self._combo.setFocus()

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._fields.get(path[0], self._combo) if path else self._combo

    def _on_kind(self) -> None:
        before = {key: field.text() for key, field in self._fields.items()}
        do = str(self._combo.currentData())
        if do != self._step.get("do"):
            keys = [key for key, _ in self._kinds[do].fields]
            self._step = {"do": do} | {k: before[k] for k in keys if before.get(k)}
        for field in self._fields.values():
            self._flow.removeWidget(field)
            field.hide()
            field.deleteLater()
        self._fields.clear()
        self._make_fields()
        self.edited.emit()

    def _make_fields(self) -> None:
        kind = self._kinds.get(str(self._combo.currentData()))
        for key, asked in kind.fields if kind else ():
            field = QLineEdit(_shown(self._step.get(key)))
            field.setProperty("kind", "step")
            field.setPlaceholderText(asked)
            field.setAccessibleName(asked)
            field.setToolTip(asked)
            field.setFixedWidth(_FIELD_WIDTH)
            field.setCursorPosition(0)
            if key in _NUMBERS:
                field.setValidator(WholeValidator(0, _MOST, field))
            field.textEdited.connect(self._on_written)
            self._fields[key] = field
            self._flow.addWidget(field)
        self._say()

    def _on_written(self) -> None:
        self._say()
        self.edited.emit()

    def _say(self) -> None:
        self._sentence.setText(step_words(self.value()))


class StepEditor(RowList):
    """The steps of one check."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            theme,
            lambda step: _StepRow(theme, step),
            add=QCoreApplication.translate("StepEditor", "Add a step"),
            blank={"do": "click"},
            role="well",
        )
