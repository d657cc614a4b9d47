"""Cards that ask something of the person or tell how it ended: complete, error, continue, question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QWidget

from vibedesk.ui.chat.flow_layout import FlowLayout
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import LayoutButton, Variant, text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label
from vibedesk.ui.widgets.prose import Prose

_CHECK_GLYPHS = {
    "done": ("check-circle-fill", "success.text"),
    "warning": ("warning-fill", "warning.text"),
    "failed": ("x-circle-fill", "danger.text"),
}


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
        column.addLayout(
            hbox(
                _SuccessTile(theme),
                (_wrapped(title, fs="title_sm"), 1),
                label(elapsed, tone="muted", fs="small"),
                gap=10,
                margins=(14, 12, 14, 12),
            )
        )
        checks = list(summary.get("checks", ()))
        if checks:
            column.addLayout(hbox(hairline(), margins=(14, 0, 14, 0)))
            rows = [self._check_row(theme, *check) for check in checks]
            column.addLayout(vbox(*rows, gap=0, margins=(14, 8, 14, 8)))
        actions = list(summary.get("actions", ()))
        if actions:
            column.addWidget(hairline())
            column.addLayout(self._action_row(theme, actions))
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
    ) -> None:
        super().__init__("errorcard")
        head = hbox(
            vbox(1, IconLabel(theme, "x-circle-fill", "danger.text", 16), None, gap=0),
            (_wrapped(message, strong=True), 1),
            gap=8,
        )
        column = vbox(head, gap=6, margins=(14, 12, 14, 12))
        if remedy:
            column.addLayout(hbox(24, (_prose(theme, remedy), 1), gap=0))
        buttons = FlowLayout()
        buttons.setContentsMargins(24, 4, 0, 0)
        for index, (key, text) in enumerate(actions):
            variant: Variant = "primary" if index == 0 else "default"
            button = text_button(theme, text, variant=variant, compact=True)
            button.clicked.connect(lambda _=False, key=key: self.action_triggered.emit(key))
            buttons.addWidget(button)
        column.addLayout(buttons)
        self.setLayout(column)
        self._say(message, remedy)


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


class QuestionCard(_Card):
    """A question with choices; typing something else is always possible too."""

    answered = Signal(str)

    def __init__(
        self, theme: Theme, question: str, choices: Sequence[str], *, multiple: bool = False
    ) -> None:
        super().__init__("card")
        self._choices: list[QPushButton] = []
        head = hbox((_wrapped(question, strong="mid"), 1))
        if multiple:
            head.addWidget(label(self.tr("choose any"), tone="muted", fs="small"))
        flow = FlowLayout()
        for text in choices:
            chip = QPushButton(text)
            chip.setProperty("variant", "choice")
            chip.setCheckable(True)
            chip.setAccessibleName(text)
            chip.clicked.connect(self._on_chosen if not multiple else self._on_toggled)
            flow.addWidget(chip)
            self._choices.append(chip)
        column = vbox(head, flow, gap=8, margins=(12, 10, 12, 12))
        self._answer = text_button(theme, self.tr("Answer"), variant="primary", compact=True)
        self._answer.setEnabled(False)
        self._answer.setToolTip(self.tr("Choose at least one first."))
        self._answer.clicked.connect(self._on_chosen)
        self._answer.setVisible(multiple)
        column.addLayout(hbox(self._answer, None))
        self.setLayout(column)
        self._say(question, ", ".join(choices))

    def _on_toggled(self) -> None:
        self._answer.setEnabled(bool(self._chosen()))

    def _on_chosen(self) -> None:
        self._answer.setEnabled(False)
        for chip in self._choices:
            chip.setEnabled(False)
        self.answered.emit(", ".join(self._chosen()))

    def _chosen(self) -> list[str]:
        return [chip.text() for chip in self._choices if chip.isChecked()]


def _wrapped(text: str, **look: Any) -> QWidget:
    words = label(text, **look)
    words.setWordWrap(True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return words


def _prose(theme: Theme, text: str) -> Prose:
    prose = Prose(theme, "secondary")
    prose.set_text(text)
    return prose
