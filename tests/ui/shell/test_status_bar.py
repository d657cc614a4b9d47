from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from vibedesk.ui.shell.status_bar import StatusBar, StatusItem
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
