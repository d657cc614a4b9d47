"""QtWebEngine wants this said before the application is made."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme("dark")
    made.apply(qapp)
    return made
