"""How a project card looks, painted the same way on the welcome page and in the library."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from vibedesk.ui.home.cards import CardState, ProjectCard
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.theme.tokens import readable_on, tokens
from vibedesk.ui.widgets.labels import ChipTone, chip_width, paint_chip
from vibedesk.ui.widgets.marks import stripe_colours

CARD_TEXT_HEIGHT = 66
_RADIUS = 10.0


class CardLook(NamedTuple):
    """How the pointer and the keyboard stand to a card."""

    hovered: bool = False
    focused: bool = False


_STATES: dict[CardState, tuple[ChipTone, str]] = {
    "draft": ("plain", ""),
    "building": ("live", "circle-notch"),
    "interrupted": ("warning", "pause-fill"),
    "ready": ("success", "check-bold"),
    "failed": ("danger", "warning-circle"),
}


def state_word(state: CardState) -> str:
    """Return the word for a state, in the person's language."""
    translate = QCoreApplication.translate
    match state:
        case "draft":
            return translate("ProjectCard", "Draft")
        case "building":
            return translate("ProjectCard", "Building")
        case "interrupted":
            return translate("ProjectCard", "Interrupted")
        case "ready":
            return translate("ProjectCard", "Ready")
        case "failed":
            return translate("ProjectCard", "Needs a fix")


def card_sentence(card: ProjectCard) -> str:
    """Return what a screen reader says of a card."""
    parts = [card.title, card.description, state_word(card.state), card.updated_text]
    if card.sample:
        parts.append(QCoreApplication.translate("ProjectCard", "Recorded example"))
    return ", ".join(part for part in parts if part)


def paint_project_card(
    painter: QPainter, theme: Theme, rect: QRectF, card: ProjectCard, look: CardLook
) -> None:
    """Paint a whole card: picture above, title, state, sentence and time below."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QPainterPath()
    outline.addRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
    painter.fillPath(outline, theme.color("bg.raised"))
    picture = QRectF(rect.left(), rect.top(), rect.width(), rect.height() - CARD_TEXT_HEIGHT)
    painter.save()
    painter.setClipPath(outline)
    painter.setClipRect(picture, Qt.ClipOperation.IntersectClip)
    paint_picture(painter, theme, picture, card.id, card.title, card.palette)
    painter.restore()
    painter.setPen(QPen(theme.color("border.default"), 1))
    painter.drawLine(picture.bottomLeft(), picture.bottomRight())
    _paint_words(painter, theme, rect.adjusted(14, picture.height(), -14, 0), card)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if look.focused:
        painter.setPen(QPen(theme.color("accent.focus"), 2))
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), _RADIUS - 0.5, _RADIUS - 0.5)
    else:
        tone = "border.control" if look.hovered else "border.default"
        painter.setPen(QPen(theme.color(tone), 1))
        painter.drawPath(outline)
    painter.restore()


def _paint_words(painter: QPainter, theme: Theme, area: QRectF, card: ProjectCard) -> None:
    tone, icon = _STATES[card.state]
    word = state_word(card.state)
    width = chip_width(theme, word, icon)
    chip = QRectF(area.right() - width + 4, area.top() + 9, width, 22)
    paint_chip(painter, theme, chip, word, tone, icon)
    strong, body, small = theme.font("body_strong"), theme.font("small"), theme.font("small")
    title = QRectF(area.left(), area.top() + 10, chip.left() - area.left() - 10, 20)
    _paint_line(painter, theme, title, card.title, strong, "text.primary")
    when = QFontMetricsF(small).horizontalAdvance(card.updated_text)
    line = QRectF(area.left(), area.top() + 36, area.width(), 18)
    painter.setFont(small)
    painter.setPen(theme.color("text.muted"))
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(line, right, card.updated_text)
    said = card.description
    if card.sample:
        recorded = QCoreApplication.translate("ProjectCard", "Recorded example")
        said = f"{recorded} · {said}" if said else recorded
    _paint_line(painter, theme, line.adjusted(0, 0, -when - 14, 0), said, body, "text.muted")


def _paint_line(
    painter: QPainter, theme: Theme, line: QRectF, text: str, font: QFont, tone: str
) -> None:
    painter.setFont(font)
    painter.setPen(theme.color(tone))
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
    painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)


def paint_picture(
    painter: QPainter, theme: Theme, area: QRectF, seed: str, title: str, palette: Sequence[str]
) -> None:
    """Paint the stand-in for a picture of the app: its name and a few shapes in its own colours.

    The shapes depend on `seed` alone, so a project keeps its face.
    """
    colours = stripe_colours(palette) or stripe_colours(tokens()["thumbnail"]["fallback"])
    ground, accents = _ground_and_accents(colours)
    painter.fillRect(area, ground)
    scale = area.width() / 320
    margin = 22 * scale
    ink = readable_on(ground)
    font = theme.font("title_sm")
    font.setPixelSize(max(11, round(16 * scale)))
    painter.setFont(font)
    painter.setPen(ink)
    heading = QRectF(
        area.left() + margin, area.top() + margin * 0.8, area.width() * 0.62, 22 * scale
    )
    shown = QFontMetricsF(font).elidedText(title, Qt.TextElideMode.ElideRight, heading.width())
    painter.drawText(heading, Qt.AlignmentFlag.AlignVCenter, shown)
    painter.setPen(Qt.PenStyle.NoPen)
    _paint_nav(painter, area, heading, accents, scale)
    top = heading.bottom() + 14 * scale
    body = QRectF(
        area.left() + margin, top, area.width() - 2 * margin, area.bottom() - top + 8 * scale
    )
    digest = zlib.crc32(seed.encode())
    shapes = (_paint_columns, _paint_bars, _paint_rows, _paint_tiles)[digest % 4]
    shapes(painter, body, _with_quiet(accents, ink), digest >> 4, scale)


def _ground_and_accents(colours: list[QColor]) -> tuple[QColor, list[QColor]]:
    """Take the lightest or darkest colour as ground, whichever is first, and the vivid ones as accents."""
    ground = next(
        (c for c in colours if c.lightnessF() > 0.88 or c.lightnessF() < 0.16), colours[0]
    )
    rest = [colour for colour in colours if colour != ground] or [readable_on(ground)]
    rest.sort(key=lambda colour: -colour.hslSaturationF() * (1 - abs(colour.lightnessF() - 0.5)))
    return ground, rest[:3]


def _with_quiet(accents: list[QColor], ink: QColor) -> list[QColor]:
    quiet = QColor(ink)
    quiet.setAlphaF(0.13)
    return [*accents, quiet]


def _paint_nav(
    painter: QPainter, area: QRectF, heading: QRectF, accents: list[QColor], scale: float
) -> None:
    pill = QRectF(0, 0, 52 * scale, 14 * scale)
    pill.moveCenter(QPointF(area.right() - 48 * scale, heading.center().y()))
    painter.setBrush(accents[0])
    painter.drawRoundedRect(pill, 7 * scale, 7 * scale)


def _paint_columns(
    painter: QPainter, area: QRectF, inks: list[QColor], digest: int, scale: float
) -> None:
    gap = 8 * scale
    width = (area.width() - 2 * gap) / 3
    for column in range(3):
        box = QRectF(area.left() + column * (width + gap), area.top(), width, area.height())
        painter.setBrush(inks[-1])
        painter.drawRoundedRect(box, 5 * scale, 5 * scale)
        for row in range(1 + (digest >> (2 * column)) % 3):
            card = QRectF(
                box.left() + 6 * scale,
                box.top() + (8 + 23 * row) * scale,
                width - 12 * scale,
                17 * scale,
            )
            painter.setBrush(inks[column % (len(inks) - 1)] if row == 0 else inks[-1])
            painter.drawRoundedRect(card, 3 * scale, 3 * scale)


def _paint_bars(
    painter: QPainter, area: QRectF, inks: list[QColor], digest: int, scale: float
) -> None:
    count = 10
    step = area.width() / count
    floor = area.bottom() - 18 * scale
    for index in range(count):
        share = 0.25 + 0.75 * ((digest >> index) % 7) / 6
        height = (floor - area.top()) * share
        painter.setBrush(inks[0] if index % 4 else inks[min(1, len(inks) - 1)])
        bar = QRectF(area.left() + index * step, floor - height, step * 0.6, height)
        painter.drawRoundedRect(bar, 3 * scale, 3 * scale)


def _paint_rows(
    painter: QPainter, area: QRectF, inks: list[QColor], digest: int, scale: float
) -> None:
    for index in range(4):
        row = QRectF(area.left(), area.top() + index * 27 * scale, area.width(), 21 * scale)
        painter.setBrush(inks[-1])
        painter.drawRoundedRect(row, 4 * scale, 4 * scale)
        painter.setBrush(inks[index % (len(inks) - 1)])
        painter.drawEllipse(
            QPointF(row.left() + 13 * scale, row.center().y()), 4 * scale, 4 * scale
        )
        words = QRectF(0, 0, (70 + 14 * ((digest >> index) % 6)) * scale, 5 * scale)
        words.moveCenter(QPointF(0, row.center().y()))
        words.moveLeft(row.left() + 26 * scale)
        painter.drawRoundedRect(words, 2.5 * scale, 2.5 * scale)


def _paint_tiles(
    painter: QPainter, area: QRectF, inks: list[QColor], digest: int, scale: float
) -> None:
    gap = 9 * scale
    width = (area.width() - 3 * gap) / 4
    for index in range(8):
        column, row = index % 4, index // 4
        box = QRectF(
            area.left() + column * (width + gap), area.top() + row * (50 * scale), width, 42 * scale
        )
        filled = (digest >> index) % 3 != 0
        painter.setBrush(inks[index % (len(inks) - 1)] if filled else inks[-1])
        painter.drawRoundedRect(box, 5 * scale, 5 * scale)
