"""Renders every state of chat, dock and dialogs to pictures, to be looked at beside the design.

xvfb-run -a -s "-screen 0 1600x1000x24" python -m tests.ui.chat_gallery FOLDER [name …]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QEventLoop, QIODevice, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton, QWidget

from tests.ui.gallery import open_window, placeholder_panels, running_phase
from vibedesk.engine.project_options import ImageFile
from vibedesk.engine.views import QuestionView, WishView
from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.blueprint_texts import Starter
from vibedesk.ui.chat.messages import Picture
from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.pictures import Attached
from vibedesk.ui.dialogs.ask import AskDialog, Choice
from vibedesk.ui.dialogs.consent import ConsentDialog
from vibedesk.ui.dialogs.model_setup import ModelSetupDialog
from vibedesk.ui.dock.dock_panel import DockPanel
from vibedesk.ui.dock.logs_panel import LogsPanel
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.island import Island

AT = datetime(2026, 11, 20, 10, 41).astimezone()
LATER = AT + timedelta(minutes=3)
WIDTHS = (300, 340, 384, 560)
WISH = (
    "A plant-care journal. I want to see what needs water today and get a gentle nudge if I forget. "
    "Warm, calm look."
)
BLUEPRINT = {
    "title": "Fernwood",
    "description": "A calm plant-care journal that tells you which plants need water today.",
    "detailed_description": "A journal for one household. The first page says what needs water now.",
    "color_palette": ["#2F6B4F", "#F4EFE4", "#D9784C"],
    "views": [
        {"name": "Today", "description": "What needs water now, and the week ahead"},
        {
            "name": "Library",
            "description": "All plants by room, with a photo each; add, edit and move them to another room",
        },
        {"name": "Plant", "description": "Photo, schedule, notes of one plant"},
        {"name": "Journal", "description": "Photos and notes over time"},
    ],
    "implementation_roadmap": [
        {"phase": "Plant library", "description": "Add plants with photo, room and species."},
        {"phase": "Watering schedule", "description": "Today view, due dates, mark as watered."},
        {"phase": "Journal and photos", "description": "Timeline per plant with dated photos."},
        {"phase": "Reminders", "description": "Browser notification in the morning, snooze."},
    ],
    "frameworks": ["react@19.2.0", "vite@8.0.1", "tailwindcss@4.1.2", "date-fns@4.1.0"],
    "pitfalls": ["Browser reminders only arrive while the browser is running."],
    "template": "react-fullstack",
    "acceptance_checks": [
        {
            "name": "A plant is added and found again",
            "phase": 1,
            "steps": [
                {"do": "goto", "path": "/"},
                {"do": "click", "selector": "button", "text": "Add a plant"},
                {"do": "fill", "selector": "[aria-label='Name']", "value": "Monty"},
                {"do": "press", "key": "Enter"},
                {"do": "expectText", "selector": "ul", "text": "Monty"},
            ],
        },
        {
            "name": "A watered plant leaves the list of today",
            "phase": None,
            "steps": [
                {"do": "goto", "path": "/today"},
                {"do": "click", "selector": "button", "text": "Watered"},
                {"do": "expectNoText", "selector": "main", "text": "Monty"},
            ],
        },
    ],
}
STARTERS = [
    Starter("react-vite", "React and Vite", "A page without data that lasts"),
    Starter("react-fullstack", "React with data", "Data that lasts, and people who sign in"),
]
QUESTIONS = [
    QuestionView("Who uses it?", ("Just me", "My household", "Anyone"), "Decides about sign-in."),
    QuestionView("Where should the nudge appear?", ("Email", "In the browser")),
    QuestionView("Which days should it leave out?", ()),
]
WISHES = [
    WishView("w1", "Show the week at the top", "done", 2),
    WishView("w2", "Add a dark theme with a switch in the corner", "planned", 3),
    WishView("w3", "And a search field that finds rooms and species, too", "open", None),
]
NO_WEB_APP = (
    "A driver for a printer runs outside of a browser. The nearest thing is a page that shows the "
    "printer's queue."
)


def picture(name: str, colour: str, other: str) -> Attached:
    """Draw a picture to attach."""
    drawn = QImage(640, 420, QImage.Format.Format_RGB32)
    drawn.fill(QColor(colour))
    painter = QPainter(drawn)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(other))
    painter.drawEllipse(240, 80, 170, 170)
    painter.drawRect(270, 250, 110, 120)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    drawn.save(buffer, "PNG")
    return Attached(ImageFile(name, bytes(data.data())), drawn)


PICTURES = [("poster.jpg", "#e9dfcd", "#2f6b4f"), ("sketch of today.png", "#dbe7dd", "#d9784c")]
MARKDOWN = """Done. The Doing column now has a limit of 4: its counter reads `3 / 4`, and from the \
fifth card on the whole column turns a **soft red**.

If you want other columns limited too, add a line to [limits.ts](src/lib/limits.ts):

```ts
const LIMITS: Record<string, number> = { doing: 4, 'to do': 10 }
```

1. Rename the column
2. The limit goes away
   - unless it is called Doing

| Column | Limit |
|--------|-------|
| Doing  | 4     |

> A reminder only, you can still add cards there.
"""
PLANNED = [
    "src/lib/schedule.ts",
    "src/hooks/usePlants.ts",
    "src/components/PlantCard.tsx",
    "src/types.ts",
    "src/App.tsx",
    "src/index.css",
    "src/components/WeekStrip.tsx",
    "src/components/WateringSchedule.tsx",
    "src/hooks/useReminders.ts",
    "src/styles/schedule.css",
]


def generating(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.add_user_message("u1", WISH, AT)
    plan = "Here is the plan. I build it in four phases, and you can change anything before a phase starts."
    panel.agent_message_done("a1", plan, AT)
    panel.set_blueprint(BLUEPRINT, "approved", AT)
    panel.set_roadmap(
        [
            ("Plant library", "done", "14 files"),
            ("Watering schedule", "active", "7 of 10 files", 0.7),
            ("Journal and photos", "todo", ""),
            ("Reminders", "todo", ""),
        ]
    )
    panel.set_running(True)
    panel.set_model("Claude Sonnet 4.5")
    panel.agent_message_done("a2", "Phase 1 is live in the preview. Writing phase 2 now.", LATER)
    panel.activity("install", "date-fns, hono", 4.1, detail="added 2 packages in 4s", at=LATER)
    panel.begin_activity("writing", PLANNED, at=LATER)
    for index, path in enumerate(PLANNED[:7]):
        panel.file_started(path)
        panel.file_finished(path, 31 + index, 8 * (index % 2))
    panel.file_started(PLANNED[7])
    panel.file_progress(PLANNED[7], 29)
    return panel


def streaming_blueprint(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.set_sample(True)
    panel.add_user_message("u1", WISH, AT)
    panel.set_running(True)
    part = {key: BLUEPRINT[key] for key in ("title", "description", "color_palette")}
    panel.set_blueprint(part, "streaming", AT)
    return panel


def awaiting(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.add_user_message("u1", WISH, AT)
    answers = ("Anyone", "In the browser", "")
    answered = [replace(q, answer=a) for q, a in zip(QUESTIONS, answers, strict=True)]
    panel.show_questions(answered, is_open=False, at=AT)
    panel.set_blueprint(BLUEPRINT, "awaiting_approval", AT)
    ready = "Thanks. The blueprint is ready. Change anything you like, then start the build."
    panel.agent_message_done("a1", ready, AT)
    return panel


def complete(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.activity("phase", "Journal and photos", None, at=AT)
    panel.add_user_message(
        "u1", "Make the greeting friendlier, and show the week at the top.", LATER
    )
    said = "Done. The week strip sits under the greeting, and today is filled in green."
    panel.agent_message_done("a1", said, LATER)
    panel.begin_activity("writing", PLANNED[:3], at=LATER)
    for path in PLANNED[:3]:
        panel.file_started(path)
        panel.file_finished(path, 12, 4)
    panel.end_activity()
    panel.activity("check", "types, lint, 4 views", 9.2, at=LATER)
    panel.set_complete(
        {
            "title": "Fernwood is ready",
            "elapsed": "6:12",
            "checks": [
                ("The page answers", "200 in 38 ms"),
                ("Files written", "31 files"),
                ("Phone layout", "not checked", "warning"),
                ("Saved as version 14", "main"),
            ],
            "actions": [("open_preview", "Open the preview"), ("open_folder", "Show the folder")],
            "suggestions": ["Add a dark theme", "Let me share my plants with a friend"],
        },
        at=LATER,
    )
    return panel


def words(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.add_user_message(
        "u1", "works great! make the Doing column turn reddish when it is full?", AT
    )
    panel.agent_message_done("a1", MARKDOWN, AT)
    return panel


def trouble(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.add_user_message("u1", WISH, AT)
    panel.begin_activity("writing", PLANNED, at=AT)
    for path in PLANNED[:7]:
        panel.file_started(path)
        panel.file_finished(path, 31, 0)
    panel.activity(
        "install",
        "recharts@99",
        2.2,
        "failed",
        detail="npm error code ETARGET\nnpm error No matching version found for recharts@99",
        at=AT,
    )
    for index in range(5):
        panel.activity("command", f"npm run step-{index}", 2.5, at=AT)
    panel.activity("server", "localhost:5173", state="running", at=AT)
    panel.show_error(
        "The Anthropic key was rejected (401).",
        "The build is paused after file 7 of 10 and nothing is lost.",
        [("model_settings", "Replace key"), ("retry", "Try again")],
        at=AT,
    )
    panel.show_error(
        "The same problem came back three times: WeekStrip.tsx fails on a type error.",
        "You can look at it together, go back to version 10, or say what to leave out.",
        [("retry", "Try again")],
        at=AT,
        details={
            "tried": "Added the missing type to WeekStrip.tsx\nWrote the week's days anew\nAsked a stronger model",
            "cost": "0.2134",
            "log": "src/components/WeekStrip.tsx(14,9): error TS2322",
        },
    )
    panel.show_continue(
        "VibeDesk closed in the middle of phase 2. Seven files are saved. Continue at file 8?",
        at=AT,
    )
    panel.set_running(True)
    panel.set_waiting(
        "Anthropic asks us to slow down.", datetime.now().astimezone() + timedelta(seconds=42)
    )
    panel.set_queue(WISHES)
    panel.set_draft("Also make\nthe cards rounder")
    return panel


def questions(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    pictures = [Picture(f"p{n}", name) for n, (name, *_) in enumerate(PICTURES)]
    panel.add_user_message("u1", WISH, AT, pictures)
    for shown, drawn in zip(pictures, PICTURES, strict=True):
        panel.set_thumbnail(shown.id, picture(*drawn).thumbnail)
    panel.show_questions(QUESTIONS, is_open=True, at=AT)
    panel.set_waiting("Before the plan is made: a few questions.", for_person=True)
    return panel


def pictures(theme: Theme) -> ChatPanel:
    panel = words(theme)
    panel.set_model("Claude Sonnet 4.5")
    for drawn in PICTURES:
        panel.tray.add(picture(*drawn))
    panel.tray.begin("plan.webp")
    refused = panel.tray.begin("holiday.bmp")
    panel.tray.refuse(
        refused,
        "holiday.bmp is no picture that can be used. Save it as PNG, JPEG, WebP or GIF and attach it again.",
    )
    panel.set_draft("Use the colours of the poster, and lay Today out like the sketch.")
    return panel


def budget(theme: Theme) -> ChatPanel:
    panel = generating(theme)
    panel.set_budget_reached(1.02, 1.0)
    return panel


def budget_warning(theme: Theme) -> ChatPanel:
    panel = generating(theme)
    panel.warn_of_budget(0.83, 1.0)
    panel.set_queue(WISHES)
    return panel


def no_web_app(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.add_user_message("u1", "Write a driver for my printer", AT)
    blueprint = {**BLUEPRINT, "title": "Print queue", "not_a_web_app": NO_WEB_APP}
    panel.set_blueprint(blueprint, "awaiting_approval", AT)
    panel.set_waiting("The plan waits for your approval.", for_person=True)
    return panel


def _page(theme: Theme, blueprint: Mapping[str, Any]) -> tuple[QWidget, BlueprintPage]:
    page = BlueprintPage(theme)
    page.set_starters(STARTERS)
    page.set_blueprint(blueprint, "awaiting_approval")
    island = Island(theme)
    island.add(page)
    return island, page


def blueprint_page(theme: Theme) -> QWidget:
    return _page(theme, BLUEPRINT)[0]


def blueprint_objection(theme: Theme) -> QWidget:
    return _page(theme, {**BLUEPRINT, "not_a_web_app": NO_WEB_APP})[0]


def blueprint_edited(theme: Theme) -> QWidget:
    island, page = _page(theme, BLUEPRINT)
    island.show()
    steps = next(
        b
        for b in page.findChildren(QToolButton)
        if b.accessibleName().startswith("Change the steps of A plant")
    )
    steps.click()
    field = next(f for f in page.findChildren(QLineEdit) if f.text() == "Monty")
    field.setText("Basil")
    field.textEdited.emit("Basil")
    page.show_problem("acceptance_checks.0.steps", "Step 2 is none of click, or lacks something.")
    return island


def dock(theme: Theme) -> QWidget:
    panel = DockPanel(theme)
    logs = LogsPanel(theme)
    panel.add_page("logs", "Logs", "list-bullets", logs, logs.tools)
    streams = [
        ("sandbox", "npm install date-fns@4 hono@4  (2 packages, 4.1 s)"),
        ("agent", "phase 2 planned: 10 files, 2 new dependencies"),
        ("write", "src/lib/schedule.ts  +64"),
        ("vite", "hmr update /src/components/PlantCard.tsx  (38 ms)"),
        ("tsc", "src/App.tsx(14,9): 'rooms' is declared but never read"),
        ("error", "Error: listen EADDRINUSE: address already in use 127.0.0.1:5173"),
    ]
    logs.append([(AT, stream, text) for stream, text in streams * 3])
    return panel


def ask(theme: Theme) -> QWidget:
    return AskDialog(
        theme,
        None,
        title="Delete Fernwood?",
        text="Its files, history and conversation are deleted. This cannot be undone.",
        choices=[Choice(key="delete", text="Delete Fernwood", danger=True)],
    )


def consent(theme: Theme) -> QWidget:
    return ConsentDialog(theme, None)


def model_setup(theme: Theme) -> QWidget:
    return ModelSetupDialog(theme, None, models={"anthropic": "claude-sonnet-4-5"})


def model_setup_compatible(theme: Theme) -> QWidget:
    return ModelSetupDialog(
        theme,
        None,
        provider="openai_compatible",
        reason="The server at localhost:11434 does not answer.",
    )


PANELS: dict[str, Callable[[Theme], ChatPanel]] = {
    "generating": generating,
    "streaming-blueprint": streaming_blueprint,
    "awaiting": awaiting,
    "complete": complete,
    "words": words,
    "trouble": trouble,
    "questions": questions,
    "pictures": pictures,
    "budget": budget,
    "budget-warning": budget_warning,
    "no-web-app": no_web_app,
}


def pages() -> dict[str, tuple[Callable[[Theme], QWidget], tuple[int, int]]]:
    return {
        "blueprint-page": (blueprint_page, (1140, 960)),
        "blueprint-objection": (blueprint_objection, (1140, 760)),
        "blueprint-edited": (blueprint_edited, (1140, 1200)),
        "blueprint-narrow": (blueprint_edited, (384, 1500)),
        "dock": (dock, (1100, 196)),
        "ask": (ask, (0, 0)),
        "consent": (consent, (0, 0)),
        "model-setup": (model_setup, (0, 0)),
        "model-setup-compatible": (model_setup_compatible, (0, 0)),
    }


def settle(milliseconds: int = 120) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def grab(widget: QWidget, path: Path) -> None:
    widget.show()
    settle()
    picture = widget.grab().toImage()
    for _ in range(
        10
    ):  # lines that wrap take another round of laying out; what turns never comes to rest
        settle()
        before, picture = picture, widget.grab().toImage()
        if picture == before:
            break
    picture.save(str(path))
    widget.hide()
    widget.deleteLater()


def grab_windows(theme: Theme, folder: Path, scheme: str) -> None:
    """Take pictures of the whole window with the chat in some of its states."""
    for width, height in ((1600, 1000), (1280, 800)):
        size = f"{width}x{height}"
        with tempfile.TemporaryDirectory() as kept:
            window = open_window(theme, Path(kept), 4, "Claude Sonnet 4.5")
            window.resize(width, height)
            window.show_page("welcome")
            welcome = window.findChildren(WelcomePage)[0]
            welcome.set_wish(
                "A lane booking page for our swim club. Members pick a lane and a half hour slot, "
                "coaches can block lanes for training. Use the colours from the poster I attached."
            )
            welcome.tray.add(picture(*PICTURES[0]))
            welcome.set_estimate("About $0.40–1.20", "From your last 5 finished projects.")
            grab(window, folder / f"window-welcome-{scheme}-{size}.png")
        for name in ("questions", "budget-warning", "awaiting", "trouble"):
            with tempfile.TemporaryDirectory() as kept:
                window = open_window(theme, Path(kept), 4, "Claude Sonnet 4.5")
                chat = PANELS[name](theme)
                page = BlueprintPage(theme)
                page.set_starters(STARTERS)
                page.set_blueprint(BLUEPRINT, "awaiting_approval")
                panels = replace(placeholder_panels(theme), chat=chat, page=page)
                workspace = Workspace(theme, panels, window.store)
                workspace.show_page(name == "awaiting")
                window.install_workspace(workspace)
                window.set_project("project-0", "Fernwood", "v9")
                window.set_phase(running_phase())
                window.resize(width, height)
                window.show_page("workspace")
                grab(window, folder / f"window-{name}-{scheme}-{size}.png")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(sys.argv[2:])
    app = QApplication(sys.argv[:1])
    for scheme in ("dark", "light"):
        theme = Theme(scheme)
        theme.apply(app)
        for name, build in PANELS.items():
            for width in WIDTHS:
                if wanted and name not in wanted:
                    continue
                panel = build(theme)
                panel.resize(width, 860)
                grab(panel, folder / f"{name}-{width}-{scheme}.png")
        narrow = awaiting(theme)
        narrow.show_tab("blueprint")
        narrow.resize(384, 860)
        grab(narrow, folder / f"blueprint-tab-384-{scheme}.png")
        for name, (make, size) in pages().items():
            if wanted and name not in wanted:
                continue
            page = make(theme)
            if any(size):
                page.resize(*size)
            grab(page, folder / f"{name}-{scheme}.png")
        if not wanted or "windows" in wanted:
            grab_windows(theme, folder, scheme)


if __name__ == "__main__":
    main()
