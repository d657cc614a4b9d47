"""What the agent did besides writing: installs, the server, versions, commands."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.chat.card_header import CardHeader, WorkState
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox

_MOST_SHOWN = 3
_MOST_OUTPUT = 240
_OUTPUT_PADDING = 24
_GAP = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    icon: str
    running: str
    done: str
    failed: str
    stopped: str = ""
    """Where it did not come to its end and `done` would claim too much."""


class _Output(QPlainTextEdit):
    """Read-only output as high as its lines, up to a limit."""

    def show_text(self, before: str, text: str) -> None:
        """Show a text; where it goes on from the one before, the reader's place stays, the end in view too."""
        if not before or not text.startswith(before):
            self.setPlainText(text)
        else:
            bar = self.verticalScrollBar()
            at_end = bar.value() >= bar.maximum() - 1
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(text[len(before) :])
            if at_end:
                bar.setValue(bar.maximum())
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # A plain text document measures its height in lines.
        lines = round(self.document().size().height())
        wanted = lines * self.fontMetrics().lineSpacing() + _OUTPUT_PADDING
        self.setFixedHeight(min(_MOST_OUTPUT, wanted))


class ActivityCard(QFrame):
    """One row of 36: icon, verb, target, how long, how it ended; its output opens below."""

    def __init__(self, theme: Theme, kind: str) -> None:
        super().__init__()
        self._theme = theme
        kinds = self._kinds()
        self._kind = kinds.get(kind, kinds["command"])
        self._seconds: float | None = None
        self._state: WorkState = "running"
        self.setProperty("role", "card")
        mono = kind not in (
            "phase",
            "check",
            "notice",
            "snapshot",
            "plan",
            "fix",
            "mend",
            "debug",
            "install",
        )
        # Of a name or path both ends count, of a sentence its beginning.
        end = kind in ("debug", "notice")
        elide = Qt.TextElideMode.ElideRight if end else Qt.TextElideMode.ElideMiddle
        self._header = CardHeader(theme, self._kind.icon, mono_target=mono, elide=elide)
        self._header.toggled.connect(self._on_toggled)
        self._output: _Output | None = None
        self._detail = ""
        self._column = vbox(self._header, gap=0)
        self.setLayout(self._column)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def state(self) -> WorkState:
        return self._state

    @property
    def seconds(self) -> float:
        return self._seconds or 0.0

    def text(self) -> str:
        return self._header.accessibleName()

    def set_activity(
        self, text: str, *, seconds: float | None, state: WorkState, detail: str
    ) -> None:
        self._seconds = seconds
        self._state = state
        verb = {
            "running": self._kind.running,
            "failed": self._kind.failed,
            "stopped": self._kind.stopped or self._kind.done,
        }.get(state, self._kind.done)
        self._header.set_words(verb, text)
        self._header.set_extra("" if seconds is None else seconds_text(seconds))
        self._header.set_state(state)
        before, self._detail = self._detail, detail
        self._header.set_expandable(bool(detail))
        if self._output is not None and detail != before:
            self._output.show_text(before, detail)
        if state == "failed" and detail and not self._header.expanded:
            self._header.set_expanded(True)
            self._on_toggled(True)

    def mark_stopped(self) -> None:
        """Say that it did not come to its end."""
        self._state = "stopped"
        self._header.set_state("stopped")

    def _kinds(self) -> dict[str, _Kind]:
        return {
            "install": _Kind(
                icon="package",
                running=self.tr("Installing"),
                done=self.tr("Installed"),
                failed=self.tr("Install failed"),
            ),
            "server": _Kind(
                icon="broadcast",
                running=self.tr("Starting the app"),
                done=self.tr("Started the app"),
                failed=self.tr("The app did not start"),
            ),
            "snapshot": _Kind(
                icon="clock-counter-clockwise",
                running=self.tr("Saving a version"),
                done=self.tr("Saved a version"),
                failed=self.tr("Version not saved"),
            ),
            "command": _Kind(
                icon="terminal-window",
                running=self.tr("Running"),
                done=self.tr("Ran"),
                failed=self.tr("Failed"),
            ),
            "plan": _Kind(
                icon="list-checks",
                running=self.tr("Planning"),
                done=self.tr("Planned"),
                failed=self.tr("No plan"),
            ),
            "phase": _Kind(
                icon="stack",
                running=self.tr("Phase"),
                done=self.tr("Phase"),
                failed=self.tr("Phase stopped"),
            ),
            "notice": _Kind(
                icon="info",
                running=self.tr("Note"),
                done=self.tr("Note"),
                failed=self.tr("Note"),
            ),
            "check": _Kind(
                icon="shield-check",
                running=self.tr("Checking"),
                done=self.tr("Checked"),
                failed=self.tr("Checked"),
            ),
            "fix": _Kind(
                icon="wrench",
                running=self.tr("Fixing"),
                done=self.tr("Fixed"),
                failed=self.tr("Not fixed"),
                stopped=self.tr("Tried to fix"),
            ),
            "mend": _Kind(
                icon="magic-wand",
                running=self.tr("Mending without a model"),
                done=self.tr("Mended without a model"),
                failed=self.tr("Not mended without a model"),
                stopped=self.tr("Tried without a model"),
            ),
            "debug": _Kind(
                icon="bug",
                running=self.tr("Debugging"),
                done=self.tr("Debugged"),
                failed=self.tr("Debugging did not help"),
                stopped=self.tr("Debugging stopped"),
            ),
        }

    def _on_toggled(self, expanded: bool) -> None:
        if self._output is None:
            self._output = self._make_output()
            add_layout(self._column, hbox(self._output, margins=(8, 0, 8, 8)))
        self._output.setVisible(expanded)
        self.updateGeometry()

    def _make_output(self) -> _Output:
        output = _Output()
        output.setProperty("role", "output")
        output.setReadOnly(True)
        output.setTabChangesFocus(True)
        output.setFont(self._theme.font("code_sm"))
        output.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        output.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        output.setAccessibleName(self.tr("Output"))
        output.setPlainText(self._detail)
        return output


class ActivityGroup(QWidget):
    """Activities in a row. More than three finished ones fold into one line; what runs or failed stays."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._cards: dict[str, ActivityCard] = {}
        self._header = CardHeader(theme, "stack")
        self._header.set_expandable(True)
        self._header.set_state("done")
        self._header.toggled.connect(self._on_toggled)
        self._fold = frame("card", vbox(self._header, gap=0))
        self._fold.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(_GAP)
        self._column.addWidget(self._fold)

    def set_activity(
        self,
        key: str,
        kind: str,
        text: str,
        *,
        seconds: float | None,
        state: WorkState,
        detail: str,
    ) -> None:
        """Add an activity, or bring the one with the same key up to date."""
        card = self._cards.get(key)
        if card is None:
            card = self._cards[key] = ActivityCard(self._theme, kind)
            self._column.addWidget(card)
        card.set_activity(text, seconds=seconds, state=state, detail=detail)
        self._refold()

    def has(self, key: str) -> bool:
        return key in self._cards

    def stop_running(self) -> None:
        """Mark what still runs as stopped."""
        for card in self._cards.values():
            if card.state == "running":
                card.mark_stopped()

    def text(self) -> str:
        return "\n".join(card.text() for card in self._cards.values())

    def _refold(self) -> None:
        finished = [card for card in self._cards.values() if card.state in ("done", "stopped")]
        folds = len(finished) > _MOST_SHOWN
        self._fold.setVisible(folds)
        if folds:
            total = seconds_text(sum(card.seconds for card in finished))
            self._header.set_words(self.tr("Ran {count} steps").format(count=len(finished)))
            self._header.set_extra(total)
        for card in self._cards.values():
            card.setVisible(card not in finished or not folds or self._header.expanded)
        self.updateGeometry()

    def _on_toggled(self, _expanded: bool) -> None:
        self._refold()


def seconds_text(seconds: float) -> str:
    """Return a duration as people say it: 4.1 s, 14 s, 2:05 min."""
    if seconds < 60:
        text = f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
        return QCoreApplication.translate("ActivityCard", "{seconds} s").format(seconds=text)
    minutes, rest = divmod(round(seconds), 60)
    text = f"{minutes}:{rest:02}"
    return QCoreApplication.translate("ActivityCard", "{minutes} min").format(minutes=text)
