"""Which lines of a page's console are errors of the app, each told once."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vibedesk.ui.page_errors import PageError, PageErrors

pytestmark = pytest.mark.ui
APP = "http://127.0.0.1:5173"
SOURCE = f"{APP}/src/App.tsx?t=1700000000"
THROWN = "Uncaught TypeError: Cannot read properties of undefined (reading 'next')"


class Heard:
    """Page errors of one app, and what they told."""

    def __init__(self) -> None:
        self.busy = False
        self.owner = QObject()
        self.errors = PageErrors(lambda: f"{APP}/", lambda: self.busy, self.owner)
        self.told: list[PageError] = []
        self.errors.seen.connect(self.told.append)

    def settle(self, qtbot: QtBot) -> None:
        if self.errors._pause.isActive():
            with qtbot.waitSignal(self.errors._pause.timeout):
                pass


@pytest.fixture
def heard(qapp: QApplication) -> Heard:
    return Heard()


def test_an_error_is_told_once_with_its_place_until_the_code_changes(
    qtbot: QtBot, heard: Heard
) -> None:
    for _ in range(3):
        heard.errors.on_console("error", THROWN, SOURCE, 12)
    heard.settle(qtbot)
    assert heard.told == [
        PageError(THROWN, f"{THROWN}\n    at {SOURCE}:12:1", f"{APP}/src/App.tsx")
    ]
    heard.errors.on_console("error", THROWN, f"{APP}/src/App.tsx?t=1800000000", 14)
    heard.settle(qtbot)
    assert len(heard.told) == 1, "the same after a reload"
    heard.errors.forget()
    heard.errors.on_console("error", THROWN, SOURCE, 12)
    heard.settle(qtbot)
    assert len(heard.told) == 2


def test_a_stack_that_was_printed_is_kept(qtbot: QtBot, heard: Heard) -> None:
    printed = f"Error: no plant\n    at find ({APP}/src/db.ts:3:9)"
    heard.errors.on_console("error", printed, SOURCE, 1)
    heard.settle(qtbot)
    assert [(error.message, error.stack) for error in heard.told] == [("Error: no plant", printed)]


@pytest.mark.parametrize(
    ("level", "message", "source"),
    [
        ("warning", THROWN, SOURCE),
        ("info", THROWN, SOURCE),
        ("error", THROWN, "http://elsewhere.example/lib.js"),
        ("error", THROWN, "http://127.0.0.1:5174/src/App.tsx"),
        ("error", "[vite] Failed to reload /src/App.tsx.", SOURCE),
        (
            "error",
            "Failed to load resource: the server responded with a status of 404 (Not Found)",
            f"{APP}/api/plants/9",
        ),
    ],
)
def test_what_is_no_error_of_the_app_is_not_told(
    qtbot: QtBot, heard: Heard, level: str, message: str, source: str
) -> None:
    heard.errors.on_console(level, message, source, 1)
    heard.settle(qtbot)
    assert heard.told == []


def test_a_server_that_fails_is_told(qtbot: QtBot, heard: Heard) -> None:
    failed = "Failed to load resource: the server responded with a status of 500 (Internal)"
    heard.errors.on_console("error", failed, f"{APP}/api/plants", 0)
    heard.settle(qtbot)
    assert [error.source for error in heard.told] == [f"{APP}/api/plants"]


def test_nothing_is_told_while_files_change(qtbot: QtBot, heard: Heard) -> None:
    heard.busy = True
    heard.errors.on_console("error", THROWN, SOURCE, 12)
    heard.settle(qtbot)
    heard.busy = False
    heard.errors.on_console("error", THROWN, SOURCE, 12)
    heard.busy = True
    heard.settle(qtbot)
    assert heard.told == [], "a run began before it could be told"


def test_a_flood_is_bounded(qtbot: QtBot, heard: Heard) -> None:
    for letter in "abcdefghijkl":
        heard.errors.on_console("error", f"Error: {letter}", SOURCE, 1)
    heard.settle(qtbot)
    assert [error.message for error in heard.told] == [f"Error: {letter}" for letter in "abcde"]
