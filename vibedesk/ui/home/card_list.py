"""Makes the home pages' cards of what the library lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from vibedesk.engine.card_view import ProjectCardView
from vibedesk.ui.home.cards import ProjectCard, card_state
from vibedesk.ui.widgets.times import moment_words


def project_cards(
    views: Sequence[ProjectCardView], running: Collection[str] = ()
) -> list[ProjectCard]:
    """Return the cards of the library; `running` are the projects that are being built right now."""
    return [
        ProjectCard(
            id=view.id,
            title=view.title,
            description=view.description,
            palette=view.palette,
            state=card_state(view.state, running=view.id in running),
            updated_text=moment_words(view.updated_at),
            updated_at=_moment(view.updated_at).timestamp(),
            sample=bool(view.sample),
        )
        for view in views
    ]


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone()
