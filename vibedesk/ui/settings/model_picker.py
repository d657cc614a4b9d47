"""Which model: a field that opens a list with a filter; a name that nobody listed can be typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from vibedesk.engine.views import ModelView
from vibedesk.ui.settings.cards import ProviderTile, paint_provider
from vibedesk.ui.settings.words import price_words, token_words, tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import LayoutButton
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, set_look

_ROW = 32
_SEEN = 9
_BOTH_WIDTH = 220
_LEAST_WIDTH = 420
_OPTION = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOption:
    """A model that can be chosen. `ready`: its provider can be asked; `free`: it costs nothing."""

    provider: str
    provider_label: str
    model: str
    facts: ModelView | None = None
    ready: bool = True
    free: bool = False


class ModelField(LayoutButton):
    """Shows the chosen model; pressed it asks for another one."""

    def __init__(self, theme: Theme) -> None:
        self._tile = ProviderTile(theme, "", "", 20)
        self._name = ElidedLabel("")
        self._provider = ElidedLabel("", tone="muted")
        self._provider.setProperty("fs", "small")
        face = hbox(
            self._tile,
            (self._name, 2),
            (self._provider, 1),
            IconLabel(theme, "caret-up-down", "text.muted", 14),
            gap=8,
            margins=(8, 0, 8, 0),
        )
        super().__init__(face, "", role="modelfield")
        self.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_model(self, provider: str, provider_label: str, model: str, name: str) -> None:
        """Show a model; `name` says for screen readers what the field is for."""
        self._tile.set_provider(provider, provider_label)
        self._name.setText(model or self.tr("Choose a model"))
        self._provider.setText(provider_label)
        self.setAccessibleName(f"{name}: {model}, {provider_label}" if model else name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # The tile says it too.
        self._provider.setVisible(self.width() >= _BOTH_WIDTH)

    def set_invalid(self, *, invalid: bool) -> None:
        set_look(self, "invalid", "true" if invalid else "false")


class _Options(QAbstractListModel):
    """The models that fit what is typed; the typed name itself for each provider that nothing fits."""

    def __init__(
        self, options: Sequence[ModelOption], current: tuple[str, str], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._all = tuple(options)
        self._shown = list(self._all)
        self.current = current

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self._shown)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        option = self._shown[index.row()]
        if role == _OPTION:
            return option
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{option.model}, {option.provider_label}"
        return None

    def filter(self, text: str) -> None:
        words = text.lower().split()
        fitting = [
            option
            for option in self._all
            if all(word in f"{option.model} {option.provider_label}".lower() for word in words)
        ]
        typed = text.strip()
        if typed and " " not in typed and not any(o.model == typed for o in fitting):
            providers = {o.provider: o for o in self._all if o.ready}
            fitting += [
                ModelOption(
                    provider=o.provider, provider_label=o.provider_label, model=typed, free=o.free
                )
                for o in providers.values()
            ]
        self.beginResetModel()
        self._shown = fitting
        self.endResetModel()

    def row_of(self, provider: str, model: str) -> int:
        for row, option in enumerate(self._shown):
            if (option.provider, option.model) == (provider, model):
                return row
        return 0


class ModelPicker(QFrame):
    """The list, opened below a field. Enter takes, Escape leaves."""

    chosen = Signal(object)
    """A ModelOption."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        options: Sequence[ModelOption],
        provider: str,
        model: str,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "picker")
        self.setAccessibleName(self.tr("Models"))
        self._options = _Options(options, (provider, model), self)
        self._filter = QLineEdit()
        self._filter.setProperty("kind", "search")
        self._filter.setPlaceholderText(self.tr("Find a model, or type its name"))
        self._filter.setAccessibleName(self.tr("Find a model"))
        self._filter.textChanged.connect(self._on_filter)
        self._filter.installEventFilter(self)
        self._view = QListView()
        self._view.setModel(self._options)
        self._view.setItemDelegate(_OptionDelegate(theme, self._view))
        self._view.setUniformItemSizes(True)
        self._view.setAccessibleName(self.tr("Models"))
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setMouseTracking(True)
        self._view.clicked.connect(self._take)
        # The keyboard stays with the field above, which hands on what is for the list.
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        rows = max(1, min(_SEEN, len(options)))
        self._view.setFixedHeight(rows * _ROW + 4)
        self.setLayout(vbox(self._filter, self._view, gap=6, margins=(8, 8, 8, 8)))
        self._select(self._options.row_of(provider, model))

    def open_below(self, field: QWidget) -> None:
        self.setFixedWidth(max(_LEAST_WIDTH, field.width()))
        self.adjustSize()
        place = field.mapToGlobal(QPoint(0, field.height() + 4))
        room = field.screen().availableGeometry()
        if place.y() + self.height() > room.bottom():
            place.setY(field.mapToGlobal(QPoint(0, 0)).y() - self.height() - 4)
        place.setX(min(place.x(), room.right() - self.width()))
        self.move(place)
        self.show()
        self._filter.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._filter and isinstance(event, QKeyEvent):
            key = event.key()
            if event.type() == QEvent.Type.KeyPress and key in (
                Qt.Key.Key_Down,
                Qt.Key.Key_Up,
                Qt.Key.Key_PageDown,
                Qt.Key.Key_PageUp,
            ):
                QApplication.sendEvent(self._view, event)
                return True
            if event.type() == QEvent.Type.KeyPress and key in (
                Qt.Key.Key_Return,
                Qt.Key.Key_Enter,
            ):
                self._take(self._view.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def _on_filter(self, text: str) -> None:
        self._options.filter(text)
        self._select(0)

    def _select(self, row: int) -> None:
        index = self._options.index(row)
        self._view.setCurrentIndex(index)
        self._view.scrollTo(index)

    def _take(self, index: QModelIndex) -> None:
        option = index.data(_OPTION) if index.isValid() else None
        if option is not None:
            self.chosen.emit(option)
            self.close()


class _OptionDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme = self._theme
        item: ModelOption = index.data(_OPTION)
        rect = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(theme.color("bg.selected"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 5, 5)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("bg.hover"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 5, 5)
        tile = QRectF(rect.left() + 8, rect.center().y() - 9, 18, 18)
        paint_provider(painter, theme, tile, item.provider, item.provider_label)
        right = rect.right() - 10
        painter.setFont(theme.font("small"))
        painter.setPen(QPen(theme.color("text.muted")))
        facts = _short_facts(item)
        wide = painter.fontMetrics().horizontalAdvance(facts)
        place = QRectF(right - wide, rect.top(), wide, rect.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, facts)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("text.primary" if item.ready else "text.muted"))
        room = QRectF(
            tile.right() + 10, rect.top(), place.left() - tile.right() - 22, rect.height()
        )
        name = painter.fontMetrics().elidedText(
            item.model, Qt.TextElideMode.ElideMiddle, round(room.width())
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
        painter.restore()


def _short_facts(item: ModelOption) -> str:
    if not item.ready:
        return f"{item.provider_label} · {tr('not connected')}"
    parts = [item.provider_label]
    facts = item.facts
    if facts is not None and facts.known:
        parts.append(token_words(facts.context_window))
    if item.free:
        parts.append(tr("free"))
    elif facts is not None and facts.input_price is not None and facts.output_price is not None:
        parts.append(f"{price_words(facts.input_price)} / {price_words(facts.output_price)}")
    return " · ".join(parts)
