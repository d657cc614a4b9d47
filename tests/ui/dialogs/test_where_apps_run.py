"""The screen of a first start that says where apps run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QLabel,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.sandbox_gallery import FOUND
from vibedesk.base.errors import StorageError
from vibedesk.engine.views import CheckView, DoctorView
from vibedesk.ui.dialogs.run_yourself import RunYourselfDialog
from vibedesk.ui.dialogs.where_apps_run import (
    WhereAppsRunDialog,
    ask_where_apps_run,
    remedy_pieces,
)
from vibedesk.ui.sandbox.words import AppPlace
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.command_line import CommandLine


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


class Asking:
    """An open dialog and what becomes of it."""

    def __init__(self, theme: Theme, window: QWidget, place: AppPlace, *found: str) -> None:
        self._window = window
        self._found: Iterator[str] = iter(found)
        self.looked = 0
        self.answer = asyncio.get_running_loop().create_task(
            ask_where_apps_run(theme, window, place=place, look=self._look)
        )

    async def _look(self) -> DoctorView:
        self.looked += 1
        name = next(self._found)
        if name == "error":
            raise StorageError("The data folder cannot be read.", remedy="Look at its rights.")
        return FOUND[name]

    async def dialog(self) -> WhereAppsRunDialog:
        for _ in range(50):
            await asyncio.sleep(0)
            found = [d for d in self._window.findChildren(WhereAppsRunDialog) if d.isVisible()]
            if found and self.looked and found[0]._looking is None:
                return found[0]
        pytest.fail("no dialog was opened")


def words(dialog: QWidget) -> str:
    return "\n".join(w.text() for w in dialog.findChildren(QLabel) if w.isVisible())


def button(dialog: QWidget, name: str) -> QAbstractButton:
    found = dialog.findChildren(QAbstractButton)
    return next(b for b in found if b.isVisible() and b.accessibleName() == name)


def press(qtbot: QtBot, dialog: QWidget, name: str) -> None:
    qtbot.mouseClick(button(dialog, name), Qt.MouseButton.LeftButton)


def commands(dialog: QWidget) -> list[str]:
    return [c.command for c in dialog.findChildren(CommandLine) if c.isVisible()]


async def test_with_docker_here_one_press_is_enough(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    asking = Asking(theme, window, "auto", "docker-ready")
    dialog = await asking.dialog()
    assert "Docker 28.1 is running and VibeDesk may use it." in words(dialog)
    assert dialog._docker._chip.accessibleName() == "Ready"
    assert commands(dialog) == []
    press(qtbot, dialog, "Use Docker")
    assert await asyncio.wait_for(asking.answer, 5) == "auto"


async def test_docker_only_is_a_choice(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    asking = Asking(theme, window, "auto", "docker-ready")
    dialog = await asking.dialog()
    fallback = cast("QCheckBox", dialog.findChild(QCheckBox))
    assert fallback.text() == "Use this computer while Docker does not answer"
    fallback.click()
    press(qtbot, dialog, "Use Docker")
    assert await asyncio.wait_for(asking.answer, 5) == "docker"


@pytest.mark.parametrize("place", ["auto", "docker", "local"])
async def test_it_begins_with_the_choice_so_far(
    theme: Theme, window: QWidget, place: AppPlace
) -> None:
    asking = Asking(theme, window, place, "docker-ready")
    dialog = await asking.dialog()
    assert dialog.choice == place
    dialog.reject()
    assert await asyncio.wait_for(asking.answer, 5) is None


async def test_this_computer_says_what_that_means(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    asking = Asking(theme, window, "auto", "local-open")
    dialog = await asking.dialog()
    dialog._local.setFocus()
    qtbot.keyClick(dialog._local, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Can do what you can do; you are asked first" in words(dialog))
    assert "bubblewrap is missing" in words(dialog)
    qtbot.waitUntil(lambda: commands(dialog) == ["sudo apt install bubblewrap"])
    assert not cast("QCheckBox", dialog.findChild(QCheckBox)).isEnabled()
    press(qtbot, dialog, "Use the local sandbox")
    assert await asyncio.wait_for(asking.answer, 5) == "local"


async def test_what_is_missing_comes_with_commands_to_copy_and_is_looked_for_again(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    asking = Asking(theme, window, "auto", "docker-missing", "docker-short", "docker-ready")
    dialog = await asking.dialog()
    assert dialog._docker._chip.accessibleName() == "Not ready"
    wanted = ["sudo apt install docker.io", "sudo usermod -aG docker $USER"]
    qtbot.waitUntil(lambda: commands(dialog) == wanted)
    press(qtbot, dialog, "Copy sudo apt install docker.io")
    assert QGuiApplication.clipboard().text() == "sudo apt install docker.io"
    assert button(dialog, "Use Docker once it answers")
    layout = dialog.layout()
    assert layout is not None
    # The room for the commands comes with a later event.
    qtbot.waitUntil(lambda: dialog.height() == layout.totalHeightForWidth(dialog.width()))
    high = dialog.height()
    press(qtbot, dialog, "Check again")
    await asking.dialog()
    assert dialog._docker._chip.accessibleName() == "See below"
    assert button(dialog, "Use Docker")
    press(qtbot, dialog, "Check again")
    await asking.dialog()
    qtbot.waitUntil(lambda: commands(dialog) == [])
    qtbot.waitUntil(lambda: dialog.height() < high)
    press(qtbot, dialog, "Not now")
    assert await asyncio.wait_for(asking.answer, 5) is None
    assert asking.looked == 3


async def test_where_looking_fails_it_says_so(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    asking = Asking(theme, window, "auto", "error")
    dialog = await asking.dialog()
    assert "The data folder cannot be read." in words(dialog)
    qtbot.waitUntil(lambda: "Look at its rights." in words(dialog))
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert await asyncio.wait_for(asking.answer, 5) is None


async def test_everything_is_reached_by_keys_and_has_a_name(theme: Theme, window: QWidget) -> None:
    asking = Asking(theme, window, "auto", "docker-missing")
    dialog = await asking.dialog()
    dialog.activateWindow()
    stops = [
        w
        for w in dialog.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert [w for w in stops if not w.accessibleName() and not isinstance(w, QCheckBox)] == []
    assert dialog._docker.accessibleDescription().startswith("Not ready. Each app gets")
    dialog.reject()
    await asking.answer


async def test_without_word_of_the_local_one_nothing_is_claimed(
    theme: Theme, window: QWidget
) -> None:
    asking = Asking(theme, window, "local", "docker-short")
    dialog = await asking.dialog()
    dialog._found = DoctorView(True, (CheckView("Docker", "ok", "Docker answers."),))
    dialog._show_found()
    assert "before the first one you are told how" in words(dialog)
    assert dialog._local._chip.accessibleName() == "Always here"
    only = CheckView("Sandbox", "warning", "Apps run in the local sandbox, with your rights.")
    dialog._found = DoctorView(True, (CheckView("Docker", "missing", "No Docker."), only))
    dialog._show_found()
    assert "Apps run in the local sandbox, with your rights." in words(dialog)
    assert dialog._local._chip.accessibleName() == "Not fenced off"
    dialog.reject()
    await asking.answer


def test_commands_are_taken_out_of_a_remedy_in_their_order() -> None:
    assert remedy_pieces("") == []
    assert remedy_pieces("Start Docker Desktop.") == [("text", "Start Docker Desktop.")]
    assert remedy_pieces("Start it: `systemctl start docker`, then\n`newgrp docker`.") == [
        ("text", "Start it:"),
        ("command", "systemctl start docker"),
        ("text", "then"),
        ("command", "newgrp docker"),
    ]
    assert remedy_pieces("Free space: “docker system df” shows what takes it. Press “Retry”.") == [
        ("text", "Free space:"),
        ("command", "docker system df"),
        ("text", "shows what takes it. Press “Retry”."),
    ]


def test_a_command_to_run_oneself_is_shown_as_one_would_type_it(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    dialog = RunYourselfDialog(
        theme, window, "Open a shell", "Run this:", ["docker", "exec", "-it", "a b", "sh"]
    )
    dialog.show()
    assert commands(dialog) == ["docker exec -it 'a b' sh"]
    press(qtbot, dialog, "Copy docker exec -it 'a b' sh")
    assert QApplication.clipboard().text() == "docker exec -it 'a b' sh"
    assert isinstance(button(dialog, "Close"), QPushButton)
    dialog.close()
