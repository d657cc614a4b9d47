"""Pictures of the editor, files and preview panels in every state, for looking at.

`QT_API=pyside6 xvfb-run -a -s "-screen 0 1600x1000x24" python -m tests.ui.panels_gallery FOLDER`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from vibedesk.ui.editor.panel import EditorPanel
from vibedesk.ui.files.panel import FilesPanel
from vibedesk.ui.preview.panel import PreviewPanel
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.widgets.boxes import frame, vbox
from vibedesk.ui.widgets.island import Island

TSX = """import { useMemo } from "react";
import { Drop, CalendarBlank } from "@/icons";
import { usePlants } from "@/hooks/usePlants";
import { nextWatering, isDue } from "@/lib/schedule";
import { PlantCard } from "./PlantCard";

interface WateringScheduleProps {
  today: Date;
  onWatered: (plantId: string) => void;
}

export function WateringSchedule({ today, onWatered }: WateringScheduleProps) {
  const { plants, rooms } = usePlants();

  // Thirsty plants first, then by how soon they need water.
  const queue = useMemo(() => {
    return plants
      .map((p) => ({ plant: p, due: nextWatering(p, today) }))
      .sort((a, b) => a.due.getTime() - b.due.getTime());
  }, [plants, today]);

  const thirsty = queue.filter(({ due }) => isDue(due, today));
  const label = `${thirsty.length} plants, don't forget`;

  return (
    <section className="schedule" aria-labelledby="today">
      <h2 id="today">Don't forget: water today</h2>
      {thirsty.length === 0 && <EmptyDay next={queue[0]} />}
      {thirsty.map(({ plant, due }) => (
        <PlantCard"""
FILES = [
    "src/components/PlantCard.tsx",
    "src/components/WateringSchedule.tsx",
    "src/components/WeekStrip.tsx",
    "src/components/schedule.css",
    "src/hooks/usePlants.ts",
    "src/hooks/useReminders.ts",
    "src/lib/db.ts",
    "src/lib/schedule.ts",
    "src/App.tsx",
    "src/types.ts",
    "src/index.css",
    "public/favicon.svg",
    "index.html",
    "package.json",
    "README.md",
]
SAMPLES = {
    "src/index.css": ':root {\n  --leaf: #2f6b4f; /* calm */\n}\n\n.card:hover > h2 {\n  padding: 12px 1.5rem;\n  color: var(--leaf);\n  background: url("/leaf.svg");\n}\n\n@media (max-width: 600px) {\n  .card { display: none; }\n}\n',
    "index.html": '<!doctype html>\n<html lang="en">\n  <!-- entry -->\n  <head>\n    <meta charset="utf-8" />\n    <title>Fernwood</title>\n  </head>\n  <body>\n    <div id="root" class="app"></div>\n    <script type="module">const x = 1; // ok</script>\n  </body>\n</html>\n',
    "package.json": '{\n  "name": "fernwood",\n  "version": "1.0.0",\n  "private": true,\n  "dependencies": { "react": "^19.0.0", "n": 12 }\n}\n',
    "README.md": "# Fernwood\n\nA *calm* plant **journal** with `code`.\n\n- one\n- two\n\n> quoted\n\n[link](https://example.com)\n\n```ts\nconst a = 1;\n```\n",
    "tool.py": 'import os\n\n\nclass Plant:\n    """A plant."""\n\n    @property\n    def age(self) -> int:\n        # years\n        return len(f"{self!r}") + 12\n',
    "schema.sql": "CREATE TABLE plants (\n  id INTEGER PRIMARY KEY, -- key\n  name TEXT NOT NULL DEFAULT 'fern'\n);\n",
    "ci.yaml": '# build\nname: test\non: [push]\njobs:\n  build:\n    steps: 12\n    cache: true\n    run: "make"\n',
    "run.sh": '#!/bin/sh\n# start\nfor f in *.ts; do\n  echo "$f" | wc -l\ndone\n',
}
APP_PAGE = b"""<!doctype html><meta charset=utf-8><title>Fernwood</title><style>body{font:16px sans-serif;margin:0;
background:#f7f2e8;color:#1f3b2d}header{padding:24px 32px;font-weight:700;font-size:22px}main{padding:0 32px}
.card{background:#fff;border-radius:14px;padding:20px;margin:12px 0;box-shadow:0 1px 4px #0002}</style>
<header>Fernwood</header><main><h1>Your plants</h1><div class=card>Monty</div><div class=card>Basil Fawlty</div></main>"""


class _App(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(APP_PAGE)

    def log_message(self, *args: object) -> None:
        pass


def settle(milliseconds: int = 250) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def files_panel(theme: Theme) -> FilesPanel:
    files = FilesPanel(theme)
    files.set_files(FILES)
    for path in (
        "src/components/PlantCard.tsx",
        "src/hooks/usePlants.ts",
        "src/App.tsx",
        "src/types.ts",
        "package.json",
    ):
        files.set_state(path, "modified")
    for path in ("src/components/WeekStrip.tsx", "src/lib/schedule.ts"):
        files.set_state(path, "new")
    for path in ("src/components/schedule.css", "src/hooks/useReminders.ts"):
        files.set_state(path, "queued")
    files.set_state("src/components/WateringSchedule.tsx", "writing")
    files.select("src/components/WateringSchedule.tsx")
    return files


def streaming_editor(theme: Theme) -> EditorPanel:
    editor = EditorPanel(theme)
    editor.open_file("src/lib/schedule.ts", "export const isDue = () => true;\n", pinned=True)
    path = "src/components/WateringSchedule.tsx"
    editor.stream_start(path, "full")
    for start in range(0, len(TSX) - 60, 24):
        editor.stream_chunk(path, TSX[start : min(start + 24, len(TSX) - 60)])
    editor.flush()
    settle(1000)
    editor.stream_chunk(path, TSX[len(TSX) - 60 :])
    editor.flush()
    return editor


def workspace(theme: Theme, preview: QWidget) -> QWidget:
    root = QWidget()
    root.setObjectName("root")
    row = QHBoxLayout(root)
    row.setContentsMargins(6, 6, 6, 6)
    row.setSpacing(6)
    left = Island(theme)
    inner = QWidget()
    inside = QHBoxLayout(inner)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(0)
    tree_box = frame("treebox", vbox(files_panel(theme), gap=0))
    tree_box.setFixedWidth(236)
    inside.addWidget(tree_box)
    inside.addWidget(streaming_editor(theme), 1)
    left.add(inner)
    right = Island(theme)
    right.add(preview)
    right.setFixedWidth(430)
    row.addWidget(left, 1)
    row.addWidget(right)
    return root


class Gallery:
    """Takes the pictures of one scheme."""

    def __init__(self, application: QApplication, theme: Theme, folder: Path, name: str) -> None:
        self._application = application
        self._theme = theme
        self._folder = folder
        self._name = name

    def take(
        self, widget: QWidget, name: str, size: tuple[int, int], *, screen: bool = False
    ) -> None:
        widget.resize(*size)
        widget.move(QPoint(0, 0))
        widget.show()
        settle()
        pixmap = (
            self._application.primaryScreen().grabWindow(widget.winId())
            if screen
            else widget.grab()
        )
        pixmap.save(str(self._folder / f"{name}-{self._name}.png"))

    def all(self, app_url: str) -> None:
        theme = self._theme
        previews = PreviewPanel(theme, open_externally=lambda _: None)
        root = workspace(theme, previews)
        self.take(root, "workspace-empty", (1140, 640))
        previews.set_target(app_url, Path(tempfile.mkdtemp()), ())
        _until(lambda: previews.state == "live")
        settle(800)
        previews.set_stale("Showing phase 1. Updates when phase 2 is ready.")
        self.take(root, "workspace-live", (1140, 640), screen=True)
        previews.set_device("phone")
        previews._on_left_app(QCoreApplication.instance() and _url("https://example.com/docs"))
        settle(400)
        self.take(root, "workspace-phone", (1140, 640), screen=True)
        previews.set_device("desktop")
        previews.set_stale(None)
        previews.set_stopped("The sandbox stopped. It used more than 2 GB. Your files are safe.")
        self.take(root, "workspace-stopped", (1140, 640))
        root.close()
        previews.shut_down()
        lonely = PreviewPanel(theme, open_externally=lambda _: None)
        lonely.set_target("http://127.0.0.1:9", Path(tempfile.mkdtemp()), ())
        _until(lambda: lonely.state == "disconnected")
        self.take(lonely, "preview-disconnected", (430, 500))
        lonely.shut_down()
        self._editor_states()
        self._files_states()

    def _editor_states(self) -> None:
        panel = EditorPanel(self._theme)
        self.take(panel, "editor-empty", (640, 400))
        for path, text in SAMPLES.items():
            panel.open_file(path, text, pinned=True)
            self.take(panel, f"editor-{path.rpartition('.')[2]}", (640, 400))
        panel.open_file("src/components/WateringSchedule.tsx", TSX)
        panel.file_changed(
            "src/components/WateringSchedule.tsx",
            TSX.replace("Thirsty", "Driest").replace("rooms", "beds"),
        )
        panel.open_find_bar()
        panel._find._field.setText("today")
        self.take(panel, "editor-find", (640, 640))

    def _files_states(self) -> None:
        files = files_panel(self._theme)
        files.set_problems("src/App.tsx", 2)
        files.set_problems("src/types.ts", 0, 1)
        files.set_state("src/lib/db.ts", "fixing")
        files._view.collapse(files._model.index_of("src/components"))
        files._view.collapse(files._model.index_of("src/hooks"))
        self.take(files, "files-problems", (236, 520))
        files.start_filter()
        files._field.setText("plant")
        self.take(files, "files-filter", (236, 300))
        files._field.setText("wter")
        self.take(files, "files-nothing", (236, 300))


def _url(text: str) -> object:
    from PySide6.QtCore import QUrl

    return QUrl(text)


def _until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    for _ in range(int(seconds * 20)):
        if condition():
            return
        settle(50)
    raise TimeoutError("the panel did not get there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scheme", default="dark,light")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication(sys.argv[:1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    schemes: list[Scheme] = options.scheme.split(",")
    for scheme in schemes:
        theme = Theme(scheme)
        theme.apply(application)
        Gallery(application, theme, options.folder, scheme).all(
            f"http://127.0.0.1:{server.server_address[1]}/library"
        )
    server.shutdown()


if __name__ == "__main__":
    main()
