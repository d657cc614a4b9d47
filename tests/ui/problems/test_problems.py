"""The problems list: groups, filters, keys, what can be done, and what is remembered of a problem."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractButton, QListView, QToolButton
from pytestqt.qtbot import QtBot

from tests.ui.mending_samples import ISSUES, issue
from vibedesk.ui.problems.model import Group, ProblemsModel
from vibedesk.ui.problems.panel import ProblemsPanel
from vibedesk.ui.problems.problem import Problem, clean_words, cost_words, problem_of, tally
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
PROBLEMS = [problem_of(told) for told in ISSUES]


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (
            ["lint", "page", "runtime", "server", "types"],
            "Types, lint and the running app are all clean.",
        ),
        (["page", "server"], "The running app is clean."),
        (
            ["lint", "server", "types"],
            "Types and lint are all clean. The running app was not looked at in a browser.",
        ),
        (["server"], "The server answers. The running app was not looked at in a browser."),
    ],
)
def test_only_what_was_looked_at_is_called_clean(sources: list[str], words: str) -> None:
    assert clean_words(sources) == words


some_problems = st.lists(
    st.builds(
        lambda number, file, level: problem_of(
            issue(str(number), f"m{number}", file=file, severity=level)
        ),
        st.integers(0, 9),
        st.sampled_from(["", "a.ts", "b.ts"]),
        st.sampled_from(["critical", "blocking", "warning"]),
    ),
    unique_by=lambda problem: problem.signature,
    max_size=8,
)


@given(some_problems, st.sampled_from(["file", "source"]), st.booleans())
def test_every_problem_of_the_chosen_levels_stands_once_under_its_group(
    problems: list[Problem], grouping: str, errors_only: bool
) -> None:
    model = ProblemsModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_grouping(grouping)  # type: ignore[arg-type]
    model.set_levels(frozenset(("error",) if errors_only else ("error", "warning")))
    model.set_problems(problems)
    shown = [row for row in model.rows if isinstance(row, Problem)]
    wanted = [p for p in problems if p.level == "error" or not errors_only]
    assert sorted(p.signature for p in shown) == sorted(p.signature for p in wanted)
    counts: dict[str, int] = {}
    heading = ""
    for row in model.rows:
        if isinstance(row, Group):
            heading = row.title
            assert heading not in counts, "a group stands once"
            counts[heading] = row.count
        else:
            counts[heading] -= 1
            if grouping == "file":
                assert heading == (row.file or "The whole app")
    assert set(counts.values()) <= {0}
    del tester


@given(some_problems, st.integers(-1, 20))
def test_stepping_through_the_list_comes_round_and_skips_headings(
    problems: list[Problem], row: int
) -> None:
    model = ProblemsModel()
    model.set_problems(problems)
    if not problems:
        assert model.step_from(row, 1) == model.step_from(row, -1) == -1
        return
    at = -1
    seen = [at := model.step_from(at, 1) for _ in problems]
    assert len(set(seen)) == len(problems)
    assert model.step_from(seen[-1], 1) == seen[0]
    assert model.step_from(seen[0], -1) == seen[-1]


def test_what_the_tries_cost_counts_a_try_at_several_problems_once() -> None:
    shared = {
        "strategy": "model",
        "outcome": "",
        "at": "2026-01-01T10:00:00.000Z",
        "paths": ["a.ts"],
    }
    both = {**shared, "cost": 0.004, "tokens": 900}
    later = {**both, "at": "2026-01-01T10:05:00.000Z"}
    unknown = {**shared, "at": "2026-01-01T10:09:00.000Z", "tokens": 1_400}
    first = problem_of(issue("a", "m", fixes_tried=[both, later]))
    second = problem_of(issue("b", "n", fixes_tried=[both]))
    assert cost_words(first) == "$0.0080, 1.8 k tokens"
    assert cost_words(first, second) == "$0.0080, 1.8 k tokens"
    assert cost_words(problem_of(issue("c", "m", fixes_tried=[unknown]))) == "1.4 k tokens"
    assert (
        cost_words(problem_of(issue("d", "m", fixes_tried=[{"strategy": "deterministic"}]))) == ""
    )


def test_what_was_skipped_does_not_count() -> None:
    assert tally(PROBLEMS) == (2, 2)


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> ProblemsPanel:
    made = ProblemsPanel(theme)
    qtbot.addWidget(made)
    qtbot.addWidget(made.tools)
    made.resize(1000, 160)
    made.show()
    made.tools.show()
    qtbot.waitExposed(made)
    made.set_problems(PROBLEMS)
    return made


def rows(panel: ProblemsPanel) -> QListView:
    return panel.findChildren(QListView)[0]


def button(panel: ProblemsPanel, name: str) -> QAbstractButton:
    places = (panel, panel.tools)
    return next(
        b
        for place in places
        for b in place.findChildren(QAbstractButton)
        if b.accessibleName() == name
    )


def test_enter_and_click_open_the_place(qtbot: QtBot, panel: ProblemsPanel) -> None:
    panel.choose("cc")
    with qtbot.waitSignal(panel.opened) as opened:
        qtbot.keyClick(rows(panel), Qt.Key.Key_Return)
    assert opened.args == ["src/App.tsx", 1, 25]
    place = rows(panel).visualRect(panel.model.index(panel.model.row_of("aa"), 0)).center()
    with qtbot.waitSignal(panel.opened) as opened:
        qtbot.mouseClick(rows(panel).viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == ["src/components/WeekStrip.tsx", 16, 30]


def test_f8_goes_round_the_problems(qtbot: QtBot, panel: ProblemsPanel) -> None:
    panel.choose("aa")
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow, timeout=3000)
    qtbot.keyClick(panel, Qt.Key.Key_F8)
    assert panel.current is not None
    assert panel.current.signature == "bb"
    qtbot.keyClick(panel, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
    assert panel.current.signature == "aa"


def test_the_problem_at_hand_stays_when_the_list_changes(panel: ProblemsPanel) -> None:
    panel.choose("cc")
    panel.set_problems([problem_of(issue("new", "Something else", severity="critical")), *PROBLEMS])
    assert panel.current is not None
    assert panel.current.signature == "cc"
    panel.set_problems(PROBLEMS[:2])
    assert panel.current.signature == "aa", "else the gravest is at hand"


def test_the_filter_counts_and_hides(qtbot: QtBot, panel: ProblemsPanel) -> None:
    qtbot.mouseClick(button(panel, "2 warnings"), Qt.MouseButton.LeftButton)
    shown = {row.signature for row in panel.model.rows if isinstance(row, Problem)}
    assert shown == {"cc", "dd", "ee"}
    qtbot.mouseClick(button(panel, "All"), Qt.MouseButton.LeftButton)
    assert len([r for r in panel.model.rows if isinstance(r, Problem)]) == len(PROBLEMS)


def test_fix_skip_and_copy_are_about_the_problem_at_hand(
    qtbot: QtBot, panel: ProblemsPanel
) -> None:
    panel.choose("bb")
    with qtbot.waitSignal(panel.fix_requested) as fix:
        button(panel, "Fix").click()
    with qtbot.waitSignal(panel.skip_requested) as skip:
        button(panel, "Skip").click()
    assert fix.args == skip.args == [["bb"]]
    button(panel, "Copy").click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Property 'schedule' does not exist on type 'Plant'. [TS2339]")
    assert "src/components/WeekStrip.tsx:16:21" in copied
    with qtbot.waitSignal(panel.fix_requested) as fix:
        button(panel, "Fix all").click()
    assert fix.args == [[]]
    panel.choose("ee")
    names = [a.text() for a in panel.menu_for(PROBLEMS[4]).actions()]
    assert names == ["Open", "Fix", "Copy"], "what is skipped cannot be skipped again"


def test_a_problem_is_remembered(panel: ProblemsPanel) -> None:
    panel.choose("aa")
    words = panel.view.words()
    assert "First seen 5 Mar 2025, 00:07, seen 4 times" in words
    assert "1. Without a model: still there" in words
    assert "2. By the model: still there · WeekStrip.tsx · $0.04" in words
    assert "3. By debugging: found no cause · $0.17" in words
    assert "Cost of the tries: $0.21, 53.2 k tokens" in words
    assert "at Array.filter" in words


def test_a_debugging_leads_to_its_transcript(qtbot: QtBot, panel: ProblemsPanel) -> None:
    panel.choose("aa")
    with qtbot.waitSignal(panel.transcript_requested) as wanted:
        button(panel, "Show how it was debugged").click()
    assert wanted.args == ["01JDEBUGGING"]


def spoken(panel: ProblemsPanel) -> list[str]:
    return [str(panel.model.index(row, 0).data()) for row in range(panel.model.rowCount())]


def test_while_a_run_mends_nothing_can_be_asked_of_it(panel: ProblemsPanel) -> None:
    panel.choose("aa")
    panel.set_work("fixing")
    for name in ("Fix", "Fix all", "Review now", "Security review"):
        assert not button(panel, name).isEnabled()
        assert button(panel, name).toolTip() == "A run is under way. It mends what is wrong."
    said = spoken(panel)
    assert (
        "Error, TypeError: Cannot read properties of undefined (reading 'next'), Preview, "
        in (said[1])
    )
    assert said[1].endswith("Fixing")
    assert said[2].endswith("Needs you")
    assert any(line.endswith("Waits for the errors") for line in said)


def test_while_something_else_is_built_problems_wait_for_its_review(panel: ProblemsPanel) -> None:
    panel.choose("aa")
    panel.set_work("building")
    said = spoken(panel)
    assert said[1].endswith("Waits for the review")
    assert said[2].endswith("Needs you")
    assert not any("Fixing" in line for line in said)
    assert not button(panel, "Fix").isEnabled()
    assert (
        button(panel, "Fix").toolTip() == "A run is under way. Wait until it is done, or stop it."
    )


def test_a_security_review_is_seen_to_go_on(qtbot: QtBot, panel: ProblemsPanel) -> None:
    panel.choose("aa")
    with qtbot.waitSignal(panel.security_requested):
        button(panel, "Security review").click()
    panel.set_work("security")
    with qtbot.assertNotEmitted(panel.security_requested):
        button(panel, "Reviewing security").click()
    for name in ("Fix", "Fix all", "Review now"):
        assert not button(panel, name).isEnabled()
    assert not spoken(panel)[1].endswith("Fixing")
    panel.set_work("checks")
    assert not button(panel, "Security review").isEnabled()
    assert button(panel, "Fix").toolTip() == "The checks are under way."
    panel.set_work("rest")
    for name in ("Fix", "Fix all", "Review now", "Security review"):
        assert button(panel, name).isEnabled()


def test_no_problems_is_said_and_looking_again_offered(qtbot: QtBot, panel: ProblemsPanel) -> None:
    panel.set_problems(())
    panel.set_checked("Types, lint and the running app are all clean. Last checked 10:53.")
    assert not rows(panel).isVisible()
    assert not panel.view.isVisible()
    with qtbot.waitSignal(panel.review_requested):
        button(panel, "Review now").click()
    with qtbot.waitSignal(panel.security_requested):
        button(panel, "Security review").click()


def test_everything_that_takes_focus_has_a_name(panel: ProblemsPanel) -> None:
    panel.choose("aa")
    widgets = [
        *panel.findChildren(QToolButton),
        *panel.findChildren(QAbstractButton),
        *panel.findChildren(QListView),
        *panel.tools.findChildren(QAbstractButton),
    ]
    assert [
        w for w in widgets if w.isVisible() and w.focusPolicy() and not w.accessibleName()
    ] == []
