"""The bar above the preview: back, forward, reload, address, widths, open in browser."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLineEdit, QMenu, QToolButton, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import StatusChip

DeviceWidth = Literal["desktop", "tablet", "phone"]
BarTone = Literal["plain", "warning", "danger"]
DEVICE_PIXELS: dict[DeviceWidth, int | None] = {"desktop": None, "tablet": 820, "phone": 390}
_DEVICE_ICONS: dict[DeviceWidth, str] = {
    "desktop": "desktop",
    "tablet": "device-tablet",
    "phone": "device-mobile",
}
_HEIGHT = 38


class AddressBar(QFrame):
    """Tells what was pressed; it decides nothing.

    Signals:
        address_entered: What the person typed.
    """

    back = Signal()
    forward = Signal()
    reload = Signal()
    address_entered = Signal(str)
    device_chosen = Signal(str)
    open_in_browser = Signal()
    reset_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tone: BarTone = "plain"
        self._progress = 100
        self._url = QUrl()
        self.setFixedHeight(_HEIGHT)
        self._back = icon_button(theme, "arrow-left", self.tr("Back"), small=True)
        self._back.clicked.connect(self.back)
        self._forward = icon_button(theme, "arrow-right", self.tr("Forward"), small=True)
        self._forward.clicked.connect(self.forward)
        self._reload = icon_button(
            theme, "arrow-clockwise", self.tr("Reload preview"), small=True, shortcut="Ctrl+R"
        )
        self._reload.clicked.connect(self.reload)
        self._field = QLineEdit()
        self._field.setProperty("kind", "toolbar")
        self._field.setAccessibleName(self.tr("Address of the app"))
        self._field.setMinimumWidth(80)
        glyph = QAction(
            theme.icon("shipping-container", "text.muted", 14), self.tr("Runs in the sandbox"), self
        )
        self._field.addAction(glyph, QLineEdit.ActionPosition.LeadingPosition)
        self._field.returnPressed.connect(lambda: self.address_entered.emit(self._field.text()))
        self._field.editingFinished.connect(self._show_url)
        self._chip = StatusChip(theme, "", "warning")
        self._chip.hide()
        self._menu_button = icon_button(theme, "dots-three", self.tr("More"), small=True)
        self._menu_button.clicked.connect(self._show_menu)
        self._outside = icon_button(
            theme, "arrow-square-out", self.tr("Open in browser"), small=True
        )
        self._outside.clicked.connect(self.open_in_browser)
        row = hbox(
            self._back,
            self._forward,
            self._reload,
            2,
            (self._field, 1),
            self._chip,
            2,
            *self._make_devices(),
            self._outside,
            self._menu_button,
            gap=2,
            margins=(8, 0, 6, 0),
        )
        self.setLayout(row)
        self.set_navigation(back=False, forward=False)
        self.set_url(QUrl())
        theme.changed.connect(self.update)

    def set_url(self, url: QUrl) -> None:
        self._url = QUrl(url)
        known = not url.isEmpty()
        for button in (self._reload, self._outside, self._field):
            button.setEnabled(known)
        self._show_url()

    def set_navigation(self, *, back: bool, forward: bool) -> None:
        self._back.setEnabled(back)
        self._forward.setEnabled(forward)

    def set_progress(self, percent: int) -> None:
        self._progress = percent
        self.update()

    def set_status(self, tone: BarTone, words: str = "") -> None:
        """Turn the bar amber or red, with words."""
        self._tone = tone
        self._chip.setVisible(tone != "plain")
        # Without a page widths mean nothing, and the words need the room.
        for button in self._devices.values():
            button.setVisible(tone == "plain")
        if tone != "plain":
            self._chip.set_status(
                words, tone, "warning-fill" if tone == "warning" else "x-circle-fill"
            )
        self.update()

    def set_device(self, device: DeviceWidth) -> None:
        """Show a choice without telling anyone."""
        self._devices[device].setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        if self._tone != "plain":
            painter.fillRect(self.rect(), theme.color(f"{self._tone}.subtle"))
        line = "border.subtle" if self._tone == "plain" else f"{self._tone}.border"
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), theme.color(line))
        if 0 < self._progress < 100:
            done = QRectF(0, self.height() - 2, self.width() * self._progress / 100, 2)
            painter.fillRect(done, theme.color("accent.solid"))

    def _make_devices(self) -> list[QWidget]:
        words: dict[DeviceWidth, str] = {
            "desktop": self.tr("Desktop, full width"),
            "tablet": self.tr("Tablet, 820 pixels"),
            "phone": self.tr("Phone, 390 pixels"),
        }
        group = QButtonGroup(self)
        self._devices: dict[DeviceWidth, QToolButton] = {}
        for device, icon in _DEVICE_ICONS.items():
            button = icon_button(self._theme, icon, words[device], small=True, checkable=True)
            button.clicked.connect(lambda _=False, chosen=device: self.device_chosen.emit(chosen))
            group.addButton(button)
            self._devices[device] = button
        self._devices["desktop"].setChecked(True)
        return list(self._devices.values())

    def _show_url(self) -> None:
        if not self._field.hasFocus() or not self._field.isModified():
            path = self._url.path() if self._url.path() != "/" else ""
            query = f"?{self._url.query()}" if self._url.hasQuery() else ""
            fragment = f"#{self._url.fragment()}" if self._url.hasFragment() else ""
            shown = (
                f"{self._url.authority()}{path}{query}{fragment}" if not self._url.isEmpty() else ""
            )
            self._field.setText(shown)
            self._field.setCursorPosition(0)

    def _show_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        reset = menu.addAction(self.tr("Reset app data"))
        reset.setToolTip(self.tr("Forget cookies, sign-ins and local storage of this app"))
        reset.setEnabled(not self._url.isEmpty())
        reset.triggered.connect(self.reset_requested)
        button = self._menu_button
        menu.popup(
            button.mapToGlobal(QPoint(button.width() - menu.sizeHint().width(), button.height()))
        )
