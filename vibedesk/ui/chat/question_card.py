"""What is asked before the plan is made: a few questions with ready answers, and room for other ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.engine.views import QuestionView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import label


class _Question(QWidget):
    """One question: at most one of its answers, or other words."""

    changed = Signal()
    entered = Signal()

    def __init__(self, asked: QuestionView) -> None:
        super().__init__()
        self._chips: list[QPushButton] = []
        flow = FlowLayout()
        for option in asked.options:
            chip = QPushButton(option)
            chip.setProperty("variant", "choice")
            chip.setCheckable(True)
            chip.setAccessibleName(f"{asked.question} {option}")
            chip.clicked.connect(lambda on, chip=chip: self._on_chosen(chip, on))
            flow.addWidget(chip)
            self._chips.append(chip)
        self._field = QLineEdit()
        other = self.tr("Or in your own words") if asked.options else self.tr("Your answer")
        self._field.setPlaceholderText(other)
        self._field.setAccessibleName(f"{asked.question} {other}")
        self._field.setAccessibleDescription(asked.why)
        self._field.textEdited.connect(self._on_written)
        self._field.returnPressed.connect(self.entered)
        column = vbox(_wrapped(asked.question, strong="mid"), gap=6)
        if asked.why:
            column.addWidget(_wrapped(asked.why, tone="muted", fs="small"))
        if asked.options:
            add_layout(column, flow)
        column.addWidget(self._field)
        self.setLayout(column)

    def answer(self) -> str:
        written = self._field.text().strip()
        return written or next((chip.text() for chip in self._chips if chip.isChecked()), "")

    def set_answer(self, answer: str) -> None:
        """Choose one of its answers, or write other words."""
        chip = next((chip for chip in self._chips if chip.text() == answer), None)
        if chip is None:
            self._field.setText(answer)
            self._on_written()
        else:
            self._on_chosen(chip, True)

    def focus(self) -> None:
        (self._chips[0] if self._chips else self._field).setFocus()

    def focus_field(self) -> None:
        self._field.setFocus()

    def _on_chosen(self, chosen: QPushButton, on: bool) -> None:
        for chip in self._chips:
            chip.setChecked(chip is chosen and on)
        self._field.clear()
        self.changed.emit()

    def _on_written(self) -> None:
        for chip in self._chips:
            chip.setChecked(False)
        self.changed.emit()


class QuestionCard(QFrame):
    """Asks while the questions are open, and keeps questions and answers as text after that.

    Enter in a field goes to the next question, Ctrl+Enter answers.
    """

    answered = Signal(object)
    """A list with an answer to each question (empty: skipped), or None: all are skipped."""
    changed = Signal()
    """`written` is another."""

    def __init__(self, theme: Theme, questions: Sequence[QuestionView], *, is_open: bool) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._theme = theme
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setSizePolicy(policy)
        self._questions = tuple(questions)
        self._fields: list[_Question] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 10, 12, 12)
        self._column.setSpacing(12)
        self._form: QWidget | None = None
        self._skipped = False
        if is_open:
            self._ask()
        else:
            self.set_answers(questions)

    @property
    def is_open(self) -> bool:
        return self._form is not None

    @property
    def questions(self) -> tuple[QuestionView, ...]:
        return self._questions

    def written(self) -> dict[str, str]:
        """Return the answers as they stand while the questions are open, by their questions."""
        if self._skipped:
            return {}
        asked = zip(self._questions, self._fields, strict=False)
        return {q.question: answer for q, field in asked if (answer := field.answer())}

    def take_back(self) -> None:
        """What was said last did not count: what is written is again."""
        self._skipped = False
        self.changed.emit()

    def restore(self, answers: Mapping[str, str]) -> None:
        """Show answers as `written` returned them."""
        for asked, field in zip(self._questions, self._fields, strict=False):
            if answer := answers.get(asked.question):
                field.set_answer(answer)

    def text(self) -> str:
        """Return questions and answers, for the clipboard."""
        return "\n".join(self._lines())

    def set_answers(self, questions: Sequence[QuestionView]) -> None:
        """Show as text what was answered; nothing can be answered any more."""
        self._questions = tuple(questions)
        while (taken := self._column.takeAt(0)) is not None:
            old = taken.widget()
            if isinstance(old, QWidget):
                old.hide()
                old.deleteLater()
        self._form = None
        self._fields = []
        for asked in self._questions:
            tone = {"tone": "primary"} if asked.answer else {"tone": "muted"}
            answer = _wrapped(self._answer_words(asked), **tone)
            question = _wrapped(asked.question, tone="secondary", fs="small")
            part = QWidget()
            part.setLayout(vbox(question, answer, gap=2))
            self._column.addWidget(part)
        self.setAccessibleName(self.tr("Your answers") + ". " + ". ".join(self._lines()))
        self.updateGeometry()

    def set_busy(self, *, busy: bool) -> None:
        """Take no further answer while one is being handed over."""
        if self._form is not None:
            self._form.setEnabled(not busy)

    def focus(self) -> None:
        """Put the keyboard into the first question."""
        if self._fields:
            self._fields[0].focus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._give()
        else:
            super().keyPressEvent(event)

    def _ask(self) -> None:
        form = self._form = QWidget()
        column = vbox(gap=16)
        for number, asked in enumerate(self._questions):
            field = _Question(asked)
            field.changed.connect(self._refresh)
            field.entered.connect(lambda number=number: self._on_entered(number))
            self._fields.append(field)
            column.addWidget(field)
        skip = text_button(self._theme, self.tr("Skip all"), variant="ghost", compact=True)
        skip.clicked.connect(self._skip)
        self._answer = text_button(self._theme, self.tr("Answer"), variant="primary", compact=True)
        self._answer.clicked.connect(self._give)
        add_layout(column, hbox(self._answer, skip, None, gap=6))
        form.setLayout(column)
        self._column.addWidget(form)
        self.setAccessibleName(
            self.tr("Questions before the plan")
            + ". "
            + " ".join(q.question for q in self._questions)
        )
        self._refresh()

    def _refresh(self) -> None:
        answers = self._answers()
        self._answer.setEnabled(any(answers))
        left = sum(not answer for answer in answers)
        if not any(answers):
            tip = self.tr("Answer at least one, or skip all.")
        elif left:
            tip = self.tr("{0} left open: VibeDesk decides there. Ctrl+Enter").format(left)
        else:
            tip = self.tr("Answer  Ctrl+Enter")
        self._answer.setToolTip(tip)
        self.changed.emit()

    def _on_entered(self, number: int) -> None:
        if number + 1 < len(self._fields):
            self._fields[number + 1].focus_field()
        else:
            self._give()

    def _skip(self) -> None:
        self._skipped = True
        self.changed.emit()
        self.answered.emit(None)

    def _give(self) -> None:
        answers = self._answers()
        if any(answers):
            self._skipped = False
            self.answered.emit(answers)

    def _answers(self) -> list[str]:
        return [field.answer() for field in self._fields]

    def _lines(self) -> list[str]:
        return [f"{asked.question} {self._answer_words(asked)}" for asked in self._questions]

    def _answer_words(self, asked: QuestionView) -> str:
        if asked.answer is None:
            return self.tr("Not answered")
        return asked.answer or self.tr("Skipped")


def _wrapped(text: str, **look: object) -> QWidget:
    words = label(text, **look)  # type: ignore[arg-type]
    words.setWordWrap(True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return words
