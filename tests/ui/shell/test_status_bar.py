from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from vibedesk.ui.shell.status_bar import StatusBar, StatusFigure, StatusItem
from vibedesk.ui.theme.theme import Theme


def _texts(bar: StatusBar) -> list[str]:
    shown = [words for words in bar.findChildren(QLabel) if words.isVisible()]
    return [
        words.text() for words in sorted(shown, key=lambda w: w.mapTo(bar, w.rect().topLeft()).x())
    ]


def test_facts_change_in_place(qtbot: QtBot, theme: Theme) -> None:
    bar = StatusBar(theme)
    qtbot.addWidget(bar)
    bar.resize(900, 26)
    bar.show()
    sandbox = StatusItem(key="sandbox", text="Starting", dot="warning.text")
    bar.set_items([sandbox], [StatusItem(key="cost", text="$0.10", icon="coins")])
    widget = bar._shown["cost"][1]
    bar.set_items(
        [StatusItem(key="sandbox", text="Running", dot="success.text")],
        [StatusItem(key="cost", text="$0.31", icon="coins")],
    )
    assert bar._shown["cost"][1] is widget
    qtbot.waitUntil(lambda: _texts(bar) == ["Running", "$0.31"])


def test_facts_that_are_gone_leave_and_new_ones_take_their_place(
    qtbot: QtBot, theme: Theme
) -> None:
    bar = StatusBar(theme)
    qtbot.addWidget(bar)
    bar.resize(900, 26)
    bar.show()
    bar.set_items([StatusItem(key="a", text="A"), StatusItem(key="c", text="C")], [])
    bar.set_items([StatusItem(key="b", text="B"), StatusItem(key="c", text="C")], [])
    qtbot.waitUntil(lambda: _texts(bar) == ["B", "C"])


def test_a_clickable_fact_is_a_button_with_a_name(qtbot: QtBot, theme: Theme) -> None:
    bar = StatusBar(theme)
    qtbot.addWidget(bar)
    bar.set_items([StatusItem(key="problems", text="1 problem", clickable=True)], [])
    button = bar.findChild(QAbstractButton)
    assert button.accessibleName() == "1 problem"
    with qtbot.waitSignal(bar.item_clicked) as heard:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert heard.args == ["problems"]


def test_figures_belong_to_the_button_and_are_told_apart_from_its_name(
    qtbot: QtBot, theme: Theme
) -> None:
    def item(cpu: str, memory: str) -> StatusItem:
        return StatusItem(
            key="sandbox",
            text="App is running",
            dot="success.text",
            clickable=True,
            figures=(
                StatusFigure(icon="cpu", text=cpu, curve=((0.5, 0.1), (1.0, 0.2))),
                StatusFigure(icon="memory", text=memory),
            ),
            details=f"{cpu}, {memory}",
        )

    bar = StatusBar(theme)
    qtbot.addWidget(bar)
    bar.resize(900, 26)
    bar.show()
    bar.set_items([item("CPU 100 %", "1.2 GB")], [])
    qtbot.waitUntil(lambda: _texts(bar) == ["App is running", "CPU 100 %", "1.2 GB"])
    button = bar.widget_of("sandbox")
    assert button is not None
    assert button.accessibleName() == "App is running"
    assert button.accessibleDescription() == "CPU 100 %, 1.2 GB"
    width = button.width()
    bar.set_items([item("CPU 3 %", "1 GB")], [])
    qtbot.waitUntil(lambda: _texts(bar) == ["App is running", "CPU 3 %", "1 GB"])
    assert bar.widget_of("sandbox") is button, "changed in place"
    assert button.width() == width, "what follows stands still"
    stopped = StatusItem(key="sandbox", text="App is stopped", dot="text.muted", clickable=True)
    bar.set_items([stopped], [])
    qtbot.waitUntil(lambda: _texts(bar) == ["App is stopped"])
    assert bar.widget_of("sandbox") is button, "a popover may be open beside it"
    assert button.accessibleDescription() == ""
    qtbot.waitUntil(lambda: button.width() < width)
    bar.set_items([item("CPU 3 %", "1 GB")], [])
    qtbot.waitUntil(lambda: _texts(bar) == ["App is running", "CPU 3 %", "1 GB"])
    assert bar.widget_of("nothing") is None
