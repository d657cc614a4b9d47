"""Cards that tell how it ended and offer what can be done: complete, error, continue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.amounts import money
from vibedesk.ui.widgets.boxes import add_layout, frame, hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import LayoutButton, Variant, text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label
from vibedesk.ui.widgets.prose import Prose

_CHECK_GLYPHS = {
    "done": ("check-circle-fill", "success.text"),
    "warning": ("warning-fill", "warning.text"),
    "failed": ("x-circle-fill", "danger.text"),
}

_LOG_HEIGHT = 120


class _Card(QFrame):
    def __init__(self, role: str) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._words: list[str] = []

    def text(self) -> str:
        """Return what the card says, for the clipboard."""
        return "\n".join(self._words)

    def _say(self, *words: str) -> None:
        self._words = [word for word in words if word]
        self.setAccessibleName(". ".join(self._words))


class CompleteCard(_Card):
    """The app is ready: what was checked, how long it took, what could come next."""

    suggestion_chosen = Signal(str)
    action_triggered = Signal(str)

    def __init__(self, theme: Theme, summary: Mapping[str, Any]) -> None:
        """Show a summary.

        Args:
            theme: The look.
            summary: `title` and optionally `elapsed` (text), `checks` (of (text, extra) or
                (text, extra, "done" | "warning" | "failed")), `actions` (of (key, text)) and
                `suggestions` (texts).
        """
        super().__init__("plain")
        title = str(summary["title"])
        elapsed = str(summary.get("elapsed", ""))
        card = frame("card")
        column = vbox(gap=0)
        card.setLayout(column)
        add_layout(
            column,
            hbox(
                _SuccessTile(theme),
                (_wrapped(title, fs="title_sm"), 1),
                label(elapsed, tone="muted", fs="small"),
                gap=10,
                margins=(14, 12, 14, 12),
            ),
        )
        checks = list(summary.get("checks", ()))
        if checks:
            add_layout(column, hbox(hairline(), margins=(14, 0, 14, 0)))
            rows = [self._check_row(theme, *check) for check in checks]
            add_layout(column, vbox(*rows, gap=0, margins=(14, 8, 14, 8)))
        actions = list(summary.get("actions", ()))
        if actions:
            column.addWidget(hairline())
            add_layout(column, self._action_row(theme, actions))
        whole = vbox(card, gap=7)
        suggestions = [str(text) for text in summary.get("suggestions", ())]
        if suggestions:
            whole.addSpacing(5)
            whole.addWidget(label(self.tr("You could ask next"), tone="muted", fs="small"))
        for text in suggestions:
            whole.addWidget(self._suggestion(theme, text))
        self.setLayout(whole)
        self._say(title, elapsed, *(f"{check[0]}, {check[1]}" for check in checks))

    @staticmethod
    def _check_row(theme: Theme, text: str, extra: str, state: str = "done") -> QWidget:
        row = QWidget()
        words = ElidedLabel(text, tone="secondary")
        glyph = IconLabel(theme, *_CHECK_GLYPHS[state], 16)
        row.setLayout(hbox(glyph, (words, 1), label(extra, tone="muted", fs="small")))
        row.setFixedHeight(26)
        return row

    def _action_row(self, theme: Theme, actions: Sequence[tuple[str, str]]) -> FlowLayout:
        flow = FlowLayout()
        flow.setContentsMargins(10, 8, 10, 8)
        for key, text in actions:
            button = text_button(theme, text, compact=True)
            button.clicked.connect(lambda _=False, key=key: self.action_triggered.emit(key))
            flow.addWidget(button)
        return flow

    def _suggestion(self, theme: Theme, text: str) -> LayoutButton:
        face = hbox(
            IconLabel(theme, "sparkle", "accent.text", 15),
            (ElidedLabel(text), 1),
            IconLabel(theme, "arrow-up", "text.muted", 14),
            gap=8,
            margins=(10, 6, 10, 6),
        )
        button = LayoutButton(face, self.tr("Ask: {text}").format(text=text), role="card")
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: self.suggestion_chosen.emit(text))
        return button


class _SuccessTile(QFrame):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "successtile")
        self.setFixedSize(26, 26)
        self.setLayout(hbox(None, IconLabel(theme, "check-bold", "success.text", 14), None))


class ErrorCard(_Card):
    """It stopped: what happened, what to do, and at least one thing to click."""

    action_triggered = Signal(str)

    def __init__(
        self,
        theme: Theme,
        message: str,
        remedy: str,
        actions: Sequence[tuple[str, str]],
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Show an error.

        Args:
            theme: The look.
            message: What happened.
            remedy: What can be done.
            actions: (key, text) of what can be clicked.
            details: As of `events.ErrorReported`, and besides `seen` (since when and how often) and `links`,
                (key, text) of what can be looked at, also when it is decided.
        """
        super().__init__("errorcard")
        head = hbox(
            vbox(1, IconLabel(theme, "x-circle-fill", "danger.text", 16), None, gap=0),
            (_wrapped(message, strong=True), 1),
            gap=8,
        )
        column = vbox(head, gap=6, margins=(14, 12, 14, 12))
        if remedy:
            add_layout(column, hbox(24, (_prose(theme, remedy), 1), gap=0))
        told = details or {}
        tried = [line for line in str(told.get("tried", "")).splitlines() if line.strip()]
        cost = _money(told.get("cost"))
        seen = str(told.get("seen", ""))
        if seen:
            add_layout(column, hbox(24, (_wrapped(seen, tone="muted", fs="small"), 1), gap=0))
        if tried or cost:
            add_layout(column, hbox(24, (_tried(tried, cost), 1), gap=0))
        for key, text in told.get("links", ()):
            # A link has 10 px of its own at its left.
            add_layout(column, hbox(14, self._link(theme, key, text), None, gap=0))
        if told.get("log"):
            add_layout(column, hbox(14, (_Log(theme, str(told["log"])), 1), gap=0))
        buttons = FlowLayout()
        buttons.setContentsMargins(24, 4, 0, 0)
        self._buttons = QWidget()
        self._buttons.setLayout(buttons)
        for index, (key, text) in enumerate(actions):
            variant: Variant = "primary" if index == 0 else "default"
            button = text_button(theme, text, variant=variant, compact=True)
            button.clicked.connect(lambda _=False, key=key: self.action_triggered.emit(key))
            buttons.addWidget(button)
        column.addWidget(self._buttons)
        self.setLayout(column)
        self._say(message, remedy, seen, *tried, cost)

    def _link(self, theme: Theme, key: str, text: str) -> QWidget:
        link = text_button(theme, text, variant="link", compact=True)
        link.clicked.connect(lambda: self.action_triggered.emit(key))
        return link

    def retire(self) -> None:
        """Offer nothing any more: what was to be decided is decided."""
        self._buttons.hide()


class _Log(QWidget):
    """The last lines of what failed, behind a button."""

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__()
        self._button = text_button(
            theme, self.tr("Show the log"), variant="ghost", icon="caret-right", compact=True
        )
        self._button.setCheckable(True)
        self._button.toggled.connect(self._on_toggled)
        self._lines = QPlainTextEdit(text)
        self._lines.setReadOnly(True)
        self._lines.setProperty("role", "output")
        self._lines.setFont(theme.font("code_sm"))
        self._lines.setAccessibleName(self.tr("Log of what failed"))
        self._lines.setTabChangesFocus(True)
        self._lines.setFixedHeight(_LOG_HEIGHT)
        self._lines.hide()
        self.setLayout(vbox(hbox(self._button, None), self._lines, gap=4))

    def _on_toggled(self, on: bool) -> None:
        self._lines.setVisible(on)
        words = self.tr("Hide the log") if on else self.tr("Show the log")
        self._button.setText(f"\u2009{words}")
        self._button.setAccessibleName(words)


class ContinueCard(_Card):
    """The last run was cut off: what is safe, and the offer to go on."""

    continued = Signal()
    dismissed = Signal()

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__("askcard")
        go_on = text_button(
            theme, self.tr("Continue"), variant="primary", icon="play-fill", compact=True
        )
        go_on.clicked.connect(self.continued)
        later = text_button(theme, self.tr("Not now"), variant="ghost", compact=True)
        later.clicked.connect(self.dismissed)
        self.setLayout(
            vbox(
                hbox(
                    vbox(2, IconLabel(theme, "hourglass", "accent.text", 16), None, gap=0),
                    (_prose(theme, text), 1),
                ),
                hbox(24, go_on, later, None, gap=6),
                gap=10,
                margins=(14, 12, 14, 12),
            )
        )
        self._say(text)


def _tried(tried: Sequence[str], cost: str) -> QWidget:
    column = vbox(gap=3)
    if tried:
        heading = QCoreApplication.translate("ErrorCard", "What was tried")
        column.addWidget(label(heading, fs="small", strong="mid"))
    for number, line in enumerate(tried, start=1):
        column.addWidget(_wrapped(f"{number}. {line.strip()}", tone="secondary", fs="small"))
    if cost:
        column.addWidget(label(cost, tone="muted", fs="small"))
    made = QWidget()
    made.setLayout(column)
    return made


def _money(cost: object) -> str:
    """Return what the tries cost: an amount in USD, or words that say it."""
    try:
        words = money(float(str(cost)))
    except ValueError:
        words = cost if isinstance(cost, str) else ""
    if not words:
        return ""
    return QCoreApplication.translate("ErrorCard", "Cost of the tries: {0}").format(words)


def _wrapped(text: str, **look: Any) -> QWidget:
    words = label(text, **look)
    words.setWordWrap(True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return words


def _prose(theme: Theme, text: str) -> Prose:
    prose = Prose(theme, "secondary")
    prose.set_text(text)
    return prose
