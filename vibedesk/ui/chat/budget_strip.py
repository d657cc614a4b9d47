"""What is said above the composer when most of a project's budget is spent, or all of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import IconLabel, label, set_look
from vibedesk.ui.widgets.number_validators import DecimalValidator

_FIELD = 72
_MOST = 1_000_000.0
_FINE = 4
"""Decimal places of amounts below a few cents."""
_FEW_CENTS = 0.05


class BudgetStrip(QFrame):
    """Says how much is spent and takes a higher limit. When all is spent, the run waits for that."""

    raised = Signal(float)
    """The new limit, in USD in all."""
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "waiting")
        self._spent = 0.0
        self._glyph = IconLabel(theme, "coins", "warning.text", 16)
        self._words = label("", tone="warning", fs="small")
        self._words.setWordWrap(True)
        self._field = QLineEdit()
        self._field.setFixedWidth(_FIELD)
        self._field.setProperty("kind", "step")
        self._field.setAccessibleName(self.tr("New limit in US dollars"))
        self._field.setValidator(DecimalValidator(0.0, _MOST, _FINE, self._field))
        self._field.textChanged.connect(self._refresh)
        self._field.returnPressed.connect(self._raise)
        self._button = text_button(theme, self.tr("Raise"), variant="primary", compact=True)
        self._button.clicked.connect(self._raise)
        self._stop = text_button(theme, self.tr("Stop"), variant="ghost", compact=True)
        self._stop.clicked.connect(self.stop_requested)
        self._close = icon_button(theme, "x", self.tr("Close this message"), size=12, small=True)
        self._close.clicked.connect(self.hide)
        raise_to = label(self.tr("Raise to $"), tone="secondary", fs="small")
        amount = QWidget()
        amount.setLayout(hbox(raise_to, self._field, gap=6))
        head = hbox(vbox(1, self._glyph, None, gap=0), (self._words, 1), self._close, gap=8)
        foot = FlowLayout(6)
        foot.setContentsMargins(24, 0, 0, 0)
        foot.addWidget(amount)
        foot.addWidget(self._button)
        foot.addWidget(self._stop)
        self.setLayout(vbox(head, foot, gap=8, margins=(12, 8, 8, 10)))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def warn(self, spent: float, limit: float) -> None:
        """Say that most of the limit is spent, in USD; the run goes on."""
        words = self.tr("{0} of the {1} limit is spent. At {1} the build pauses.")
        self._show(words.format(_money(spent), _money(limit)), spent, limit, reached=False)

    def set_reached(self, spent: float, limit: float) -> None:
        """Say that the limit is spent and the run waits."""
        words = self.tr("The {0} limit is reached. The build is paused, nothing is lost.")
        self._show(words.format(_money(limit)), spent, limit, reached=True)

    def _show(self, words: str, spent: float, limit: float, *, reached: bool) -> None:
        self._spent = spent
        self._words.setText(words)
        self._field.setText(_amount(2 * (limit if spent < 2 * limit else spent)))
        set_look(self._button, "variant", "primary" if reached else "default")
        self._stop.setVisible(reached)
        self._close.setVisible(not reached)
        self.setAccessibleName(words)
        self.show()
        self._refresh()

    def _wanted(self) -> float:
        try:
            return float(self._field.text())
        except ValueError:
            return 0.0

    def _refresh(self) -> None:
        enough = self._wanted() > self._spent
        self._button.setEnabled(enough)
        spent = self.tr("Already spent: {0}. Enter more than that.").format(_money(self._spent))
        self._button.setToolTip("" if enough else spent)
        self._button.setAccessibleDescription("" if enough else spent)

    def _raise(self) -> None:
        if self._wanted() > self._spent:
            self.raised.emit(self._wanted())


def _amount(usd: float) -> str:
    return f"{usd:.2f}" if usd >= _FEW_CENTS or usd == 0 else f"{usd:.{_FINE}f}"


def _money(usd: float) -> str:
    return f"${_amount(usd)}"
