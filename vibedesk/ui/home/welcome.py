"""The welcome page: say what to build, watch an example, or go on with a recent project."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QRadialGradient, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from vibedesk.ui.chat.image_tray import ImageTray
from vibedesk.ui.home.card_buttons import ProjectButton, SampleButton
from vibedesk.ui.home.cards import ProjectCard, SampleCard
from vibedesk.ui.home.place_card import PlaceCard
from vibedesk.ui.home.prompt_box import PromptBox
from vibedesk.ui.home.starter_picker import StarterPicker
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.island import Island
from vibedesk.ui.widgets.labels import label

_COLUMN = 1000
_PROMPT = 800
_RECENT = 4
_TWO_COLUMNS_FROM = 720
_FOUR_RECENT_FROM = 820


class WelcomePage(Island):
    """Where a new project starts."""

    wish_submitted = Signal(str, object)
    """The wish, and a tuple of `Attached`."""
    wish_changed = Signal(str)
    add_model_requested = Signal()
    sample_chosen = Signal(str)
    project_chosen = Signal(str)
    all_projects_requested = Signal()
    place_requested = Signal()
    """The person wants to choose where apps run."""
    place_dismissed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme = theme
        self._samples: list[SampleButton] = []
        self._recent: list[ProjectButton] = []
        self._prompt = PromptBox(theme)
        self._prompt.setMaximumWidth(_PROMPT)
        self._prompt.submitted.connect(self.wish_submitted)
        self._prompt.wish_changed.connect(self.wish_changed)
        self._prompt.add_model_requested.connect(self.add_model_requested)
        self._sample_grid = QGridLayout()
        self._recent_grid = QGridLayout()
        for grid in (self._sample_grid, self._recent_grid):
            grid.setSpacing(12)
        self._samples_part = self._make_samples_part()
        self._recent_part = self._make_recent_part()
        self._place_slot = vbox(gap=0)
        self._place_card: PlaceCard | None = None
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._make_page())
        self.add(scroll, 1)

    def set_samples(self, cards: Sequence[SampleCard]) -> None:
        """Show the recorded examples."""
        for old in self._samples:
            old.deleteLater()
        self._samples = [SampleButton(self._theme, card) for card in cards]
        for button, card in zip(self._samples, cards, strict=True):
            button.clicked.connect(lambda _=False, key=card.id: self.sample_chosen.emit(key))
        self._samples_part.setVisible(bool(cards))
        self._arrange()

    def set_projects(self, cards: Sequence[ProjectCard]) -> None:
        """Show the newest of these projects, and how many there are."""
        for old in self._recent:
            old.deleteLater()
        newest = sorted(cards, key=lambda card: -card.updated_at)[:_RECENT]
        self._recent = [ProjectButton(self._theme, card) for card in newest]
        for button, card in zip(self._recent, newest, strict=True):
            button.clicked.connect(lambda _=False, key=card.id: self.project_chosen.emit(key))
        self._recent_part.setVisible(bool(cards))
        many = self.tr("All {count} projects").format(count=len(cards))
        text = many if len(cards) > 1 else self.tr("All projects")
        self._all.setText(f"{text}\u2009")
        self._all.setAccessibleName(text)
        self._arrange()

    def set_model(self, name: str) -> None:
        """Name the model that will be asked; empty means that none is set up."""
        self._prompt.set_model(name)

    def offer_place(self, words: str | None) -> None:
        """Say in a quiet card where apps run, with a way to choose; `None` takes the card away."""
        if words is None:
            if self._place_card is not None:
                self._place_slot.removeWidget(self._place_card)
                self._place_card.hide()
                self._place_card.deleteLater()
                self._place_card = None
                self._place_slot.setContentsMargins(0, 0, 0, 0)
            return
        if self._place_card is None:
            self._place_slot.setContentsMargins(0, 6, 0, 18)
            self._place_card = PlaceCard(self._theme)
            self._place_card.chosen.connect(self.place_requested)
            self._place_card.dismissed.connect(self.place_dismissed)
            self._place_slot.addWidget(self._place_card)
        self._place_card.set_words(words)

    def set_busy(self, *, busy: bool) -> None:
        """Say that the wish was taken and the project is being made."""
        self._prompt.set_busy(busy=busy)

    def set_wish(self, text: str) -> None:
        self._prompt.set_text(text)

    @property
    def tray(self) -> ImageTray:
        """The pictures that go with the wish."""
        return self._prompt.tray

    @property
    def starters(self) -> StarterPicker:
        """What the app begins with."""
        return self._prompt.starters

    def set_estimate(self, text: str, why: str) -> None:
        """Say what the wish will cost, and what that rests on; an empty text says nothing."""
        self._prompt.set_estimate(text, why)

    def wish(self) -> str:
        return self._prompt.text()

    def focus_first(self) -> None:
        self._prompt.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _make_page(self) -> QWidget:
        title = label(self.tr("What do you want to build?"), fs="display")
        lead = label(
            self.tr("Describe it in your own words. You see the plan before any code is written."),
            tone="secondary",
            fs="lead",
        )
        lead.setWordWrap(True)
        for words in (title, lead):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column = QWidget()
        column.setMaximumWidth(_COLUMN)
        column.setLayout(
            vbox(
                title,
                lead,
                16,
                hbox((QWidget(), 1), (self._prompt, 8), (QWidget(), 1), gap=0),
                16,
                self._place_slot,
                self._samples_part,
                20,
                self._recent_part,
                None,
                gap=6,
            )
        )
        page = _GlowingPage(self._theme)
        page.setLayout(
            hbox((QWidget(), 1), (column, 100), (QWidget(), 1), gap=0, margins=(28, 52, 28, 28))
        )
        return page

    def _make_samples_part(self) -> QWidget:
        part = QWidget()
        head = hbox(
            label(self.tr("Watch an example"), strong=True),
            label(self.tr("Recorded builds that run without a model"), tone="muted", fs="small"),
            None,
        )
        part.setLayout(vbox(head, self._sample_grid, gap=10))
        part.hide()
        return part

    def _make_recent_part(self) -> QWidget:
        part = QWidget()
        self._all = text_button(
            self._theme, self.tr("All projects"), variant="ghost", icon="arrow-right", compact=True
        )
        self._all.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._all.clicked.connect(self.all_projects_requested)
        head = hbox(label(self.tr("Recent projects"), strong=True), None, self._all)
        part.setLayout(vbox(head, self._recent_grid, gap=8))
        part.hide()
        return part

    def _arrange(self) -> None:
        width = min(_COLUMN, self.width() - 56)
        two = 2 if width >= _TWO_COLUMNS_FROM else 1
        for index, sample in enumerate(self._samples):
            self._sample_grid.addWidget(sample, index // two, index % two)
        columns = _RECENT if width >= _FOUR_RECENT_FROM else _RECENT // 2
        for index, project in enumerate(self._recent):
            self._recent_grid.addWidget(project, index // columns, index % columns)
        for column in range(_RECENT):
            self._recent_grid.setColumnStretch(column, 1 if column < columns else 0)


class _GlowingPage(QWidget):
    """The page's ground with a faint light from above."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme.high_contrast:
            return
        glow = self._theme.color("accent.subtle")
        clear = self._theme.color("accent.subtle")
        clear.setAlpha(0)
        glow.setAlphaF(0.75)
        painter = QPainter(self)
        radius = min(620.0, self.width() * 0.45)
        painter.translate(QPointF(self.width() / 2, 0))
        painter.scale(1.0, 0.42)
        gradient = QRadialGradient(QPointF(0, 0), radius)
        gradient.setColorAt(0.0, glow)
        gradient.setColorAt(1.0, clear)
        painter.fillRect(round(-radius), 0, round(2 * radius), round(radius), gradient)
