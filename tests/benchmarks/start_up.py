"""From exec to the first paint that shows the project cards of a library of 200, against an empty window.

Both are processes of the same interpreter, started warm and in turn; the limit is on the ratio of the medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 2.5
PAIRS = int(os.environ.get("RUNS", "9"))
PROJECTS = 200

EMPTY = """
import os, sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

class Window(QWidget):
    def paintEvent(self, event):
        QTimer.singleShot(0, done)

def done():
    print(time.monotonic(), flush=True)
    os._exit(0)

app = QApplication(sys.argv)
window = Window()
window.resize(1200, 800)
window.show()
app.exec()
"""

LIBRARY = """
import builtins, os, sys, time
real_import = builtins.__import__

def watching_import(name, *arguments, **keywords):
    module = real_import(name, *arguments, **keywords)
    if name == "vibedesk.app":
        # The program's own notice of its first paint; asking Qt for every event would cost the start time.
        builtins.__import__ = real_import
        sys.modules["vibedesk.app"].FirstPaint._note = painted
    return module

def painted(first_paint):
    at = time.monotonic()
    from PySide6.QtWidgets import QListView
    view = first_paint._window.findChild(QListView)
    assert view.isVisible() and view.model().rowCount() >= COUNT
    print(at, flush=True)
    os._exit(0)

builtins.__import__ = watching_import
from vibedesk.cli import main
main(["--home", HOME])
"""


def fill(home: Path) -> None:
    """Make a home with 200 projects whose window was last on the projects page."""
    from vibedesk.base.paths import resolve_home
    from vibedesk.engine.store.database import Database
    from vibedesk.engine.store.projects import ProjectStore
    from vibedesk.ui.shell.layout_store import LayoutStore

    database = Database.open(resolve_home(home), write=True)
    store = ProjectStore()

    def work() -> None:
        for number in range(PROJECTS):
            store.create(
                {
                    "name": f"app-{number}",
                    "title": f"App number {number}",
                    "description": "A calm journal that tells what needs doing today.",
                    "wish": "A journal",
                    "folder": str(home / "projects" / f"app-{number}"),
                    "state": "complete",
                    "blueprint": {"color_palette": ["#2f6b4f", "#f4efe4", "#d9784c", "#22281f"]},
                }
            )

    database.call(work)
    database.close()
    layout = LayoutStore(home / "window.ini")
    layout.set_page("projects")
    layout.save()


def seconds(code: str) -> float:
    # Warm means that Python's bytecode is kept, as it is for everybody who does not forbid it.
    warm = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    started = time.monotonic()
    done = subprocess.run(command, env=warm, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout.split()[-1]) - started


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vibedesk-bench-") as folder:
        home = Path(folder)
        fill(home)
        library = LIBRARY.replace("COUNT", str(PROJECTS)).replace("HOME", repr(str(home)))
        seconds(EMPTY)
        seconds(library)
        empty, ours = [], []
        for _ in range(PAIRS):
            empty.append(seconds(EMPTY))
            ours.append(seconds(library))
    ratio = statistics.median(ours) / statistics.median(empty)
    print(f"empty window   {statistics.median(empty) * 1000:7.0f} ms (median of {PAIRS})")
    print(f"library of {PROJECTS} {statistics.median(ours) * 1000:7.0f} ms (median of {PAIRS})")
    print(f"ratio          {ratio:7.2f}    (limit {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
