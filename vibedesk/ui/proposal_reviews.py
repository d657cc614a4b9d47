"""Files that the model writes anew, as reviews in the editor's tabs; what the person decides goes to the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from PySide6.QtCore import QCoreApplication

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.views import HunkView, ProposalView
from vibedesk.ui.document_sync import DocumentSync
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.review.diff_lines import Passage, hunks_of
from vibedesk.ui.review.page import ReviewPage
from vibedesk.ui.review.regenerate_dialog import ask_instructions

StartTask = Callable[[Coroutine[Any, Any, None]], object]
_RECENT = "regenerate.recent"
_RECENT_COUNT = 8
_CONFLICT = "hunk_conflict"


class ProposalReviews:
    """The proposals of one project while it is on screen.

    Args:
        engine: Where they are made.
        project_id: Whose.
        panels: Where they are shown.
        sync: What the person typed goes to the engine before a file is asked for or merged.
        start: Runs a coroutine for as long as the project is shown.
        show_file: Brings a file to the front.
    """

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        panels: ProjectPanels,
        sync: DocumentSync,
        start: StartTask,
        show_file: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._project_id = project_id
        self._panels = panels
        self._sync = sync
        self._start = start
        self._show_file = show_file
        self._pages: dict[str, ReviewPage] = {}
        self._asked: set[str] = set()
        self._failing = ""

    # -- what the person does
    def ask(self, path: str) -> None:
        """Ask what should be different, and have the file written anew."""
        self._start(self._ask(path))

    def review(self, path: str) -> None:
        """Bring the new version of a file that waits to the front."""
        for proposal_id, page in self._pages.items():
            if page.path == path:
                self._open(proposal_id, page, front=True)
                page.setFocus()

    def close(self) -> None:
        """Show none any more."""
        for proposal_id in list(self._pages):
            self._forget(proposal_id)

    # -- what happened
    def show(self, proposals: Iterable[ProposalView]) -> None:
        """Show those that are there when the project comes on screen."""
        for proposal in proposals:
            page = self._page(proposal.id, proposal.path, proposal.instructions)
            page.set_old(proposal.base)
            self._open(proposal.id, page, front=False)
            if proposal.status == "ready":
                self._start(self._show_ready(proposal))
                continue
            page.add(proposal.text)
            if proposal.status == "interrupted":
                page.show_interrupted()
            else:
                self._panels.editor.set_view_writing(_key(proposal.id), writing=True)

    def handle(self, payload: e.Payload) -> bool:
        """Show what an event tells about a proposal; return whether it did."""
        match payload:
            case e.ProposalStarted(proposal_id, path, instructions):
                page = self._page(proposal_id, path, instructions)
                page.begin()
                self._open(proposal_id, page, front=path in self._asked)
                if path in self._asked:
                    page.setFocus()
                self._asked.discard(path)
                self._panels.editor.set_view_writing(_key(proposal_id), writing=True)
                self._start(self._fetch_old(proposal_id))
            case e.ProposalChunk(proposal_id, chunk):
                if proposal_id in self._pages:
                    self._pages[proposal_id].add(chunk)
            case e.ProposalReady(proposal_id):
                self._start(self._fetch_ready(proposal_id))
            case e.ProposalClosed(proposal_id, "failed"):
                self._failing = proposal_id
                self._panels.editor.set_view_writing(_key(proposal_id), writing=False)
            case e.ProposalClosed(proposal_id, status):
                page_of = self._pages.get(proposal_id)
                self._forget(proposal_id)
                if status == "taken" and page_of is not None:
                    self._start(self._show_taken(page_of.path))
            case e.ErrorReported(message, remedy) if self._failing:
                # It comes right after the proposal's end, and says why.
                page_of = self._pages.get(self._failing)
                self._failing = ""
                if page_of is None:
                    return False
                page_of.show_failed(message, remedy)
            case _:
                return False
        return True

    # -- inside
    async def _ask(self, path: str, draft: str = "") -> None:
        recent = [str(words) for words in await self._engine.setting(_RECENT, [])]
        window = self._panels.editor.window()
        words = await ask_instructions(self._panels.theme, window, path, recent=recent, draft=draft)
        if words is None:
            return
        others = [known for known in recent if known != words]
        await self._engine.set_setting(_RECENT, [words, *others][:_RECENT_COUNT])
        await self._regenerate(path, words)

    async def _regenerate(self, path: str, words: str) -> None:
        await self._sync.all_sent()
        self._asked.add(path)
        try:
            await self._engine.regenerate_file(self._project_id, path, words)
        except Exception:
            self._asked.discard(path)
            raise

    async def _take(self, proposal_id: str, hunks: list[int]) -> None:
        page = self._pages[proposal_id]
        page.set_busy(busy=True)
        try:
            await self._sync.all_sent()
            await self._engine.take_proposal(self._project_id, proposal_id, hunks)
        except Exception as error:
            page.set_busy(busy=False)
            if not isinstance(error, VibeDeskError) or error.code != _CONFLICT:
                raise
            page.show_conflict(int(error.details["hunk"]), f"{error.message} {error.remedy}")

    async def _drop(self, proposal_id: str) -> None:
        page = self._pages.get(proposal_id)
        if page is not None and page.state == "failed":
            # The engine has let go of it already.
            self._forget(proposal_id)
        else:
            await self._engine.drop_proposal(self._project_id, proposal_id)

    async def _again(self, proposal_id: str) -> None:
        page = self._pages[proposal_id]
        if page.state == "ready":
            await self._ask(page.path, page.instructions)
            return
        if page.state == "failed":
            self._forget(proposal_id)
        await self._regenerate(page.path, page.instructions)

    async def _fetch_old(self, proposal_id: str) -> None:
        proposal = await self._engine.proposal(self._project_id, proposal_id)
        if proposal_id in self._pages:
            self._pages[proposal_id].set_old(proposal.base)

    async def _fetch_ready(self, proposal_id: str) -> None:
        proposal = await self._engine.proposal(self._project_id, proposal_id)
        if proposal.status == "ready":
            await self._show_ready(proposal)

    async def _show_taken(self, path: str) -> None:
        await self._sync.fetch()
        self._panels.files.set_state(path, "modified")
        self._show_file(path)

    async def _show_ready(self, proposal: ProposalView) -> None:
        passages = [_passage(hunk) for hunk in proposal.hunks]
        hunks = await asyncio.to_thread(
            hunks_of, proposal.path, proposal.base, proposal.text, passages
        )
        page = self._pages.get(proposal.id)
        if page is not None:
            page.show_hunks(hunks)
            self._panels.editor.set_view_writing(_key(proposal.id), writing=False)

    def _page(self, proposal_id: str, path: str, instructions: str) -> ReviewPage:
        known = self._pages.get(proposal_id)
        if known is not None:
            return known
        page = self._pages[proposal_id] = ReviewPage(self._panels.theme, path, instructions)
        page.take_requested.connect(lambda hunks: self._start(self._take(proposal_id, hunks)))
        page.drop_requested.connect(lambda: self._start(self._drop(proposal_id)))
        page.again_requested.connect(lambda: self._start(self._again(proposal_id)))
        self._panels.files.set_proposed(path, proposed=True)
        self._panels.editor.notes.set_proposed(path, proposed=True)
        return page

    def _open(self, proposal_id: str, page: ReviewPage, *, front: bool) -> None:
        name = page.path.rsplit("/", 1)[-1]
        title = QCoreApplication.translate("ReviewPage", "Review {0}").format(name)
        self._panels.editor.show_view(_key(proposal_id), page, title, page.path, front=front)

    def _forget(self, proposal_id: str) -> None:
        page = self._pages.pop(proposal_id, None)
        if page is None:
            return
        self._panels.editor.close_view(_key(proposal_id))
        page.deleteLater()
        if not any(other.path == page.path for other in self._pages.values()):
            self._panels.files.set_proposed(page.path, proposed=False)
            self._panels.editor.notes.set_proposed(page.path, proposed=False)


def _key(proposal_id: str) -> str:
    # No path of a project begins with a slash.
    return f"/review/{proposal_id}"


def _passage(hunk: HunkView) -> Passage:
    return Passage(hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines)
