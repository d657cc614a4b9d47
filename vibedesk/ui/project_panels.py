"""The panels of the workspace, made together after the window is up."""

from __future__ import annotations

from datetime import datetime

from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.checks.panel import ChecksPanel
from vibedesk.ui.dock.dock_panel import DockPanel
from vibedesk.ui.dock.logs_panel import LogsPanel
from vibedesk.ui.editor.panel import EditorPanel
from vibedesk.ui.files.panel import FilesPanel
from vibedesk.ui.preview.panel import PreviewPanel
from vibedesk.ui.problems.panel import ProblemsPanel
from vibedesk.ui.shell.workspace import Panels
from vibedesk.ui.theme.theme import Theme


class ProjectPanels:
    """Chat, files, editor, preview and dock of whichever project is open."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.blueprint = BlueprintPage(theme)
        self.chat = ChatPanel(theme, self.blueprint)
        self.files = FilesPanel(theme)
        self.editor = EditorPanel(theme)
        self.preview = PreviewPanel(theme)
        self.dock = DockPanel(theme)
        self.logs = LogsPanel(theme)
        self.dock.add_page("logs", self.logs.tr("Logs"), "list-bullets", self.logs, self.logs.tools)
        self.problems = ProblemsPanel(theme)
        self.dock.add_page(
            "problems",
            self.problems.tr("Problems"),
            "warning-circle",
            self.problems,
            self.problems.tools,
        )
        self.checks = ChecksPanel(theme)
        self.dock.add_page(
            "checks", self.checks.tr("Checks"), "list-checks", self.checks, self.checks.tools
        )

    def placed(self) -> Panels:
        """Return them for the window to place."""
        return Panels(
            chat=self.chat,
            files=self.files,
            editor=self.editor,
            preview=self.preview,
            dock=self.dock,
            page=self.blueprint,
            leave_page=lambda: self.chat.show_tab("chat"),
            focus_chat=self.chat.focus_composer,
            focus_editor=self.editor.focus_editor,
            focus_preview=self.preview.focus_preview,
        )

    def set_enabled(self, *, enabled: bool) -> None:
        """Let the person write in them, or not."""
        for panel in (self.chat, self.blueprint, self.files, self.editor):
            panel.setEnabled(enabled)

    def clear(self) -> None:
        """Forget one project before another is shown."""
        self.set_enabled(enabled=True)
        self.chat.clear()
        self.files.clear()
        self.editor.close_all()
        self.preview.clear()
        self.logs.clear()
        self.problems.clear()
        self.checks.clear()
        for page in ("problems", "checks"):
            self.dock.set_counts(page, 0, 0)

    def log(self, at: datetime, stream: str, text: str) -> None:
        self.logs.append([(at, stream, text)])
