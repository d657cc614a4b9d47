"""Watches an editor's widget for what the person does with their own hands."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from vibedesk.ui.editor.code_editor import EditorSignals
from vibedesk.ui.widgets.tab_order import in_tab_order

_MOVING = (QEvent.Type.Wheel, QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress)


class NavigationWatch(QObject):
    """Tells `navigated` and `menu_requested`, and lets Tab leave the editor while that is wanted."""

    def __init__(self, area: QAbstractScrollArea, signals: EditorSignals) -> None:
        super().__init__(area)
        self._area = area
        self._signals = signals
        self.tab_moves_focus = False
        self._watched = (area, area.viewport(), area.verticalScrollBar())
        for watched in self._watched:
            watched.installEventFilter(self)

    def stop(self) -> None:
        """Watch no more; needed before the editor is let go, whose widget lives a little longer."""
        for watched in self._watched:
            watched.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self.tab_moves_focus and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Tab: True, Qt.Key.Key_Backtab: False}.get(Qt.Key(event.key()))
            if step is not None and event.type() == QEvent.Type.KeyPress:
                _move_focus(self._area, forward=step)
                return True
        if isinstance(event, QContextMenuEvent):
            self._signals.menu_requested.emit(event.globalPos())
            return True
        if event.type() in _MOVING:
            self._signals.navigated.emit()
        return False


def _move_focus(origin: QWidget, *, forward: bool) -> None:
    for widget in in_tab_order(origin, forward=forward):
        takes_tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if (
            takes_tab
            and widget.isVisible()
            and widget.isEnabled()
            and not origin.isAncestorOf(widget)
        ):
            reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
            widget.setFocus(reason)
            return
