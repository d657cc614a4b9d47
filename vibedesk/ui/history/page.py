"""The history of a project: versions at the left, the chosen one at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QShortcut
from PySide6.QtWidgets import QComboBox, QLineEdit, QStackedWidget, QWidget

from vibedesk.ui.history.detail import VersionDetail
from vibedesk.ui.history.lists import VersionList
from vibedesk.ui.history.versions import Version, author_words
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.island import GapSplitter, Island
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.messages import EmptyState

_LIST_WIDTH = 384


class _NameField(QLineEdit):
    """Esc gives up."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class HistoryPage(QWidget):
    """Shows the versions it is told of; `detail` tells what the person wants with the chosen one.

    Signals:
        keep_requested: Keep a version now, with this name ("" for none).
    """

    keep_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._versions: list[Version] = []
        self._list = VersionList(theme)
        self._find = QLineEdit()
        self._author = QComboBox()
        self._name = _NameField()
        self._keep = text_button(theme, self.tr("Keep version…"), icon="flag", compact=True)
        self.detail = VersionDetail(theme)
        self._build()
        self._connect()
        self._refresh_list()

    @property
    def chosen(self) -> Version | None:
        found = self._list.current
        return found if isinstance(found, Version) else None

    def set_versions(self, versions: Sequence[Version]) -> None:
        """Show these, newest first; the newest is chosen where none was."""
        self._versions = list(versions)
        self.detail.set_next_number(len(self._versions) + 1)
        self._refresh_list()

    def clear(self) -> None:
        """Forget one project before another is shown."""
        self._find.clear()
        self._author.setCurrentIndex(0)
        self._close_name()
        self.set_versions([])

    def choose(self, commit: str) -> None:
        self._list.choose_commit(commit)

    def start_keeping(self, name: str = "") -> None:
        """Open the field for the name of a version to keep; `name` is in it, unless something is."""
        self._name.setText(self._name.text() or name)
        self._name_row.show()
        self._name.setFocus()

    # -- inside

    def _build(self) -> None:
        theme = self._theme
        self._find.setProperty("kind", "search")
        self._find.setPlaceholderText(self.tr("Find a version"))
        self._find.setAccessibleName(self.tr("Find a version"))
        self._find.setClearButtonEnabled(True)
        self._find.addAction(
            theme.icon("magnifying-glass", "text.muted", 16),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        self._author.setProperty("kind", "search")
        self._author.setAccessibleName(self.tr("Versions of whom"))
        self._author.addItem(self.tr("All"), "")
        for author in ("agent", "fix", "you"):
            self._author.addItem(author_words(author), author)
        self._keep.setToolTip(self.tr("Keep a version of the files as they are now  Ctrl+Alt+S"))
        head = frame(
            "header",
            hbox(label(self.tr("History"), strong=True), None, self._keep, margins=(14, 0, 8, 0)),
        )
        head.setFixedHeight(theme.size("panel_header"))
        self._name.setPlaceholderText(self.tr("Name, for example: before the new layout"))
        self._name.setAccessibleName(self.tr("Name of the version"))
        self._name_keep = text_button(theme, self.tr("Keep"), variant="primary")
        self._name_row = frame(
            "header", hbox((self._name, 1), self._name_keep, margins=(10, 8, 10, 8))
        )
        self._name_row.hide()
        self._nothing = label("", tone="muted")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._nothing.setContentsMargins(20, 24, 20, 0)
        self._lists = QStackedWidget()
        self._lists.addWidget(self._list)
        self._lists.addWidget(self._nothing)
        left = Island(theme)
        left.column.addWidget(head)
        left.column.addWidget(self._name_row)
        add_layout(left.column, hbox((self._find, 1), self._author, margins=(10, 10, 10, 6)))
        left.column.addWidget(self._lists, 1)
        left.setMinimumWidth(theme.size("chat_min"))
        self._empty = EmptyState(theme, "clock-counter-clockwise", "", "")
        self._shown = QStackedWidget()
        self._shown.addWidget(self.detail)
        self._shown.addWidget(self._empty)
        right = Island(theme)
        right.add(self._shown, 1)
        splitter = GapSplitter(Qt.Orientation.Horizontal, theme)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LIST_WIDTH, 1000])
        self.setLayout(vbox((splitter, 1), gap=0))
        self.setAccessibleName(self.tr("History"))

    def _connect(self) -> None:
        self._list.chosen.connect(self._show_version)
        self._find.textChanged.connect(lambda _text: self._refresh_list())
        self._author.currentIndexChanged.connect(lambda _index: self._refresh_list())
        self._keep.clicked.connect(lambda: self.start_keeping())
        self._name.returnPressed.connect(self._on_keep)
        self._name_keep.clicked.connect(self._on_keep)
        self._name.left.connect(self._close_name)
        keys = QShortcut("Ctrl+F", self)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self._find.setFocus)

    def _refresh_list(self) -> None:
        words, author = self._find.text(), str(self._author.currentData())
        found = [version for version in self._versions if version.matches(words, author)]
        self._list.show_versions(found)
        self._say_what_is_missing()
        self._lists.setCurrentWidget(self._list if found else self._nothing)
        if found and self.chosen is None:
            self._list.choose(0)
        elif not found:
            self._show_version(None)

    def _say_what_is_missing(self) -> None:
        if self._versions:
            self._nothing.setText(self.tr("Nothing found."))
            self._empty.set_words(
                self.tr("No version chosen"),
                self.tr("Choose one at the left to see what it changed."),
            )
        else:
            self._nothing.setText(self.tr("No versions yet."))
            self._empty.set_words(
                self.tr("No versions yet"),
                self.tr("VibeDesk saves one after every phase and before every risky step."),
            )

    def _show_version(self, version: Version | None) -> None:
        self._shown.setCurrentWidget(self._empty if version is None else self.detail)
        self.detail.show_version(version)

    def _on_keep(self) -> None:
        name = self._name.text().strip()
        self._close_name()
        self.keep_requested.emit(name)

    def _close_name(self) -> None:
        self._name.clear()
        if self._name_row.isVisible():
            self._keep.setFocus()
        self._name_row.hide()
