"""Keeps what was written and not sent: over a switch of projects, the end of the program, and a crash."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.pictures import Attached
from vibedesk.ui.chat.unsent import Unsent
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.shell.layout_store import LayoutStore

_PAUSE_MS = 600


class Drafts(QObject):
    """Stores the drafts of the open project and of the welcome page soon after they change.

    Pictures are kept for each project until the program ends.

    Args:
        store: Where everything else is kept.
        parent: Ends it.
    """

    def __init__(self, store: LayoutStore, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._pictures: dict[str, tuple[Attached, ...]] = {}
        self._welcome: WelcomePage | None = None
        self._chat: ChatPanel | None = None
        self._project_id = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.save)

    def watch_welcome(self, page: WelcomePage) -> None:
        """Show the wish that was written last, and keep what is written from now on."""
        self._welcome = page
        # Somebody may write while the engine starts.
        if stored := self._store.wish():
            page.set_wish("\n".join(part for part in (stored, page.wish()) if part))
        page.wish_changed.connect(self._save_soon)

    def show(self, project_id: str, chat: ChatPanel) -> None:
        """Show what was written in a project, and keep what is written from now on."""
        if chat is not self._chat:
            self._chat = chat
            chat.unsent_changed.connect(self._save_soon)
        text, edits = self._store.draft(project_id), self._store.edits(project_id)
        chat.restore(Unsent.with_edits(text, self._pictures.get(project_id, ()), edits))
        self._project_id = project_id

    def leave(self) -> None:
        """Keep what is written in the open project; nothing of it counts from now on."""
        self.save()
        self._project_id = ""

    def _save_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def save(self) -> None:
        """Store everything now."""
        self._timer.stop()
        if self._welcome is not None:
            self._store.set_wish(self._welcome.wish())
        if self._chat is not None and self._project_id:
            unsent = self._chat.unsent()
            self._pictures[self._project_id] = unsent.pictures
            self._store.set_draft(self._project_id, unsent.text)
            self._store.set_edits(self._project_id, unsent.edits())
        self._store.save()
