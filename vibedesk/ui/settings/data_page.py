"""What VibeDesk keeps on disk beside the projects, and for how long; and how much it writes to its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QWidget

from vibedesk.engine.views import StoredView
from vibedesk.ui.sandbox.words import bytes_words, last_used_words
from vibedesk.ui.settings.cards import Card, PageColumn, StateLine, setting_row
from vibedesk.ui.settings.number_field import NumberField
from vibedesk.ui.settings.words import tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.gauges import ShareBar
from vibedesk.ui.widgets.labels import label

LOG_LEVELS = ("debug", "info", "warning", "error")
_MOST_DAYS = 3650
_BAR_WIDTH = 160
_SIZE_WIDTH = 84
_WHEN_WIDTH = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSum:
    """Everything of one kind that is kept."""

    kind: str
    bytes: int
    count: int
    last_used: str
    in_use: bool


def sums_by_kind(stored: Sequence[StoredView]) -> list[KeptSum]:
    """Return what is kept by kind, the largest first."""
    kinds: dict[str, list[StoredView]] = {}
    for item in stored:
        kinds.setdefault(item.kind, []).append(item)
    sums = [
        KeptSum(
            kind=kind,
            bytes=sum(item.bytes for item in items),
            count=len(items),
            last_used=max(item.last_used for item in items),
            in_use=any(item.in_use for item in items),
        )
        for kind, items in kinds.items()
    ]
    return sorted(sums, key=lambda kept: -kept.bytes)


class DataPage(PageColumn):
    """Sizes by kind, cleaning by age, the log."""

    clean_requested = Signal(int)
    days_changed = Signal(int)
    level_changed = Signal(str)
    report_requested = Signal()

    def __init__(self, theme: Theme, home: str) -> None:
        super().__init__(
            tr("Data"),
            tr(
                "What is kept on this computer beside your projects. Cleaning never touches a project."
            ),
        )
        self._theme = theme
        self._home = home
        self._total = label("", tone="secondary", strong="mid")
        self._kept = Card()
        self._said = StateLine(theme)
        show = text_button(theme, self.tr("Show the folder"), variant="ghost", compact=True)
        show.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(home)))
        add_layout(
            self.column, hbox(label(self.tr("Kept"), fs="title_sm"), self._total, None, show)
        )
        self.column.addWidget(self._kept)
        self.column.addSpacing(8)
        self.column.addWidget(label(self.tr("House-keeping"), fs="title_sm"))
        self._days = _days_field(self.tr("Days until unused things go by themselves"))
        self._days.changed.connect(lambda days: self.days_changed.emit(round(days)))
        self._clean_days = _days_field(self.tr("Clean what was not used for so many days"))
        self._clean = BusyButton(theme, self.tr("Clean now"), self.tr("Cleaning"), "broom")
        self._clean.clicked.connect(
            lambda: self.clean_requested.emit(round(self._clean_days.number))
        )
        keeping = Card()
        keeping.add_row(
            setting_row(
                theme,
                "calendar-check",
                self.tr("Once a day"),
                self.tr("Caches, old logs and sandboxes go when they were not used for so long."),
                hbox(self._days, label(self.tr("days"), tone="secondary"), gap=8),
            )
        )
        keeping.add_row(
            setting_row(
                theme,
                "broom",
                self.tr("Now"),
                self.tr(
                    "Let go what was not used for this long. The database keeps its file's size."
                ),
                hbox(
                    self._clean_days,
                    label(self.tr("days"), tone="secondary"),
                    8,
                    self._clean,
                    gap=8,
                ),
            )
        )
        self.column.addWidget(keeping)
        self.column.addWidget(self._said)
        self.column.addSpacing(8)
        self.column.addWidget(label(self.tr("Log and problems"), fs="title_sm"))
        self._level = QComboBox()
        self._level.setAccessibleName(self.tr("How much is written to the log"))
        self._level.setFixedWidth(150)
        words = {
            "debug": self.tr("Everything"),
            "info": self.tr("Usual"),
            "warning": self.tr("Warnings"),
            "error": self.tr("Errors only"),
        }
        for level in LOG_LEVELS:
            self._level.addItem(words[level], level)
        self._level.activated.connect(lambda at: self.level_changed.emit(LOG_LEVELS[at]))
        report = text_button(theme, self.tr("Report a problem…"))
        report.clicked.connect(self.report_requested)
        log = Card()
        log.add_row(
            setting_row(
                theme,
                "article",
                self.tr("Log"),
                self.tr("Keys and secrets are taken out of it before it is written."),
                hbox(self._level),
            )
        )
        log.add_row(
            setting_row(
                theme,
                "lifebuoy",
                self.tr("Something does not work"),
                self.tr("You see every line of the report before anything is saved."),
                hbox(report),
            )
        )
        self.column.addWidget(log)
        self.show_stored(None)

    def show_stored(self, stored: Sequence[StoredView] | None) -> None:
        """Show what is kept; `None`: it is being measured."""
        self._kept.clear()
        if stored is None:
            self._total.setText(self.tr("Measuring"))
            return
        sums = sums_by_kind(stored)
        total = sum(kept.bytes for kept in sums)
        self._total.setText(bytes_words(total))
        for kept in sums:
            self._kept.add_row(self._kept_row(kept, total))
        if not sums:
            nothing = QWidget()
            words = label(self.tr("Nothing is kept yet."), tone="muted")
            nothing.setLayout(hbox(words, margins=(16, 12, 16, 12)))
            self._kept.add_row(nothing)

    def show_settings(self, days: int, level: str) -> None:
        """Show what is set."""
        self._days.set_number(days)
        self._clean_days.set_number(days)
        if level in LOG_LEVELS:
            self._level.setCurrentIndex(LOG_LEVELS.index(level))

    def set_cleaning(self, *, cleaning: bool) -> None:
        self._clean.set_busy(busy=cleaning)
        self._clean.setEnabled(not cleaning)
        if cleaning:
            self._said.set_state("")

    def say(self, words: str, *, failed: bool = False) -> None:
        """Say how cleaning went."""
        icon = "x-circle-fill" if failed else "check-circle-fill"
        self._said.set_state(words, "danger" if failed else "success", icon)

    def _kept_row(self, kept: KeptSum, total: int) -> QWidget:
        title, text, icon = self._kind_words(kept)
        bar = ShareBar(self._theme, "accent.solid")
        bar.setFixedWidth(_BAR_WIDTH)
        # How full something is makes the bar amber; this is only a part of what is kept.
        bar.set_share(min(0.89, kept.bytes / total) if total else 0.0)
        size = label(bytes_words(kept.bytes), strong="mid")
        size.setFixedWidth(_SIZE_WIDTH)
        size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        when = label(
            self.tr("in use") if kept.in_use else last_used_words(kept.last_used),
            tone="muted",
            fs="small",
        )
        when.setFixedWidth(_WHEN_WIDTH)
        row = setting_row(self._theme, icon, title, text, hbox(when, bar, size, gap=16))
        row.setAccessibleName(f"{title}, {size.text()}, {when.text()}")
        return row

    def _kind_words(self, kept: KeptSum) -> tuple[str, str, str]:
        several = self.tr("{0} of them").format(kept.count) if kept.count > 1 else ""
        match kept.kind:
            case "image":
                return self.tr("Docker images"), self.tr("Node.js, Python and tools"), "stack"
            case "packages":
                return (
                    self.tr("Installed packages"),
                    several or self.tr("Shared by sandboxes"),
                    "package",
                )
            case "tarballs":
                return (
                    self.tr("Downloaded packages"),
                    self.tr("Checked, from the registry"),
                    "archive",
                )
            case "sandbox":
                return (
                    self.tr("Sandboxes"),
                    several or self.tr("What one wrote itself"),
                    "shipping-container",
                )
            case "database":
                return (
                    self.tr("Database"),
                    self.tr("Projects, versions, conversations, usage"),
                    "database",
                )
            case "backups":
                return (
                    self.tr("Backups"),
                    self.tr("From before an update of the database"),
                    "clock-counter-clockwise",
                )
            case "logs":
                return self.tr("Logs"), self.tr("Without secrets"), "article"
            case "blobs":
                return (
                    self.tr("Images and other binary files"),
                    self.tr("Of your projects"),
                    "images",
                )
            case "cache":
                return self.tr("Caches"), self.tr("Made anew when they are needed"), "hard-drives"
            case "browser":
                return self.tr("Previews"), self.tr("What previewed apps stored"), "browser"
            case "trash":
                return self.tr("Trash"), self.tr("Deleted projects"), "trash"
            case _:
                return kept.kind, several, "hard-drives"


def _days_field(name: str) -> NumberField:
    return NumberField(name, 1, _MOST_DAYS)
