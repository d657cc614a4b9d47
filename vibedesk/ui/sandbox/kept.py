"""What is kept on disk so that sandboxes start at once, how large it is, and how to clean it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.engine.views import StoredView
from vibedesk.ui.sandbox.words import bytes_words, last_used_words
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import LayoutButton
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label, set_tone

UNUSED_DAYS = 30
_ROW = 26
_ROWS_SEEN = 5
_GLYPHS = {
    "image": "stack",
    "packages": "package",
    "tarballs": "archive",
    "sandbox": "shipping-container",
}


class KeptPart(QWidget):
    """A line with the sum; unfolded, a list of what is kept and the button that cleans it."""

    clean_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._total = label("", tone="secondary", fs="small", strong="mid")
        self._caret = IconLabel(theme, "caret-right", "text.muted", 12)
        face = hbox(
            IconLabel(theme, "hard-drives", "text.muted", 16),
            label(self.tr("Kept for sandboxes"), strong="mid", fs="small"),
            None,
            self._total,
            self._caret,
            gap=8,
            margins=(8, 5, 8, 5),
        )
        self._fold = LayoutButton(face, self.tr("Kept for sandboxes"))
        self._fold.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fold.clicked.connect(self._on_folded)
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(8, 0, 8, 0)
        self._rows.setSpacing(0)
        page = QWidget()
        page.setLayout(self._rows)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(self.tr("What is kept for sandboxes"))
        self._scroll.setWidget(page)
        self._clean = BusyButton(
            theme,
            self.tr("Clean what was not used for {0} days").format(UNUSED_DAYS),
            self.tr("Cleaning"),
            "broom",
        )
        self._clean.setToolTip(self.tr("Projects, their files and versions are never touched"))
        self._clean.clicked.connect(self.clean_requested)
        self._note = label("", tone="muted", fs="small")
        self._note.setWordWrap(True)
        self._open = QWidget()
        self._note.hide()
        foot = vbox(hbox(self._clean, None), self._note, gap=6, margins=(8, 0, 8, 0))
        self._open.setLayout(vbox(self._scroll, foot, gap=8, margins=(0, 0, 0, 4)))
        self._open.hide()
        self.setLayout(vbox(self._fold, self._open, gap=2))
        self.set_stored(None)

    @property
    def unfolded(self) -> bool:
        return not self._open.isHidden()

    def set_stored(
        self, stored: Sequence[StoredView] | None, titles: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """List what is kept, the largest first; `None` says that it is being looked for.

        Args:
            stored: What there is.
            titles: Of the projects, by their ids.
        """
        known = sorted(stored or (), key=lambda item: -item.bytes)
        if stored is None:
            self._total.setText(self.tr("Measuring"))
        else:
            self._total.setText(bytes_words(sum(item.bytes for item in known)))
        while (taken := self._rows.takeAt(0)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        for item in known:
            self._rows.addWidget(self._row(item, titles.get(item.project_id, "")))
        if stored is not None and not known:
            self._rows.addWidget(label(self.tr("Nothing yet."), tone="muted", fs="small"))
        self._scroll.setFixedHeight(_ROW * max(1, min(_ROWS_SEEN, len(known))))
        many = len(known) > _ROWS_SEEN
        self._scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus if many else Qt.FocusPolicy.NoFocus)
        self._clean.setEnabled(bool(known) and not self._clean.busy)
        self._describe()

    def set_cleaning(self, *, cleaning: bool) -> None:
        self._clean.set_busy(busy=cleaning)
        self._clean.setEnabled(not cleaning)
        if cleaning:
            self.say("")

    def say(self, words: str, *, failed: bool = False) -> None:
        """Say how cleaning went."""
        set_tone(self._note, "danger" if failed else "muted")
        self._note.setText(words)
        self._note.setVisible(bool(words))

    def _row(self, item: StoredView, title: str) -> QWidget:
        glyph = _GLYPHS.get(item.kind, "hard-drives")
        when = self.tr("in use") if item.in_use else last_used_words(item.last_used)
        size = label(bytes_words(item.bytes), tone="secondary", fs="small")
        size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        size.setMinimumWidth(58)
        what = self._what_it_is(item, title)
        words = ElidedLabel(what, tone="secondary")
        words.setProperty("fs", "small")
        row = QWidget()
        row.setFixedHeight(_ROW)
        row.setToolTip(item.name)
        row.setLayout(
            hbox(
                IconLabel(self._theme, glyph, "text.muted", 14),
                (words, 1),
                label(when, tone="muted", fs="small"),
                size,
                gap=8,
            )
        )
        row.setAccessibleName(
            ", ".join(part for part in (what, bytes_words(item.bytes), when) if part)
        )
        return row

    def _what_it_is(self, item: StoredView, title: str) -> str:
        match item.kind:
            case "image":
                return self.tr("Image: Node.js, Python and tools")
            case "packages":
                return self.tr("Installed packages, shared")
            case "tarballs":
                return self.tr("Downloaded packages")
            case "sandbox" if title:
                return self.tr("Sandbox of {0}").format(title)
            case "sandbox":
                return self.tr("Sandbox without a project")
            case _:
                return item.name or item.kind

    def _on_folded(self) -> None:
        self._open.setVisible(self._open.isHidden())
        self._caret.set_icon("caret-down" if self.unfolded else "caret-right")
        self._describe()

    def _describe(self) -> None:
        self._fold.setAccessibleName(self.tr("Kept for sandboxes: {0}").format(self._total.text()))
        state = self.tr("List open") if self.unfolded else self.tr("Opens the list")
        self._fold.setAccessibleDescription(state)
        self._fold.updateGeometry()
