"""The whole plan of the app: read while it comes, edited while it waits, agreed with one button."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.chat.blueprint_card import BlueprintState
from vibedesk.ui.chat.blueprint_form import LATER_FIELDS, BlueprintForm
from vibedesk.ui.chat.blueprint_texts import Starter
from vibedesk.ui.chat.objection import Objection
from vibedesk.ui.chat.quiet_fields import QuietText, quiet_field, set_editable, written
from vibedesk.ui.chat.roadmap import RoadmapItem
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import IconLabel, StatusChip, label, set_look
from vibedesk.ui.widgets.marks import paint_stripe, stripe_colours
from vibedesk.ui.widgets.rings import Spinner

_WIDE = 820
_GAP = 8
_UNLIMITED = 16_777_215


class _Stripe(QWidget):
    """The palette across the top of the page."""

    def __init__(self) -> None:
        super().__init__()
        self._colours = stripe_colours(())
        self.setFixedHeight(5)

    def set_colours(self, colours: Sequence[str]) -> None:
        self._colours = stripe_colours(colours)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_stripe(QPainter(self), QRectF(self.rect()), self._colours)


class BlueprintPage(QWidget):
    """Title, views, roadmap, checks, colours, what it is built with, what is worth knowing.

    Every part is a field while the state is `awaiting_approval`; of an `approved` one the checks and the phases to
    come are. What was changed stays until it is discarded or handed over, also where another blueprint comes.
    """

    approve_requested = Signal(dict)
    """The whole blueprint, with what was changed."""
    replan_requested = Signal(dict)
    """The parts that were changed; the rest is to be planned anew around them."""
    save_requested = Signal(dict)
    """The parts that were changed while the app is built."""
    changes_requested = Signal()
    stop_requested = Signal()
    edited = Signal()
    """`changes` are others."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._blueprint: dict[str, Any] = {}
        self._state: BlueprintState = "streaming"
        self._begun = 0
        self._edited_before = False
        self._items: Sequence[RoadmapItem] = ()
        self._starters: Sequence[Starter] = ()
        self._wanted: Mapping[str, Any] | None = None
        """What the fields are to show as soon as the page is seen; None while they show it."""
        self._kept: dict[str, Any] = {}
        """What was changed before the blueprint was shown in the present state."""
        self._handed_over: dict[str, Any] = {}
        self._form: BlueprintForm | None = None
        self._showing = False
        self._wrong: QWidget | None = None
        self._stripe = _Stripe()
        self._title = quiet_field("", self.tr("Title of the app"), fs="title")
        self._description = QuietText("", self.tr("The app in one sentence"))
        self._title.textEdited.connect(self._on_edited)
        self._description.textChanged.connect(self._on_edited)
        self._title.textChanged.connect(self._fit_title)
        self._build()
        self.clear()

    @property
    def state(self) -> BlueprintState:
        return self._state

    @property
    def changed(self) -> bool:
        """Whether something was changed here and not handed over."""
        return bool(self.changes())

    def clear(self) -> None:
        self._blueprint = {}
        self._begun = 0
        self._items = ()
        self._edited_before = False
        self._state, self._kept, self._handed_over = "streaming", {}, {}
        self.set_blueprint({}, "streaming")

    def set_starters(self, starters: Sequence[Starter]) -> None:
        """Offer these starters to begin with."""
        self._starters = tuple(starters)
        if self._form is not None:
            self._form.set_starters(starters)

    def set_blueprint(self, blueprint: Mapping[str, Any], state: BlueprintState) -> None:
        """Show a blueprint, whole or in part, with what was changed and not handed over."""
        known = self._blueprint == blueprint and bool(blueprint)
        if known and self._state == state:
            return
        if known:
            self._kept = {**self._handed_over, **self.changes()}
        else:
            self._kept, self._handed_over = self.changes(), {}
        self._blueprint = copy.deepcopy(dict(blueprint))
        self._state = state
        self._show_with_kept()

    def restore(self, changes: Mapping[str, Any]) -> None:
        """Show changes that were made before, as soon as there is a blueprint to show them in."""
        self._kept = copy.deepcopy(dict(changes))
        self._show_with_kept()

    def set_handed_over(self, changes: Mapping[str, Any]) -> None:
        """Count these no longer as changes; an empty mapping takes that back, as after a refusal."""
        self._handed_over = copy.deepcopy(dict(changes))
        self._refresh()
        self.edited.emit()

    def set_edited_before(self, *, edited: bool) -> None:
        """Say that the person changed this blueprint before, so that the rest can be planned anew."""
        self._edited_before = edited
        self._refresh()

    def set_roadmap(self, items: Sequence[RoadmapItem]) -> None:
        """Show beside the phases how they stand; those that were begun stay as they are."""
        self._items = tuple(items)
        begun = sum(item.state != "todo" for item in items)
        if begun != self._begun:
            self._begun = begun
            if self._form is not None and self._wanted is None and self._state == "approved":
                self._form.set_begun(begun)
        if self._form is not None and self._wanted is None:
            self._show_roadmap(self._form)

    def _show_roadmap(self, form: BlueprintForm) -> None:
        words = {
            "todo": ("", "muted"),
            "active": (self.tr("in progress"), "live"),
            "done": (self.tr("done"), "success"),
            "failed": (self.tr("stopped"), "danger"),
        }
        form.set_roadmap_states(
            {
                item.name: (item.extra or words[item.state][0], words[item.state][1])
                for item in self._items
            }
        )

    def set_estimate(self, text: str) -> None:
        """Say beside the buttons what to expect, for example "4 phases, about 6 min"."""
        self._estimate.setText(text)
        self._estimate.setVisible(bool(text))

    def edited_blueprint(self) -> dict[str, Any]:
        """Return the blueprint with what the person changed."""
        if self._form is None or self._wanted is not None:
            return copy.deepcopy(
                dict(self._wanted if self._wanted is not None else self._blueprint)
            )
        form, made = self._form, copy.deepcopy(self._blueprint)
        values: dict[str, Any] = {
            "title": written(self._title, str(made.get("title", ""))),
            "description": self._description.text(),
            **form.values(),
        }
        made.update({key: value for key, value in values.items() if value or key in made})
        return made

    def changes(self) -> dict[str, Any]:
        """Return the parts that the person changed and did not hand over, as they stand now."""
        if self._state not in ("awaiting_approval", "approved"):
            return copy.deepcopy(self._kept)
        given, nothing = self._blueprint, object()
        return {
            key: value
            for key, value in self.edited_blueprint().items()
            if value != given.get(key) and value != self._handed_over.get(key, nothing)
        }

    def discard(self) -> None:
        """Show the blueprint as it was."""
        self._kept = {}
        self._show(self._blueprint)
        self.edited.emit()

    def approve(self) -> None:
        """Agree to the blueprint as it is shown now."""
        if self._state == "awaiting_approval":
            self.approve_requested.emit(self.edited_blueprint())

    def show_problem(self, field: str, reason: str) -> None:
        """Say at a field why it cannot be like this, and put the keyboard there.

        Args:
            field: The way to it, such as "views.0.name".
            reason: A sentence.
        """
        form = self._fill()
        self._clear_problem()
        path = field.split(".")
        at: QWidget
        if (found := form.field_at(path)) is not None:
            part, at = found
            layout = part.layout()
        else:
            at = self._description if path[0] == "description" else self._title
            layout = self._words
        if isinstance(layout, QBoxLayout):
            layout.insertWidget(layout.count() if layout is self._words else 1, self._problem)
        self._problem_words.setText(reason)
        self._problem.setAccessibleName(reason)
        self._problem.show()
        self._wrong = at
        set_look(at, "invalid", True)
        at.setAccessibleDescription(reason)
        at.setFocus()
        form.ensureWidgetVisible(at)

    # Showing -------------------------------------------------------------------------------

    def _show_with_kept(self) -> None:
        shown = {
            "streaming": (),
            "awaiting_approval": self._kept,
            "resting": self._kept,
            "approved": LATER_FIELDS,
        }[self._state]
        kept = {key: value for key, value in self._kept.items() if key in shown}
        self._show({**self._blueprint, **copy.deepcopy(kept)})

    def _show(self, blueprint: Mapping[str, Any]) -> None:
        """Show this; while nobody sees the page its many fields are not made anew for every section that comes."""
        self._wanted = blueprint
        if self.isVisible():
            self._fill()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fill()

    def _fill(self) -> BlueprintForm:
        form = self._form or self._make_form()
        if self._wanted is not None:
            blueprint, self._wanted = self._wanted, None
            self._fill_with(blueprint, form)
        return form

    def _make_form(self) -> BlueprintForm:
        form = self._form = BlueprintForm(self._theme)
        form.set_starters(self._starters)
        form.edited.connect(self._on_edited)
        form.set_room(self.width(), wide=self.width() >= _WIDE)
        self._column.addWidget(form, 1)
        return form

    def _fill_with(self, blueprint: Mapping[str, Any], form: BlueprintForm) -> None:
        self._showing = True
        self._clear_problem()
        editable = self._state == "awaiting_approval"
        self._title.setText(str(blueprint.get("title", "")))
        self._title.setModified(blueprint.get("title") != self._blueprint.get("title"))
        self._title.setPlaceholderText(self.tr("Title") if editable else "")
        self._title.setCursorPosition(0)
        self._description.set_text(str(blueprint.get("description", "")))
        for field in (self._title, self._description):
            set_editable(field, editable)
        fields = {
            "streaming": (),
            "awaiting_approval": form.names,
            "resting": (),
            "approved": LATER_FIELDS if self._blueprint else (),
        }[self._state]
        begun = self._begun if self._state == "approved" else 0
        form.set_blueprint(blueprint, fields, begun=begun)
        self._show_roadmap(form)
        self._stripe.set_colours([str(colour) for colour in blueprint.get("color_palette", ())])
        objection = str(blueprint.get("not_a_web_app", "") or "")
        self._objection.set_words(objection, choose=editable)
        self._top.setVisible(bool(objection))
        count = len(blueprint.get("implementation_roadmap", ()))
        words = self.tr("1 phase") if count == 1 else self.tr("{n} phases").format(n=count)
        self.set_estimate(words if editable and count else "")
        self._working.setVisible(self._state == "streaming" and bool(self._blueprint))
        self._showing = False
        self._refresh()

    def _refresh(self) -> None:
        awaiting, approved = self._state == "awaiting_approval", self._state == "approved"
        changed = (awaiting or approved) and self.changed
        objected = self._objection.has_words
        replan = awaiting and not objected
        self._discard.setVisible(changed)
        self._ask.setVisible(awaiting and not changed and not objected)
        self._replan.setVisible(replan)
        self._replan.setEnabled(changed or self._edited_before)
        tip = self.tr("Plans the rest anew around your changes, which stay word for word.")
        self._replan.setToolTip(
            tip if self._replan.isEnabled() else self.tr("Change something first.")
        )
        self._start.setVisible(awaiting and not objected)
        self._save.setVisible(approved and changed)
        self._buttons.setVisible(awaiting or (approved and changed))
        self._fit_buttons()

    def _fit_buttons(self) -> None:
        """Let the buttons stand in a row where there is room, else in as many as they need."""
        wide = self.width() >= _WIDE
        shown = [b for b in self._all_buttons if not b.isHidden()]
        for button in shown:
            # Before that they have other margins than they are shown with.
            button.ensurePolished()
        row = sum(b.sizeHint().width() for b in shown) + _GAP * max(0, len(shown) - 1)
        self._row.setMinimumWidth(row if wide else 0)
        self._row.setMaximumWidth(row if wide else _UNLIMITED)

    # Building ------------------------------------------------------------------------------

    def _build(self) -> None:
        glyph = IconLabel(self._theme, "warning-circle-fill", "danger.text", 14)
        self._problem_words = label("", tone="danger", fs="small")
        self._problem_words.setWordWrap(True)
        self._problem = QWidget(self)
        self._problem.setLayout(
            hbox(5, vbox(1, glyph, None, gap=0), (self._problem_words, 1), gap=6)
        )
        self._problem.hide()
        self._objection = Objection(self._theme)
        self._objection.agreed.connect(self.approve)
        self._objection.stop_requested.connect(self.stop_requested)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stripe)
        self._top = QWidget()
        self._top.setLayout(hbox(self._objection, margins=(12, 10, 12, 2)))
        column.addWidget(self._top)
        column.addWidget(self._make_head())

    def _make_head(self) -> QWidget:
        self._estimate = label("", tone="muted", fs="small")
        self._make_buttons()
        self._buttons = QWidget()
        self._buttons.setLayout(hbox(self._estimate, self._row, gap=10))
        self._working = QWidget()
        self._working.setLayout(
            hbox(
                Spinner(self._theme, 14),
                label(self.tr("Drawing up the blueprint"), tone="live", fs="small"),
                None,
            )
        )
        chip = StatusChip(self._theme, self.tr("Blueprint"), "plain", "blueprint")
        title = hbox((self._title, 1), chip, None, gap=8)
        self._words = vbox(title, self._description, gap=0)
        self._head = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._head.setContentsMargins(11, 12, 16, 12)
        self._head.setSpacing(8)
        add_layout(self._head, self._words, 1)
        self._head.addWidget(self._working)
        self._head.addWidget(self._buttons)
        head = frame("header", self._head)
        head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        return head

    def _make_buttons(self) -> None:
        self._discard = text_button(self._theme, self.tr("Discard"), variant="ghost")
        self._discard.setToolTip(self.tr("Takes back what you changed"))
        self._discard.clicked.connect(self.discard)
        self._ask = text_button(self._theme, self.tr("Ask for changes"))
        self._ask.clicked.connect(self.changes_requested)
        self._replan = text_button(self._theme, self.tr("Re-plan"))
        self._replan.clicked.connect(lambda: self.replan_requested.emit(self.changes()))
        self._start = text_button(
            self._theme, self.tr("Start building"), variant="primary", icon="hammer"
        )
        self._start.clicked.connect(self.approve)
        self._save = text_button(self._theme, self.tr("Save changes"), variant="primary")
        self._save.clicked.connect(lambda: self.save_requested.emit(self.changes()))
        self._all_buttons = (self._discard, self._ask, self._replan, self._start, self._save)
        flow = FlowLayout(_GAP)
        self._row = QWidget()
        self._row.setLayout(flow)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._row.setSizePolicy(policy)
        for button in self._all_buttons:
            flow.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._head.setDirection(direction)
        if self._form is not None:
            self._form.set_room(self.width(), wide=wide)
        self._fit_buttons()

    # Reactions -----------------------------------------------------------------------------

    def _on_edited(self) -> None:
        if self._showing:
            return
        self._clear_problem()
        if self._form is not None:
            self._stripe.set_colours(self._form.colours)
        self._refresh()
        self.edited.emit()

    def _clear_problem(self) -> None:
        if self._wrong is not None:
            set_look(self._wrong, "invalid", False)
            self._wrong.setAccessibleDescription("")
            self._wrong = None
        self._problem.hide()

    def _fit_title(self, text: str) -> None:
        """Keep the chip close behind the title."""
        words = text or self._title.placeholderText()
        # Before that its font is not the one it is shown in.
        self._title.ensurePolished()
        self._title.setMaximumWidth(self._title.fontMetrics().horizontalAdvance(words) + 24)
