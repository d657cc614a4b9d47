"""Shows the pages of the window in every scheme and size and saves them as pictures.

    python tests/ui/gallery.py FOLDER [--only dark] [--scale 2]

Needs a screen; under CI run it with xvfb-run -s "-screen 0 1600x1000x24".
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from PySide6.QtCore import QElapsedTimer, QSize  # noqa: E402
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTabBar, QWidget  # noqa: E402

from vibedesk.engine.views import TemplateView  # noqa: E402
from vibedesk.ui.dock.dock_panel import DockPanel  # noqa: E402
from vibedesk.ui.home.cards import CardState, ProjectCard, SampleCard  # noqa: E402
from vibedesk.ui.home.projects import ProjectsPage  # noqa: E402
from vibedesk.ui.home.starter_picker import StarterPicker  # noqa: E402
from vibedesk.ui.home.welcome import WelcomePage  # noqa: E402
from vibedesk.ui.shell.layout_store import LayoutStore  # noqa: E402
from vibedesk.ui.shell.main_window import MainWindow  # noqa: E402
from vibedesk.ui.shell.phase_bar import PhaseView  # noqa: E402
from vibedesk.ui.shell.status_bar import StatusItem  # noqa: E402
from vibedesk.ui.shell.top_bar import ProjectChoice  # noqa: E402
from vibedesk.ui.shell.workspace import Panels, Workspace  # noqa: E402
from vibedesk.ui.theme.theme import Scheme, Theme  # noqa: E402
from vibedesk.ui.widgets.boxes import frame, hbox, vbox  # noqa: E402
from vibedesk.ui.widgets.buttons import icon_button  # noqa: E402
from vibedesk.ui.widgets.labels import StatusChip, label  # noqa: E402
from vibedesk.ui.widgets.marks import Swatch, TopStripeCard  # noqa: E402
from vibedesk.ui.widgets.messages import EmptyState, MessageAction  # noqa: E402
from vibedesk.ui.widgets.phase_strip import PhaseStep  # noqa: E402
from vibedesk.ui.widgets.prose import Prose  # noqa: E402

_APPS: tuple[tuple[str, str, tuple[str, ...], CardState], ...] = (
    ("Fernwood", "Plant-care journal", ("#2F6B4F", "#F4EFE4", "#D9784C"), "ready"),
    ("Ledgerly", "Invoices for freelancers", ("#f5f6fb", "#2b59ff", "#0b1a4a"), "building"),
    ("Tidepool", "Swim club lane booking", ("#0a2530", "#2bb0be", "#f4b75e"), "failed"),
    ("Nocturne", "Music practice log", ("#1c1428", "#f2a6c6", "#6d5b8b"), "draft"),
    (
        "Tally",
        "A dark, fast expense tracker in euros",
        ("#0e1311", "#161d1a", "#27322d", "#ecf2ec", "#b8e04a", "#ff7f6e"),
        "interrupted",
    ),
    ("Pitchside", "Sunday league table", ("#102a16", "#f5e05a", "#2a4d33"), "ready"),
    ("Move day", "Packing board for two", ("#ece9fb", "#6d5bd0", "#f29b72"), "ready"),
    ("Five Questions", "Quiz game for friends", ("#ffd84a", "#3d2b00", "#ffffff"), "draft"),
)


def project_cards(count: int) -> list[ProjectCard]:
    cards = []
    for number in range(count):
        title, description, palette, state = _APPS[number % len(_APPS)]
        cards.append(
            ProjectCard(
                id=f"project-{number}",
                title=title if number < len(_APPS) else f"{title} {number}",
                description=description,
                palette=palette,
                state=state,
                updated_text="2 min ago" if number == 0 else f"{number} Nov",
                updated_at=float(count - number),
                sample=number == 4,
            )
        )
    return cards


def sample_cards() -> list[SampleCard]:
    return [
        SampleCard(id=title, title=title, description=description, palette=palette)
        for title, description, palette, _ in _APPS[:4]
    ]


def starters() -> list[TemplateView]:
    def starter(name: str, title: str, description: str, *, own: bool = False) -> TemplateView:
        return TemplateView(
            name=name, title=title, description=description, best_for="", frameworks=(),
            language="typescript", own=own,
        )  # fmt: skip

    return [
        starter("react-vite", "React with Vite", "Pages in React, built by Vite."),
        starter("python-fastapi", "Python with FastAPI", "An API in Python with a page."),
        starter("our-own", "Our own", "How we begin at work.", own=True),
    ]


def running_phase() -> PhaseView:
    return PhaseView(
        overline="Phase 2 of 4",
        title="Watering schedule",
        steps=(
            PhaseStep(key="blueprint", title="Blueprint", state="done"),
            PhaseStep(key="plan", title="Plan", state="done"),
            PhaseStep(key="implement", title="Implement", state="active", share=0.7, extra="7/10"),
            PhaseStep(key="review", title="Review"),
            PhaseStep(key="fix", title="Fix"),
            PhaseStep(key="finalize", title="Finalize"),
        ),
        share=0.38,
        elapsed="1:48",
        estimate="about 1 min left",
        control="stop",
        pause="offered",
    )


def paused_phase() -> PhaseView:
    return dataclasses.replace(running_phase(), tone="warning", control="paused", pause="none")


def status_items() -> tuple[list[StatusItem], list[StatusItem]]:
    left = [
        StatusItem(key="sandbox", text="Sandbox running", dot="success.text", clickable=True),
        StatusItem(key="url", text="localhost:5173", icon="globe"),
    ]
    right = [
        StatusItem(key="errors", text="0", icon="x-circle", tooltip="Problems", clickable=True),
        StatusItem(key="model", text="Claude Sonnet 4.5", icon="brain"),
        StatusItem(key="cost", text="$0.31 this project", icon="coins"),
    ]
    return left, right


def placeholder_panels(theme: Theme) -> Panels:
    """Build stand-ins for the panels, each with a head and something in it."""

    def head(*items: object) -> QWidget:
        made = frame("header", hbox(*items, margins=(14, 0, 6, 0), gap=2))
        made.setFixedHeight(theme.size("panel_header"))
        return made

    prose = Prose(theme)
    prose.set_markdown(
        "Here is the plan. I build it in **four phases**, and you can change anything before a "
        "phase starts.\n\n- Plant library\n- Watering schedule"
    )
    card = TopStripeCard(theme, ["#2F6B4F", "#F4EFE4", "#D9784C"])
    swatches = [Swatch(theme, colour) for colour in ("#2F6B4F", "#F4EFE4", "#D9784C")]
    chip = StatusChip(theme, "Writing", "live", "pencil-simple")
    card.add(
        vbox(
            hbox(label("Fernwood", fs="title_sm"), None, chip),
            hbox(*swatches, None),
            margins=(14, 9, 14, 12),
        )
    )
    composer = QPlainTextEdit()
    composer.setProperty("role", "prompt")
    composer.setPlaceholderText("Ask for a change. It joins the next phase.")
    composer.setAccessibleName("Message to VibeDesk")
    composer.setFixedHeight(60)
    box = frame("composer", vbox(composer, margins=(12, 10, 12, 6)))
    box.setFixedHeight(96)
    chat = QWidget()
    search = icon_button(theme, "magnifying-glass", "Search chat", small=True)
    chat.setLayout(
        vbox(
            head(label("Chat", strong=True), None, search),
            vbox(prose, card, None, margins=(14, 14, 14, 14), gap=12),
            hbox(box, margins=(10, 0, 10, 10)),
            gap=0,
        )
    )
    files = frame("treebox")
    new_file = icon_button(theme, "file-plus", "New file", small=True)
    rows = [label(name, tone="secondary") for name in ("src", "  App.tsx", "  main.tsx")]
    files.setLayout(
        vbox(
            head(label("Files", strong=True), None, new_file),
            vbox(*rows, None, margins=(18, 8, 8, 8)),
            gap=0,
        )
    )
    code = QPlainTextEdit('import { useMemo } from "react";\n\nexport function App() {\n}\n')
    code.setProperty("role", "code")
    code.setFont(theme.font("code"))
    code.setAccessibleName("Code editor")
    tabs = QTabBar()
    tabs.setExpanding(False)
    tabs.setAccessibleName("Open files")
    for name in ("App.tsx", "schedule.ts"):
        icon, _ = theme.filetype(name)
        tabs.addTab(theme.icon(icon), name)
    editor = QWidget()
    editor.setLayout(vbox(tabs, (code, 1), gap=0))
    preview = QWidget()
    empty = EmptyState(
        theme,
        "browser",
        "Nothing to preview yet",
        "The preview opens as soon as the first phase is running, usually after 2 minutes.",
        [MessageAction(key="log", text="Show the sandbox log")],
    )
    reload = icon_button(theme, "arrow-clockwise", "Reload", small=True)
    preview.setLayout(vbox(head(reload, None), (empty, 1), gap=0))
    log = QPlainTextEdit("10:43:51  sandbox  npm install\n10:44:07  write    src/lib/schedule.ts")
    log.setProperty("role", "log")
    log.setReadOnly(True)
    log.setFont(theme.font("code_sm"))
    log.setAccessibleName("Logs")
    dock = DockPanel(theme)
    dock.add_page("logs", "Logs", "list-bullets", log)
    return Panels(chat=chat, files=files, editor=editor, preview=preview, dock=dock)


def open_window(theme: Theme, folder: Path, projects: int, model: str = "") -> MainWindow:
    """Build the whole window around placeholder panels."""

    def welcome() -> QWidget:
        page = WelcomePage(theme)
        page.set_model(model)
        page.starters.set_starters(starters())
        page.set_samples(sample_cards())
        page.set_projects(project_cards(projects))
        return page

    def library() -> QWidget:
        page = ProjectsPage(theme)
        page.set_projects(project_cards(projects))
        return page

    window = MainWindow(
        theme, {"welcome": welcome, "projects": library}, LayoutStore(folder / "window.ini")
    )
    window.set_status_items(*status_items())
    window.allow_close()
    return window


def _wait(app: QApplication, milliseconds: int) -> None:
    timer = QElapsedTimer()
    timer.start()
    while timer.elapsed() < milliseconds:
        app.processEvents()


def _scenes(window: MainWindow, theme: Theme) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "welcome", lambda: window.show_page("welcome")
    yield "projects", lambda: window.show_page("projects")
    window.install_workspace(Workspace(theme, placeholder_panels(theme), window.store))
    window.set_project("project-0", "Fernwood", "v9")
    window.set_project_choices([ProjectChoice(id="project-0", title="Fernwood")])
    window.set_phase(running_phase())
    yield "build", lambda: window.show_page("workspace")
    yield "code", lambda: window._on_mode_chosen("code")
    window.set_phase(paused_phase())
    yield "paused", lambda: window._on_mode_chosen("build")
    window.set_phase(running_phase())
    yield "preview", lambda: window._on_mode_chosen("preview")


def _messages(window: MainWindow) -> None:
    window._on_mode_chosen("build")
    window.show_banner(
        "warning",
        "The preview runs without Chromium's own sandbox, because VibeDesk was started as root.",
        [MessageAction(key="why", text="What this means")],
    )
    window.show_toast("success", "Version 14 saved", "Greeting and week strip")
    act = MessageAction(key="start", text="Start again")
    window.show_toast(
        "danger",
        "The sandbox stopped",
        "It used more than 2 GB. Your files are safe.",
        [(act, lambda: None)],
    )


def _save_starters(app: QApplication, window: MainWindow, path: Path) -> None:
    window.findChild(StarterPicker).click()
    _wait(app, 60)
    menu = QApplication.activePopupWidget()
    assert menu is not None
    menu.grab().save(str(path))
    menu.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--only", choices=["dark", "light", "high_contrast"])
    options.add_argument("--size", choices=["1600x1000", "1280x800", "1100x720", "960x620"])
    options.add_argument("--projects", type=int, default=12)
    options.add_argument("--scale", default="1")
    chosen = options.parse_args()
    os.environ["QT_SCALE_FACTOR"] = chosen.scale
    chosen.folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    theme = Theme("dark")
    theme.apply(app)
    schemes: tuple[Scheme, ...] = ("dark", "light", "high_contrast")
    sizes = [chosen.size] if chosen.size else ["1600x1000", "1280x800", "1100x720", "960x620"]
    for scheme in [chosen.only] if chosen.only else schemes:
        theme.set_scheme(scheme)
        for size in sizes:
            width, height = map(int, size.split("x"))
            with tempfile.TemporaryDirectory() as folder:
                window = open_window(theme, Path(folder), chosen.projects, "Claude Sonnet 4.5")
                window.resize(QSize(width, height))
                window.show()
                for name, enter in _scenes(window, theme):
                    enter()
                    _wait(app, 120)
                    window.grab().save(str(chosen.folder / f"{name}-{scheme}-{size}.png"))
                    if name == "welcome":
                        _save_starters(app, window, chosen.folder / f"starters-{scheme}.png")
                _messages(window)
                _wait(app, 120)
                window.grab().save(str(chosen.folder / f"messages-{scheme}-{size}.png"))
                window.close()
                window.deleteLater()
                _wait(app, 20)


if __name__ == "__main__":
    main()
