"""The place under the top bar where one banner at a time is shown, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import vbox
from vibedesk.ui.widgets.messages import Banner, MessageAction, MessageKind

_RANK: dict[MessageKind, int] = {"danger": 0, "warning": 1, "info": 2, "success": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    key: str
    kind: MessageKind
    text: str
    actions: tuple[MessageAction, ...]


class BannerSlot(QWidget):
    """Holds every banner that was shown and not closed; the gravest of the newest is seen."""

    action_triggered = Signal(str, str)
    dismissed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._waiting: list[_Waiting] = []
        self._banner: Banner | None = None
        self._column = vbox(gap=0, margins=(0, 0, 0, theme.size("gap")))
        self.setLayout(self._column)
        self.hide()

    @property
    def banner(self) -> Banner | None:
        return self._banner

    def show_banner(
        self, key: str, kind: MessageKind, text: str, actions: Sequence[MessageAction] = ()
    ) -> None:
        """Show a banner, in place of an earlier one with the same key."""
        self._waiting = [waiting for waiting in self._waiting if waiting.key != key]
        self._waiting.insert(0, _Waiting(key=key, kind=kind, text=text, actions=tuple(actions)))
        self._refresh()

    def dismiss(self, key: str) -> None:
        """Take a banner away; unknown keys are fine, it may have been closed already."""
        self._waiting = [waiting for waiting in self._waiting if waiting.key != key]
        self._refresh()

    def _refresh(self) -> None:
        if self._banner is not None:
            self._column.removeWidget(self._banner)
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None
        if not self._waiting:
            self.hide()
            return
        top = min(self._waiting, key=lambda waiting: _RANK[waiting.kind])
        banner = Banner(self._theme, top.kind, top.text, top.actions)
        banner.action_triggered.connect(
            lambda action, key=top.key: self.action_triggered.emit(key, action)
        )
        banner.dismissed.connect(lambda key=top.key: self._on_dismissed(key))
        self._column.addWidget(banner)
        self._banner = banner
        self.show()

    def _on_dismissed(self, key: str) -> None:
        self.dismiss(key)
        self.dismissed.emit(key)
