"""The chat: conversation, blueprint and composer of one project, fed with plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QUrl, Signal
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QToolButton, QWidget

from vibedesk.ui.announcer import Announcer
from vibedesk.ui.chat.blueprint_card import BlueprintState
from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.card_header import WorkState
from vibedesk.ui.chat.composer import Composer
from vibedesk.ui.chat.feed import ConversationFeed
from vibedesk.ui.chat.outcome_cards import CompleteCard, ContinueCard, ErrorCard, QuestionCard
from vibedesk.ui.chat.roadmap import RoadmapItem
from vibedesk.ui.chat.transcript import Entry, Transcript
from vibedesk.ui.chat.waiting_strip import WaitingStrip
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.island import Island
from vibedesk.ui.widgets.labels import StatusChip

Tab = Literal["chat", "blueprint"]


class ChatPanel(Island):
    """Shows a conversation and says what the person wants. It knows nothing of the engine."""

    message_sent = Signal(str)
    stop_requested = Signal()
    continue_requested = Signal()
    continue_dismissed = Signal()
    retry_requested = Signal()
    approve_requested = Signal(dict)
    changes_requested = Signal(str)
    action_requested = Signal(str)
    """An action of an error or completion card other than retry and continue, by its key."""
    question_answered = Signal(str)
    file_clicked = Signal(str)
    link_clicked = Signal(str)
    draft_changed = Signal(str)
    queue_changed = Signal(list)
    blueprint_requested = Signal()
    """The person wants to see the blueprint, and its page is kept elsewhere."""

    def __init__(self, theme: Theme, blueprint_page: BlueprintPage | None = None) -> None:
        """Build the panel.

        Args:
            theme: The look.
            blueprint_page: A page that stands elsewhere in the window; without one the panel shows
                the page itself in its second tab.
        """
        super().__init__(theme)
        self._theme = theme
        self._owns_page = blueprint_page is None
        self._page = blueprint_page or BlueprintPage(theme)
        self._page.approve_requested.connect(self._on_approved)
        self._page.changes_requested.connect(self._on_changes_wanted)
        self._transcript = Transcript(theme)
        self._feed = ConversationFeed(theme, self._transcript)
        self._feed.file_clicked.connect(self.file_clicked)
        self._feed.link_activated.connect(self._on_link)
        self._feed.blueprint_opened.connect(self._show_blueprint)
        self._feed.blueprint_approved.connect(self._page.approve)
        self._waiting = WaitingStrip(theme)
        self._composer = Composer(theme)
        self._composer.sent.connect(self._on_sent)
        self._composer.stop_requested.connect(self.stop_requested)
        self._composer.draft_changed.connect(self.draft_changed)
        self._composer.queue_changed.connect(self.queue_changed)
        self._announcer = Announcer(self)
        self._continue: Entry | None = None
        self._blueprint_state: BlueprintState | None = None
        self._running = False
        self._person_wanted = False
        self._build()
        self.setMinimumWidth(theme.size("chat_min"))
        self.setMaximumWidth(theme.size("chat_max"))
        self.setAccessibleName(self.tr("Chat"))

    @property
    def blueprint_page(self) -> BlueprintPage:
        return self._page

    @property
    def announcer(self) -> Announcer:
        return self._announcer

    # Words ---------------------------------------------------------------------------------

    def add_user_message(self, message_id: str, text: str, at: datetime) -> None:
        """Show what the person said, and show the end of the conversation."""
        self._feed.add_user_message(message_id, text, at)
        self._composer.set_last(text)
        self._transcript.scroll_to_end()

    def agent_message_start(self, message_id: str, at: datetime) -> None:
        self._feed.start_agent_message(message_id, at)

    def agent_message_chunk(self, message_id: str, text: str) -> None:
        """Append to a message; shown with the next frame."""
        self._feed.add_chunk(message_id, text)

    def agent_message_done(self, message_id: str, text: str, at: datetime | None = None) -> None:
        """Show the whole message; also for one from history that was never streamed."""
        self._feed.finish_agent_message(message_id, text, at)

    # Work ----------------------------------------------------------------------------------

    def set_blueprint(
        self, blueprint: Mapping[str, Any], state: BlueprintState, at: datetime | None = None
    ) -> None:
        """Show a blueprint, in part while it streams in, in card and page."""
        if state == "streaming" and self._blueprint_state in ("awaiting_approval", "approved"):
            self._feed.begin_new_blueprint()
        self._blueprint_state = state
        self._feed.set_blueprint(blueprint, state, at)
        self._page.set_blueprint(blueprint, state)
        self._blueprint_tab.setEnabled(True)
        self._refresh_mode()

    def set_roadmap(self, items: Sequence[tuple[Any, ...]]) -> None:
        """Show how the phases stand: (name, "todo"|"active"|"done"|"failed", extra[, share])."""
        roadmap = [RoadmapItem(*item) for item in items]
        self._feed.set_roadmap(roadmap)
        self._page.set_roadmap(roadmap)

    def begin_activity(
        self, kind: Literal["writing"], files: Sequence[str], at: datetime | None = None
    ) -> None:
        """Begin a step of writing with the files that are planned, in their order."""
        self._feed.begin_writing(files, at)

    def file_started(self, path: str) -> None:
        self._feed.writing().start_file(path)

    def file_progress(self, path: str, lines: int) -> None:
        self._feed.writing().set_lines(path, lines)

    def file_finished(self, path: str, added: int, removed: int) -> None:
        self._feed.writing().finish_file(path, added, removed)

    def end_activity(self, *, complete: bool = True) -> None:
        """End the step of writing; `complete=False` when it was stopped or failed."""
        self._feed.end_writing(complete=complete)

    def activity(
        self,
        kind: str,
        text: str,
        seconds: float | None = None,
        state: WorkState = "done",
        *,
        key: str = "",
        detail: str = "",
        at: datetime | None = None,
    ) -> None:
        """Show work besides writing, or bring what is shown up to date.

        Args:
            kind: install, server, snapshot, command, plan, phase, check or fix.
            text: What it is about: packages, address, label, command line.
            seconds: How long it took, once known.
            state: running, done, failed or stopped.
            key: Names this piece of work across calls; kind and text do if it is left out.
            detail: Output, behind the chevron; opened by itself when it failed.
            at: When; now if left out.
        """
        self._feed.set_activity(
            key or f"{kind}:{text}", kind, text, seconds=seconds, state=state, detail=detail, at=at
        )

    def stop_work(self) -> None:
        """Mark everything that still runs as stopped."""
        self._feed.stop_work()

    # Outcomes ------------------------------------------------------------------------------

    def set_complete(self, summary: Mapping[str, Any], at: datetime | None = None) -> None:
        """Show that the app is ready; see `CompleteCard` for what the summary may hold."""
        self._feed.end_writing(complete=True)
        card = CompleteCard(self._theme, summary)
        card.suggestion_chosen.connect(self._on_suggestion)
        card.action_triggered.connect(self._on_action)
        self._feed.add_card(lambda: card, text=card.text, at=at)
        self.announce(str(summary["title"]))

    def show_error(
        self,
        message: str,
        remedy: str,
        actions: Sequence[tuple[str, str]] = (),
        at: datetime | None = None,
    ) -> None:
        """Show why it stopped, with (key, text) actions; without any, Retry is offered."""
        self._feed.stop_work()
        offered = list(actions) or [("retry", self.tr("Try again"))]
        card = ErrorCard(self._theme, message, remedy, offered)
        card.action_triggered.connect(self._on_action)
        self._feed.add_card(lambda: card, text=card.text, at=at)
        self.announce(message)

    def show_continue(self, text: str, at: datetime | None = None) -> None:
        """Offer to go on with a run that was cut off."""
        self.hide_continue()
        card = ContinueCard(self._theme, text)
        card.continued.connect(self._on_continued)
        card.dismissed.connect(self._on_continue_dismissed)
        self._continue = self._feed.add_card(lambda: card, text=card.text, at=at)
        self.announce(text)

    def hide_continue(self) -> None:
        if self._continue is not None:
            self._transcript.remove(self._continue)
            self._continue = None

    def ask_question(
        self,
        question: str,
        choices: Sequence[str],
        *,
        multiple: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Show a question; a chosen answer comes as `question_answered`, a typed one as a message."""
        card = QuestionCard(self._theme, question, choices, multiple=multiple)
        card.answered.connect(self.question_answered)
        self._feed.add_card(lambda: card, text=card.text, at=at)
        self.announce(question)

    # Standing ------------------------------------------------------------------------------

    def set_running(self, running: bool) -> None:
        self._running = running
        self._composer.set_running(running)
        self._feed.set_running(running)
        if running:
            self.hide_continue()
        self._refresh_mode()

    def set_waiting(
        self, text: str | None, until: datetime | None = None, *, for_person: bool = False
    ) -> None:
        """Say what is waited for and until when; `None` ends it. `for_person`: it is their turn."""
        self._waiting.set_waiting(text or "", until)
        self._person_wanted = for_person and text is not None
        self._refresh_mode()

    def set_queue(self, messages: Sequence[str]) -> None:
        """Show the messages that wait for their turn, above the composer."""
        self._composer.set_queue(messages)

    def set_sample(self, sample: bool) -> None:
        """Say plainly that this is a recording, in the header and in the composer."""
        self._sample.setVisible(sample)
        self._composer.set_sample(sample)

    def set_model(self, name: str) -> None:
        self._composer.set_model(name)

    def set_blocked(self, reason: str) -> None:
        """Give the reason why nothing can be sent now; an empty one allows it."""
        self._composer.set_blocked(reason)

    def draft(self) -> str:
        return self._composer.draft()

    def set_draft(self, text: str) -> None:
        self._composer.set_draft(text)

    def focus_composer(self) -> None:
        self.show_tab("chat")
        self._composer.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def announce(self, text: str) -> None:
        """Tell screen readers of a change of phase, a finish or a failure."""
        self._announcer.announce(text)

    def show_tab(self, tab: Tab) -> None:
        if tab == "blueprint" and not self._owns_page:
            self.blueprint_requested.emit()
            tab = "chat"
        self._tabs[tab].setChecked(True)
        self._stack.setCurrentIndex(0 if tab == "chat" else 1)

    def clear(self) -> None:
        """Forget one project's conversation, for example to show another's."""
        self._feed.clear()
        self._continue = None
        self._blueprint_state = None
        self._blueprint_tab.setEnabled(False)
        self._page.clear()
        self.show_tab("chat")
        self.set_waiting(None)
        self.set_queue(())
        self.set_running(False)
        self.set_sample(False)
        self._composer.set_last("")
        self._composer.set_draft("")

    # Building ------------------------------------------------------------------------------

    def _build(self) -> None:
        self._group = QButtonGroup(self)
        chat = self._tab(self.tr("Chat"), "chat-circle")
        self._blueprint_tab = self._tab(self.tr("Blueprint"), "blueprint")
        self._blueprint_tab.setEnabled(False)
        self._blueprint_tab.setToolTip(self.tr("The plan of the app, once there is one"))
        chat.clicked.connect(lambda: self.show_tab("chat"))
        self._blueprint_tab.clicked.connect(self._show_blueprint)
        self._tabs: dict[Tab, QToolButton] = {"chat": chat, "blueprint": self._blueprint_tab}
        header = frame(
            "header", hbox(chat, self._blueprint_tab, None, gap=2, margins=(10, 0, 8, 0))
        )
        header.setFixedHeight(self._theme.size("panel_header"))
        self._sample = self._sample_strip()
        self._latest = self._latest_button()
        talk = QWidget()
        foot = vbox(self._waiting, self._composer, gap=6, margins=(10, 0, 10, 10))
        talk.setLayout(vbox((self._transcript, 1), foot, gap=0))
        self._latest.setParent(talk)
        self._transcript.installEventFilter(self)
        self._stack = QStackedWidget()
        self._stack.addWidget(talk)
        if self._owns_page:
            self._stack.addWidget(self._page)
        self.add(header)
        self.add(self._sample)
        self.add(self._stack, 1)
        self.show_tab("chat")

    def _sample_strip(self) -> QWidget:
        words = self.tr("Recorded example. No model is asked.")
        strip = QWidget()
        strip.setLayout(
            hbox(StatusChip(self._theme, words, "info", "info-bold"), None, margins=(14, 8, 14, 0))
        )
        strip.setAccessibleName(words)
        strip.hide()
        return strip

    def _tab(self, text: str, icon: str) -> QToolButton:
        tab = QToolButton()
        tab.setText(f"\u2009{text}")
        tab.setAccessibleName(text)
        tab.setIcon(self._theme.icon(icon, "text.muted", 14, on="text.primary"))
        tab.setIconSize(QSize(14, 14))
        tab.setProperty("role", "seg")
        tab.setCheckable(True)
        tab.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._group.addButton(tab)
        return tab

    def _latest_button(self) -> QToolButton:
        button = QToolButton()
        button.setText(self.tr("Latest"))
        button.setIcon(self._theme.icon("arrow-down", "text.secondary", 14))
        button.setIconSize(QSize(14, 14))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("role", "latest")
        button.setAccessibleName(self.tr("Go to the latest message"))
        button.setToolTip(self.tr("Go to the latest message"))
        button.clicked.connect(self._transcript.scroll_to_end)
        button.hide()
        self._transcript.end_reached.connect(self._on_end_reached)
        return button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._transcript and event.type() == QEvent.Type.Resize:
            self._place_latest()
        return False

    def _place_latest(self) -> None:
        size = self._latest.sizeHint()
        below = self._transcript.geometry()
        left = below.center().x() - size.width() // 2
        self._latest.setGeometry(
            left, below.bottom() - size.height() - 8, size.width(), size.height()
        )

    # Reactions -----------------------------------------------------------------------------

    def _refresh_mode(self) -> None:
        if self._person_wanted:
            self._composer.set_mode("waiting")
        elif self._blueprint_state == "awaiting_approval":
            self._composer.set_mode("blueprint")
        else:
            self._composer.set_mode("running" if self._running else "idle")

    def _on_sent(self, text: str) -> None:
        if self._blueprint_state == "awaiting_approval":
            self.changes_requested.emit(text)
        else:
            self.message_sent.emit(text)

    def _on_approved(self, blueprint: dict[str, Any]) -> None:
        self.show_tab("chat")
        self.approve_requested.emit(blueprint)

    def _on_changes_wanted(self) -> None:
        self.focus_composer()

    def _show_blueprint(self) -> None:
        self.show_tab("blueprint")

    def _on_continued(self) -> None:
        self.hide_continue()
        self.continue_requested.emit()

    def _on_continue_dismissed(self) -> None:
        self.hide_continue()
        self.continue_dismissed.emit()

    def _on_action(self, key: str) -> None:
        if key == "retry":
            self.retry_requested.emit()
        elif key == "continue":
            self.continue_requested.emit()
        else:
            self.action_requested.emit(key)

    def _on_suggestion(self, text: str) -> None:
        self.set_draft(text)
        self._composer.setFocus()

    def _on_end_reached(self, reached: bool) -> None:
        self._place_latest()
        self._latest.setVisible(not reached)
        self._latest.raise_()

    def _on_link(self, target: str) -> None:
        """A path of the project opens its file; an address is the window's to open."""
        if QUrl(target).scheme():
            self.link_clicked.emit(target)
        else:
            self.file_clicked.emit(target.split("#", 1)[0])
