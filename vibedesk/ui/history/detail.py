"""One version: what it changed or what changed since, file by file, and the way back to it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from vibedesk.engine.views import FileDiffView, VersionBase, VersionDiffView
from vibedesk.ui.history.lists import ChangedFiles
from vibedesk.ui.history.restore_strip import RestoreStrip
from vibedesk.ui.history.versions import Version, author_words, files_words
from vibedesk.ui.review.diff_lines import parse_unified
from vibedesk.ui.review.diff_view import DiffView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented, text_button
from vibedesk.ui.widgets.labels import ElidedLabel, StatusChip
from vibedesk.ui.widgets.messages import EmptyState
from vibedesk.ui.widgets.times import when_words

_WIDE = 760
_FILES_WIDTH, _FILES_NARROW = 280, 200
Pending = Literal["", "version", "file"]


class VersionDetail(QWidget):
    """Shows one version and the comparison that it is given.

    Signals:
        diff_wanted: Commit, and `parent` or `now`: what it is compared with.
        restore_requested: Bring this version back.
        restore_file_requested: Commit and path: bring this one file back.
    """

    diff_wanted = Signal(str, str)
    restore_requested = Signal(str)
    restore_file_requested = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._version: Version | None = None
        self._next_number = 1
        self._diff: VersionDiffView | None = None
        self._running = False
        self._busy = False
        self._pending: Pending = ""
        self._files = ChangedFiles(theme)
        self._view = DiffView(theme)
        self._strip = RestoreStrip(theme)
        self._build()
        self._connect()
        self.show_version(None)

    def show_version(self, version: Version | None) -> None:
        """Show another one, and ask for its comparison."""
        self._version = version
        self._pending = ""
        self._diff = None
        self._files.show_files([])
        self._view.show_hunks([], decidable=False)
        self._file_head.hide()
        self._diffs.setCurrentWidget(self._view)
        self._describe()
        self._refresh_actions()
        self._ask_diff()

    def set_next_number(self, number: int) -> None:
        """Say which number the version gets that bringing one back adds."""
        self._next_number = number
        self._refresh_strip()

    def set_diff(self, diff: VersionDiffView) -> None:
        """Show a comparison, if it is still the one that is wanted."""
        version = self._version
        if version is None or (diff.commit, diff.against) != (version.commit, self.against):
            return
        self._diff = diff
        self._files.show_files(diff.files)
        self._describe()
        if not diff.files:
            self._show_no_files()

    def compare_again(self) -> None:
        """Ask for the comparison with the files as they are now, if it is the one that is shown."""
        if self.against == "now":
            self._ask_diff()

    def set_running(self, *, running: bool) -> None:
        """Say whether a run is under way: nothing can be brought back meanwhile."""
        self._running = running
        if running:
            self._pending = ""
        self._refresh_actions()

    def set_busy(self, *, busy: bool) -> None:
        """Show that what was asked for is being done."""
        self._busy = busy
        if busy:
            self._pending = ""
        self._refresh_actions()

    @property
    def against(self) -> VersionBase:
        return "now" if self._against.current == "now" else "parent"

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._files_frame.setFixedWidth(_FILES_WIDTH if wide else _FILES_NARROW)

    # -- inside

    def _build(self) -> None:
        theme = self._theme
        self._title = ElidedLabel()
        self._title.setProperty("fs", "title_sm")
        self._number = StatusChip(theme, "")
        self._facts = ElidedLabel(tone="secondary")
        self._facts.setProperty("fs", "small")
        self._against = Segmented(
            theme,
            self.tr("What is compared"),
            (
                Segment(
                    key="parent",
                    text=self.tr("What changed"),
                    icon="git-diff",
                    tooltip=self.tr("Against the version before it"),
                ),
                Segment(
                    key="now",
                    text=self.tr("Since then"),
                    icon="clock",
                    tooltip=self.tr("Against the files as they are now"),
                ),
            ),
        )
        self._restore = text_button(theme, "", variant="primary", icon="clock-counter-clockwise")
        titles = QWidget()
        titles.setLayout(vbox(hbox(self._title, self._number, None, gap=8), self._facts, gap=1))
        head = frame(
            "header",
            hbox((titles, 1), self._against, self._restore, gap=12, margins=(18, 9, 12, 9)),
        )
        self._files_frame = frame("treebox", vbox((self._files, 1), gap=0, margins=(0, 6, 0, 6)))
        self._files_frame.setFixedWidth(_FILES_WIDTH)
        self._path = ElidedLabel(tone="secondary", mode=Qt.TextElideMode.ElideLeft)
        self._restore_file = text_button(
            theme, self.tr("Restore this file"), icon="clock-counter-clockwise", compact=True
        )
        self._file_head = frame(
            "header", hbox((self._path, 1), self._restore_file, margins=(14, 4, 8, 4))
        )
        self._file_words = EmptyState(theme, "file", "", "")
        self._diffs = QStackedWidget()
        self._diffs.addWidget(self._view)
        self._diffs.addWidget(self._file_words)
        shown = QWidget()
        shown.setLayout(vbox(self._file_head, (self._diffs, 1), gap=0))
        body = QWidget()
        body.setLayout(hbox(self._files_frame, (shown, 1), gap=0))
        self._strip_row = QWidget()
        self._strip_row.setLayout(vbox(self._strip, margins=(12, 10, 12, 10)))
        self.setLayout(vbox(head, self._strip_row, (body, 1), gap=0))

    def _connect(self) -> None:
        self._files.chosen.connect(self._show_file)
        self._against.chosen.connect(lambda _key: self._ask_diff())
        self._restore.clicked.connect(lambda: self._ask("version"))
        self._restore_file.clicked.connect(lambda: self._ask("file"))
        self._strip.agreed.connect(self._on_agreed)
        self._strip.refused.connect(self._on_refused)

    def _ask_diff(self) -> None:
        self._diff = None
        if self._version is not None:
            self.diff_wanted.emit(self._version.commit, self.against)

    def _describe(self) -> None:
        version = self._version
        if version is None:
            return
        self._title.setText(version.label)
        self._number.set_status(version.name, "accent" if version.current else "plain")
        parts = [f"{author_words(version.author)}, {when_words(version.at)}"]
        if self._diff is not None:
            added = sum(file.additions for file in self._diff.files)
            removed = sum(file.deletions for file in self._diff.files)
            words = files_words(len(self._diff.files))
            since = self.tr("{0} differ from now") if self.against == "now" else "{0}"
            parts.append(f"{since.format(words)}, +{added} -{removed}")
        parts.append(self.tr("Commit {0}").format(version.commit[:7]))
        self._facts.setText(". ".join(parts))

    def _show_file(self, file: FileDiffView) -> None:
        if self._pending == "file":
            self._pending = ""
        self._path.setText(file.path)
        self._file_head.show()
        if file.hunks:
            self._view.show_hunks(parse_unified(file.path, file.hunks), decidable=False)
            self._diffs.setCurrentWidget(self._view)
        else:
            text = self.tr("No line of this file differs.")
            if file.binary:
                text = self.tr("This is no text file.")
            elif file.additions or file.deletions:
                text = self.tr("The difference is too long to show.")
            self._file_words.set_words(self.tr("Nothing to show"), text)
            self._diffs.setCurrentWidget(self._file_words)
        self._refresh_actions()

    def _show_no_files(self) -> None:
        self._file_head.hide()
        text = self.tr("This version changed no file.")
        if self.against == "now":
            text = self.tr("The files are as they were in this version.")
        self._file_words.set_words(self.tr("No differences"), text)
        self._diffs.setCurrentWidget(self._file_words)

    # -- the way back

    @property
    def _file(self) -> FileDiffView | None:
        found = self._files.current
        return found if isinstance(found, FileDiffView) else None

    def _refresh_actions(self) -> None:
        version = self._version
        words = self.tr("Restore {0}").format(version.name if version is not None else "")
        self._restore.setText(f"\u2009{words}")
        self._restore.setAccessibleName(words)
        why = ""
        if self._running:
            why = self.tr("VibeDesk is building. Stop the run first.")
        elif self._busy:
            why = self.tr("This is being done already.")
        self._restore_file.setEnabled(not why and self._file is not None)
        self._restore_file.setToolTip(why)
        if not why and version is not None and version.current:
            why = self.tr("This is the newest version.")
        self._restore.setEnabled(not why)
        self._restore.setToolTip(why)
        self._refresh_strip()

    def _refresh_strip(self) -> None:
        version, file = self._version, self._file
        question = action = ""
        if version is not None and self._pending == "version":
            question = self.tr(
                "Restore {0}? This adds version {1} with the files of {0}. Nothing is lost."
            ).format(version.name, self._next_number)
            action = self.tr("Restore {0}").format(version.name)
        elif version is not None and self._pending == "file" and file is not None:
            name = file.path.rsplit("/", 1)[-1]
            question = self.tr(
                "Bring {0} back as it was in {1}? This adds version {2}. Nothing is lost."
            ).format(name, version.name, self._next_number)
            action = self.tr("Restore {0}").format(name)
        if self._running:
            self._strip.say(
                self.tr(
                    "VibeDesk is building. A version can be restored when the run is over or stopped."
                )
            )
        elif question:
            self._strip.ask(question, action)
        self._strip_row.setVisible(self._running or bool(question))

    def _ask(self, what: Pending) -> None:
        self._pending = what
        self._refresh_strip()
        self._strip.focus_refuse()

    def _on_refused(self) -> None:
        button = self._restore_file if self._pending == "file" else self._restore
        self._pending = ""
        self._refresh_strip()
        button.setFocus()

    def _on_agreed(self) -> None:
        version, file, what = self._version, self._file, self._pending
        self._pending = ""
        self._refresh_strip()
        if version is not None and what == "version":
            self.restore_requested.emit(version.commit)
        elif version is not None and file is not None:
            self.restore_file_requested.emit(version.commit, file.path)
