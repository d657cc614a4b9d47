"""The look that these widgets are tested in."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from vibedesk.ui.theme.theme import Theme


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    made = Theme("dark")
    made.apply(qapp)
    return made
