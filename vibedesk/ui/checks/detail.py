"""One acceptance check: its steps in words, where it failed and how the page looked."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.checks.check import Check, ran_words, state_words
from vibedesk.ui.checks.list import LOOKS
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import LayoutButton, text_button
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.work import Work, wait_words

_PICTURE = QSize(128, 88)


class _PictureButton(LayoutButton):
    """The page at the end of the check, small; a click shows it large."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(hbox(), "", role="face")
        self._theme = theme
        self._picture = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("The page at the end of the check. Show it large."))
        self.setToolTip(self.tr("Show the picture large"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return _PICTURE

    def minimumSizeHint(self) -> QSize:
        return _PICTURE

    def set_picture(self, picture: QImage) -> None:
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        place = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.fillRect(place, self._theme.color("bg.sunken"))
        if self._picture.isNull():
            glyph = self._theme.pixmap("image", "text.muted", 20, self.devicePixelRatioF())
            painter.drawPixmap(
                round(place.center().x() - 10), round(place.center().y() - 10), glyph
            )
        else:
            size = self._picture.size().scaled(
                place.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding
            )
            # A page is known by its top.
            painter.setClipRect(place)
            left = place.left() + (place.width() - size.width()) / 2
            painter.drawImage(QRectF(left, place.top(), size.width(), size.height()), self._picture)
            painter.setClipping(False)
        focused = self.hasFocus()
        tone = "accent.focus" if focused else "border.default"
        painter.setPen(QPen(self._theme.color(tone), 2 if focused else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place, 4, 4)


class CheckDetail(QFrame):
    """Shows one check.

    Signals:
        run_requested: Run this one, by its name.
        picture_wanted: A picture's id; `set_picture` answers.
        picture_opened: Show this picture large.
    """

    run_requested = Signal(str)
    picture_wanted = Signal(str)
    picture_opened = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._check: Check | None = None
        self._pictures: dict[str, QImage] = {}
        self._wanted: set[str] = set()
        self._work: Work = "rest"
        self.setProperty("role", "problemview")
        self.setAccessibleName(self.tr("The chosen check"))
        self._run = text_button(theme, self.tr("Run this one"), icon="play", compact=True)
        self._run.clicked.connect(self._on_run)
        self._state = label("", tone="muted", fs="small")
        bar = frame("problembar", hbox(self._run, None, self._state, margins=(8, 4, 12, 4)))
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(14, 8, 12, 10)
        self._column.setSpacing(5)
        self._button: _PictureButton | None = None
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._page)
        scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scroll.setAccessibleName(self.tr("Steps of the check"))
        self.setLayout(vbox(bar, (scroll, 1), gap=0))

    @property
    def state(self) -> str:
        """How the check stands, in words."""
        return self._state.text()

    def words(self) -> str:
        """Return what else is shown, line by line."""
        return "\n".join(part.text() for part in self._page.findChildren(QLabel))

    def picture(self, picture_id: str) -> QImage | None:
        return self._pictures.get(picture_id)

    def show_check(self, check: Check | None) -> None:
        if check == self._check:
            return
        self._check = check
        self._clear()
        if check is not None:
            self._fill(check)
        self._refresh()

    def set_work(self, work: Work) -> None:
        """Say what is under way: until it ends no check can be started."""
        self._work = work
        self._refresh()

    def set_picture(self, picture_id: str, picture: QImage) -> None:
        """Show a picture that was wanted."""
        self._pictures[picture_id] = picture
        shown = self._check.result.picture if self._check is not None else ""
        if self._button is not None and shown == picture_id:
            self._button.set_picture(picture)

    def forget_picture(self, picture_id: str) -> None:
        """Take note that a picture did not come; it is wanted again when its check is shown next."""
        self._wanted.discard(picture_id)

    def forget(self) -> None:
        """Forget the pictures of one project."""
        self._pictures.clear()
        self._wanted.clear()
        self.show_check(None)

    def _refresh(self) -> None:
        running = self._check is not None and self._check.running
        self._run.setEnabled(self._work == "rest" and not running)
        self._run.setToolTip(wait_words(self._work))

    def _on_run(self) -> None:
        if self._check is not None:
            self.run_requested.emit(self._check.name)

    def _clear(self) -> None:
        self._button = None
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _fill(self, check: Check) -> None:
        when = "" if check.state == "outdated" else ran_words(check)
        self._state.setText(" · ".join(p for p in (state_words(check), when) if p))
        words = QWidget()
        column = vbox(_wrapped(check.name, strong="mid"), gap=5)
        if check.why:
            text = self.tr("Corrected: {0}").format(check.why)
            column.addWidget(_wrapped(text, tone="info", fs="small"))
        for row in self._steps(check):
            column.addWidget(row)
        column.addStretch(1)
        words.setLayout(column)
        row = QWidget()
        line = hbox((words, 1), gap=10)
        if check.result.picture:
            add_layout(line, vbox(self._make_picture(check.result.picture), None, gap=0))
        row.setLayout(line)
        self._column.addWidget(row)
        self._column.addStretch(1)

    def _steps(self, check: Check) -> Iterator[QWidget]:
        """Yield the steps with what became of each; why one failed stands below it, or else at the end."""
        result = check.result
        passed = None if check.running else result.passed
        sentences = dict(enumerate(result.sentences))
        if passed is False and result.step is not None and result.sentence:
            # The plan that is known here may not have the step, or not any more.
            sentences.setdefault(result.step, result.sentence)
        failed = result.step if passed is False else None
        for number, sentence in sentences.items():
            if number == failed:
                yield self._failed_step(check, sentence)
            else:
                held = passed is True or (failed is not None and number < failed)
                yield self._step(check, sentence, held=held, reached=failed is None or held)
        if passed is False and failed not in sentences and result.error:
            yield _wrapped(result.error, tone=_error_tone(check), fs="small")

    def _failed_step(self, check: Check, sentence: str) -> QWidget:
        icon, tone = LOOKS["failed"]
        row = self._line(icon, _ink(check, tone), sentence, "primary")
        row.setAccessibleName(self.tr("Failed: {0}").format(sentence))
        if not check.result.error:
            return row
        both = QWidget()
        error = _wrapped(check.result.error, tone=_error_tone(check), fs="small")
        both.setLayout(vbox(row, hbox(22, (error, 1), gap=0), gap=5))
        return both

    def _step(self, check: Check, sentence: str, *, held: bool, reached: bool) -> QWidget:
        icon, tone = ("check-bold", "success.text") if held else ("minus-bold", "text.muted")
        return self._line(icon, _ink(check, tone), sentence, "secondary" if reached else "muted")

    def _line(self, icon: str, tone: str, sentence: str, ink: str) -> QWidget:
        row = QWidget()
        glyph = vbox(2, IconLabel(self._theme, icon, tone, 12), None, gap=0)
        line = hbox(glyph, gap=10)
        line.addWidget(_wrapped(sentence, tone=ink, fs="small"), 1)
        row.setLayout(line)
        return row

    def _make_picture(self, picture_id: str) -> QWidget:
        button = self._button = _PictureButton(self._theme)
        button.clicked.connect(lambda: self.picture_opened.emit(picture_id))
        known = self._pictures.get(picture_id)
        if known is not None:
            button.set_picture(known)
        elif picture_id not in self._wanted:
            self._wanted.add(picture_id)
            self.picture_wanted.emit(picture_id)
        return button


def _ink(check: Check, tone: str) -> str:
    """Return the tone of a glyph: what was seen of other code is no news, good or bad."""
    return "text.muted" if check.state == "outdated" else tone


def _error_tone(check: Check) -> str:
    return "muted" if check.state == "outdated" else "danger"


def _wrapped(text: str, **look: object) -> QLabel:
    words = label(text, **look)  # type: ignore[arg-type]
    words.setWordWrap(True)
    words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return words
