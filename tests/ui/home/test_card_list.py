from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale

from vibedesk.engine.card_view import ProjectCardView
from vibedesk.ui.home.card_list import project_cards
from vibedesk.ui.widgets.times import moment_words


@pytest.fixture
def german() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    yield
    QLocale.setDefault(before)


@pytest.mark.usefixtures("german")
def test_a_card_says_when_in_the_persons_language_as_every_other_page_does() -> None:
    at = "2020-05-03T10:00:00Z"
    view = ProjectCardView(
        id="x",
        name="tally",
        title="Tally",
        description="",
        state="idle",
        reason="",
        sample="",
        palette=(),
        folder="",
        created_at=at,
        updated_at=at,
    )
    [card] = project_cards([view])
    assert card.updated_text == moment_words(at)
    assert "Mai 2020" in card.updated_text
