"""The cards of the welcome page: buttons that are painted as a project or as an example."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import (
    QEnterEvent,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from vibedesk.ui.home.card_painting import (
    CARD_TEXT_HEIGHT,
    CardLook,
    card_sentence,
    paint_picture,
    paint_project_card,
)
from vibedesk.ui.home.cards import ProjectCard, SampleCard
from vibedesk.ui.theme.theme import Theme

_SAMPLE_HEIGHT = 92
_SAMPLE_PICTURE = 132


class _CardButton(QAbstractButton):
    """A button with a painted face that knows whether the pointer is over it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._hovered = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._hovered = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = False
        self.update()

    @property
    def _look(self) -> CardLook:
        return CardLook(hovered=self._hovered or self.isDown(), focused=self.hasFocus())


class ProjectButton(_CardButton):
    """One recent project."""

    def __init__(self, theme: Theme, card: ProjectCard) -> None:
        super().__init__(theme)
        self._card = card
        self.setAccessibleName(card_sentence(card))
        self.setToolTip(card.title)

    def sizeHint(self) -> QSize:
        return QSize(236, 118 + CARD_TEXT_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 118 + CARD_TEXT_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_project_card(QPainter(self), self._theme, QRectF(self.rect()), self._card, self._look)


class SampleButton(_CardButton):
    """One recorded example; it says so on its face."""

    def __init__(self, theme: Theme, card: SampleCard) -> None:
        super().__init__(theme)
        self._card = card
        self._note = self.tr("Recorded example, no model is asked")
        self.setAccessibleName(f"{card.title}. {card.description}. {self._note}.")
        self.setToolTip(card.description)

    def sizeHint(self) -> QSize:
        return QSize(400, _SAMPLE_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(260, _SAMPLE_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, look = self._theme, self._look
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        painter.fillPath(outline, theme.color("bg.hover" if look.hovered else "bg.raised"))
        painter.save()
        painter.setClipPath(outline)
        picture = QRectF(0, 0, _SAMPLE_PICTURE, rect.height())
        painter.setClipRect(picture, Qt.ClipOperation.IntersectClip)
        shown = picture.adjusted(0, -6, 84, 0)
        paint_picture(painter, theme, shown, self._card.id, "", self._card.palette)
        painter.restore()
        self._paint_words(painter, rect.adjusted(_SAMPLE_PICTURE + 14, 0, -14, 0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if look.focused:
            painter.setPen(QPen(theme.color("accent.focus"), 2))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 9.5, 9.5)
        else:
            tone = "border.control" if look.hovered else "border.default"
            painter.setPen(QPen(theme.color(tone), 1))
            painter.drawPath(outline)

    def _paint_words(self, painter: QPainter, area: QRectF) -> None:
        theme = self._theme
        title = QRectF(area.left(), 12, area.width(), 20)
        self._paint_line(painter, title, self._card.title, theme.font("body_strong"), "primary")
        said = QRectF(area.left(), 33, area.width(), 18)
        self._paint_line(painter, said, self._card.description, theme.font("small"), "secondary")
        ratio = self.devicePixelRatioF()
        painter.drawPixmap(
            round(area.left()), 61, theme.pixmap("play-fill", "text.muted", 12, ratio)
        )
        note = QRectF(area.left() + 18, 59, area.width() - 18, 16)
        self._paint_line(painter, note, self._note, theme.font("caption"), "muted")

    def _paint_line(
        self, painter: QPainter, line: QRectF, text: str, font: QFont, tone: str
    ) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.color(f"text.{tone}"))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)
