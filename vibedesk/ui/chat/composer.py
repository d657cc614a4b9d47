"""Where the person writes: two to eight lines and pictures, the queue above, send and stop below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from vibedesk.engine.views import WishView
from vibedesk.ui.chat.image_tray import ImageTray
from vibedesk.ui.chat.pictures import Attached, DropFrame, Source
from vibedesk.ui.chat.prompt_field import PromptField
from vibedesk.ui.chat.queue_list import QueueList
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label, set_look

ComposerMode = Literal["idle", "running", "waiting", "blueprint"]
_LEAST_LINES, _MOST_LINES = 2, 8
_HINT_FROM = 320


class _Box(DropFrame):
    def __init__(self, tray: ImageTray) -> None:
        super().__init__("composer")
        self._tray = tray

    def take_sources(self, sources: list[Source]) -> None:
        self._tray.offer(sources)


class Composer(QWidget):
    """Enter sends, Shift+Enter begins a line, Up in the empty field brings the last message back."""

    sent = Signal(str, object)
    """The words, and a tuple of `Attached`."""
    stop_requested = Signal()
    draft_changed = Signal(str)
    wish_edited = Signal(str, str)
    wish_removed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._mode: ComposerMode = "idle"
        self._sample = False
        self._blocked = ""
        self._last = ""
        self._queue = QueueList(theme)
        self._queue.edited.connect(self.wish_edited)
        self._queue.removed.connect(self.wish_removed)
        self._queue.lost.connect(self.add_words)
        self._field = PromptField(
            theme, self.tr("Message to VibeDesk"), least=_LEAST_LINES, most=_MOST_LINES
        )
        self._field.sent.connect(self.send)
        self._field.last_requested.connect(self._on_last_requested)
        self._field.textChanged.connect(self._on_text_changed)
        self._tray = ImageTray(theme)
        self._tray.changed.connect(self._refresh)
        self._field.images_offered.connect(self._tray.offer)
        self._attach = icon_button(theme, "paperclip", self.tr("Attach pictures"))
        self._attach.clicked.connect(self._tray.choose)
        self._model = ElidedLabel("", tone="secondary")
        self._model.setProperty("fs", "small")
        self._model.setProperty("strong", "mid")
        self._model_icon = IconLabel(theme, "brain", "text.secondary", 14)
        self._hint = label("", tone="muted", fs="caption")
        self._send = self._button("send", "arrow-up", "text.on_accent", self.tr("Send"))
        self._send.clicked.connect(self.send)
        self._stop = self._button("stop", "stop-fill", "text.primary", self.tr("Stop"))
        self._stop.setToolTip(self.tr("Stop. Finished files are kept."))
        self._stop.clicked.connect(self.stop_requested)
        foot = hbox(
            self._attach,
            self._model_icon,
            (self._model, 1),
            self._hint,
            4,
            self._send,
            self._stop,
            gap=6,
            margins=(6, 0, 6, 6),
        )
        field = hbox(self._field, margins=(12, 10, 8, 0))
        tray = hbox(self._tray, margins=(10, 4, 10, 2))
        box = _Box(self._tray)
        box.setLayout(vbox(field, tray, foot, gap=2))
        self._field.focus_changed.connect(lambda on: set_look(box, "focused", on))
        self.setLayout(vbox(self._queue, box, gap=6))
        # Not Fixed: that would cap the height at what another width needs for the pictures.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusProxy(self._field)
        self.set_model("")
        self.set_running(False)

    @property
    def tray(self) -> ImageTray:
        """The pictures of what is being written."""
        return self._tray

    def draft(self) -> str:
        """Return what is written and not sent."""
        return self._field.toPlainText()

    def set_draft(self, text: str) -> None:
        """Put text into the field, the cursor behind it."""
        self._field.set_text(text)

    def set_mode(self, mode: ComposerMode) -> None:
        self._mode = mode
        self._refresh()

    def set_running(self, running: bool) -> None:
        """Show or hide the stop button; what is sent while it shows joins the queue."""
        self._stop.setVisible(running)
        self._refresh()

    def set_sample(self, sample: bool) -> None:
        self._sample = sample
        self._attach.setVisible(not sample)
        self._refresh()

    def set_blocked(self, reason: str) -> None:
        """Give the reason why nothing can be sent; an empty one allows it."""
        self._blocked = reason
        self._refresh()

    def set_model(self, name: str) -> None:
        """Say which model answers; nothing is shown for an empty name."""
        self._model.setText(name)
        self._model_icon.setVisible(bool(name))

    @property
    def queue(self) -> QueueList:
        """The wishes that wait."""
        return self._queue

    def set_queue(self, wishes: Sequence[WishView]) -> None:
        self._queue.set_wishes(wishes)

    def add_words(self, text: str) -> None:
        """Put words that were not sent above what is written."""
        self.set_draft("\n".join(part for part in (text, self.draft()) if part))

    def set_last(self, text: str) -> None:
        """Remember the message that Up brings back."""
        self._last = text

    def send(self) -> None:
        text = self.draft().strip()
        if not text or self._why_not() or not self.isEnabled():
            return
        self._last = text
        pictures: tuple[Attached, ...] = self._tray.pictures
        self._field.clear()
        self._tray.clear()
        self.sent.emit(text, pictures)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint.setVisible(self.width() >= _HINT_FROM)

    def _button(self, role: str, icon: str, tone: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", role)
        button.setIcon(self._theme.icon(icon, tone, 15))
        button.setIconSize(QSize(15, 15))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    def _on_text_changed(self) -> None:
        self._refresh()
        self.draft_changed.emit(self.draft())

    def _on_last_requested(self) -> None:
        if self._last:
            self.set_draft(self._last)

    def _why_not(self) -> str:
        if self._blocked:
            return self._blocked
        if self._tray.reading:
            return self.tr("The pictures are still being read.")
        return ""

    def _refresh(self) -> None:
        written = bool(self.draft().strip())
        running = self._stop.isVisibleTo(self)
        self._field.setPlaceholderText(self._placeholder())
        # Qt paints a new placeholder only with the next change of the text.
        self._field.viewport().update()
        reason = self._why_not() or ("" if written else self.tr("Write something first."))
        self._send.setEnabled(not reason)
        self._send.setToolTip(reason or self.tr("Send  Enter"))
        self._send.setAccessibleDescription(reason)
        self._send.setVisible(written or not running)
        hint = self.tr("Enter adds to queue") if running else self.tr("Enter to send")
        self._hint.setText(hint)

    def _placeholder(self) -> str:
        if self._sample:
            return self.tr("Recorded example. No model is asked.")
        return {
            "idle": self.tr("What should change?"),
            "running": self.tr("Ask for a change. It joins the next phase."),
            "waiting": self.tr("Answer, or ask what this does."),
            "blueprint": self.tr("Ask about the plan, or change it in words."),
        }[self._mode]
