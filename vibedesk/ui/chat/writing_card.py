"""Files while they are written: the last finished ones, those being written, those still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from vibedesk.ui.chat.card_header import CardHeader
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hairline, vbox
from vibedesk.ui.widgets.rings import paint_ring, spinner_angle

FileState = Literal["queued", "writing", "done", "stopped"]
_ROW = 24
_SIDE = 10
_MOST_DONE = 3
_MOST_QUEUED = 4
_FRAME_MS = 33


@dataclass(slots=True)
class _File:
    path: str
    state: FileState = "queued"
    lines: int = 0
    added: int = 0
    removed: int = 0


_Row = _File | str
"""A file, or words that stand for several."""


class _FileRows(QWidget):
    """Painted rows; one Tab stop, arrows move inside, Enter opens."""

    file_clicked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[_Row] = []
        self._current = 0
        self._hovered = -1
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self.update)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Files of this step"))
        theme.changed.connect(self.update)

    def set_rows(self, rows: list[_Row]) -> None:
        changed = len(rows) != len(self._rows)
        self._rows = rows
        self._current = min(self._current, max(0, len(rows) - 1))
        if changed:
            self.updateGeometry()
        self._run_clock()
        self.setAccessibleDescription(". ".join(self._words(row) for row in rows))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, len(self._rows) * _ROW + 11)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run_clock()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        if row != self._hovered:
            self._hovered = row
            file = self._file(row)
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if file else Qt.CursorShape.ArrowCursor
            )
            self.setToolTip(file.path if file else "")
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._open(self._row_at(event.position().y()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Up:
                self._current = max(0, self._current - 1)
            case Qt.Key.Key_Down:
                self._current = min(len(self._rows) - 1, self._current + 1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self._open(self._current)
            case _:
                super().keyPressEvent(event)
                return
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, row in enumerate(self._rows):
            area = QRectF(0, 5 + index * _ROW, self.width(), _ROW)
            if isinstance(row, _File):
                self._paint_file(painter, area, row, hovered=index == self._hovered)
            else:
                painter.setFont(self._theme.font("small"))
                painter.setPen(self._theme.color("text.muted"))
                painter.drawText(
                    area.adjusted(_SIDE + 21, 0, -_SIDE, 0), Qt.AlignmentFlag.AlignVCenter, row
                )
            if index == self._current and self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(self._theme.color("accent.focus"), 2))
                painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 5, 5)

    def _paint_file(self, painter: QPainter, area: QRectF, file: _File, *, hovered: bool) -> None:
        theme = self._theme
        writing = file.state == "writing"
        if writing:
            painter.fillRect(area, theme.color("live.subtle"))
        elif hovered:
            painter.fillRect(area, theme.color("bg.hover"))
        self._paint_glyph(painter, area, file)
        right = self._paint_counts(painter, area.adjusted(0, 0, -_SIDE, 0), file)
        font = theme.font("code_sm")
        painter.setFont(font)
        tone = {"writing": "text.primary", "done": "text.secondary"}.get(file.state, "text.muted")
        painter.setPen(theme.color(tone))
        left = area.left() + _SIDE + 21
        room = right - left - 8
        name = elided_path(file.path, QFontMetricsF(font), room)
        painter.drawText(
            QRectF(left, area.top(), room, area.height()), Qt.AlignmentFlag.AlignVCenter, name
        )

    def _paint_glyph(self, painter: QPainter, area: QRectF, file: _File) -> None:
        box = QRectF(area.left() + _SIDE, area.center().y() - 6.5, 13, 13)
        if file.state == "writing":
            angle = spinner_angle(self._clock.elapsed() if self._clock.isValid() else 0)
            paint_ring(painter, self._theme, box, 0.28, "live.solid", width=2.0, start=angle)
            return
        name, tone = {
            "done": ("check-bold", "success.text"),
            "stopped": ("minus-bold", "text.muted"),
        }.get(file.state, ("circle-dashed", "text.muted"))
        pixmap = self._theme.pixmap(name, tone, 13, self.devicePixelRatioF())
        painter.drawPixmap(box.topLeft(), pixmap)

    def _paint_counts(self, painter: QPainter, area: QRectF, file: _File) -> float:
        """Paint what stands at the right; return where it begins."""
        right = area.right()
        for text, tone, role in reversed(self._counts(file)):
            font = self._theme.font(role)
            painter.setFont(font)
            painter.setPen(self._theme.color(tone))
            width = QFontMetricsF(font).horizontalAdvance(text)
            box = QRectF(right - width, area.top(), width + 1, area.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
            right -= width + 8
        return right + 8

    def _counts(self, file: _File) -> list[tuple[str, str, str]]:
        match file.state:
            case "writing":
                return [(_line_count(self, file.lines), "live.text", "small")]
            case "queued":
                return [(self.tr("queued"), "text.muted", "small")]
            case "stopped":
                return [(self.tr("stopped"), "text.muted", "small")]
            case "done":
                added = [(f"+{file.added}", "success.text", "code_sm")]
                removed = [(f"\u2212{file.removed}", "danger.text", "code_sm")]
                return added + (removed if file.removed else [])

    def _words(self, row: _Row) -> str:
        if isinstance(row, str):
            return row
        state = {
            "writing": self.tr("being written"),
            "queued": self.tr("queued"),
            "stopped": self.tr("stopped"),
            "done": self.tr("finished"),
        }[row.state]
        return f"{row.path}, {state}"

    def _run_clock(self) -> None:
        writes = any(isinstance(row, _File) and row.state == "writing" for row in self._rows)
        if writes and self.isVisible():
            if not self._timer.isActive():
                self._clock.start()
                self._timer.start()
        else:
            self._timer.stop()

    def _row_at(self, y: float) -> int:
        return int((y - 5) // _ROW)

    def _file(self, index: int) -> _File | None:
        row = self._rows[index] if 0 <= index < len(self._rows) else None
        return row if isinstance(row, _File) and row.state != "queued" else None

    def _open(self, index: int) -> None:
        file = self._file(index)
        if file is not None:
            self.file_clicked.emit(file.path)


class WritingCard(QFrame):
    """One step of writing. While it runs it is open; when all files are done it folds to one line."""

    file_clicked = Signal(str)

    def __init__(self, theme: Theme, planned: Sequence[str]) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._files = {path: _File(path) for path in planned}
        self._order: list[str] = []
        self._ended = False
        self._touched = False
        self._header = CardHeader(theme, "pencil-simple")
        self._header.set_expandable(True)
        self._header.set_expanded(True)
        self._header.toggled.connect(self._on_toggled)
        self._rows = _FileRows(theme)
        self._rows.file_clicked.connect(self.file_clicked)
        self._line = hairline()
        self.setLayout(vbox(self._header, self._line, self._rows, gap=0, margins=(1, 0, 1, 0)))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._refresh()

    @property
    def ended(self) -> bool:
        return self._ended

    def start_file(self, path: str) -> None:
        self._file(path).state = "writing"
        self._refresh()

    def set_lines(self, path: str, lines: int) -> None:
        self._file(path).lines = lines
        self._refresh()

    def finish_file(self, path: str, added: int, removed: int) -> None:
        file = self._file(path)
        file.state, file.added, file.removed = "done", added, removed
        if path in self._order:
            self._order.remove(path)
        self._order.append(path)
        self._refresh()

    def drop_file(self, path: str) -> None:
        """What came of it counts for nothing; what was finished before still does."""
        file = self._files.get(path)
        if file is not None and file.state == "writing":
            file.state = "done" if path in self._order else "stopped"
            self._refresh()

    def end(self, *, complete: bool) -> None:
        """Say that nothing more is written in this step."""
        self._ended = True
        for file in self._files.values():
            if file.state == "writing":
                file.state = "stopped"
        if complete and not self._touched:
            self._show_rows(shown=False)
        self._refresh()

    def text(self) -> str:
        files = (f"{file.path}  +{file.added} -{file.removed}" for file in self._done())
        return "\n".join([self._header.accessibleName(), *files])

    def _file(self, path: str) -> _File:
        return self._files.setdefault(path, _File(path))

    def _done(self) -> list[_File]:
        return [self._files[path] for path in self._order]

    def _refresh(self) -> None:
        done = self._done()
        open_ = [file for file in self._files.values() if file.state in ("writing", "stopped")]
        queued = [file for file in self._files.values() if file.state == "queued"]
        self._refresh_header(len(done))
        if self._ended:
            self._rows.set_rows([*done, *open_])
            return
        rows: list[_Row] = [*done[-_MOST_DONE:]]
        if len(done) > _MOST_DONE:
            more = len(done) - _MOST_DONE
            rows.append(self.tr("and {count} more finished").format(count=more))
        rows += open_
        rows += queued[:_MOST_QUEUED]
        if len(queued) > _MOST_QUEUED:
            more = len(queued) - _MOST_QUEUED
            rows.append(self.tr("and {count} more queued").format(count=more))
        self._rows.set_rows(rows)

    def _refresh_header(self, done: int) -> None:
        header, total = self._header, len(self._files)
        if not self._ended:
            header.set_words(_file_count(self, total, writing=True))
            header.set_extra(self.tr("{count} done").format(count=done), "live")
            header.set_state(None)
            return
        complete = done == total
        if complete:
            header.set_words(_file_count(self, total, writing=False))
        else:
            words = self.tr("Wrote {done} of {total} files").format(done=done, total=total)
            header.set_words(words)
        files = self._done()
        added, removed = sum(f.added for f in files), sum(f.removed for f in files)
        header.set_extra(f"+{added} \u2212{removed}" if removed else f"+{added}")
        header.set_state("done" if complete else "stopped")

    def _on_toggled(self, expanded: bool) -> None:
        self._touched = True
        self._show_rows(shown=expanded)

    def _show_rows(self, *, shown: bool) -> None:
        self._header.set_expanded(shown)
        self._rows.setVisible(shown)
        self._line.setVisible(shown)
        self.updateGeometry()


def elided_path(path: str, metrics: QFontMetricsF, room: float) -> str:
    """Shorten a path to its end: folders go first, then the middle of the name."""
    parts = PurePosixPath(path).parts
    for start in range(len(parts)):
        shown = "/".join(parts[start:])
        if metrics.horizontalAdvance(shown) <= room:
            return shown
    return metrics.elidedText(parts[-1] if parts else "", Qt.TextElideMode.ElideMiddle, room)


def _line_count(widget: QWidget, lines: int) -> str:
    if lines == 1:
        return widget.tr("1 line")
    return widget.tr("{count} lines").format(count=lines)


def _file_count(widget: QWidget, files: int, *, writing: bool) -> str:
    if writing and files == 0:
        return widget.tr("Writing files")
    if files == 1:
        return widget.tr("Writing 1 file") if writing else widget.tr("Wrote 1 file")
    words = widget.tr("Writing {count} files") if writing else widget.tr("Wrote {count} files")
    return words.format(count=files)
