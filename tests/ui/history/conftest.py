"""The look the widgets under test are given."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from vibedesk.ui.theme.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme("dark")
    made.apply(qapp)
    return made
