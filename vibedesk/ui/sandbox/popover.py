"""The sandbox of the open project: what it is, what it uses, what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from vibedesk.engine.views import SandboxView, StoredView
from vibedesk.ui.sandbox.history import UsageHistory
from vibedesk.ui.sandbox.kept import KeptPart
from vibedesk.ui.sandbox.meters import Meter
from vibedesk.ui.sandbox.words import (
    bytes_words,
    cpu_measure,
    cpu_share,
    is_docker,
    is_up,
    kind_place,
    kind_title,
    memory_measure,
    moves,
    percent_words,
    seconds_words,
    sizes,
    state_chip,
)
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hairline, hbox, vbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.command_line import CopyButton
from vibedesk.ui.widgets.gauges import ShareBar
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, StatusChip, label
from vibedesk.ui.widgets.popover import Popover
from vibedesk.ui.widgets.rings import Spinner

SandboxAction = Literal["restart", "stop", "shell", "rebuild"]
_NAMES = 84
_EDGE = 16


class SandboxPopover(Popover):
    """Shows a `SandboxView` and says what the person wants. It knows nothing of the engine."""

    action_requested = Signal(str)
    """A `SandboxAction`; restart also starts one that does not run."""
    place_chosen = Signal(str)
    """An `AppPlace`, for this app."""
    size_chosen = Signal(str)
    network_chosen = Signal(str)
    browser_requested = Signal(str)
    """The app's address."""
    clean_requested = Signal()
    place_requested = Signal()
    """The person wants to choose where new apps run."""

    def __init__(self, theme: Theme, host: QWidget) -> None:
        super().__init__(theme, host, theme.size("dialog_sm"))
        self._theme = theme
        self._busy: SandboxAction | None = None
        self._state = "absent"
        self._building = False
        self._url = ""
        self._failure = ""
        self._refusal = ""
        self._choice_hint = ""
        self._choice_news = ""
        self.setAccessibleName(self.tr("Sandbox"))
        self.head.addWidget(self._make_head())
        self._kept = KeptPart(theme)
        self._kept.clean_requested.connect(self.clean_requested)
        self._actions_row = self._make_actions()
        self._facts = self._make_facts()
        self._meters = self._make_meters()
        column = vbox(
            self._make_trouble(),
            self._make_progress(),
            self._meters,
            self._facts,
            self._actions_row,
            hairline(),
            self._make_choices(),
            hairline(),
            gap=12,
            margins=(_EDGE, 12, _EDGE, 6),
        )
        add_layout(self.body, column)
        add_layout(self.body, self._make_foot())
        self.show_state("absent", "")
        self.show_view(None)

    # -- what it shows -----------------------------------------------------------------------------
    def show_state(self, state: str, reason: str, *, building: bool = False) -> None:
        """Show how it stands, and why where that is a failure.

        Args:
            state: As in `events.SandboxState`.
            reason: Why, in a sentence.
            building: Whether the agent builds the app, which restarts it by itself.
        """
        self._state = state
        self._building = building
        chip = state_chip(state)
        self._chip.set_status(chip.text, chip.tone, chip.icon)
        self._failure = reason if state == "failed" else ""
        self._refresh_trouble()
        self._refresh_actions()

    def show_view(self, view: SandboxView | None, history: UsageHistory | None = None) -> None:
        """Show what is known of it; `None` while that is being asked."""
        kind = view.kind if view is not None else ""
        docker = is_docker(kind)
        self._title.setText(kind_title(kind))
        self._glyph.set_icon("shipping-container" if docker or not kind else "desktop")
        self._engine.setText((view.engine if view is not None else "") or kind_place(kind))
        why = view.why if view is not None else ""
        self._why.setText(why)
        self._why.setVisible(bool(why))
        up = view is not None and is_up(self._state)
        self._meters.setVisible(up)
        if view is not None and up:
            self._show_usage(view, history or UsageHistory())
        self._show_facts(view)
        self._show_choices(view)

    def show_progress(self, line: str) -> None:
        """Show the last line about what is being prepared, or nothing."""
        self._progress_words.setText(line)
        self._progress.setVisible(bool(line))

    def show_trouble(self, words: str) -> None:
        """Say in a sentence what was asked for and did not work; an empty one takes it away."""
        self._refusal = words
        self._refresh_trouble()

    def note_choice(self, words: str) -> None:
        """Say what became of a choice."""
        self._choice_news = words
        self._refresh_choice_note()

    def set_busy(self, action: SandboxAction | None) -> None:
        """Show that an action is under way; the others wait for it."""
        self._busy = action
        self._refresh_actions()

    def set_stored(
        self, stored: Sequence[StoredView] | None, titles: Mapping[str, str] | None = None
    ) -> None:
        """List what is kept, with the titles of the projects it belongs to; `None` while it is measured."""
        self._kept.set_stored(stored, titles or {})

    @property
    def kept(self) -> KeptPart:
        return self._kept

    # -- building ----------------------------------------------------------------------------------
    def _make_head(self) -> QWidget:
        self._glyph = IconLabel(self._theme, "shipping-container", "accent.text", 20)
        tile = frame("dialogicon", hbox(self._glyph, margins=(7, 7, 7, 7)))
        tile.setFixedSize(36, 36)
        self._title = label("", fs="title_sm")
        self._engine = ElidedLabel("", tone="muted")
        self._engine.setProperty("fs", "small")
        self._chip = StatusChip(self._theme, "")
        self._why = _wrapped(tone="secondary")
        head = frame("header")
        words = vbox(self._title, self._engine, gap=0)
        row = hbox(tile, words, self._chip, gap=12)
        row.setStretch(1, 1)
        row.setAlignment(self._chip, Qt.AlignmentFlag.AlignTop)
        head.setLayout(vbox(row, self._why, gap=10, margins=(_EDGE, 14, _EDGE, 12)))
        return frame("popover", vbox(head, gap=0))

    def _make_trouble(self) -> QWidget:
        self._trouble_words = _wrapped(tone="primary")
        glyph = vbox(1, IconLabel(self._theme, "x-circle-fill", "danger.text", 16), None, gap=0)
        self._trouble = frame(
            "errorcard", hbox(glyph, (self._trouble_words, 1), gap=10, margins=(12, 9, 12, 9))
        )
        self._trouble.hide()
        return self._trouble

    def _make_progress(self) -> QWidget:
        self._progress_words = ElidedLabel("", tone="muted")
        self._progress_words.setProperty("fs", "small")
        self._progress = QWidget()
        self._progress.setLayout(
            hbox(Spinner(self._theme, 14), (self._progress_words, 1), gap=8, margins=(2, 0, 2, 0))
        )
        self._progress.hide()
        return self._progress

    def _make_meters(self) -> QWidget:
        self._cpu = Meter(self._theme, self.tr("CPU"), "cpu", "chart.c1")
        self._memory = Meter(self._theme, self.tr("Memory"), "memory", "chart.c6")
        part = QWidget()
        part.setLayout(hbox((self._cpu, 1), (self._memory, 1), gap=10))
        return part

    def _make_facts(self) -> QWidget:
        self._address = ElidedLabel("", tone="primary")
        self._copy = CopyButton(self._theme, self.tr("Copy the address"))
        self._browser = icon_button(
            self._theme, "arrow-square-out", self.tr("Open in browser"), size=14, small=True
        )
        self._browser.clicked.connect(lambda: self.browser_requested.emit(self._url))
        self._address_row = self._fact(
            self.tr("Address"), hbox((self._address, 1), self._copy, self._browser, gap=2)
        )
        self._disk = label("", fs="small")
        self._disk_bar = ShareBar(self._theme)
        self._disk_row = self._fact(self.tr("Disk"), hbox(self._disk, (self._disk_bar, 1), gap=12))
        self._processes = label("", fs="small")
        self._processes_row = self._fact(self.tr("Processes"), hbox(self._processes, None))
        self._started = label("", fs="small")
        self._started_row = self._fact(self.tr("Last start"), hbox(self._started, None))
        part = QWidget()
        part.setLayout(
            vbox(
                self._address_row,
                self._disk_row,
                self._processes_row,
                self._started_row,
                gap=0,
            )
        )
        return part

    def _make_actions(self) -> QWidget:
        theme = self._theme
        self._actions: dict[SandboxAction, BusyButton] = {
            "restart": BusyButton(
                theme, self.tr("Restart"), self.tr("Restarting"), "arrow-clockwise"
            ),
            "stop": BusyButton(theme, self.tr("Stop"), self.tr("Stopping"), "stop-fill"),
            "shell": BusyButton(
                theme, self.tr("Open shell"), self.tr("Opening"), "terminal-window"
            ),
            "rebuild": BusyButton(
                theme, self.tr("Rebuild…"), self.tr("Rebuilding"), "hammer", variant="ghost"
            ),
        }
        for key, button in self._actions.items():
            button.clicked.connect(lambda _=False, key=key: self.action_requested.emit(key))
        part = QWidget()
        often = (self._actions["restart"], self._actions["stop"], self._actions["shell"])
        part.setLayout(hbox(*((button, 1) for button in often), gap=8))
        return part

    def _make_choices(self) -> QWidget:
        self._runs_in = QComboBox()
        self._runs_in.setAccessibleName(self.tr("Where this app runs"))
        self._runs_in.addItem(self.tr("Automatic, Docker where it answers"), "auto")
        self._runs_in.addItem(self.tr("Docker"), "docker")
        self._runs_in.addItem(self.tr("This computer"), "local")
        self._runs_in.activated.connect(
            lambda index: self.place_chosen.emit(self._runs_in.itemData(index))
        )
        self._size = QComboBox()
        self._size.setAccessibleName(self.tr("Size of the sandbox"))
        self._size.addItem(self.tr("Automatic, what this machine can give"), "auto")
        for size in sizes():
            self._size.addItem(f"{size.name}: {size.meaning}", size.key)
        self._size.activated.connect(
            lambda index: self.size_chosen.emit(self._size.itemData(index))
        )
        self._network = QComboBox()
        self._network.setAccessibleName(self.tr("What the app may reach"))
        self._network.addItem(self.tr("Package registries and hosts you allowed"), "registries")
        self._network.addItem(self.tr("None"), "none")
        self._network.activated.connect(
            lambda index: self.network_chosen.emit(self._network.itemData(index))
        )
        for combo in (self._runs_in, self._size, self._network):
            # Else the longest choice would decide how wide everything is.
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            combo.setMinimumContentsLength(8)
            # The list's own delegate knows no style sheet.
            combo.setItemDelegate(QStyledItemDelegate(combo))
        self._move_note = _wrapped(tone="muted")
        self._move_note.setText(
            self.tr(
                "It moves with the next start. What the app stored stays where it is, and is there again "
                "when you move back."
            )
        )
        self._choice_note = _wrapped(tone="muted")
        self._choice_note.hide()
        part = QWidget()
        part.setLayout(
            vbox(
                self._fact(self.tr("Runs in"), hbox((self._runs_in, 1)), height=32),
                self._move_note,
                self._fact(self.tr("Size"), hbox((self._size, 1)), height=32),
                self._fact(self.tr("Network"), hbox((self._network, 1)), height=32),
                self._choice_note,
                gap=8,
            )
        )
        return part

    def _make_foot(self) -> QVBoxLayout:
        place = text_button(
            self._theme,
            self.tr("Where your apps run…"),
            variant="ghost",
            icon="desktop",
            compact=True,
        )
        place.clicked.connect(self.place_requested)
        row = hbox(place, None, self._actions["rebuild"])
        return vbox(self._kept, row, gap=4, margins=(8, 0, 8, 8))

    def _fact(self, name: str, value: QHBoxLayout, height: int = 26) -> QWidget:
        row = QWidget()
        words = label(name, tone="muted", fs="small")
        words.setFixedWidth(_NAMES)
        line = hbox(words, gap=8)
        add_layout(line, value, 1)
        row.setLayout(line)
        row.setFixedHeight(height)
        return row

    # -- filling -----------------------------------------------------------------------------------
    def _show_usage(self, view: SandboxView, history: UsageHistory) -> None:
        share = cpu_share(view)
        self._cpu.show_usage(
            self.tr("…") if share is None else percent_words(share),
            "" if share is None else cpu_measure(view),
            history.cpu(),
            percent_words(history.most_cpu()),
        )
        self._memory.show_usage(
            self.tr("…") if view.memory is None else bytes_words(view.memory),
            "" if view.memory is None else memory_measure(view),
            history.memory(),
            bytes_words(history.most_memory()),
        )

    def _show_facts(self, view: SandboxView | None) -> None:
        port = view.port if view is not None else None
        self._url = f"http://127.0.0.1:{port}" if port else ""
        self._address.setText(f"127.0.0.1:{port}" if port else "")
        self._copy.set_text(self._url)
        self._address_row.setVisible(bool(port))
        disk = view.disk if view is not None else None
        self._disk_row.setVisible(disk is not None)
        if view is not None and disk is not None:
            limit = view.disk_limit
            words = bytes_words(disk)
            if limit:
                words = self.tr("{0} of {1}").format(words, bytes_words(limit))
                self._disk_bar.set_share(disk / limit)
            self._disk.setText(words)
            self._disk_bar.setVisible(bool(limit))
        processes = view.processes if view is not None else None
        self._processes_row.setVisible(processes is not None)
        self._processes.setText(str(processes))
        seconds = view.started_seconds if view is not None else None
        self._started_row.setVisible(seconds is not None)
        if seconds is not None:
            self._started.setText(
                self.tr("{0} until the page answered").format(seconds_words(seconds))
            )
        rows = (self._address_row, self._disk_row, self._processes_row, self._started_row)
        self._facts.setVisible(any(not row.isHidden() for row in rows))

    def _show_choices(self, view: SandboxView | None) -> None:
        choices = (self._runs_in, self._size, self._network)
        for combo in choices:
            combo.setEnabled(view is not None)
        self._move_note.setVisible(view is not None and moves(view))
        if view is None:
            return
        for combo, key in zip(choices, (view.sandbox, view.size, view.network), strict=True):
            index = combo.findData(key or combo.itemData(0))
            combo.setCurrentIndex(max(0, index))
        local = view.kind.startswith("local")
        self._choice_hint = (
            self.tr("Size and network hold in Docker, not in the local sandbox.") if local else ""
        )
        self._refresh_choice_note()

    def _refresh_choice_note(self) -> None:
        note = f"{self._choice_news} {self._choice_hint}".strip()
        self._choice_note.setText(note)
        self._choice_note.setVisible(bool(note))

    def _refresh_trouble(self) -> None:
        words = self._refusal or self._failure
        self._trouble_words.setText(words)
        self._trouble.setAccessibleName(words)
        self._trouble.setVisible(bool(words))

    def _refresh_actions(self) -> None:
        up = is_up(self._state)
        working = self._state in ("building", "starting")
        absent = self._state in ("absent", "stopped")
        restart = self._actions["restart"]
        if self._busy == "restart":
            # On the way it stops: what was pressed keeps its name.
            pass
        elif absent:
            restart.set_words(self.tr("Start"), self.tr("Starting"), "play-fill")
        else:
            restart.set_words(self.tr("Restart"), self.tr("Restarting"), "arrow-clockwise")
        being_built = self.tr("The app is being built, which starts it by itself")
        why_not: dict[SandboxAction, str] = {
            "restart": self.tr("It is starting already") if working else "",
            "stop": "" if up or working else self.tr("It does not run"),
            "shell": "" if up else self.tr("A shell needs a running sandbox"),
            "rebuild": "",
        }
        if self._state == "absent":
            why_not["rebuild"] = self.tr("There is none yet")
        elif working:
            why_not["rebuild"] = self.tr("It is being made")
        if self._building:
            why_not["restart"] = why_not["rebuild"] = being_built
        for key, button in self._actions.items():
            button.set_busy(busy=self._busy == key)
            button.setEnabled(self._busy is None and not why_not[key])
            button.setToolTip(why_not[key])


def _wrapped(tone: Literal["primary", "secondary", "muted"]) -> QLabel:
    made = label("", tone=tone, fs="small")
    made.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    made.setSizePolicy(policy)
    return made
