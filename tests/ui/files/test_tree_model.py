"""The tree is what its paths say, after any sequence of changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from vibedesk.ui.files.file_marks import UNMARKED, FileMark
from vibedesk.ui.files.tree_model import FileTreeModel, Role

pytestmark = pytest.mark.ui
_NAME = st.sampled_from(["a", "B", "c.ts", "d.tsx", "É"])
_PATH = st.lists(_NAME, min_size=1, max_size=4).map(lambda parts: "/".join((*parts, "f.ts")))
_MARK = st.builds(
    FileMark,
    st.sampled_from(["unchanged", "new", "writing", "queued"]),
    st.integers(0, 2),
    st.integers(0, 1),
)
_STEP = st.one_of(
    st.tuples(st.just("mark"), _PATH, _MARK),
    st.tuples(st.just("remove"), _PATH, st.just(UNMARKED)),
)


def _rows(model: FileTreeModel, parent: QModelIndex | None = None) -> list[str]:
    index = QModelIndex() if parent is None else parent
    rows = []
    for row in range(model.rowCount(index)):
        child = model.index(row, 0, index)
        assert child.row() == row
        assert child.parent() == index
        rows.append(f"{child.data(Role.PATH)}{'/' if child.data(Role.IS_FOLDER) else ''}")
        rows.extend(_rows(model, child))
    return rows


def _expected(paths: list[str], folder: str = "") -> list[str]:
    inside = [path[len(folder) :] for path in paths if path.startswith(folder)]
    folders = sorted(
        {name.split("/")[0] for name in inside if "/" in name}, key=lambda n: (n.casefold(), n)
    )
    files = sorted((name for name in inside if "/" not in name), key=lambda n: (n.casefold(), n))
    rows = []
    for name in folders:
        rows += [f"{folder}{name}/", *_expected(paths, f"{folder}{name}/")]
    return rows + [folder + name for name in files]


@given(st.lists(_STEP, max_size=25))
def test_any_sequence_of_changes_gives_the_tree_of_the_files_left(
    qapp: QApplication, steps: list[tuple[str, str, FileMark]]
) -> None:
    model = FileTreeModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    files: dict[str, FileMark] = {}
    for action, path, mark in steps:
        if action == "mark":
            files[path] = mark
            model.set_mark(path, mark)
        else:
            files.pop(path, None)
            model.remove(path)
    assert _rows(model) == _expected(list(files))
    fresh = FileTreeModel()
    fresh.set_files(files)
    for folder in fresh.folders():
        assert model.index_of(folder).data(Role.FOLDER_MARK) == fresh.index_of(folder).data(
            Role.FOLDER_MARK
        )
    tester.deleteLater()


def test_becoming_other_files_by_many_or_few_changes_is_the_same(qapp: QApplication) -> None:
    before = {f"src/{n}.ts": UNMARKED for n in range(300)}
    for after in ({f"src/{n}.ts": UNMARKED for n in range(5, 300)}, {"other/x.ts": UNMARKED}, {}):
        model = FileTreeModel()
        model.set_files(before)
        model.set_files(after)
        assert _rows(model) == _expected(list(after))


def test_a_closed_folder_knows_the_worst_below_it(qapp: QApplication) -> None:
    model = FileTreeModel()
    model.set_mark("src/a/x.ts", FileMark("new"))
    model.set_mark("src/b/y.ts", FileMark("unchanged", errors=2))
    assert model.index_of("src").data(Role.FOLDER_MARK) == "errors"
    assert model.index_of("src/a").data(Role.FOLDER_MARK) == "new"
    model.set_mark("src/b/y.ts", UNMARKED)
    assert model.index_of("src").data(Role.FOLDER_MARK) == "new"
    model.remove("src/a/x.ts")
    assert model.index_of("src").data(Role.FOLDER_MARK) is None


def test_rows_say_in_words_what_their_marks_mean(qapp: QApplication) -> None:
    model = FileTreeModel()
    spoken = Qt.ItemDataRole.AccessibleTextRole
    model.set_mark("src/Card.tsx", FileMark("writing"))
    assert model.index_of("src/Card.tsx").data(spoken) == "Card.tsx, being written"
    model.set_mark("src/Card.tsx", FileMark("modified", errors=2))
    assert model.index_of("src/Card.tsx").data(spoken) == "Card.tsx, 2 errors, modified"
    assert model.index_of("src").data(spoken) == "src, folder"


def _changes(model: FileTreeModel) -> list[tuple[str, str, int]]:
    """Return a list that fills with what a view is told: what changed, below which folder, in how many rows."""
    told: list[tuple[str, str, int]] = []

    def note(kind: str, parent: QModelIndex, first: int, last: int) -> None:
        told.append((kind, parent.data(Role.PATH) or "", last - first + 1))

    model.rowsInserted.connect(lambda *rows: note("inserted", *rows))
    model.rowsRemoved.connect(lambda *rows: note("removed", *rows))
    model.modelReset.connect(lambda: told.append(("reset", "", 0)))
    model.layoutChanged.connect(lambda: told.append(("laid out", "", 0)))
    model.dataChanged.connect(
        lambda top, bottom: told.append(
            ("changed", top.data(Role.PATH), bottom.row() - top.row() + 1)
        )
    )
    return told


def test_views_are_told_of_what_changed_among_ten_thousand_files_and_of_nothing_else(
    qapp: QApplication,
) -> None:
    files = {f"src/part{n % 100}/sub{n % 7}/File{n}.tsx": UNMARKED for n in range(10_000)}
    model = FileTreeModel()
    told = _changes(model)
    model.set_files(files)
    assert told == [("reset", "", 0)]
    for path, mark, expected in (
        ("src/part5/New.tsx", UNMARKED, [("inserted", "src/part5", 1)]),
        ("src/part5/New.tsx", UNMARKED, []),
        ("src/new/a/b/New.tsx", UNMARKED, [("inserted", "src", 1)]),
        ("src/new/a/b/New.tsx", None, [("removed", "src", 1)]),
        (
            "src/part6/New.tsx",
            FileMark("new"),
            [("inserted", "src/part6", 1), ("changed", "src/part6", 1), ("changed", "src", 1)],
        ),
        ("src/part6/New.tsx", FileMark("new"), []),
        (
            "src/part6/New.tsx",
            FileMark("new", errors=1),
            [("changed", place, 1) for place in ("src/part6", "src", "src/part6/New.tsx")],
        ),
    ):
        told.clear()
        if mark is None:
            model.remove(path)
        else:
            model.set_mark(path, mark)
        assert told == expected
    told.clear()
    model.set_files({**files, "src/part7/New.tsx": UNMARKED})
    assert ("inserted", "src/part7", 1) in told
    assert {kind for kind, _, _ in told} <= {"inserted", "removed", "changed"}
    assert len(told) < 10
