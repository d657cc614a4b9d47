"""Makes the home pages' cards of what the library lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from vibedesk.engine.card_view import ProjectCardView
from vibedesk.ui.home.cards import ProjectCard, card_state


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
            updated_text=_ago(view.updated_at),
            updated_at=_moment(view.updated_at).timestamp(),
            sample=bool(view.sample),
        )
        for view in views
    ]


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone()


def _ago(at: str) -> str:
    moment = _moment(at)
    now = datetime.now().astimezone()
    age = now - moment
    if age < timedelta(minutes=1):
        return "now"
    if age < timedelta(hours=1):
        return f"{int(age.total_seconds() // 60)} min ago"
    if moment.date() == now.date():
        return moment.strftime("%H:%M")
    if age < timedelta(days=6):
        return moment.strftime("%A")
    return f"{moment.day} {moment.strftime('%B')}"
