"""First start, and again whenever asked for: where apps run, what of it is here, how to get the rest."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.views import CheckView, DoctorView
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.sandbox.words import AppPlace
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import LayoutButton, text_button
from vibedesk.ui.widgets.command_line import CommandLine
from vibedesk.ui.widgets.labels import ChipTone, IconLabel, StatusChip, label, set_look
from vibedesk.ui.widgets.prose import Prose

Side = Literal["docker", "local"]
Look = Callable[[], Awaitable[DoctorView]]
"""Finds out what is here."""

DOCKER_CHECK = "Docker"
LOCAL_CHECK = "Local sandbox"
CHOICE_CHECK = "Sandbox"
"""What is taken where nothing is chosen; it is about the local sandbox where Docker does not answer."""
_CODE = re.compile(r"`([^`]+)`|“([a-z][\w./-]* [^”]+)”")
"""A command: in backticks, or several words that begin like one in quotes."""


def remedy_pieces(remedy: str) -> list[tuple[Literal["text", "command"], str]]:
    """Split a remedy into sentences and the commands that it names, in order."""
    pieces: list[tuple[Literal["text", "command"], str]] = []

    def add_text(text: str) -> None:
        if re.search(r"\w", text):
            pieces.append(("text", text.strip().lstrip(".,;:) ")))

    for line in remedy.splitlines():
        end = 0
        for found in _CODE.finditer(line):
            add_text(line[end : found.start()])
            pieces.append(("command", (found[1] or found[2]).strip()))
            end = found.end()
        add_text(line[end:])
    return pieces


def local_check(found: DoctorView | None) -> CheckView | None:
    """Return how the local sandbox is here, where that is known."""
    docker = check_named(found, DOCKER_CHECK)
    known = check_named(found, LOCAL_CHECK)
    if known is None and docker is not None and docker.status != "ok":
        known = check_named(found, CHOICE_CHECK)
    return known


def check_named(found: DoctorView | None, name: str) -> CheckView | None:
    checks = found.checks if found is not None else ()
    return next((check for check in checks if check.name == name), None)


@dataclass(frozen=True, slots=True)
class _Point:
    icon: str
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class _Chip:
    text: str
    tone: ChipTone
    icon: str


def _yes(text: str) -> _Point:
    return _Point("check-bold", "success.text", text)


def _note(text: str) -> _Point:
    return _Point("info", "info.text", text)


def _mind(text: str) -> _Point:
    return _Point("warning", "warning.text", text)


class WhereAppsRunDialog(AwaitableDialog[AppPlace]):
    """Two cards, what was found for the chosen one, and what to do where it is missing."""

    def __init__(
        self, theme: Theme, parent: QWidget | None, *, place: AppPlace, look: Look
    ) -> None:
        """Build the dialog.

        Args:
            theme: The look.
            parent: The window it belongs to.
            place: The choice so far.
            look: Finds out what is here; asked when the dialog opens and again when the person wants.
        """
        title = self.tr("Where your apps run")
        super().__init__(theme, parent, title)
        self._look = look
        self._looking: asyncio.Task[None] | None = None
        self._found: DoctorView | None = None
        heading = label(title, fs="title")
        lead = Prose(theme, "secondary")
        lead.set_text(
            self.tr(
                "VibeDesk runs each app while it builds it. Docker is a free program that runs an app in a "
                "container: a closed room with its own files, memory and network."
            )
        )
        add_layout(self.column, vbox(heading, lead, gap=4))
        self._docker = _PlaceCard(theme, "shipping-container", self.tr("Docker"))
        self._docker.set_text(
            self.tr("Each app gets a container of its own. Its code cannot reach your files."),
            (
                _yes(self.tr("Its own files, network and memory")),
                _yes(self.tr("Limits on CPU, memory and disk")),
                _note(self.tr("The first start takes about a minute")),
            ),
        )
        self._local = _PlaceCard(theme, "desktop", self.tr("This computer"))
        self._group = QButtonGroup(self)
        for card in (self._docker, self._local):
            self._group.addButton(card)
            card.toggled.connect(self._show_choice)
        add_layout(self.column, hbox((self._docker, 1), (self._local, 1), gap=14))
        self._make_finding()
        self._fallback = QCheckBox(self.tr("Use this computer while Docker does not answer"))
        self._fallback.setChecked(place != "docker")
        self._fallback.toggled.connect(self._show_choice)
        self.column.addWidget(self._fallback)
        self._make_buttons()
        (self._local if place == "local" else self._docker).setChecked(True)
        self._show_found()
        self.fit(theme.size("dialog_lg"))
        self._use.setFocus()

    @property
    def choice(self) -> AppPlace:
        if self._local.isChecked():
            return "local"
        return "auto" if self._fallback.isChecked() else "docker"

    async def answer(self) -> AppPlace | None:
        self._look_again()
        return await super().answer()

    def done(self, result: int) -> None:
        if self._looking is not None:
            self._looking.cancel()
        super().done(result)

    # -- building ----------------------------------------------------------------------------------
    def _make_finding(self) -> None:
        self._finding_icon = IconLabel(self.theme, "magnifying-glass", "text.muted", 20)
        self._finding = label("", strong="mid")
        self._finding.setWordWrap(True)
        self._pieces = QVBoxLayout()
        self._pieces.setSpacing(6)
        self._again = BusyButton(
            self.theme, self.tr("Check again"), self.tr("Checking"), "arrow-clockwise"
        )
        self._again.setAutoDefault(False)
        self._again.clicked.connect(self._look_again)
        words = vbox(self._finding, self._pieces, gap=6)
        row = hbox(gap=12, margins=(14, 12, 14, 12))
        add_layout(row, vbox(self._finding_icon, None, gap=0))
        add_layout(row, words, 1)
        add_layout(row, vbox(self._again, None, gap=0))
        self._finding_box = frame("finding", row)
        self.column.addWidget(self._finding_box)

    def _make_buttons(self) -> None:
        later = text_button(self.theme, self.tr("Not now"))
        later.setAutoDefault(False)
        later.clicked.connect(self.reject)
        self._use = text_button(self.theme, self.tr("Use Docker"), variant="primary")
        self._use.setDefault(True)
        self._use.clicked.connect(lambda: self.give(self.choice))
        self.add_buttons(later, self._use)

    # -- reactions ---------------------------------------------------------------------------------
    def _look_again(self) -> None:
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._take_a_look())

    async def _take_a_look(self) -> None:
        self._again.set_busy(busy=True)
        self._again.setEnabled(False)
        try:
            self._found = await self._look()
        except VibeDeskError as error:
            self._show_finding("warning", error.message, error.remedy)
            return
        finally:
            self._looking = None
            self._again.set_busy(busy=False)
            self._again.setEnabled(True)
        self._show_found()

    def _show_found(self) -> None:
        docker, local = check_named(self._found, DOCKER_CHECK), local_check(self._found)
        looking = _Chip(self.tr("Looking"), "plain", "magnifying-glass")
        ready = _Chip(self.tr("Ready"), "success", "check-bold")
        missing = _Chip(self.tr("Not ready"), "warning", "warning-bold")
        see_below = _Chip(self.tr("See below"), "warning", "warning-bold")
        if docker is None:
            chip = looking
        else:
            chip = {"ok": ready, "missing": missing}.get(docker.status, see_below)
        self._docker.set_chip(chip)
        open_ = _Chip(self.tr("Not fenced off"), "warning", "warning-bold")
        if local is not None:
            chip = {"ok": ready, "missing": missing}.get(local.status, open_)
        elif self._found is None:
            chip = looking
        else:
            chip = _Chip(self.tr("Always here"), "plain", "desktop")
        self._local.set_chip(chip)
        if local is None:
            reach = _note(self.tr("Fenced off where the system can do that"))
        elif local.status == "ok":
            reach = _yes(self.tr("Sees its own folder only"))
        else:
            reach = _mind(self.tr("Can do what you can do; you are asked first"))
        self._local.set_text(
            self.tr("Apps run as programs of this computer. Lighter, with less protection."),
            (
                _yes(self.tr("Needs no other program")),
                reach,
                _mind(self.tr("No limits, and it shares your network")),
            ),
        )
        self._show_choice()

    def _show_choice(self) -> None:
        on_docker = self._docker.isChecked()
        # Keeps its room, so that the dialog does not jump between the choices.
        self._fallback.setEnabled(on_docker)
        check = check_named(self._found, DOCKER_CHECK) if on_docker else local_check(self._found)
        if not on_docker:
            words = self.tr("Use the local sandbox")
        elif check is not None and check.status == "missing":
            words = self.tr("Use Docker once it answers")
        else:
            words = self.tr("Use Docker")
        self._use.setText(words)
        self._use.setAccessibleName(words)
        if check is not None:
            self._show_finding(check.status, check.message, check.remedy)
        elif self._found is None:
            self._show_finding("looking", self.tr("Looking what is here…"), "")
        else:
            here = self.tr("Apps can run on this computer; before the first one you are told how.")
            self._show_finding("ok", here, "")

    def _show_finding(self, status: str, message: str, remedy: str) -> None:
        icon, tone = {
            "ok": ("shield-check", "success.text"),
            "looking": ("magnifying-glass", "text.muted"),
        }.get(status, ("warning", "warning.text"))
        self._finding_icon.set_icon(icon, tone)
        self._finding.setText(message)
        self._finding_box.setAccessibleName(f"{message} {remedy}".strip())
        while (taken := self._pieces.takeAt(0)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        for kind, text in remedy_pieces(remedy):
            if kind == "command":
                self._pieces.addWidget(CommandLine(self.theme, text))
            else:
                words = label(text, tone="secondary", fs="small")
                words.setWordWrap(True)
                words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._pieces.addWidget(words)
        self.fit(self.theme.size("dialog_lg"))


class _PlaceCard(LayoutButton):
    """A large radio button: name, how it stands, what it means."""

    def __init__(self, theme: Theme, icon: str, name: str) -> None:
        self._theme = theme
        self._name = name
        self._chip = StatusChip(theme, "")
        self._text = label("", tone="secondary")
        self._text.setWordWrap(True)
        self._points = QVBoxLayout()
        self._points.setSpacing(7)
        tile = frame("dialogicon", hbox(IconLabel(theme, icon, "accent.text", 20)))
        tile.setFixedSize(36, 36)
        self._radio = _RadioMark(theme)
        head = hbox(tile, label(name, fs="title_sm"), self._chip, None, self._radio, gap=10)
        face = vbox(head, self._text, self._points, None, gap=12, margins=(16, 16, 16, 16))
        super().__init__(face, name, role="placecard")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.toggled.connect(self._on_toggled)

    def set_chip(self, chip: _Chip) -> None:
        self._chip.set_status(chip.text, chip.tone, chip.icon)
        self._describe()

    def set_text(self, text: str, points: Sequence[_Point]) -> None:
        self._text.setText(text)
        while (taken := self._points.takeAt(0)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        for point in points:
            row = QWidget()
            words = label(point.text, tone="secondary")
            row.setLayout(
                hbox(IconLabel(self._theme, point.icon, point.tone, 14), (words, 1), gap=9)
            )
            self._points.addWidget(row)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._describe()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        set_look(self, "reached", True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        set_look(self, "reached", False)

    def _on_toggled(self, checked: bool) -> None:
        self._radio.set_on(on=checked)

    def _describe(self) -> None:
        self.setAccessibleDescription(f"{self._chip.accessibleName()}. {self._text.text()}")


class _RadioMark(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._on = False
        self.setFixedSize(18, 18)
        theme.changed.connect(self.update)

    def set_on(self, *, on: bool) -> None:
        self._on = on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        circle = self.rect().adjusted(1, 1, -1, -1).toRectF()
        if self._on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("accent.solid"))
            painter.drawEllipse(circle)
            painter.setBrush(self._theme.color("text.on_accent"))
            painter.drawEllipse(circle.adjusted(5, 5, -5, -5))
        else:
            painter.setPen(QPen(self._theme.color("border.control"), 1.2))
            painter.drawEllipse(circle.adjusted(0.5, 0.5, -0.5, -0.5))


async def ask_where_apps_run(
    theme: Theme, parent: QWidget | None, *, place: AppPlace, look: Look
) -> AppPlace | None:
    """Ask where apps run; `None` leaves it as it is."""
    return await WhereAppsRunDialog(theme, parent, place=place, look=look).answer()
