"""The library of projects: cards of all of them, search, filters, open and delete."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QMenu,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from vibedesk.ui.home.card_painting import (
    CARD_TEXT_HEIGHT,
    CardLook,
    paint_project_card,
    state_word,
)
from vibedesk.ui.home.cards import CardState, ProjectCard
from vibedesk.ui.home.library_model import CARD_ROLE, LibraryModel
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented, text_button
from vibedesk.ui.widgets.island import Island
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.messages import EmptyState, MessageAction

_GAP = 18
_WANTED_CARD = 340
_PICTURE_SHARE = 0.5
_FILTERS: tuple[CardState, ...] = ("ready", "building", "interrupted", "failed", "draft")


class ProjectsPage(Island):
    """All projects, newest first."""

    project_chosen = Signal(str)
    new_project_requested = Signal()
    delete_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme = theme
        self._model = LibraryModel(self)
        self._count = label("", tone="muted", fs="lead")
        self._search = self._make_search()
        self._filters = self._make_filters()
        self._view = _CardView(theme)
        self._view.setModel(self._model)
        self._view.opened.connect(self._on_opened)
        self._view.delete_pressed.connect(self.delete_requested)
        self._view.customContextMenuRequested.connect(self._on_menu_requested)
        self._none: EmptyState | None = None
        self._nothing_found: EmptyState | None = None
        self._stack = QStackedLayout()
        self._stack.addWidget(self._view)
        new = text_button(theme, self.tr("New project"), variant="primary", icon="plus")
        new.clicked.connect(self.new_project_requested)
        head = hbox(
            label(self.tr("Projects"), fs="title"), self._count, None, self._search, new, gap=10
        )
        self._bar = QWidget()
        self._bar.setLayout(hbox(self._filters, None))
        add_layout(
            self.column,
            vbox(head, self._bar, gap=14, margins=(28, 22, 28, 10)),
        )
        add_layout(self.column, self._stack, 1)
        self._refresh()

    def set_projects(self, cards: Sequence[ProjectCard]) -> None:
        """Show the library; the project that was current stays current."""
        current = self._view.current_id()
        self._model.set_cards(cards)
        self._refresh()
        self._view.set_current_id(current)

    def focus_first(self) -> None:
        """Put the keyboard where a person would go on: the cards, or the search field."""
        (self._view if self._model.total else self._search).setFocus()

    def _make_search(self) -> QLineEdit:
        field = QLineEdit()
        field.setProperty("kind", "search")
        field.setPlaceholderText(self.tr("Find a project"))
        field.setAccessibleName(self.tr("Find a project"))
        field.setClearButtonEnabled(True)
        field.setFixedWidth(260)
        glyph = QAction(self._theme.icon("magnifying-glass", "text.muted", 15), "", field)
        field.addAction(glyph, QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(self._on_search_changed)
        return field

    def _make_filters(self) -> Segmented:
        segments = [Segment(key="all", text=self.tr("All"))]
        segments += [Segment(key=state, text=state_word(state)) for state in _FILTERS]
        filters = Segmented(self._theme, self.tr("Show projects by state"), segments)
        filters.chosen.connect(self._on_filter_chosen)
        return filters

    def _make_none(self) -> EmptyState:
        state = EmptyState(
            self._theme,
            "squares-four",
            self.tr("No projects yet"),
            self.tr(
                "Describe an app in a sentence or two. VibeDesk plans it, builds it and shows it "
                "running."
            ),
            [MessageAction(key="new", text=self.tr("Start a project"))],
        )
        state.action_triggered.connect(self.new_project_requested)
        return state

    def _make_nothing_found(self) -> EmptyState:
        state = EmptyState(
            self._theme,
            "magnifying-glass",
            "",
            "",
            [MessageAction(key="clear", text=self.tr("Show all projects"))],
        )
        state.action_triggered.connect(self._on_show_all)
        return state

    def _on_search_changed(self, text: str) -> None:
        self._model.set_search(text)
        self._refresh()

    def _on_filter_chosen(self, key: str) -> None:
        self._model.set_filter(key)  # type: ignore[arg-type]  # the segments' keys are the filters
        self._refresh()

    def _on_show_all(self) -> None:
        self._filters.set_current("all")
        self._model.set_filter("all")
        self._search.clear()
        self._refresh()

    def _on_opened(self, card: ProjectCard | None) -> None:
        if card is None:
            self.new_project_requested.emit()
        else:
            self.project_chosen.emit(card.id)

    def _on_menu_requested(self, place: QPoint) -> None:
        index = self._view.indexAt(place)
        card = index.data(CARD_ROLE) if index.isValid() else None
        if card is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme = self._theme
        open_ = menu.addAction(theme.icon("folder-open"), self.tr("Open"))
        open_.triggered.connect(lambda: self.project_chosen.emit(card.id))
        menu.addSeparator()
        delete = menu.addAction(theme.icon("trash", "danger.text"), self.tr("Delete…"))
        delete.triggered.connect(lambda: self.delete_requested.emit(card.id))
        menu.popup(self._view.viewport().mapToGlobal(place))

    def _refresh(self) -> None:
        total, found = self._model.total, self._model.found
        self._count.setText(str(total) if total else "")
        counts = self._model.counts()
        self._filters.set_text("all", self.tr("All {count}").format(count=total))
        for state in _FILTERS:
            self._filters.set_text(state, f"{state_word(state)} {counts[state]}")
            self._filters.set_shown(state, shown=counts[state] > 0)
        self._bar.setVisible(total > 0)
        self._search.setVisible(total > 0)
        if not total:
            self._show_none()
        elif not found:
            self._show_nothing_found()
        else:
            self._stack.setCurrentWidget(self._view)

    def _show_none(self) -> None:
        if self._none is None:
            self._none = self._make_none()
            self._stack.addWidget(self._none)
        self._stack.setCurrentWidget(self._none)

    def _show_nothing_found(self) -> None:
        if self._nothing_found is None:
            self._nothing_found = self._make_nothing_found()
            self._stack.addWidget(self._nothing_found)
        words = self._search.text().strip()
        if words:
            title = self.tr("Nothing found for “{words}”").format(words=words)
        else:
            title = self.tr("No project in this state")
        text = self.tr("Search covers titles and descriptions of your projects.")
        self._nothing_found.set_words(title, text)
        self._stack.setCurrentWidget(self._nothing_found)


class _CardView(QListView):
    """Cards in rows that fill the width; painted, so that hundreds cost nothing."""

    opened = Signal(object)
    delete_pressed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(self.tr("Projects"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        self.setViewportMargins(28 - _GAP // 2, 0, 18 - _GAP // 2, 0)
        self._delegate = _CardDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.hovered_row = -1
        self.clicked.connect(self._open)
        self.entered.connect(lambda index: self._hover(index.row()))
        self.viewportEntered.connect(lambda: self._hover(-1))

    def current_id(self) -> str:
        card = self.currentIndex().data(CARD_ROLE)
        return card.id if isinstance(card, ProjectCard) else ""

    def set_current_id(self, project_id: str) -> None:
        model = self.model()
        if isinstance(model, LibraryModel) and model.rowCount():
            self.setCurrentIndex(model.index(max(0, model.row_of(project_id))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self._open(index)
        elif event.key() == Qt.Key.Key_Delete and self.current_id():
            self.delete_pressed.emit(self.current_id())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # The event tells the viewport's size; asking for viewport() here costs the first paint 10 ms.
        self._fit(event.size().width() - 1)
        super().resizeEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, row: int) -> None:
        if row != self.hovered_row:
            self.hovered_row = row
            self.viewport().update()

    def _fit(self, room: int) -> None:
        """Choose the number of columns that brings the cards nearest to the wanted width."""
        columns = max(1, round(room / (_WANTED_CARD + _GAP)))
        width = room // columns
        height = round((width - _GAP) * _PICTURE_SHARE) + CARD_TEXT_HEIGHT + _GAP
        self._delegate.cell = QSize(width, height)
        self.setGridSize(QSize(width, height))

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(index.data(CARD_ROLE))


class _CardDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: _CardView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self.cell = QSize(320, 240)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return self.cell

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        half = _GAP / 2
        rect = QRectF(option.rect).adjusted(half, half, -half, -half)
        current = index.row() == self._view.currentIndex().row()
        look = CardLook(
            hovered=index.row() == self._view.hovered_row,
            focused=current and self._view.hasFocus(),
        )
        card = index.data(CARD_ROLE)
        if card is None:
            self._paint_new(painter, rect, look)
        else:
            paint_project_card(painter, self._theme, rect, card, look)

    def _paint_new(self, painter: QPainter, rect: QRectF, look: CardLook) -> None:
        theme = self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(theme.color("bg.hover") if look.hovered else Qt.BrushStyle.NoBrush)
        if look.focused:
            painter.setPen(QPen(theme.color("accent.focus"), 2))
        else:
            painter.setPen(QPen(theme.color("border.control"), 1, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 9.5, 9.5)
        tile = QRectF(0, 0, 40, 40)
        tile.moveCenter(rect.center())
        tile.translate(0, -20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent.subtle"))
        painter.drawRoundedRect(tile, 10, 10)
        ratio = self._view.devicePixelRatioF()
        painter.drawPixmap(
            round(tile.center().x() - 9),
            round(tile.center().y() - 9),
            theme.pixmap("plus", "accent.text", 18, ratio),
        )
        font = theme.font("body_strong")
        painter.setFont(font)
        painter.setPen(theme.color("text.primary"))
        words = QRectF(rect.left(), tile.bottom() + 10, rect.width(), 20)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.tr("New project"))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text.muted"))
        words.translate(0, 22)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.tr("Ctrl N"))
        painter.restore()
