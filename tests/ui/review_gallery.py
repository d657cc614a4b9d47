"""Pictures of reviews, file marks and the history page in every state, for looking at.

`sh scripts/on_virtual_screen.sh .venv/bin/python -m tests.ui.review_gallery FOLDER`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import TINY_TEMPLATE, whole
from tests.ui.desk import Desk, play_at_desk
from tests.ui.panels_gallery import files_panel, settle
from tests.ui.qt_loop import until
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.hunks import hunks_between
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import FileDiffView, VersionDiffView, VersionView
from vibedesk.ui.editor.panel import EditorPanel
from vibedesk.ui.files.file_marks import PersonMark
from vibedesk.ui.history.page import HistoryPage
from vibedesk.ui.history.versions import versions_of
from vibedesk.ui.review.diff_lines import DiffHunk, Passage, hunks_of
from vibedesk.ui.review.page import ReviewPage
from vibedesk.ui.review.regenerate_dialog import RegenerateDialog
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.widgets.boxes import frame, vbox
from vibedesk.ui.widgets.island import Island

PATH = "src/components/WeekStrip.tsx"
OLD = """// A week in one row.

import { format, isSameDay } from "date-fns";
import { weekFrom } from "@/lib/schedule";
import { usePlants } from "@/hooks/usePlants";
import type { WeekStripProps } from "@/types";

// The strip is one list with a day an item.
export function WeekStrip({ start, onPick }: WeekStripProps) {
  const days = useMemo(() => weekFrom(start), [start]);

  const load = useMemo(() => {
    return days.map((day) =>
      plants.filter((p) => isSameDay(nextWatering(p, day), day)).length,
    );
  }, [days, plants]);

  return (
    <ol className="week" aria-label="This week">
      {days.map((day, i) => (
        <li key={day.toISOString()}>
          <button onClick={() => onPick?.(day)}>
            {format(day, "EEE")}
            {day.getDate()}
            <span className="dots">{"•".repeat(load[i])}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
"""
NEW = """// A week in one row.

import { format, isSameDay } from "date-fns";
import { useWeek } from "@/hooks/useWeek";
import { Dots } from "./Dots";
import { usePlants } from "@/hooks/usePlants";
import type { WeekStripProps } from "@/types";

// The strip is one list with a day an item.
export function WeekStrip({ start, onPick }: WeekStripProps) {
  const { days, load, next, previous } = useWeek(start);
  const list = useRef<HTMLOListElement>(null);

  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({
      inline: "center",
    });
  }, [days]);

  return (
    <ol className="week" aria-label="This week">
      {days.map((day, i) => (
        <li key={day.toISOString()} aria-current={isToday(day) ? "date" : undefined}>
          <button onClick={() => onPick?.(day)}>
            {format(day, "EEE")}
            {day.getDate()}
            <Dots count={load[i]} max={3} />
          </button>
        </li>
      ))}
    </ol>
  );
}
"""
ASKED = "The week should scroll sideways on a phone, and today should sit in the middle."


def sample_hunks() -> list[DiffHunk]:
    made = hunks_between(OLD, NEW)
    passages = [
        Passage(
            hunk.start + 1,
            [line.rstrip("\n") for line in hunk.old],
            hunk.new_start + 1,
            [line.rstrip("\n") for line in hunk.new],
        )
        for hunk in made
    ]
    return hunks_of(PATH, OLD, NEW, passages)


def review(theme: Theme) -> ReviewPage:
    page = ReviewPage(theme, PATH, ASKED)
    page.set_old(OLD)
    page.show_hunks(sample_hunks())
    return page


def sample_versions() -> list[VersionView]:
    rows = (
        ("Greeting and week strip", "agent", 2),
        ("Reminders", "agent", 6),
        ("Journal and photos", "agent", 9),
        ("Fixed: week strip on older plants", "fix", 1),
        ("Watering schedule", "agent", 10),
        ("Your edit in index.css", "you", 1),
        ("Before the new layout", "you", 0),
        ("Plant library", "agent", 14),
        ("Blueprint and template", "agent", 12),
    )
    now = datetime.now(UTC).replace(hour=10, minute=53)
    return [
        VersionView(
            commit=f"{0x8F31C0A + 7919 * at:040x}",
            label=label,
            author=author,
            at=(now - timedelta(minutes=4 * at, days=at // 4)).isoformat().replace("+00:00", "Z"),
            files_changed=files,
        )
        for at, (label, author, files) in enumerate(rows)
    ]


def unified() -> str:
    parts = []
    for hunk in sample_hunks():
        olds = [line.old for line in hunk.lines if line.old]
        news = [line.new for line in hunk.lines if line.new]
        parts.append(f"@@ -{olds[0]},{len(olds)} +{news[0]},{len(news)} @@")
        marks = {"same": " ", "added": "+", "removed": "-"}
        parts += [f"{marks[line.side]}{line.text}" for line in hunk.lines]
    return "\n".join(parts)


def sample_diff(commit: str, against: str = "parent") -> VersionDiffView:
    hunks = unified()
    files = (
        FileDiffView(PATH, "changed", 14, 10, hunks),
        FileDiffView("src/views/Journal.tsx", "added", 142, 0, "@@ -0,0 +1,1 @@\n+export {};"),
        FileDiffView("src/lib/db.ts", "changed", 19, 6, hunks),
        FileDiffView("src/old/Legacy.tsx", "deleted", 0, 48, "@@ -1,1 +0,0 @@\n-old"),
        FileDiffView("public/leaf.png", "added", 0, 0, "", binary=True),
        FileDiffView("package.json", "changed", 2, 0, '@@ -1,2 +1,3 @@\n {\n+  "a": 1,\n }'),
    )
    return VersionDiffView(commit, against, files)


def history(theme: Theme) -> HistoryPage:
    page = HistoryPage(theme)
    views = sample_versions()
    page.set_versions(versions_of(views))
    page.choose(views[2].commit)
    page.detail.set_diff(sample_diff(views[2].commit))
    return page


def marked_files(theme: Theme) -> QWidget:
    files = files_panel(theme)
    marks: dict[str, list[PersonMark]] = {
        "src/lib/db.ts": ["locked"],
        "src/types.ts": ["pinned", "locked"],
        "README.md": ["excluded"],
        "src/components/PlantCard.tsx": ["pinned"],
    }
    for path, said in marks.items():
        files.set_person_marks(path, said)
    files.set_proposed("src/components/WeekStrip.tsx", proposed=True)
    return files


def editor_with_review(theme: Theme, page: ReviewPage) -> QWidget:
    root = QWidget()
    root.setObjectName("root")
    row = QHBoxLayout(root)
    row.setContentsMargins(6, 6, 6, 6)
    row.setSpacing(6)
    island = Island(theme)
    inner = QWidget()
    inside = QHBoxLayout(inner)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(0)
    tree = frame("treebox", vbox(marked_files(theme), gap=0))
    tree.setFixedWidth(220)
    editor = EditorPanel(theme)
    editor.open_file("src/lib/db.ts", OLD, pinned=True)
    editor.notes.set_locked("src/lib/db.ts", locked=True)
    editor.show_view("/review/1", page, "Review WeekStrip.tsx", PATH)
    root.editor = editor  # type: ignore[attr-defined]
    inside.addWidget(tree)
    inside.addWidget(editor, 1)
    island.add(inner)
    row.addWidget(island)
    return root


def take(widget: QWidget, file: Path, size: tuple[int, int]) -> None:
    widget.resize(*size)
    widget.show()
    settle(200)
    widget.grab().save(str(file))


def all_pictures(theme: Theme, folder: Path, name: str) -> None:
    page = review(theme)
    root = editor_with_review(theme, page)
    for size in ((1220, 860), (600, 640)):
        take(root, folder / f"review-{size[0]}-{name}.png", size)
    page._view._decide(0, "take")
    page._view._decide(2, "leave")
    page.show_conflict(
        1,
        "Change 2 (lines 10 to 16) does not fit any more: you changed the same lines meanwhile. "
        "Nothing was changed. Leave that change out, or ask for the file again.",
    )
    take(root, folder / f"review-decided-{name}.png", (1220, 860))
    take(root, folder / f"review-decided-narrow-{name}.png", (600, 640))
    page._layout_choice.set_current("split")
    take(root, folder / f"review-split-{name}.png", (1220, 860))
    root.editor._tabs.file_selected.emit("src/lib/db.ts")  # type: ignore[attr-defined]
    take(root, folder / f"locked-{name}.png", (900, 640))
    root.close()
    writing = ReviewPage(theme, PATH, ASKED)
    root = editor_with_review(theme, writing)
    root.editor.set_view_writing("/review/1", writing=True)  # type: ignore[attr-defined]
    writing.set_old(OLD)
    take(root, folder / f"review-asked-{name}.png", (900, 560))
    writing.add(NEW[:700])
    take(root, folder / f"review-writing-{name}.png", (900, 560))
    writing.show_interrupted()
    take(root, folder / f"review-interrupted-{name}.png", (900, 560))
    writing.show_failed("The model did not answer with a file.", "Ask again, or use another model.")
    take(root, folder / f"review-failed-{name}.png", (600, 480))
    root.close()
    dialog = RegenerateDialog(theme, None, PATH, ["Use the hook for the week"], "")
    take(dialog, folder / f"dialog-{name}.png", (560, dialog.height()))
    dialog.close()
    shown = history(theme)
    for size in ((1530, 926), (1210, 726), (890, 546)):
        take(shown, folder / f"history-{size[0]}-{name}.png", size)
    shown.detail._restore.click()
    take(shown, folder / f"history-ask-{name}.png", (1210, 726))
    shown.start_keeping()
    shown.detail.set_running(running=True)
    take(shown, folder / f"history-running-{name}.png", (1210, 726))
    shown.close()
    empty = HistoryPage(theme)
    take(empty, folder / f"history-empty-{name}.png", (1210, 726))
    empty.close()


async def window_pictures(desk: Desk, engine: Engine, server: ModelServer, folder: Path) -> None:
    """Take pictures of the whole window with a real project."""
    project_id = await engine.create(
        "A plant-care journal", ProjectOptions(template=str(TINY_TEMPLATE))
    )
    for path in (PATH, "src/App.tsx", "src/lib/db.ts", "src/hooks/useWeek.ts", "index.html"):
        await engine.create_file(project_id, path, OLD if path == PATH else f"// {path}\n")
    await engine.snapshot(project_id, "Plant library")
    await engine.create_file(project_id, "src/lib/schedule.ts", NEW)
    await engine.snapshot(project_id, "Before the new layout")
    await engine.mark_file(project_id, "src/lib/db.ts", "locked", on=True)
    await engine.mark_file(project_id, "src/App.tsx", "pinned", on=True)
    await desk.open(project_id)
    server.answer(whole(PATH, NEW), operation="regenerate_file")
    await engine.regenerate_file(project_id, PATH, ASKED)
    session = desk.controller._session
    assert session is not None
    await until(lambda: [p.state for p in session._reviews._pages.values()] == ["ready"])
    session._reviews.review(PATH)
    history = desk.buttons("History")[0]
    for scheme in ("dark", "light"):
        desk.window._on_scheme_chosen(scheme)
        for width, height in ((1600, 1000), (1280, 800)):
            desk.window.resize(width, height)
            for name in ("build", "code", "history"):
                if name == "history":
                    history.click()
                else:
                    desk.window._on_mode_chosen(name)
                await asyncio.sleep(0.4)
                desk.window.grab().save(str(folder / f"window-{name}-{width}-{scheme}.png"))


def whole_window(application: QApplication, theme: Theme, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as root, serve_in_thread() as server:
        os.environ.update(server.environment())
        engine = Engine(Home(root=Path(root), projects=Path(root) / "projects"), attended=True)
        engine.start()
        play_at_desk(
            application,
            engine,
            theme,
            lambda engine, desk: window_pictures(desk, engine, server, folder),
        )
        engine.shutdown_blocking()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scheme", default="dark,light,high_contrast")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication(sys.argv[:1])
    schemes: list[Scheme] = options.scheme.split(",")
    theme = Theme(schemes[0])
    theme.apply(application)
    for scheme in schemes:
        theme.set_scheme(scheme)
        all_pictures(theme, options.folder, scheme)
    whole_window(application, theme, options.folder)


if __name__ == "__main__":
    main()
