"""The code editor made of QScintilla. The only module that imports PyQt6.

QScintilla has bindings for PyQt6 only. With PySide6's modules loaded first, both bindings share one copy of
Qt, and the widget's address is all that has to be handed over. Nothing but numbers, bytes and that address
crosses between the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cache
from time import monotonic

import shiboken6
from PySide6 import QtCore, QtGui, QtPrintSupport, QtWidgets  # noqa: F401  (before PyQt6, all four)
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from PyQt6 import sip  # isort: skip
from PyQt6.QtGui import QImage  # isort: skip
from PyQt6.Qsci import QsciScintilla  # isort: skip

from vibedesk.ui.editor.agent_caret import AgentCaret
from vibedesk.ui.editor.code_editor import EditCommand, EditorSignals, LineMark
from vibedesk.ui.editor.languages import KINDS, Language, language_of
from vibedesk.ui.editor.line_changes import differing_middle
from vibedesk.ui.editor.line_problems import LineProblem, ProblemHover
from vibedesk.ui.editor.navigation_watch import NavigationWatch
from vibedesk.ui.editor.scintilla_problems import MARKER_MASK, ScintillaProblems
from vibedesk.ui.editor.script_styling import ScriptStyling
from vibedesk.ui.theme.fonts import code_family
from vibedesk.ui.theme.theme import Theme

_LINE_PX = 20
_TEXT_PX = 13
_NUMBER_PX = 12
_BARS: dict[LineMark, tuple[int, str]] = {
    "writing": (0, "live.solid"),
    "added": (1, "success.solid"),
    "changed": (2, "warning.solid"),
}
_BAR_MASK = 0b111
_GLOWS = ((3, 1.0), (4, 0.55), (5, 0.2))
_GLOW_SECONDS = 0.9
_GLOW_LINES = 12
_FOUND = 8
_FOUND_LIMIT = 5_000
_COMMANDS: dict[EditCommand, int] = {
    "undo": QsciScintilla.SCI_UNDO,
    "redo": QsciScintilla.SCI_REDO,
    "cut": QsciScintilla.SCI_CUT,
    "copy": QsciScintilla.SCI_COPY,
    "paste": QsciScintilla.SCI_PASTE,
    "select_all": QsciScintilla.SCI_SELECTALL,
}
_ASKED: dict[EditCommand, int] = {
    "undo": QsciScintilla.SCI_CANUNDO,
    "redo": QsciScintilla.SCI_CANREDO,
    "paste": QsciScintilla.SCI_CANPASTE,
}
_INSERTED, _DELETED = 0x1, 0x2
_STYLE_DEFAULT, _STYLE_NUMBERS, _STYLE_BRACE, _STYLE_NO_BRACE = 32, 33, 34, 35
_NUMBERS, _GAP, _BAR, _AIR = range(4)


class ScintillaEditor:
    """One Scintilla widget; fulfils `CodeEditor`."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._sci = QsciScintilla()
        # Its parent widget deletes it. Python doing so, perhaps after the application's end, would crash.
        sip.transferto(self._sci, None)  # type: ignore[arg-type]  # None means C++
        address: int = sip.unwrapinstance(self._sci)  # type: ignore[func-returns-value,assignment]
        native = shiboken6.wrapInstance(address, QAbstractScrollArea)
        assert isinstance(native, QAbstractScrollArea)
        # PySide would take a later widget at the same address for this one.
        native.destroyed.connect(lambda *_: shiboken6.invalidate(native))
        self._native = native
        self._signals = EditorSignals(native)
        self._watch = NavigationWatch(native, self._signals)
        self._caret = AgentCaret(theme, native.viewport())
        self._script = ScriptStyling(native, self._send, self._range)
        self._problems = ScintillaProblems(
            theme, self._send, self._range, self._define_image, self._room
        )
        self._hover = ProblemHover(native, self._problems.told)
        self._language = language_of("")
        self._silent = 0
        self._writing = False
        self._place = (1, 1)
        self._glowing: deque[tuple[float, int, int]] = deque()
        self._glow_timer = QTimer(native)
        self._glow_timer.setInterval(100)
        self._glow_timer.timeout.connect(self._fade)
        self._set_up()
        self._dress()
        theme.changed.connect(self._dress)

    # -- what the panel sees

    @property
    def signals(self) -> EditorSignals:
        return self._signals

    @property
    def widget(self) -> QWidget:
        return self._native

    def text(self) -> str:
        return self._range(0, self._length()).decode("utf-8", "replace")

    def set_path(self, path: str) -> None:
        self._native.setAccessibleName(
            QtCore.QCoreApplication.translate("Editor", "Code editor, {name}").format(
                name=path.rsplit("/", 1)[-1]
            )
        )
        language = language_of(path)
        if language != self._language:
            self._language = language
            self._set_language()
            self._dress()

    def set_text(self, text: str) -> None:
        data = _encoded(text)
        self._problems.clear()
        self._silent += 1
        self._send(QsciScintilla.SCI_SETUNDOCOLLECTION, 0)
        self._replace(0, self._length(), data)
        self._send(QsciScintilla.SCI_SETUNDOCOLLECTION, 1)
        self._send(QsciScintilla.SCI_EMPTYUNDOBUFFER)
        crlf = b"\r\n" in data[:4096]
        self._send(QsciScintilla.SCI_SETEOLMODE, 0 if crlf else 2)
        self._send(QsciScintilla.SCI_GOTOPOS, 0)
        self._silent -= 1
        self._clear_marks()
        self._fit_margin()

    def merge_text(self, text: str) -> None:
        position, removed, inserted = differing_middle(
            self._range(0, self._length()), _encoded(text)
        )
        if removed or inserted:
            self._edit(position, removed, inserted)
            self._fit_margin()

    def append(self, text: str) -> None:
        data = _encoded(text)
        first = self._send(QsciScintilla.SCI_GETLINECOUNT) - 1
        self._silent += 1
        # What is written at the end leaves all earlier positions as they are, so the person's undo stays right.
        self._send(QsciScintilla.SCI_SETUNDOCOLLECTION, 0)
        self._send(QsciScintilla.SCI_APPENDTEXT, len(data), data)
        self._send(QsciScintilla.SCI_SETUNDOCOLLECTION, 1)
        self._silent -= 1
        last = self._send(QsciScintilla.SCI_GETLINECOUNT) - 1
        if self._writing:
            for line in range(first, last + 1):
                self._send(QsciScintilla.SCI_MARKERADD, line, _BARS["writing"][0])
            self._glow(first, last)
            self._place_caret()
        self._fit_margin()

    def apply_edit(self, position: int, removed: int, inserted: str) -> None:
        self._edit(position, removed, _encoded(inserted))
        self._fit_margin()

    def set_writing(self, *, writing: bool) -> None:
        self._writing = writing
        self._caret.set_shown(shown=writing)
        if writing:
            self._place_caret()

    def mark_lines(self, mark: LineMark, lines: list[range]) -> None:
        self._clear_marks()
        for lines_of_one in lines:
            for line in lines_of_one:
                self._send(QsciScintilla.SCI_MARKERADD, line, _BARS[mark][0])

    def show_problems(self, problems: Sequence[LineProblem]) -> None:
        self._problems.show(problems)

    def problem_lines(self) -> list[tuple[int, LineProblem]]:
        return self._problems.lines()

    def reveal_end(self) -> None:
        self.reveal_line(self._send(QsciScintilla.SCI_GETLINECOUNT) - 1)

    def reveal_line(self, line: int) -> None:
        on_screen = self._send(QsciScintilla.SCI_LINESONSCREEN)
        first = self._send(QsciScintilla.SCI_GETFIRSTVISIBLELINE)
        shown = self._send(QsciScintilla.SCI_VISIBLEFROMDOCLINE, line)
        if not first <= shown < first + on_screen:
            self._send(QsciScintilla.SCI_SETFIRSTVISIBLELINE, max(0, shown - on_screen + 1))
        self._place_caret()

    def go_to(self, line: int, column: int = 1) -> None:
        start = self._send(QsciScintilla.SCI_POSITIONFROMLINE, line - 1)
        if start >= 0:
            self._send(
                QsciScintilla.SCI_GOTOPOS,
                self._send(QsciScintilla.SCI_FINDCOLUMN, line - 1, column - 1),
            )
            self._send(QsciScintilla.SCI_VERTICALCENTRECARET)

    def cursor(self) -> tuple[int, int]:
        at = self._send(QsciScintilla.SCI_GETCURRENTPOS)
        line = self._send(QsciScintilla.SCI_LINEFROMPOSITION, at)
        return line + 1, self._send(QsciScintilla.SCI_GETCOLUMN, at) + 1

    def find_all(self, needle: str, *, match_case: bool) -> list[tuple[int, int]]:
        self._send(QsciScintilla.SCI_SETINDICATORCURRENT, _FOUND)
        self._send(QsciScintilla.SCI_INDICATORCLEARRANGE, 0, self._length())
        data = _encoded(needle)
        found: list[tuple[int, int]] = []
        if not data:
            return found
        self._send(
            QsciScintilla.SCI_SETSEARCHFLAGS, QsciScintilla.SCFIND_MATCHCASE if match_case else 0
        )
        start, length = 0, self._length()
        while len(found) < _FOUND_LIMIT:
            self._send(QsciScintilla.SCI_SETTARGETRANGE, start, length)
            at = self._send(QsciScintilla.SCI_SEARCHINTARGET, len(data), data)
            if at < 0:
                break
            end = self._send(QsciScintilla.SCI_GETTARGETEND)
            found.append((at, end))
            self._send(QsciScintilla.SCI_INDICATORFILLRANGE, at, end - at)
            start = max(end, at + 1)
        return found

    def select(self, start: int, end: int) -> None:
        self._send(QsciScintilla.SCI_SETSEL, start, end)

    def selection(self) -> tuple[int, int]:
        start = self._send(QsciScintilla.SCI_GETSELECTIONSTART)
        return start, self._send(QsciScintilla.SCI_GETSELECTIONEND)

    def selected_text(self) -> str:
        return self._range(*self.selection()).decode("utf-8", "replace")

    def zoom(self, steps: int) -> None:
        zoom = self._send(QsciScintilla.SCI_GETZOOM) + steps if steps else 0
        self._send(QsciScintilla.SCI_SETZOOM, min(15, max(-4, zoom)))

    def can(self, command: EditCommand) -> bool:
        if command in _ASKED:
            return bool(self._send(_ASKED[command]))
        return command == "select_all" or not self._send(QsciScintilla.SCI_GETSELECTIONEMPTY)

    def do(self, command: EditCommand) -> None:
        self._send(_COMMANDS[command])

    def set_tab_moves_focus(self, *, on: bool) -> None:
        self._watch.tab_moves_focus = on

    def close(self) -> None:
        self._theme.changed.disconnect(self._dress)
        self._glow_timer.stop()
        self._script.stop()
        self._sci.SCN_MODIFIED.disconnect()
        self._sci.SCN_UPDATEUI.disconnect()
        self._sci.SCN_STYLENEEDED.disconnect()
        self._sci.SCN_ZOOM.disconnect()
        self._watch.stop()
        self._hover.stop()
        self._native.deleteLater()

    # -- messages to Scintilla

    def _send(self, message: int, first: int = 0, second: int | bytes = 0) -> int:
        return int(self._sci.SendScintilla(message, first, second))

    def _define_image(self, marker: int, pixels: bytes, width: int, height: int) -> None:
        ratio = self._native.devicePixelRatioF()
        self._send(QsciScintilla.SCI_RGBAIMAGESETWIDTH, round(width / ratio))
        self._send(QsciScintilla.SCI_RGBAIMAGESETHEIGHT, round(height / ratio))
        image = _kept_image(pixels, width, height, ratio)
        self._sci.SendScintilla(QsciScintilla.SCI_MARKERDEFINERGBAIMAGE, marker, image)

    def _length(self) -> int:
        return self._send(QsciScintilla.SCI_GETLENGTH)

    def _room(self) -> int:
        """Return how wide the text may be, also when its scroll bar comes."""
        margins = range(_AIR + 1)
        taken = sum(self._send(QsciScintilla.SCI_GETMARGINWIDTHN, margin) for margin in margins)
        bar = self._native.verticalScrollBar()
        taken += 0 if bar.isVisible() else bar.sizeHint().width()
        return self._native.viewport().width() - taken

    def _range(self, start: int, end: int) -> bytes:
        return bytes(self._sci.bytes(start, end).data()[: end - start]) if end > start else b""

    def _replace(self, position: int, removed: int, inserted: bytes) -> None:
        self._send(QsciScintilla.SCI_SETTARGETRANGE, position, position + removed)
        self._send(QsciScintilla.SCI_REPLACETARGET, len(inserted), inserted)

    def _edit(self, position: int, removed: int, inserted: bytes) -> None:
        self._silent += 1
        self._send(QsciScintilla.SCI_BEGINUNDOACTION)
        self._replace(position, removed, inserted)
        self._send(QsciScintilla.SCI_ENDUNDOACTION)
        self._silent -= 1

    # -- set-up and look

    def _set_up(self) -> None:
        sci = self._sci
        sci.setUtf8(True)
        self._native.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        sci.setIndentationsUseTabs(False)
        sci.setTabWidth(2)
        sci.setAutoIndent(True)
        sci.setBraceMatching(QsciScintilla.BraceMatch.SloppyBraceMatch)
        for message, first, second in (
            (QsciScintilla.SCI_SETMODEVENTMASK, _INSERTED | _DELETED, 0),
            (QsciScintilla.SCI_SETLAYOUTCACHE, QsciScintilla.SC_CACHE_PAGE, 0),
            (QsciScintilla.SCI_SETSCROLLWIDTH, 1, 0),
            (QsciScintilla.SCI_SETSCROLLWIDTHTRACKING, 1, 0),
            (QsciScintilla.SCI_SETINDENTATIONGUIDES, 0, 0),
            (QsciScintilla.SCI_SETMARGINLEFT, 0, 0),
            (QsciScintilla.SCI_SETCARETWIDTH, 2, 0),
            (QsciScintilla.SCI_SETCARETLINEVISIBLE, 1, 0),
            (QsciScintilla.SCI_SETMULTIPLESELECTION, 0, 0),
            (QsciScintilla.SCI_SETMARGINS, 4, 0),
            (QsciScintilla.SCI_SETMARGINTYPEN, _NUMBERS, QsciScintilla.SC_MARGIN_NUMBER),
            (QsciScintilla.SCI_SETMARGINTYPEN, _GAP, QsciScintilla.SC_MARGIN_COLOUR),
            (QsciScintilla.SCI_SETMARGINTYPEN, _BAR, QsciScintilla.SC_MARGIN_COLOUR),
            (QsciScintilla.SCI_SETMARGINTYPEN, _AIR, QsciScintilla.SC_MARGIN_COLOUR),
            (QsciScintilla.SCI_SETMARGINMASKN, _NUMBERS, 0),
            (QsciScintilla.SCI_SETMARGINMASKN, _GAP, MARKER_MASK),
            (QsciScintilla.SCI_SETMARGINMASKN, _BAR, _BAR_MASK),
            (QsciScintilla.SCI_SETMARGINMASKN, _AIR, 0),
            (QsciScintilla.SCI_SETMARGINWIDTHN, _GAP, 16),
            (QsciScintilla.SCI_SETMARGINWIDTHN, _BAR, 3),
            (QsciScintilla.SCI_SETMARGINWIDTHN, _AIR, 9),
        ):
            self._send(message, first, second)
        self._free_shortcuts()
        sci.SCN_MODIFIED.connect(self._on_modified)
        sci.SCN_UPDATEUI.connect(self._on_update)
        sci.SCN_STYLENEEDED.connect(self._script.on_style_needed)
        sci.SCN_ZOOM.connect(self._on_zoomed)

    def _free_shortcuts(self) -> None:
        """Leave the window's shortcuts alone: of Scintilla's own, only editing ones stay."""
        control, letters = 0x04000000, range(ord("A"), ord("Z") + 1)
        for command in self._sci.standardCommands().commands():
            for key, clear in (
                (command.key(), command.setKey),
                (command.alternateKey(), command.setAlternateKey),
            ):
                if (
                    key & control
                    and (key & 0xFFFF) in letters
                    and chr(key & 0xFFFF) not in "ACVXYZ"
                ):
                    clear(0)

    def _set_language(self) -> None:
        language = self._language
        self._script.use(language.script)
        self._send(QsciScintilla.SCI_SETLEXERLANGUAGE, 0, language.lexer.encode() or b"container")
        if not language.lexer:
            self._send(QsciScintilla.SCI_SETLEXER, 0)
        for index, words in language.keywords.items():
            self._send(QsciScintilla.SCI_SETKEYWORDS, index, words.encode())
        self._send(QsciScintilla.SCI_CLEARDOCUMENTSTYLE)
        self._send(QsciScintilla.SCI_COLOURISE, 0, 0)

    def _dress(self) -> None:
        """Take fonts and colours from the theme."""
        if not shiboken6.isValid(self._native):
            return
        paper = self._bgr("bg.editor")
        points = _points(_TEXT_PX)
        family = code_family().encode()
        send = self._send
        send(QsciScintilla.SCI_STYLESETFONT, _STYLE_DEFAULT, family)
        send(QsciScintilla.SCI_STYLESETSIZEFRACTIONAL, _STYLE_DEFAULT, points)
        send(QsciScintilla.SCI_STYLESETFORE, _STYLE_DEFAULT, self._bgr("syntax.text"))
        send(QsciScintilla.SCI_STYLESETBACK, _STYLE_DEFAULT, paper)
        send(QsciScintilla.SCI_STYLECLEARALL)
        for style, kind in _styles(self._language):
            send(QsciScintilla.SCI_STYLESETFORE, style, self._bgr(f"syntax.{kind}"))
            send(QsciScintilla.SCI_STYLESETITALIC, style, kind == "comment")
        send(QsciScintilla.SCI_STYLESETBACK, _STYLE_NUMBERS, paper)
        send(QsciScintilla.SCI_STYLESETFORE, _STYLE_NUMBERS, self._bgr("syntax.gutter_text"))
        send(QsciScintilla.SCI_STYLESETSIZEFRACTIONAL, _STYLE_NUMBERS, _points(_NUMBER_PX))
        send(QsciScintilla.SCI_STYLESETFORE, _STYLE_BRACE, self._bgr("accent.text"))
        send(QsciScintilla.SCI_STYLESETFORE, _STYLE_NO_BRACE, self._bgr("danger.text"))
        for margin in (_GAP, _BAR, _AIR):
            send(QsciScintilla.SCI_SETMARGINBACKN, margin, paper)
        for marker, tone in _BARS.values():
            send(QsciScintilla.SCI_MARKERDEFINE, marker, QsciScintilla.SC_MARK_LEFTRECT)
            send(QsciScintilla.SCI_MARKERSETBACK, marker, self._bgr(tone))
            send(QsciScintilla.SCI_MARKERSETFORE, marker, self._bgr(tone))
        for marker, share in _GLOWS:
            send(QsciScintilla.SCI_MARKERDEFINE, marker, QsciScintilla.SC_MARK_BACKGROUND)
            send(
                QsciScintilla.SCI_MARKERSETBACK,
                marker,
                self._mixed("live.subtle", "bg.editor", share),
            )
        self._problems.dress(self._native.devicePixelRatioF())
        send(QsciScintilla.SCI_SETCARETFORE, self._bgr("text.primary"))
        send(QsciScintilla.SCI_SETCARETLINEBACK, self._bgr("syntax.current_line"))
        send(QsciScintilla.SCI_SETSELBACK, 1, self._bgr("syntax.selection"))
        send(QsciScintilla.SCI_INDICSETSTYLE, _FOUND, QsciScintilla.INDIC_STRAIGHTBOX)
        send(QsciScintilla.SCI_INDICSETFORE, _FOUND, self._bgr("warning.solid"))
        send(QsciScintilla.SCI_INDICSETALPHA, _FOUND, 60)
        send(QsciScintilla.SCI_INDICSETOUTLINEALPHA, _FOUND, 160)
        send(QsciScintilla.SCI_INDICSETUNDER, _FOUND, 1)
        self._fit_lines()

    def _fit_lines(self) -> None:
        """Make lines as high as the design wants them, at any zoom."""
        send = self._send
        send(QsciScintilla.SCI_SETEXTRAASCENT, 0)
        send(QsciScintilla.SCI_SETEXTRADESCENT, 0)
        scale = 1 + send(QsciScintilla.SCI_GETZOOM) * 100 / _points(_TEXT_PX)
        extra = max(0, round(_LINE_PX * scale) - send(QsciScintilla.SCI_TEXTHEIGHT, 0))
        send(QsciScintilla.SCI_SETEXTRAASCENT, extra // 2)
        send(QsciScintilla.SCI_SETEXTRADESCENT, extra - extra // 2)
        self._margin_digits = 0
        self._fit_margin()

    def _fit_margin(self) -> None:
        digits = max(3, len(str(self._send(QsciScintilla.SCI_GETLINECOUNT))))
        if digits != self._margin_digits:
            self._margin_digits = digits
            width = self._send(QsciScintilla.SCI_TEXTWIDTH, _STYLE_NUMBERS, b"9" * digits)
            self._send(QsciScintilla.SCI_SETMARGINWIDTHN, _NUMBERS, width + 12)

    def _bgr(self, token: str) -> int:
        return _bgr(self._theme.color(token))

    def _mixed(self, token: str, ground: str, share: float) -> int:
        over, under = self._theme.color(token), self._theme.color(ground)
        return _bgr(
            QColor.fromRgbF(
                *(
                    share * one + (1 - share) * other
                    for one, other in zip(over.getRgbF()[:3], under.getRgbF()[:3], strict=True)  # type: ignore[index]
                )
            )
        )

    # -- marks

    def _clear_marks(self) -> None:
        self._glowing.clear()
        for marker in (*(bar for bar, _ in _BARS.values()), *(glow for glow, _ in _GLOWS)):
            self._send(QsciScintilla.SCI_MARKERDELETEALL, marker)

    def _glow(self, first: int, last: int) -> None:
        first = max(first, last - _GLOW_LINES)
        now = monotonic()
        self._glowing.append((now, first, last))
        if len(self._glowing) > 1 and last - self._glowing[0][1] > _GLOW_LINES:
            self._repaint_glow(now)
        else:
            for line in range(first, last + 1):
                self._send(QsciScintilla.SCI_MARKERADD, line, _GLOWS[0][0])
        if not self._glow_timer.isActive():
            self._glow_timer.start()

    def _fade(self) -> None:
        self._repaint_glow(monotonic())
        if not self._glowing:
            self._glow_timer.stop()

    def _repaint_glow(self, now: float) -> None:
        newest = self._glowing[-1][2] if self._glowing else 0
        while self._glowing and (
            now - self._glowing[0][0] > _GLOW_SECONDS or newest - self._glowing[0][2] > _GLOW_LINES
        ):
            self._glowing.popleft()
        for marker, _ in _GLOWS:
            self._send(QsciScintilla.SCI_MARKERDELETEALL, marker)
        for since, first, last in self._glowing:
            stage = min(len(_GLOWS) - 1, int((now - since) / _GLOW_SECONDS * len(_GLOWS)))
            for line in range(first, last + 1):
                self._send(QsciScintilla.SCI_MARKERADD, line, _GLOWS[stage][0])

    def _place_caret(self) -> None:
        if not self._writing:
            return
        end = self._length()
        self._caret.place(
            self._send(QsciScintilla.SCI_POINTXFROMPOSITION, 0, end),
            self._send(QsciScintilla.SCI_POINTYFROMPOSITION, 0, end),
            self._send(QsciScintilla.SCI_TEXTHEIGHT, 0),
        )

    # -- what Scintilla tells

    def _on_modified(
        self, position: int, kind: int, text: bytes | None, length: int, *_: object
    ) -> None:
        line = self._send(QsciScintilla.SCI_LINEFROMPOSITION, position)
        self._script.forget_after(line)
        self._signals.text_changed.emit()
        if self._silent:
            return
        if kind & _INSERTED:
            # Not the text that came along: it ends at the first NUL.
            inserted = self._range(position, position + length).decode("utf-8", "replace")
            self._signals.edited.emit(position, 0, inserted)
        elif kind & _DELETED:
            self._signals.edited.emit(position, length, "")
        self._fit_margin()

    def _on_update(self, updated: int) -> None:
        place = self.cursor()
        if place != self._place:
            self._place = place
            self._signals.cursor_moved.emit(*place)
        self._place_caret()

    def _on_zoomed(self) -> None:
        self._fit_lines()


def _styles(language: Language) -> list[tuple[int, str]]:
    if language.script:
        return list(enumerate(KINDS))
    return [(style, kind) for kind, styles in language.kinds.items() for style in styles]


@cache
def _kept_image(pixels: bytes, width: int, height: int, ratio: float) -> QImage:
    """Return a picture for good: Scintilla draws from it for as long as any editor lives."""
    image = QImage(pixels, width, height, QImage.Format.Format_ARGB32).copy()
    image.setDevicePixelRatio(ratio)
    return image


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _bgr(colour: QColor) -> int:
    return colour.red() | colour.green() << 8 | colour.blue() << 16


def _points(pixels: int) -> int:
    """Return a size as Scintilla wants it, in hundredths of a point."""
    return round(pixels * 7200 / QGuiApplication.primaryScreen().logicalDotsPerInchY())
