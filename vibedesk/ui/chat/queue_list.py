"""The wishes that wait for a phase: what they say, how they stand, changed in place and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.engine.views import WishView
from vibedesk.ui.chat.prompt_field import PromptField
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label, set_tone

_MOST_HEIGHT = 150
_LOOKS = {
    "open": ("hourglass", "text.muted", "muted"),
    "planned": ("hammer", "live.text", "live"),
    "done": ("check-bold", "success.text", "success"),
}
_GAP = 4
_MARGINS = (10, 3, 6, 3)


class _Row(QFrame):
    """One wish, as words or, while it is changed, as a field."""

    edited = Signal(str)
    removed = Signal()
    lost = Signal(str)
    """The wish was taken up while somebody was changing it; this is what they wrote."""
    changed = Signal()
    """`change` is another."""

    def __init__(self, theme: Theme, wish: WishView) -> None:
        super().__init__()
        self.setProperty("role", "queued")
        self._wish = wish
        self._glyph = IconLabel(theme, "hourglass", "text.muted", 14)
        self._words = ElidedLabel("", tone="secondary")
        self._state = label("", tone="muted", fs="small")
        self._edit = icon_button(
            theme, "pencil-simple", self.tr("Edit queued message"), size=14, small=True
        )
        self._edit.clicked.connect(self.begin_edit)
        self._remove = icon_button(
            theme, "x", self.tr("Remove queued message"), size=14, small=True
        )
        self._remove.clicked.connect(self.removed)
        self._field = PromptField(theme, self.tr("Queued message"), least=1, most=5, pictures=False)
        self._field.sent.connect(self._save)
        self._field.given_up.connect(self._end_edit)
        self._field.textChanged.connect(self.changed)
        save = icon_button(theme, "check", self.tr("Save"), size=14, small=True, shortcut="Enter")
        save.clicked.connect(self._save)
        keep = icon_button(
            theme, "arrow-counter-clockwise", self.tr("Keep as it was"), size=14, small=True,
            shortcut="Esc",
        )  # fmt: skip
        keep.clicked.connect(self._end_edit)
        shown, changed = QWidget(), QWidget()
        shown.setLayout(
            hbox(
                self._glyph,
                (self._words, 1),
                self._state,
                self._edit,
                self._remove,
                gap=6,
                margins=_MARGINS,
            )
        )
        changed.setLayout(hbox((self._field, 1), save, keep, gap=6, margins=_MARGINS))
        self._stack = QStackedLayout(self)
        self._stack.addWidget(shown)
        self._stack.addWidget(changed)
        self._field.document().documentLayout().documentSizeChanged.connect(self.updateGeometry)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_wish(wish)

    @property
    def editing(self) -> bool:
        return self._stack.currentIndex() == 1

    @property
    def change(self) -> str:
        """What the wish is being changed to; empty while it is not."""
        text = self._field.toPlainText()
        return text if self.editing and text != self._wish.text else ""

    def set_wish(self, wish: WishView) -> None:
        if self.editing and wish.status != "open":
            self.lost.emit(self._field.toPlainText())
            self._end_edit()
        self._wish = wish
        icon, ink, tone = _LOOKS[wish.status]
        self._glyph.set_icon(icon, ink)
        self._words.setText(" ".join(wish.text.split()))
        state = self._state_words()
        self._state.setText(state)
        set_tone(self._state, tone)
        changeable = wish.status == "open"
        self._edit.setVisible(changeable)
        self._remove.setVisible(changeable)
        self.setAccessibleName(f"{state}: {wish.text}")

    def begin_edit(self) -> None:
        self.edit_as(self._wish.text)
        self._field.setFocus()

    def edit_as(self, text: str) -> None:
        """Let the wish be changed, beginning with this text."""
        self._field.set_text(text)
        self._stack.setCurrentIndex(1)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        shown = self._stack.currentWidget()
        wanted = shown.sizeHint() if shown is not None else QSize()
        return QSize(200, max(30, wanted.height() + 2))

    def minimumSizeHint(self) -> QSize:
        return QSize(100, self.sizeHint().height())

    def _state_words(self) -> str:
        match self._wish.status:
            case "planned" if self._wish.phase:
                return self.tr("in phase {0}").format(self._wish.phase)
            case "planned":
                return self.tr("being built")
            case "done":
                return self.tr("done")
            case _:
                return self.tr("queued")

    def _save(self) -> None:
        text = self._field.toPlainText().strip()
        if not text:
            return
        self._end_edit()
        if text != self._wish.text:
            self.edited.emit(text)

    def _end_edit(self) -> None:
        had_focus = self._stack.currentIndex() == 1
        self._stack.setCurrentIndex(0)
        if had_focus:
            self._edit.setFocus()
        self.updateGeometry()
        self.changed.emit()


class QueueList(QScrollArea):
    """The wishes in the order they are taken up; scrolls where they are many."""

    edited = Signal(str, str)
    """A wish's id, and what it is to say now."""
    removed = Signal(str)
    lost = Signal(str)
    changed = Signal()
    """`changes` are others."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[str, _Row] = {}
        self._kept: dict[str, str] = {}
        self._inner = QWidget()
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(_GAP)
        self.setWidget(self._inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Queued messages"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def changes(self) -> dict[str, str]:
        """Return what wishes are being changed to, by their ids."""
        now = {key: row.change for key, row in self._rows.items() if row.change}
        return {**self._kept, **now}

    def restore(self, changes: Mapping[str, str]) -> None:
        """Let these wishes be changed, as `changes` returned it, with the next `set_wishes`."""
        self._kept = dict(changes)

    def set_wishes(self, wishes: Sequence[WishView]) -> None:
        """Show these. One that is being changed stays so while it can be."""
        ids = [wish.id for wish in wishes]
        for gone in [key for key in self._rows if key not in ids]:
            row = self._rows.pop(gone)
            if row.change:
                self.lost.emit(row.change)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, wish in enumerate(wishes):
            row = self._rows.get(wish.id) or self._make(wish)
            row.set_wish(wish)
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
        kept, self._kept = self._kept, {}
        changeable = {wish.id for wish in wishes if wish.status == "open"}
        for key, text in kept.items():
            if key in changeable:
                self._rows[key].edit_as(text)
            else:
                self.lost.emit(text)
        self.setVisible(bool(wishes))
        self._fit()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if watched is self._inner and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return False

    def _make(self, wish: WishView) -> _Row:
        row = self._rows[wish.id] = _Row(self._theme, wish)
        row.edited.connect(lambda text: self.edited.emit(wish.id, text))
        row.removed.connect(lambda: self.removed.emit(wish.id))
        row.lost.connect(self.lost)
        row.changed.connect(self.changed)
        if len(self._rows) == 1:
            self._inner.installEventFilter(self)
        return row

    def _fit(self) -> None:
        heights = [row.sizeHint().height() for row in self._rows.values()]
        wanted = sum(heights) + _GAP * max(0, len(heights) - 1)
        self.setFixedHeight(min(wanted, _MOST_HEIGHT))
