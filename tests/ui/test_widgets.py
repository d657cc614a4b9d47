from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented, icon_button, text_button
from vibedesk.ui.widgets.island import GapSplitter, Island
from vibedesk.ui.widgets.labels import ElidedLabel, StatusChip, label, set_tone
from vibedesk.ui.widgets.marks import Swatch, TopStripeCard
from vibedesk.ui.widgets.messages import Banner, EmptyState, MessageAction
from vibedesk.ui.widgets.phase_strip import PhaseStep, PhaseStrip
from vibedesk.ui.widgets.prose import Prose
from vibedesk.ui.widgets.rings import Dot, Spinner
from vibedesk.ui.widgets.tab_order import in_tab_order
from vibedesk.ui.widgets.toast import Toast, ToastStack

_STEPS = (
    PhaseStep(key="plan", title="Plan", state="done"),
    PhaseStep(key="implement", title="Implement", state="active", share=0.7, extra="7 of 10 files"),
    PhaseStep(key="review", title="Review"),
)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme("dark")
    made.apply(qapp)
    return made


def _show(qtbot: QtBot, widget: QWidget, width: int = 600, height: int = 200) -> None:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    with qtbot.waitExposed(widget):
        widget.show()


def test_prose_is_as_high_as_its_lines(qtbot: QtBot, theme: Theme) -> None:
    prose = Prose(theme)
    qtbot.addWidget(prose)
    prose.set_text("one line")
    assert prose.heightForWidth(500) == 20
    prose.set_text("word " * 200)
    assert prose.heightForWidth(200) > prose.heightForWidth(400) > 40


def test_prose_shows_html_of_a_model_as_text(qtbot: QtBot, theme: Theme) -> None:
    prose = Prose(theme)
    qtbot.addWidget(prose)
    prose.set_markdown("a **bold** word and <img src='http://127.0.0.1/x.png'> <b>no</b>")
    assert "<b>no</b>" in prose.text()
    assert "\ufffc" not in prose.text()


def test_prose_names_itself_and_takes_the_new_schemes_colours(qtbot: QtBot, theme: Theme) -> None:
    prose = Prose(theme)
    qtbot.addWidget(prose)
    prose.set_text("Hello")

    def ink() -> object:
        return prose.document().begin().begin().fragment().charFormat().foreground().color()

    before = ink()
    theme.set_scheme("light")
    assert prose.accessibleName() == "Hello"
    assert before != ink() == theme.color("text.primary")


def test_prose_opens_links_by_keyboard(qtbot: QtBot, theme: Theme) -> None:
    prose = Prose(theme)
    prose.set_markdown("see [the page](https://example.org/)")
    _show(qtbot, prose)
    prose.activateWindow()
    prose.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(prose.hasFocus)
    prose.setTabChangesFocus(False)
    qtbot.keyClick(prose, Qt.Key.Key_Tab)
    with qtbot.waitSignal(prose.link_activated) as heard:
        qtbot.keyClick(prose, Qt.Key.Key_Return)
    assert heard.args == ["https://example.org/"]


def test_the_strip_says_everything_in_words(qtbot: QtBot, theme: Theme) -> None:
    strip = PhaseStrip(theme)
    qtbot.addWidget(strip)
    strip.set_heading("Phase 2 of 4", "Watering schedule")
    strip.set_steps(_STEPS)
    said = strip.accessibleDescription()
    assert said.startswith("Phase 2 of 4, Watering schedule.")
    assert "Implement: running 7 of 10 files" in said
    assert "Plan: done" in said


def test_the_strips_steps_are_reached_by_arrows_and_by_mouse(qtbot: QtBot, theme: Theme) -> None:
    strip = PhaseStrip(theme)
    strip.set_steps(_STEPS)
    _show(qtbot, strip, 900, 48)
    with qtbot.waitSignal(strip.step_activated) as heard:
        qtbot.keyClick(strip, Qt.Key.Key_Right)
        qtbot.keyClick(strip, Qt.Key.Key_Return)
    assert heard.args == ["implement"]
    first = strip._place()[0]
    with qtbot.waitSignal(strip.step_activated) as heard:
        qtbot.mouseClick(
            strip,
            Qt.MouseButton.LeftButton,
            pos=strip.rect().center().__class__(int(first.left) + 8, 24),
        )
    assert heard.args == ["plan"]


def test_a_narrow_strip_keeps_only_the_running_steps_words(qtbot: QtBot, theme: Theme) -> None:
    strip = PhaseStrip(theme)
    strip.set_steps(_STEPS)
    _show(qtbot, strip, 520, 48)
    assert [placed.title for placed in strip._place()] == ["", "Implement", ""]
    assert strip._place()[-1].left + strip._place()[-1].width <= strip.width()
    strip.resize(1000, 48)
    assert [placed.title for placed in strip._place()] == ["Plan", "Implement", "Review"]


def test_arrows_move_inside_a_segmented_choice(qtbot: QtBot, theme: Theme) -> None:
    choice = Segmented(theme, "Mode", [Segment(key="a", text="A"), Segment(key="b", text="B")])
    _show(qtbot, choice)
    choice.activateWindow()
    first = choice.findChildren(QToolButton)[0]
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    heard: list[str] = []
    choice.chosen.connect(heard.append)
    qtbot.keyClick(first, Qt.Key.Key_Right)
    assert choice.current == "b"
    assert heard == ["b"]


def test_setting_a_segment_tells_nobody(qtbot: QtBot, theme: Theme) -> None:
    choice = Segmented(theme, "Mode", [Segment(key="a", text="A"), Segment(key="b", text="B")])
    qtbot.addWidget(choice)
    with qtbot.assertNotEmitted(choice.chosen):
        choice.set_current("b")
    assert choice.current == "b"


def test_at_most_three_toasts_and_errors_stay(qtbot: QtBot, theme: Theme) -> None:
    host = QWidget()
    _show(qtbot, host, 900, 700)
    stack = ToastStack(theme, host)
    toasts = [Toast(theme, "danger" if n == 1 else "info", f"Toast {n}") for n in range(4)]
    for toast in toasts:
        stack.show_toast(toast)
    assert list(stack.toasts) == toasts[1:]
    assert not toasts[1]._timer.isActive()
    assert toasts[2]._timer.isActive()
    bottoms = [toast.mapTo(host, toast.rect().bottomRight()).y() for toast in stack.toasts]
    assert bottoms == sorted(bottoms)
    assert bottoms[-1] <= host.height()


def test_a_toast_leaves_after_its_time_but_not_under_the_pointer(
    qtbot: QtBot, theme: Theme
) -> None:
    host = QWidget()
    _show(qtbot, host, 900, 700)
    stack = ToastStack(theme, host)
    toast = Toast(theme, "success", "Version 14 saved")
    stack.show_toast(toast)
    toast.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    toast._on_timeout()
    assert list(stack.toasts) == [toast]
    toast.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    toast._on_timeout()
    assert list(stack.toasts) == []


def test_messages_hand_over_their_actions(qtbot: QtBot, theme: Theme) -> None:
    action = MessageAction(key="retry", text="Try again")
    for widget in (
        Banner(theme, "danger", "It broke.", [action]),
        EmptyState(theme, "browser", "Nothing yet", "It comes.", [action]),
        Toast(theme, "danger", "It broke", "", [action]),
    ):
        qtbot.addWidget(widget)
        button = next(
            child for child in widget.findChildren(QWidget) if child.accessibleName() == "Try again"
        )
        with qtbot.waitSignal(widget.action_triggered) as heard:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert heard.args == ["retry"]


def test_an_islands_corners_lie_over_what_was_added_later(qtbot: QtBot, theme: Theme) -> None:
    island = Island(theme)
    child = QWidget()
    island.add(child, 1)
    _show(qtbot, island, 300, 200)
    assert island.childAt(1, 1) is not child or island.children()[-1] in island._corners
    assert all(corner.isVisible() for corner in island._corners)
    assert set(island.children()[-4:]) == set(island._corners)


def test_an_islands_corner_has_the_canvas_colour(qtbot: QtBot, theme: Theme) -> None:
    island = Island(theme)
    island.add(QWidget(), 1)
    _show(qtbot, island, 300, 200)
    assert island.grab().toImage().pixelColor(0, 0) == theme.color("bg.canvas")


def test_a_gap_cannot_close_a_panel(qtbot: QtBot, theme: Theme) -> None:
    splitter = GapSplitter(Qt.Orientation.Horizontal, theme)
    left, right = QWidget(), QWidget()
    left.setMinimumWidth(100)
    splitter.addWidget(left)
    splitter.addWidget(right)
    _show(qtbot, splitter, 600, 200)
    splitter.setSizes([0, 600])
    assert splitter.sizes()[0] >= 100


def test_a_tone_changes_on_a_shown_label(qtbot: QtBot, theme: Theme) -> None:
    words = label("Hello", tone="muted")
    _show(qtbot, words)
    before = words.palette().color(words.foregroundRole())
    set_tone(words, "danger")
    assert before != words.palette().color(words.foregroundRole()) == theme.color("danger.text")


def test_a_label_shows_what_looks_like_markup_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    words = label("<b>x</b>")
    qtbot.addWidget(words)
    assert words.textFormat() == Qt.TextFormat.PlainText


def test_what_was_cut_off_is_in_the_tool_tip(qtbot: QtBot, theme: Theme) -> None:
    words = ElidedLabel("a very long name of a file that nobody has room for")
    _show(qtbot, words, 80, 24)
    words.grab()
    assert words.toolTip() == words.text()
    words.resize(900, 24)
    words.grab()
    assert words.toolTip() == ""


def test_a_spinner_rests_while_hidden(qtbot: QtBot, theme: Theme) -> None:
    spinner = Spinner(theme)
    _show(qtbot, spinner, 14, 14)
    assert spinner._timer.isActive()
    spinner.hide()
    assert not spinner._timer.isActive()


def test_painted_marks_survive_strange_colours(qtbot: QtBot, theme: Theme) -> None:
    card = TopStripeCard(theme, ["#2F6B4F", "not a colour", "#D9784C"])
    card.add(vbox(Swatch(theme, "#2F6B4F"), Dot(theme), StatusChip(theme, "Ready", "success")))
    _show(qtbot, card, 300, 120)
    image = card.grab().toImage()
    assert image.pixelColor(150, 2).name() == "#2f6b4f"
    assert image.pixelColor(270, 2).name() == "#d9784c"


def test_buttons_have_names_for_those_who_do_not_see_them(qtbot: QtBot, theme: Theme) -> None:
    stop = icon_button(theme, "stop-fill", "Stop", shortcut="Ctrl+.")
    plan = text_button(theme, "Plan it", icon="arrow-right")
    for button in (stop, plan):
        qtbot.addWidget(button)
    assert stop.accessibleName() == "Stop"
    assert "Ctrl+." in stop.toolTip()
    assert plan.accessibleName() == "Plan it"


@pytest.mark.parametrize("forward", [True, False])
def test_looking_along_the_tab_order_ties_no_widget_to_its_neighbour(
    qtbot: QtBot, theme: Theme, forward: bool
) -> None:
    window = QWidget()
    neighbours = [QPushButton("before", window)]
    more = QToolButton(window)
    menu = QMenu(more)
    more.setMenu(menu)
    action = menu.addAction("Copy")
    neighbours.append(QPushButton("after", window))
    _show(qtbot, window)
    order = [neighbours[0], more, neighbours[1]]
    assert list(in_tab_order(window, forward=forward)) == (order if forward else order[::-1])
    for neighbour in neighbours:
        neighbour.deleteLater()
        QApplication.sendPostedEvents(neighbour, QEvent.Type.DeferredDelete.value)
    assert [isValid(known) for known in (action, menu, more, window)] == [True] * 4
    assert action.text() == "Copy"
