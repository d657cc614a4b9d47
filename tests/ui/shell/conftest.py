"""A whole window around placeholder panels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.gallery import open_window, placeholder_panels
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.theme.theme import Theme

OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme("dark")
    made.apply(qapp)
    return made


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, tmp_path: Path) -> MainWindow:
    """A window of 1600 x 1000 on the workspace of a project."""
    made = open_window(theme, tmp_path, projects=5)
    qtbot.addWidget(made)
    made.resize(1600, 1000)
    made.set_project("project-0", "Fernwood", "v9")
    made.install_workspace(Workspace(theme, placeholder_panels(theme), made.store))
    made.show_page("workspace")
    with qtbot.waitExposed(made):
        made.show()
    # Without a window manager a window that another test left may hold the keys.
    made.raise_()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=30_000)
    return made
