"""Pictures of problems, checks, error banner, error cards and the editor's marks, for looking at.

QT_API=pyside6 sh scripts/on_virtual_screen.sh python -m tests.ui.mending_gallery FOLDER [--only dark]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication

from tests.ui.gallery import open_window
from tests.ui.mending_samples import CHECKS, ISSUES, TODAY, TRANSCRIPT, TSX
from vibedesk.ui.checks.check import Check
from vibedesk.ui.dialogs.debugging import DebuggingDialog
from vibedesk.ui.editor.line_problems import LineProblem
from vibedesk.ui.mending_control import security_outcome
from vibedesk.ui.problems.memory import ProblemView
from vibedesk.ui.problems.problem import Problem, problem_of, tally
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.run_view import RunView
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.status_bar import StatusItem
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.work import Work

PATH = "src/components/WeekStrip.tsx"


def settle(milliseconds: int = 200) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def page_picture() -> QImage:
    """Draw a page as a check leaves it."""
    drawn = QImage(1280, 860, QImage.Format.Format_RGB32)
    drawn.fill(QColor("#F7F2E8"))
    painter = QPainter(drawn)
    painter.setPen(QColor("#1F3B2D"))
    painter.setFont(QFont("sans-serif", 40))
    painter.drawText(60, 120, "Good morning, Ines")
    for column in range(4):
        painter.fillRect(60 + column * 300, 200, 260, 320, QColor("#E3E9D6"))
    painter.end()
    return drawn


def show_work(panels: ProjectPanels, work: Work) -> None:
    panels.problems.set_work(work)
    panels.checks.set_work(work)
    panels.preview.error_banner.set_work(work)


def show_problems(panels: ProjectPanels, problems: list[Problem], work: Work) -> None:
    panels.problems.set_problems(problems)
    show_work(panels, work)
    panels.dock.set_counts("problems", *tally(problems))
    panels.editor.set_problems(
        {
            PATH: [
                LineProblem(p.line, p.column, p.level, p.message)
                for p in problems
                if p.file == PATH
            ]
        }
    )
    for path in {problem.file for problem in problems if problem.file}:
        of_file = [problem for problem in problems if problem.file == path]
        panels.files.set_problems(path, *tally(of_file))


def fill(panels: ProjectPanels) -> None:
    panels.files.set_files([PATH, "src/App.tsx", "src/lib/schedule.ts", "src/main.tsx"])
    panels.editor.open_file(PATH, TSX, pinned=True)
    panels.editor.open_file("src/App.tsx", "export default function App() {}\n")
    panels.editor.open_file(PATH, TSX)
    chat = panels.chat
    chat.add_user_message("wish", "A plant-care journal. Warm, calm look.", TODAY)
    chat.agent_message_done("m1", "Phase 2 is written. I am opening each view to check it.", TODAY)
    chat.activity("mend", "3 files", None, "done", key="m", detail="src/App.tsx", at=TODAY)
    chat.activity(
        "fix", "Property 'schedule' does not exist · 1 file", None, "stopped", key="f", at=TODAY
    )
    chat.activity(
        "debug",
        "turn 2 · I want to see what the store saves",
        None,
        "running",
        key="d",
        detail="Turn 1, VibeDesk:\nI want to see what the store saves.\nSHOW src/lib/db.ts\n\n"
        'Turn 1, what it saw:\n<file path="src/lib/db.ts">\nexport const version = 1;\n</file>',
        at=TODAY,
    )


def window_of(theme: Theme, panels: ProjectPanels, folder: Path) -> MainWindow:
    window = open_window(theme, folder, 3, "Claude Sonnet 4.5")
    window.install_workspace(Workspace(theme, panels.placed(), window.store))
    window.set_project("project-0", "Fernwood", "v10")
    run = RunView(phase_total=4)
    run.open_phase(2, "Watering schedule", ["a", "b"])
    run.enter("fixing", "", "reviewing")
    run.errors, run.fix_try = 2, 2
    window.set_phase(run.phase_view(str))
    window.set_status_items(
        [StatusItem(key="sandbox", text="Sandbox running", dot="success.text", clickable=True)],
        [
            StatusItem(
                key="errors", text="2", icon="x-circle-fill", tone="danger.text", clickable=True
            ),
            StatusItem(
                key="warnings", text="2", icon="warning-fill", tone="warning.text", clickable=True
            ),
        ],
    )
    window.show_page("workspace")
    return window


def take(window: MainWindow, folder: Path, name: str) -> None:
    settle()
    window.grab().save(str(folder / f"{name}.png"))


def show_checks(window: MainWindow, panels: ProjectPanels, folder: Path, mark: str) -> None:
    """Take pictures of checks while a look begins, after a change of the code, and without a plan's sentences."""
    checks = panels.checks
    panels.dock.set_counts("checks", 0, 0)
    checks.set_checks([Check(replace(check, outdated=True)) for check in CHECKS[:2]])
    checks.list.choose(CHECKS[1].name)
    panels.chat.set_complete(
        {
            "title": "Fernwood is ready",
            "elapsed": "2:08",
            "checks": [
                ("31 files in 4 phases", ""),
                ("The page answers", ""),
                ("2 of 7 checks pass", "", "warning"),
                ("3 checks were not run", "", "warning"),
                ("2 checks ran before the last change", "", "warning"),
                ("2 warnings are left", "", "warning"),
                ("Saved as a version", "$0.84"),
            ],
        },
        TODAY,
    )
    take(window, folder, f"checks-outdated-{mark}")
    seen = [replace(CHECKS[0], outdated=True), replace(CHECKS[1], sentences=()), *CHECKS[2:]]
    checks.set_checks([Check(check) for check in seen])
    show_work(panels, "checks")
    take(window, folder, f"checks-preparing-{mark}")
    show_work(panels, "rest")


def scenes(theme: Theme, scheme: str, size: tuple[int, int], folder: Path) -> None:
    panels = ProjectPanels(theme)
    mark = f"{scheme}-{size[0]}"
    problems = [problem_of(issue) for issue in ISSUES]
    with tempfile.TemporaryDirectory() as place:
        window = window_of(theme, panels, Path(place))
        window.resize(*size)
        window.show()
        fill(panels)
        panels.dock.show_page("problems")
        take(window, folder, f"problems-none-{mark}")
        show_problems(panels, problems, "building")
        panels.problems.choose(problems[0].signature)
        panels.editor.go_to(PATH, 16, 30)
        banner = panels.preview.error_banner
        banner.show_error(problems[0].headline, "WeekStrip.tsx:16:30", problems[0].text(), 3)
        take(window, folder, f"problems-building-{mark}")
        show_work(panels, "fixing")
        take(window, folder, f"problems-fixing-{mark}")
        show_work(panels, "security")
        take(window, folder, f"problems-security-{mark}")
        show_work(panels, "rest")
        panels.problems.set_grouping("source")
        panels.problems.choose(problems[1].signature)
        panels.chat.ask_decision(
            "I could not mend this: Property 'schedule' does not exist on type 'Plant'. Tell me more, "
            "go back to a good version, or skip it.",
            "Everything that works is saved.",
            [
                ("look", "Look at it together"),
                ("history", "Go back to a good version"),
                ("skip", "Skip it"),
            ],
            {
                "seen": "First seen 10:44, seen 4 times",
                "tried": "Without a model: still there\nBy the model: still there · WeekStrip.tsx · $0.04\n"
                "By debugging: still there · 3 files · $0.17",
                "cost": "$0.21, 53.2 k tokens",
                "links": [("debugging:s", "Show how it was debugged")],
            },
        )
        panels.dock.show_page("problems")
        take(window, folder, f"problems-stuck-{mark}")
        panels.checks.set_checks(
            [Check(CHECKS[0]), Check(replace(CHECKS[1], why="The list is sorted by date, not by name.")),
             Check(CHECKS[2], running=True), Check(CHECKS[3])]
        )  # fmt: skip
        panels.checks.set_picture("pic", page_picture())
        panels.dock.set_counts("checks", 1, 0)
        panels.dock.show_page("checks")
        take(window, folder, f"checks-{mark}")
        show_checks(window, panels, folder, mark)
        window.show_toast("warning", *security_outcome(ISSUES[:2])[1:])
        take(window, folder, f"security-outcome-{mark}")
        dialog = DebuggingDialog(theme, window, problem=problems[0].headline, turns=TRANSCRIPT)
        dialog.show()
        settle()
        dialog.grab().save(str(folder / f"transcript-{mark}.png"))
        dialog.close()
        view = ProblemView(theme)
        view.show_problem(problems[0])
        view.resize(400, 460)
        view.show()
        settle()
        view.grab().save(str(folder / f"problem-{mark}.png"))
        view.close()
        panels.preview.shut_down()
        window.close()
        window.deleteLater()
        settle(20)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--only", choices=["dark", "light", "high_contrast"])
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication(sys.argv[:1])
    theme = Theme("dark")
    theme.apply(application)
    schemes: tuple[Scheme, ...] = ("dark", "light", "high_contrast")
    for scheme in [chosen.only] if chosen.only else schemes:
        theme.set_scheme(scheme)
        for size in ((1600, 1000), (1280, 800)):
            scenes(theme, scheme, size, chosen.folder)


if __name__ == "__main__":
    main()
