"""Turns what is said and done into rows of the conversation, in the order it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from vibedesk.ui.chat.activity_card import ActivityGroup
from vibedesk.ui.chat.blueprint_card import BlueprintCard, BlueprintState
from vibedesk.ui.chat.card_header import WorkState
from vibedesk.ui.chat.messages import AgentHeading, AgentMessage, Picture, UserMessage
from vibedesk.ui.chat.roadmap import RoadmapItem
from vibedesk.ui.chat.transcript import Entry, Transcript
from vibedesk.ui.chat.writing_card import WritingCard
from vibedesk.ui.theme.theme import Theme

_SAME_TURN = timedelta(seconds=60)
_TURN_GAP = 14
_PART_GAP = 7
_FLUSH_MS = 33
_HEADING_HEIGHT = 18
_LINE_HEIGHT = 20
_PICTURES_HEIGHT = 52
_CHARACTERS_A_LINE = 48


@dataclass(slots=True)
class _Conversation:
    """Which row shows what."""

    users: dict[str, Entry] = field(default_factory=dict)
    thumbnails: dict[str, QImage] = field(default_factory=dict)
    agents: dict[str, Entry] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)
    headings: int = 0
    heading: Entry | None = None
    turn_at: datetime | None = None
    blueprint: BlueprintCard | None = None
    writing: WritingCard | None = None
    groups: list[ActivityGroup] = field(default_factory=list)
    open_group: ActivityGroup | None = None


class ConversationFeed(QObject):
    """Adds rows and brings them up to date. Streamed text is shown once a frame, not once a chunk."""

    link_activated = Signal(str)
    file_clicked = Signal(str)
    blueprint_opened = Signal()
    blueprint_approved = Signal()
    blueprint_stopped = Signal()
    thumbnail_wanted = Signal(str)
    """A sent picture, by its id, is shown for the first time; `set_thumbnail` answers."""
    picture_opened = Signal(str)

    def __init__(self, theme: Theme, transcript: Transcript) -> None:
        super().__init__(transcript)
        self._theme = theme
        self._transcript = transcript
        self._running = False
        self._now = _Conversation()
        self._flush = QTimer(self)
        self._flush.setSingleShot(True)
        self._flush.setInterval(_FLUSH_MS)
        self._flush.timeout.connect(self._show_pending)

    # Words ---------------------------------------------------------------------------------

    def add_user_message(
        self, message_id: str, text: str, at: datetime, pictures: Sequence[Picture] = ()
    ) -> None:
        """Show a message of the person; one that is already shown stays as it is."""
        if message_id in self._now.users:
            return
        self._close_turn()
        self._now.users[message_id] = self._transcript.add(
            lambda: self._make_user_message(text, at, pictures),
            gap=_TURN_GAP,
            text=lambda: text,
            estimate=_estimate(text) + 22 + (_PICTURES_HEIGHT if pictures else 0),
        )

    def set_thumbnail(self, picture_id: str, picture: QImage) -> None:
        """Show what a sent picture looks like."""
        self._now.thumbnails[picture_id] = picture
        for entry in self._now.users.values():
            if isinstance(entry.widget, UserMessage):
                entry.widget.set_thumbnail(picture_id, picture)

    def start_agent_message(self, message_id: str, at: datetime) -> None:
        if message_id not in self._now.texts:
            self._now.texts[message_id] = ""
            self._now.times[message_id] = at

    def add_chunk(self, message_id: str, chunk: str) -> None:
        self.start_agent_message(message_id, datetime.now().astimezone())
        self._now.texts[message_id] += chunk
        self._now.pending.add(message_id)
        if not self._flush.isActive():
            self._flush.start()

    def restart_agent_message(self, message_id: str) -> None:
        """Show nothing of a message any more: it comes again from its beginning."""
        if message_id in self._now.texts:
            self._now.texts[message_id] = ""
            self._now.pending.discard(message_id)
            self._show_message(message_id)

    def finish_agent_message(self, message_id: str, text: str, at: datetime | None = None) -> None:
        """Show the whole text of a message, whatever of it came in chunks."""
        self.start_agent_message(message_id, at or datetime.now().astimezone())
        self._now.texts[message_id] = text
        self._now.complete.add(message_id)
        self._now.pending.discard(message_id)
        self._show_message(message_id)

    # Work ----------------------------------------------------------------------------------

    def set_blueprint(
        self, blueprint: Mapping[str, Any], state: BlueprintState, at: datetime | None = None
    ) -> None:
        """Show the blueprint, in the card it already has or in a new one."""
        if self._now.blueprint is None:
            card = self._now.blueprint = BlueprintCard(self._theme)
            card.opened.connect(self.blueprint_opened)
            card.edit_requested.connect(self.blueprint_opened)
            card.approved.connect(self.blueprint_approved)
            card.stop_requested.connect(self.blueprint_stopped)
            self._add_part(lambda: card, text=card.text, estimate=240, at=at)
        self._now.blueprint.set_blueprint(blueprint, state)

    def begin_new_blueprint(self) -> None:
        """Let the next blueprint have a card of its own; the old one no longer offers to start."""
        if self._now.blueprint is not None:
            self._now.blueprint.retire()
        self._now.blueprint = None

    def set_roadmap(self, items: Sequence[RoadmapItem]) -> None:
        if self._now.blueprint is not None:
            self._now.blueprint.set_roadmap(items)

    def begin_writing(self, planned: Sequence[str], at: datetime | None = None) -> WritingCard:
        self.end_writing(complete=True)
        card = WritingCard(self._theme, planned)
        card.file_clicked.connect(self.file_clicked)
        self._now.writing = card
        self._add_part(lambda: card, text=card.text, estimate=200, at=at)
        return card

    def writing(self) -> WritingCard:
        """Return the card of the writing step that runs; one is begun if none does."""
        return self._now.writing if self._now.writing is not None else self.begin_writing(())

    def drop_file(self, path: str) -> None:
        if self._now.writing is not None:
            self._now.writing.drop_file(path)

    def end_writing(self, *, complete: bool) -> None:
        if self._now.writing is not None:
            self._now.writing.end(complete=complete)
            self._now.writing = None

    def set_activity(
        self,
        key: str,
        kind: str,
        text: str,
        *,
        seconds: float | None,
        state: WorkState,
        detail: str,
        at: datetime | None,
    ) -> None:
        known = next((group for group in self._now.groups if group.has(key)), None)
        group = known or self._now.open_group
        if group is None:
            group = self._now.open_group = ActivityGroup(self._theme)
            self._now.groups.append(group)
            made = group
            # Adding a part ends the open group, so it is opened again after that.
            self._add_part(lambda: made, text=made.text, estimate=36, at=at)
            self._now.open_group = made
        group.set_activity(key, kind, text, seconds=seconds, state=state, detail=detail)

    def stop_work(self) -> None:
        """Mark everything that still runs as stopped."""
        self.end_writing(complete=False)
        for group in self._now.groups:
            group.stop_running()

    def add_card(
        self, build: Callable[[], QWidget], *, text: Callable[[], str], at: datetime | None = None
    ) -> Entry:
        """Append a card to the agent's turn."""
        return self._add_part(build, text=text, estimate=120, at=at)

    def set_running(self, running: bool) -> None:
        """Let the heading of the last turn say that the agent is at work."""
        self._running = running
        self._set_heading_live(live=running)

    def clear(self) -> None:
        self._flush.stop()
        self._transcript.clear()
        self._now = _Conversation()

    # Rows ----------------------------------------------------------------------------------

    def _show_pending(self) -> None:
        pending, self._now.pending = self._now.pending, set()
        for message_id in pending:
            self._show_message(message_id)

    def _show_message(self, message_id: str) -> None:
        entry = self._now.agents.get(message_id)
        if entry is None:
            if not self._now.texts[message_id].strip():
                return
            self._now.agents[message_id] = self._add_part(
                lambda: self._make_message(message_id),
                text=lambda: self._now.texts.get(message_id, ""),
                estimate=_estimate(self._now.texts[message_id]),
                at=self._now.times[message_id],
            )
        elif isinstance(entry.widget, AgentMessage):
            complete = message_id in self._now.complete
            entry.widget.set_text(self._now.texts[message_id], complete=complete)

    def _make_user_message(
        self, text: str, at: datetime, pictures: Sequence[Picture]
    ) -> UserMessage:
        message = UserMessage(self._theme, text, at, pictures, self._now.thumbnails)
        message.picture_opened.connect(self.picture_opened)
        for picture in pictures:
            if picture.id not in self._now.thumbnails:
                self.thumbnail_wanted.emit(picture.id)
        return message

    def _make_message(self, message_id: str) -> AgentMessage:
        message = AgentMessage(self._theme)
        message.link_activated.connect(self.link_activated)
        message.set_text(self._now.texts[message_id], complete=message_id in self._now.complete)
        return message

    def _add_part(
        self,
        build: Callable[[], QWidget],
        *,
        text: Callable[[], str],
        estimate: int,
        at: datetime | None = None,
    ) -> Entry:
        self._now.open_group = None
        at = (at or datetime.now()).astimezone()  # noqa: DTZ005 - astimezone makes it aware
        if self._now.turn_at is None or at - self._now.turn_at > _SAME_TURN:
            self._add_heading(at)
        self._now.turn_at = at
        return self._transcript.add(build, gap=_PART_GAP, text=text, estimate=estimate)

    def _add_heading(self, at: datetime) -> None:
        self._set_heading_live(live=False)
        number = self._now.headings = self._now.headings + 1
        self._now.heading = self._transcript.add(
            lambda: self._make_heading(number, at), gap=_TURN_GAP, estimate=_HEADING_HEIGHT
        )

    def _make_heading(self, number: int, at: datetime) -> AgentHeading:
        heading = AgentHeading(self._theme, at)
        heading.set_live(self._running and number == self._now.headings)
        return heading

    def _set_heading_live(self, *, live: bool) -> None:
        heading = self._now.heading.widget if self._now.heading is not None else None
        if isinstance(heading, AgentHeading):
            heading.set_live(live)

    def _close_turn(self) -> None:
        """The person spoke: what the agent does next stands under a heading of its own."""
        self._now.turn_at = None
        self._now.open_group = None


def _estimate(text: str) -> int:
    lines = sum(1 + len(line) // _CHARACTERS_A_LINE for line in text.split("\n"))
    return lines * _LINE_HEIGHT
