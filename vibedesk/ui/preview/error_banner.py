"""The banner over the page when the app threw an error while the person used it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QMenu, QSizePolicy, QToolButton

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.labels import IconLabel, label, set_look
from vibedesk.ui.widgets.rings import Spinner
from vibedesk.ui.work import Work


class ErrorBanner(QFrame):
    """The message, and Fix it, Show and Dismiss; while it is mended or waits a sentence that says so.

    Signals:
        fix_requested: Mend it.
        show_requested: Show where it comes from.
        dismissed: Say no more of it.
        automatic_changed: Whether errors met in the preview are mended unasked.
    """

    fix_requested = Signal()
    show_requested = Signal()
    dismissed = Signal()
    automatic_changed = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._details = ""
        self._fixing = False
        self.setProperty("role", "plain")
        self._icon = IconLabel(theme, "warning-circle-fill", "danger.text", 16)
        self._title = label("", strong="mid")
        self._message = label("", tone="danger", fs="small", mono=True)
        self._place = label("", tone="muted", fs="small", mono=True)
        for words in (self._title, self._message):
            words.setWordWrap(True)
            words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._fix = text_button(
            theme, self.tr("Fix it"), variant="primary", icon="wrench", compact=True
        )
        self._show = text_button(theme, self.tr("Show"), compact=True)
        self._dismiss = text_button(theme, self.tr("Dismiss"), variant="ghost", compact=True)
        self._spinner = Spinner(theme, 14, "warning.solid")
        self._busy = label("", fs="small")
        self._fix.clicked.connect(self.fix_requested)
        self._show.clicked.connect(self.show_requested)
        self._dismiss.clicked.connect(self.dismissed)
        self._more = icon_button(
            theme, "dots-three", self.tr("More about this error"), size=16, small=True
        )
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setMenu(self._make_menu())
        glyph = vbox(2, self._icon, None, gap=0)
        column = vbox(self._title, self._message, self._place, gap=2)
        head = hbox(gap=8)
        add_layout(head, glyph)
        add_layout(head, column, 1)
        add_layout(head, vbox(self._more, None, gap=0))
        self._busy.setWordWrap(True)
        self._busy.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        busy = hbox(self._spinner, (self._busy, 1), gap=8, margins=(24, 0, 0, 0))
        buttons = hbox(self._fix, self._show, self._dismiss, None, gap=6, margins=(24, 0, 0, 0))
        self.setLayout(vbox(head, busy, buttons, gap=8, margins=(12, 10, 8, 10)))
        self.set_work("rest")
        theme.changed.connect(self.update)
        self.hide()

    @property
    def automatic(self) -> bool:
        return self._automatic.isChecked()

    @property
    def message(self) -> str:
        return self._message.text()

    def show_error(self, message: str, place: str, details: str, times: int = 1) -> None:
        """Show an error in place of the one before.

        Args:
            message: Its first line.
            place: Where it comes from, if that is known.
            details: All there is to it, to be copied.
            times: How often it was met.
        """
        self._details = details
        title = self.tr("The app threw an error")
        if times > 1:
            title = self.tr("The app threw an error, {0} times").format(times)
        self._title.setText(title)
        self._message.setText(message)
        self.set_place(place)
        self.setAccessibleName(f"{title}. {message}")
        self.show()

    def set_place(self, place: str) -> None:
        """Say where it comes from, once that is known."""
        self._place.setText(place)
        self._place.setVisible(bool(place))

    def set_work(self, work: Work) -> None:
        """Say what is under way: where it is mended there is nothing to choose, else it waits for the end of that."""
        words = {
            "rest": "",
            "building": self.tr("Waits for the review."),
            "fixing": self.tr("Fixing it now. The preview reloads by itself."),
            "checks": self.tr("Waits for the checks."),
            "security": self.tr("Waits for the security review."),
        }[work]
        fixing = self._fixing = work == "fixing"
        self._fix.setVisible(work == "rest")
        self._dismiss.setVisible(not fixing)
        self._spinner.setVisible(fixing)
        self._busy.setText(words)
        self._busy.setVisible(bool(words))
        set_look(self._busy, "tone", "warning" if fixing else "secondary")
        tone = "warning" if fixing else "danger"
        self._icon.set_icon("wrench-fill" if fixing else "warning-circle-fill", f"{tone}.text")
        self.update()

    def set_automatic(self, *, automatic: bool) -> None:
        """Show how the setting stands, without telling anyone."""
        self._automatic.blockSignals(True)
        self._automatic.setChecked(automatic)
        self._automatic.blockSignals(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tone = "warning" if self._fixing else "danger"
        painter.fillRect(self.rect(), self._theme.color(f"{tone}.subtle"))
        edge = self._theme.color(f"{tone}.border")
        painter.fillRect(0, self.height() - 1, self.width(), 1, edge)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self._more)
        self._automatic = menu.addAction(self.tr("Fix such errors by itself"))
        self._automatic.setCheckable(True)
        self._automatic.toggled.connect(self.automatic_changed)
        menu.addSeparator()
        menu.addAction(self.tr("Copy details")).triggered.connect(
            lambda: QGuiApplication.clipboard().setText(self._details)
        )
        return menu
