"""The chat: conversation, blueprint and composer of one project, fed with plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedWidget, QWidget

from vibedesk.engine.views import QuestionView, WishView
from vibedesk.ui.announcer import Announcer
from vibedesk.ui.chat.blueprint_card import BlueprintState
from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.budget_strip import BudgetStrip
from vibedesk.ui.chat.card_header import WorkState
from vibedesk.ui.chat.composer import Composer
from vibedesk.ui.chat.feed import ConversationFeed
from vibedesk.ui.chat.image_tray import ImageTray
from vibedesk.ui.chat.image_viewer import ImageViewer
from vibedesk.ui.chat.messages import Picture
from vibedesk.ui.chat.outcome_cards import CompleteCard, ContinueCard, ErrorCard
from vibedesk.ui.chat.panel_frame import LatestButton, SampleStrip, Tab, TabHeader
from vibedesk.ui.chat.pictures import Attached
from vibedesk.ui.chat.question_card import QuestionCard
from vibedesk.ui.chat.roadmap import RoadmapItem
from vibedesk.ui.chat.transcript import Entry, Transcript
from vibedesk.ui.chat.unsent import Unsent
from vibedesk.ui.chat.waiting_strip import WaitingStrip
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import vbox
from vibedesk.ui.widgets.island import Island


class ChatPanel(Island):
    """Shows a conversation and says what the person wants. It knows nothing of the engine."""

    message_sent = Signal(str, object)
    """The words, and a tuple of `Attached`."""
    stop_requested = Signal()
    continue_requested = Signal()
    continue_dismissed = Signal()
    retry_requested = Signal()
    approve_requested = Signal(dict)
    replan_requested = Signal(dict)
    save_requested = Signal(dict)
    """The blueprint's parts that were changed: before the plan is made anew, or while the app is built."""
    action_requested = Signal(str)
    """An action of an error or completion card other than retry and continue, by its key."""
    questions_answered = Signal(object)
    """A list with an answer to each question (empty: skipped), or None: all are skipped."""
    wish_edited = Signal(str, str)
    """The id of a queued wish, and what it is to say now."""
    wish_removed = Signal(str)
    budget_raised = Signal(float)
    """The new limit, in USD in all."""
    thumbnail_wanted = Signal(str)
    """The id of a sent picture; `set_thumbnail` answers."""
    picture_opened = Signal(str)
    file_clicked = Signal(str)
    link_clicked = Signal(str)
    unsent_changed = Signal()
    """`unsent` is another."""
    blueprint_shown = Signal(bool)
    """Whether the blueprint is to be seen; only where its page is kept elsewhere."""

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
        self._page.changes_requested.connect(self.focus_composer)
        self._page.replan_requested.connect(self.replan_requested)
        self._page.save_requested.connect(self.save_requested)
        self._page.stop_requested.connect(self._on_plan_stopped)
        self._page.edited.connect(self.unsent_changed)
        self._transcript = Transcript(theme)
        self._feed = ConversationFeed(theme, self._transcript)
        self._feed.file_clicked.connect(self.file_clicked)
        self._feed.link_activated.connect(self._on_link)
        self._feed.blueprint_opened.connect(lambda: self.show_tab("blueprint"))
        self._feed.blueprint_approved.connect(self._page.approve)
        self._feed.blueprint_stopped.connect(self._on_plan_stopped)
        self._feed.thumbnail_wanted.connect(self.thumbnail_wanted)
        self._feed.picture_opened.connect(self.picture_opened)
        self._header = TabHeader(theme)
        self._sample = SampleStrip(theme)
        self._waiting = WaitingStrip(theme)
        self._budget = BudgetStrip(theme)
        self._budget.raised.connect(self.budget_raised)
        self._budget.stop_requested.connect(self.stop_requested)
        self._composer = Composer(theme)
        self._composer.sent.connect(self.message_sent)
        self._composer.stop_requested.connect(self.stop_requested)
        self._composer.draft_changed.connect(self.unsent_changed)
        self._composer.queue.changed.connect(self.unsent_changed)
        self._composer.wish_edited.connect(self.wish_edited)
        self._composer.wish_removed.connect(self.wish_removed)
        self._announcer = Announcer(self)
        self._continue: Entry | None = None
        self._questions: QuestionCard | None = None
        self._answers: Mapping[str, str] = {}
        """Answers that were not given, to questions that are not shown yet."""
        self._decision: ErrorCard | None = None
        self._blueprint_state: BlueprintState | None = None
        self._running = False
        self._person_wanted = False
        self._build()
        self.setMinimumWidth(theme.size("chat_min"))
        self.setMaximumWidth(theme.size("chat_max"))
        self.setAccessibleName(self.tr("Chat"))

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def blueprint_page(self) -> BlueprintPage:
        return self._page

    @property
    def tray(self) -> ImageTray:
        """The pictures of what is being written."""
        return self._composer.tray

    @property
    def announcer(self) -> Announcer:
        return self._announcer

    # Words ---------------------------------------------------------------------------------

    def add_user_message(
        self, message_id: str, text: str, at: datetime, pictures: Sequence[Picture] = ()
    ) -> None:
        """Show what the person said, and show the end of the conversation."""
        self._feed.add_user_message(message_id, text, at, pictures)
        self._composer.set_last(text)
        self._transcript.scroll_to_end()

    def set_thumbnail(self, picture_id: str, picture: QImage) -> None:
        """Show what a sent picture looks like."""
        self._feed.set_thumbnail(picture_id, picture)

    def show_picture(self, name: str, picture: QImage) -> None:
        """Show a picture large."""
        ImageViewer(self._theme, self.window(), name, picture).open()

    def agent_message_start(self, message_id: str, at: datetime) -> None:
        self._feed.start_agent_message(message_id, at)

    def agent_message_chunk(self, message_id: str, text: str) -> None:
        """Append to a message; shown with the next frame."""
        self._feed.add_chunk(message_id, text)

    def agent_message_done(self, message_id: str, text: str, at: datetime | None = None) -> None:
        """Show the whole message; also for one from history that was never streamed."""
        self._feed.finish_agent_message(message_id, text, at)

    def agent_message_restarted(self, message_id: str) -> None:
        """Show nothing of a message any more: it comes again from its beginning."""
        self._feed.restart_agent_message(message_id)

    # Work ----------------------------------------------------------------------------------

    def set_blueprint(
        self, blueprint: Mapping[str, Any], state: BlueprintState, at: datetime | None = None
    ) -> None:
        """Show a blueprint, in part while it streams in, in card and page."""
        if state == "streaming" and self._blueprint_state not in (None, "streaming"):
            self._feed.begin_new_blueprint()
        came = state == "awaiting_approval" and self._blueprint_state != state
        self._blueprint_state = state
        self._feed.set_blueprint(blueprint, state, at)
        self._page.set_blueprint(blueprint, state)
        self._header.set_blueprint_known(known=True)
        if came and not self._owns_page:
            self.show_tab("blueprint")
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

    def file_dropped(self, path: str) -> None:
        """Say that a file is not written any more, and that what came of it counts for nothing."""
        self._feed.drop_file(path)

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
            kind: install, server, snapshot, command, plan, phase, check, fix, mend, debug or notice.
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
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Show why it stopped, with (key, text) actions; without any, Retry is offered.

        `details` are as of `events.ErrorReported`.
        """
        self._feed.stop_work()
        offered = list(actions) or [("retry", self.tr("Try again"))]
        card = ErrorCard(self._theme, message, remedy, offered, details)
        card.action_triggered.connect(self._on_action)
        self._feed.add_card(lambda: card, text=card.text, at=at)
        self.announce(message)

    def ask_decision(
        self,
        message: str,
        remedy: str,
        choices: Sequence[tuple[str, str]],
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what could not be mended and offer (key, text) choices, until `end_decision`."""
        self.end_decision()
        card = self._decision = ErrorCard(self._theme, message, remedy, choices, details)
        card.action_triggered.connect(self._on_action)
        self._feed.add_card(lambda: card, text=card.text)
        self.announce(message)

    def end_decision(self) -> None:
        """The person chose, or something else went on: the card stays, its choices do not."""
        if self._decision is not None:
            self._decision.retire()
            self._decision = None

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

    def show_questions(
        self, questions: Sequence[QuestionView], *, is_open: bool, at: datetime | None = None
    ) -> None:
        """Ask what has to be known before the plan, or show what was asked and answered."""
        if self._questions is not None:
            if self._questions.is_open and not is_open:
                self._close_questions(self._questions, questions)
            return
        card = self._questions = QuestionCard(self._theme, questions, is_open=is_open)
        card.answered.connect(self.questions_answered)
        card.changed.connect(self.unsent_changed)
        self._feed.add_card(lambda: card, text=card.text, at=at)
        answers, self._answers = self._answers, {}
        if is_open:
            card.restore(answers)
            self.announce(" ".join(asked.question for asked in questions))
        else:
            self._give_back_answers(answers, questions)

    def close_questions(self) -> None:
        """Show questions that are still open as left without an answer."""
        if self._questions is not None and self._questions.is_open:
            self._close_questions(self._questions, self._questions.questions)

    def set_answering(self, *, answering: bool) -> None:
        """Take no further answers while some are being handed over."""
        if self._questions is not None:
            self._questions.set_busy(busy=answering)

    def take_back_answers(self) -> None:
        """The answers, or that all are skipped, did not reach anybody: they stand as they did before."""
        if self._questions is not None:
            self._questions.take_back()

    def show_blueprint_problem(self, field: str, reason: str) -> None:
        """Say at a field of the blueprint why it cannot be like this."""
        self.show_tab("blueprint")
        self._page.show_problem(field, reason)

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
        self._waiting.set_waiting(text or "", until, for_person=for_person)
        self._person_wanted = for_person and text is not None
        self._refresh_mode()

    def warn_of_budget(self, spent: float, limit: float) -> None:
        """Say that most of the project's budget (USD) is spent."""
        self._budget.warn(spent, limit)

    def set_budget_reached(self, spent: float, limit: float) -> None:
        """Say that the run waits because the project's budget (USD) is spent."""
        self._waiting.set_waiting("", None)
        self._budget.set_reached(spent, limit)
        self._person_wanted = True
        self._refresh_mode()

    def hide_budget(self) -> None:
        self._budget.hide()

    def set_queue(self, wishes: Sequence[WishView]) -> None:
        """Show the wishes that wait for a phase, above the composer."""
        self._composer.set_queue(wishes)

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

    def give_back(self, text: str, pictures: Sequence[Attached] = ()) -> None:
        """Put what could not be sent into the composer again, above what is there by now."""
        self._composer.add_words(text)
        for picture in pictures:
            self.tray.add(picture)

    def unsent(self) -> Unsent:
        """Return everything that was written here and not handed over."""
        asked = self._questions
        return Unsent(
            text=self.draft(),
            pictures=self.tray.pictures,
            answers=asked.written() if asked is not None else self._answers,
            wishes=self._composer.queue.changes(),
            plan=self._page.changes(),
        )

    def restore(self, unsent: Unsent) -> None:
        """Show what was written in a project before, as far as it is shown already, the rest with it."""
        self.set_draft(unsent.text)
        for picture in unsent.pictures:
            self.tray.add(picture)
        self._answers = unsent.answers
        self._composer.queue.restore(unsent.wishes)
        self._page.restore(unsent.plan)

    def focus_composer(self) -> None:
        if self._owns_page:
            self.show_tab("chat")
        self._composer.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def announce(self, text: str) -> None:
        """Tell screen readers of a change of phase, a finish or a failure."""
        self._announcer.announce(text)

    def show_tab(self, tab: Tab) -> None:
        """Show the conversation or the blueprint; a page that stands elsewhere leaves the conversation here."""
        self._header.set_current(tab)
        if self._owns_page:
            self._stack.setCurrentIndex(0 if tab == "chat" else 1)
        else:
            self.blueprint_shown.emit(tab == "blueprint")

    def clear(self) -> None:
        """Forget one project's conversation, for example to show another's."""
        self._feed.clear()
        self._continue = None
        self._questions = None
        self._answers = {}
        self._decision = None
        self._blueprint_state = None
        self._header.set_blueprint_known(known=False)
        self._page.clear()
        self.show_tab("chat")
        self.set_waiting(None)
        self.hide_budget()
        self.set_queue(())
        self.tray.clear()
        self.set_running(False)
        self.set_sample(False)
        self._composer.set_last("")
        self._composer.set_draft("")

    # Building ------------------------------------------------------------------------------

    def _build(self) -> None:
        self._header.chosen.connect(self.show_tab)
        talk = QWidget()
        strips = (self._waiting, self._budget)
        foot = vbox(*strips, self._composer, gap=6, margins=(10, 0, 10, 10))
        talk.setLayout(vbox((self._transcript, 1), foot, gap=0))
        self._latest = LatestButton(self._theme, self._transcript, talk)
        self._stack = QStackedWidget()
        self._stack.addWidget(talk)
        if self._owns_page:
            self._stack.addWidget(self._page)
        self.add(self._header)
        self.add(self._sample)
        self.add(self._stack, 1)

    # Reactions -----------------------------------------------------------------------------

    def _refresh_mode(self) -> None:
        if self._person_wanted:
            self._composer.set_mode("waiting")
        elif self._blueprint_state == "awaiting_approval":
            self._composer.set_mode("blueprint")
        else:
            self._composer.set_mode("running" if self._running else "idle")

    def _close_questions(self, card: QuestionCard, questions: Sequence[QuestionView]) -> None:
        written = card.written()
        card.set_answers(questions)
        self._give_back_answers(written, questions)

    def _give_back_answers(
        self, written: Mapping[str, str], questions: Sequence[QuestionView]
    ) -> None:
        """Keep in the composer the answers that were written and are not those that were given."""
        given = {asked.question: asked.answer for asked in questions}
        lost = [
            f"{question} {answer}"
            for question, answer in written.items()
            if answer != given.get(question)
        ]
        if lost:
            self._composer.add_words("\n".join(lost))

    def _on_approved(self, blueprint: dict[str, Any]) -> None:
        self.show_tab("chat")
        self.approve_requested.emit(blueprint)

    def _on_plan_stopped(self) -> None:
        self.show_tab("chat")
        self.stop_requested.emit()

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
        self._composer.add_words(text)
        self._composer.setFocus()

    def _on_link(self, target: str) -> None:
        """A path of the project opens its file; an address is the window's to open."""
        if QUrl(target).scheme():
            self.link_clicked.emit(target)
        else:
            self.file_clicked.emit(target.split("#", 1)[0])
