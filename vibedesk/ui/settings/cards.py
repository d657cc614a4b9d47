"""What pages of settings are built of: a column, cards with rows, lines that say how something stands."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hairline, hbox, vbox
from vibedesk.ui.widgets.labels import FontSize, IconLabel, Tone, label, set_look, set_tone
from vibedesk.ui.widgets.rings import Spinner

StripTone = Literal["info", "success", "warning", "danger"]
COLUMN = 980
_SIDE_ROW = 34
_GLYPHS: dict[StripTone, str] = {
    "info": "info-fill",
    "success": "check-circle-fill",
    "warning": "warning-fill",
    "danger": "x-circle-fill",
}


class PageColumn(QScrollArea):
    """A page that scrolls, with its content in a column of a readable width.

    Args:
        title: Its heading.
        text: A sentence about it.
        width: The most the column takes.
    """

    def __init__(self, title: str, text: str = "", *, width: int = COLUMN) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(title)
        inner = QWidget()
        inner.setMaximumWidth(width)
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(16)
        words: list[QWidget] = [label(title, fs="title")]
        if text:
            words.append(wrapped(text))
        heading = QWidget()
        heading.setLayout(vbox(*words, gap=2))
        self.head = hbox((heading, 1), gap=8)
        add_layout(self.column, self.head)
        outer = QWidget()
        # The margins take what is left of a wide window; a narrow one gives it all to the column.
        row = hbox(gap=0, margins=(28, 24, 28, 32))
        row.addStretch(1)
        row.addWidget(inner, 1000)
        row.addStretch(1)
        outer.setLayout(vbox(row, None, gap=0))
        self.setWidget(outer)


def wrapped(text: str, *, tone: Tone = "secondary", fs: FontSize = "body") -> QWidget:
    """Return a sentence that breaks where it has to."""
    made = label(text, tone=tone, fs=fs)
    made.setWordWrap(True)
    return made


class SideList(QListWidget):
    """A list at the left of what it chooses from; shows when it has the keyboard."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("role", "sidelist")
        self.setAccessibleName(name)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(16, 16))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def add(self, item: QListWidgetItem) -> None:
        item.setSizeHint(QSize(0, _SIDE_ROW))
        self.addItem(item)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        set_look(self, "reached", "true")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        set_look(self, "reached", "false")


class Card(QFrame):
    """A rounded card of rows with lines between them."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panelcard")
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(1, 1, 1, 1)
        self._rows.setSpacing(0)
        self._heads = 0

    def set_head(self, layout: QLayout) -> None:
        """Give it a head line; before any row."""
        self._rows.addWidget(frame("cardhead", layout))
        self._heads = 1

    def add_row(self, row: QWidget) -> None:
        if self._rows.count() > self._heads:
            line = hairline()
            self._rows.addWidget(line)
        self._rows.addWidget(row)

    def clear(self) -> None:
        """Take all rows out; the head stays."""
        while (taken := self._rows.takeAt(self._heads)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()


class GlyphTile(QFrame):
    """A small tile with an icon, before the name of a row."""

    def __init__(self, theme: Theme, icon: str, tone: str = "text.secondary") -> None:
        super().__init__()
        self.setProperty("role", "glyphtile")
        self.setFixedSize(32, 32)
        self.setLayout(hbox(None, IconLabel(theme, icon, tone, 16), None, gap=0))


def setting_row(
    theme: Theme, icon: str, title: str, text: str | QLabel, right: QHBoxLayout
) -> QWidget:
    """Return a row of a card: what is set and a sentence about it, and at the right what sets it."""
    words = label(text, tone="muted", fs="small") if isinstance(text, str) else text
    words.setWordWrap(True)
    line = hbox(GlyphTile(theme, icon), gap=12, margins=(16, 9, 16, 9))
    add_layout(line, vbox(label(title, strong="mid"), words, gap=0), 1)
    add_layout(line, right)
    made = QWidget()
    made.setLayout(line)
    return made


_LETTERS = {"xai": "X", "llama-cpp": "C", "lmstudio": "S", "ollama": "L", "openrouter": "R"}
_COLOURS = ("chart.c3", "chart.c5", "chart.c6", "chart.c4", "chart.c2", "chart.c1")
_KNOWN = ("anthropic", "openai", "google", "xai", "cerebras", "openrouter")


def provider_letter(provider: str, title: str) -> str:
    return _LETTERS.get(provider) or (title or provider or "?")[0].upper()


def provider_colour(provider: str) -> str:
    """Return the colour token of a provider's tile: fixed for known ones, by its name for others."""
    if provider in _KNOWN:
        return _COLOURS[_KNOWN.index(provider)]
    return _COLOURS[sum(map(ord, provider)) % len(_COLOURS)]


def paint_provider(
    painter: QPainter, theme: Theme, rect: QRectF, provider: str, title: str
) -> None:
    """Paint the letter of a provider on its tinted tile; no trademarks."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = theme.color(provider_colour(provider))
    tint = theme.color(provider_colour(provider))
    tint.setAlphaF(0.0 if theme.high_contrast else 0.16)
    painter.setBrush(tint)
    edge = theme.color("border.control") if theme.high_contrast else None
    painter.setPen(QPen(edge, 1) if edge is not None else Qt.PenStyle.NoPen)
    painter.drawRoundedRect(rect, rect.height() * 0.22, rect.height() * 0.22)
    font = theme.font("body")
    font.setPixelSize(round(rect.height() * 0.58))
    font.setWeight(font.Weight.Bold)
    painter.setFont(font)
    painter.setPen(theme.color("text.primary") if theme.high_contrast else colour)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, provider_letter(provider, title))
    painter.restore()


class ProviderTile(QWidget):
    """The letter of a provider on a tile."""

    def __init__(self, theme: Theme, provider: str, title: str, size: int = 32) -> None:
        super().__init__()
        self._theme = theme
        self._provider = provider
        self._title = title
        self.setFixedSize(QSize(size, size))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)

    def set_provider(self, provider: str, title: str) -> None:
        self._provider, self._title = provider, title
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        paint_provider(QPainter(self), self._theme, area, self._provider, self._title)


class StateLine(QWidget):
    """How something stands: a glyph (or a spinner) and a few words."""

    def __init__(self, theme: Theme, *, wraps: bool = False) -> None:
        super().__init__()
        self._icon = IconLabel(theme, "info", "text.muted", 14)
        self._spinner = Spinner(theme, 14, "live.solid")
        self._words = label("", tone="muted", fs="small")
        self._words.setWordWrap(wraps)
        self.setLayout(hbox(self._icon, self._spinner, (self._words, 1), gap=6))
        self.set_state("")

    @property
    def text(self) -> str:
        return self._words.text()

    def set_state(
        self, text: str, tone: Tone = "muted", icon: str = "", *, busy: bool = False
    ) -> None:
        self._words.setText(text)
        set_tone(self._words, tone)
        self._icon.set_icon(icon or "info", f"{'text.' if tone in _PLAIN else ''}{_ink(tone)}")
        self._icon.setVisible(bool(icon) and not busy)
        self._spinner.setVisible(busy)
        self._words.setAccessibleName(text)
        self.setVisible(bool(text))


_PLAIN = ("primary", "secondary", "muted")


def _ink(tone: Tone) -> str:
    return tone if tone in _PLAIN else f"{tone}.text"


class Strip(QFrame):
    """A message in a page: what is, and perhaps what to do, on the tint of its kind."""

    def __init__(self, theme: Theme, tone: StripTone = "info", *, stacked: bool = False) -> None:
        """Build it; `stacked` puts the buttons below the words, for narrow places."""
        super().__init__()
        self._icon = IconLabel(theme, _GLYPHS[tone], f"{tone}.text", 16)
        self._title = label("", strong="mid")
        self._title.setWordWrap(True)
        self._text = label("", tone="secondary", fs="small")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = hbox(gap=8)
        words = vbox(self._title, self._text, gap=2)
        row = hbox(vbox(2, self._icon, None, gap=0), gap=10, margins=(12, 9, 10, 9))
        add_layout(row, words, 1)
        if stacked:
            words.addSpacing(6)
            add_layout(words, self.buttons)
        else:
            add_layout(row, self.buttons)
        self.setLayout(row)
        self.setProperty("role", f"{tone}strip")

    def say(self, tone: StripTone, title: str, text: str = "") -> None:
        """Show this; nothing hides it."""
        self._icon.set_icon(_GLYPHS[tone], f"{tone}.text")
        self.setProperty("role", f"{tone}strip")
        self.style().unpolish(self)
        self.style().polish(self)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(f"{title} {text}".strip())
        self.setVisible(bool(title))

    @property
    def text(self) -> str:
        return f"{self._title.text()} {self._text.text()}".strip()
