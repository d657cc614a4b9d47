"""Layouts leave nothing behind in PySide's tables when Qt deletes what they hold.

Qt tells PySide when a widget ends, but not when an item of a layout does. A wrapper of an item that is left stays under
its address, and what PySide makes at that address next crashes when it ends.
"""

from __future__ import annotations

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tests.support.wrappers import untold_wrappers
from vibedesk.ui.shell.status_bar import StatusBar, StatusItem
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.flow_layout import FlowLayout

pytestmark = [pytest.mark.ui, pytest.mark.usefixtures("qapp")]


def end(widget: QWidget) -> None:
    widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_layout_in_a_shown_one_leaves_no_items() -> None:
    outer = QWidget()
    column = QVBoxLayout(outer)
    word = QLabel("word")
    add_layout(column, hbox(word, 4, vbox(QLabel("deep"), None), None))
    add_layout(column, hbox(QLabel("more")), 1)
    assert column.stretch(1) == 1
    assert untold_wrappers() == []
    assert word.parentWidget() is outer
    outer.show()
    end(word)
    assert column.count() == 2
    # In another window PySide takes up all that is inside once more.
    around = QWidget()
    add_layout(QVBoxLayout(around), hbox(QLabel("last")))
    assert untold_wrappers() == []


def test_a_flow_in_a_shown_layout_leaves_no_items() -> None:
    outer = QWidget()
    column = QVBoxLayout(outer)
    flow = FlowLayout()
    chips = [QPushButton(str(n)) for n in range(3)]
    for chip in chips:
        flow.addWidget(chip)
    add_layout(column, flow)
    flow.addWidget(QLabel("later"))
    assert untold_wrappers() == []
    outer.show()
    end(chips[0])
    assert flow.count() == 3
    assert [chip.parentWidget() for chip in chips[1:]] == [outer, outer]
    flow.clear()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert flow.count() == 0
    assert not any(shiboken6.isValid(chip) for chip in chips)
    assert untold_wrappers() == []


def test_widgets_made_where_items_were_end_well() -> None:
    """Crashed: hundreds of buttons come to lie where Qt had an item of a layout."""
    outer = QWidget()
    column = QVBoxLayout(outer)
    for _ in range(150):
        words = [QLabel("word") for _ in range(8)]
        row = QHBoxLayout()
        for word in words:
            row.addWidget(word)
        add_layout(column, row)
        for word in words:
            shiboken6.delete(word)
        del word, words
        made = [_Made(outer) for _ in range(60)]
        for one in made:
            one.deleteLater()
        del one, made
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert column.count() == 150


class _Made(QWidget):
    """A class of Python's, which Qt tells PySide of when it ends."""


def test_the_status_bar_leaves_no_items() -> None:
    bar = StatusBar(Theme("dark"))
    bar.set_items([StatusItem(key="a", text="one"), StatusItem(key="b", text="two")], [])
    bar.set_items([StatusItem(key="b", text="two"), StatusItem(key="c", text="three")], [])
    assert untold_wrappers() == []
