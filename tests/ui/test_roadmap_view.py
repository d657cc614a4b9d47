"""The phases of a plan as rows."""

from __future__ import annotations

from vibedesk.ui.roadmap_view import RoadmapView
from vibedesk.ui.run_view import RunView


def test_a_phase_counts_its_files() -> None:
    view = RoadmapView()
    names = ("None", "One", "Two")
    files = [{"path": "a.ts"}, {"path": "b.ts"}]
    view.set_phases(
        {"number": number, "name": name, "files": files[: number - 1], "completed": True}
        for number, name in enumerate(names, 1)
    )
    rows = view.rows(RunView(), str)
    assert rows == [("None", "done", ""), ("One", "done", "1 file"), ("Two", "done", "2 files")]
