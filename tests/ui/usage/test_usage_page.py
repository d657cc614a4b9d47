"""The usage page: by itself, and in the window on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.support.model_http import API_KEY
from tests.ui.desk import Desk, play_at_desk
from tests.ui.qt_loop import until
from tests.ui.settings_gallery import TODAY, report, usage
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.models.protocol import TokenUsage
from vibedesk.engine.models.router import CallUsage
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.usage import record_call
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.usage.page import UsagePage

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = [pytest.mark.own_process, pytest.mark.ui]


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> UsagePage:
    made = UsagePage(theme)
    qtbot.addWidget(made)
    made.set_projects([("p1", "Fernwood")])
    made.resize(1200, 900)
    made.show()
    made.show_report(report(), TODAY)
    return made


def test_nothing_yet_is_said(qtbot: QtBot, theme: Theme) -> None:
    page = usage(theme, "empty")
    qtbot.addWidget(page)
    page.show()
    assert page._nothing.isVisible()
    assert not page._full.isVisible()


def test_range_and_project_are_asked_for(page: UsagePage) -> None:
    heard: list[tuple[str, object]] = []
    page.wanted.connect(lambda project, days: heard.append((project, days)))
    page._range._buttons["7"].click()
    page._range._buttons["all"].click()
    page.choose_project("p1")
    assert heard == [("", 7), ("", None), ("p1", None)]
    page.set_projects([("p0", "New"), ("p1", "Fernwood")])
    assert page.project == "p1", "it stays chosen"


def test_a_bar_is_read_by_hover_and_by_arrow_keys(page: UsagePage, qtbot: QtBot) -> None:
    bars = page._plot._bars
    bars.setFocus()
    qtbot.keyClick(bars, Qt.Key.Key_Home)
    qtbot.keyClick(bars, Qt.Key.Key_Right)
    assert bars.current == 1
    assert bars.accessibleDescription().startswith("30 Oct 2026: $")
    assert "Implementation $" in bars.accessibleDescription()
    qtbot.keyClick(bars, Qt.Key.Key_End)
    assert bars.current == 29
    qtbot.mouseMove(bars, QPoint(bars.width() // 2, bars.height() // 2))
    assert 0 < bars.current < 29


def test_the_plot_is_a_table_too(page: UsagePage) -> None:
    page._plot._as_table.click()
    shown = page._plot._table
    assert shown.isVisible()
    assert shown.rows == 30
    assert shown.text_at(0, 0) == "29 Oct 2026"


def test_what_is_drawn_can_be_chosen(page: UsagePage) -> None:
    page._plot._measure.setCurrentIndex(3)
    page._plot._measure.activated.emit(3)
    assert not page._plot._stack.isVisible(), "a mean has no parts"
    page._plot._measure.setCurrentIndex(1)
    page._plot._measure.activated.emit(1)
    page._plot._stack._buttons["model"].click()
    assert "claude-sonnet-5-5" in [s.label for s in page._plot._bars._figure.series]


@pytest.mark.parametrize(
    ("budget", "spent", "words", "tone"),
    [
        (40.0, 10.0, "$10.00 of your $40.00 limit (25 %)", "accent.solid"),
        (40.0, 32.0, "(80 %)", "warning.solid"),
        (40.0, 40.0, "Builds pause until you raise it.", "danger.solid"),
    ],
)
def test_the_limit_says_how_much_of_it_is_spent(
    page: UsagePage, budget: float, spent: float, words: str, tone: str
) -> None:
    page.choose_project("p1")
    page.show_report(report(budget=budget), TODAY)
    page.show_spent(spent)
    card = page._budget
    assert card.isVisible()
    assert words in card._words.text
    assert card._bar.tone == tone
    assert card._bar.share == min(1.0, spent / budget)


def test_a_limit_is_set_and_removed(page: UsagePage, qtbot: QtBot) -> None:
    page.choose_project("p1")
    page.show_report(report(budget=40.0), TODAY)
    heard: list[tuple[str, object]] = []
    page.budget_chosen.connect(lambda project, most: heard.append((project, most)))
    field = page._budget._field
    assert not page._budget._button.isEnabled()
    field.clear()
    qtbot.keyClicks(field, "55.5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    field.clear()
    field.textEdited.emit("")
    assert page._budget._button.text() == "Remove limit"
    page._budget._button.click()
    assert heard == [("p1", 55.5), ("p1", None)]


def test_a_limit_may_be_written_with_a_comma_and_half_of_one_removes_none(
    page: UsagePage, qtbot: QtBot
) -> None:
    page.choose_project("p1")
    page.show_report(report(budget=40.0), TODAY)
    heard: list[tuple[str, object]] = []
    page.budget_chosen.connect(lambda project, most: heard.append((project, most)))
    field, button = page._budget._field, page._budget._button
    field.clear()
    qtbot.keyClicks(field, ",")
    assert (button.text(), button.isEnabled()) == ("Set limit", False)
    qtbot.keyClicks(field, "5")
    button.click()
    assert heard == [("p1", 0.5)]


def test_tables_sort_and_unknown_prices_come_last(page: UsagePage) -> None:
    tables = page._tables
    tables._which._buttons["calls"].click()
    last = tables._table.model().columnCount() - 1
    for order in (Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder):
        tables._table.sortByColumn(last, order)
        cells = [tables._table.text_at(row, last) for row in range(tables._table.rows)]
        known = [float(cell[1:]) for cell in cells if cell.startswith("$")]
        assert known == sorted(known, reverse=order == Qt.SortOrder.DescendingOrder)
        assert cells[len(known) :] == ["not counted"] * (len(cells) - len(known))


def test_the_shown_table_is_exported(page: UsagePage) -> None:
    heard: list[tuple[str, str]] = []
    page.export_requested.connect(lambda name, text: heard.append((name, text)))
    page._tables._which._buttons["operations"].click()
    page._tables._on_export()
    ((name, text),) = heard
    assert name == "vibedesk-operations.csv"
    assert text.splitlines()[0].startswith("operation,requests,input_tokens")


def test_phases_belong_to_a_project_and_projects_to_all(page: UsagePage) -> None:
    tables = page._tables
    assert not tables._which._buttons["phases"].isVisible()
    page.choose_project("p1")
    page.show_report(report(), TODAY)
    assert tables._which._buttons["phases"].isVisible()
    assert not tables._which._buttons["projects"].isVisible()
    assert tables._which.current == "operations"


def test_everything_that_takes_the_keyboard_has_a_name(page: UsagePage) -> None:
    nameless = [
        w
        for w in page.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.accessibleName()
    ]
    assert nameless == []


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    made.shutdown_blocking()


def test_what_the_open_project_cost_is_shown_and_limited(
    qapp: QApplication, engine: Engine, tmp_path: Path
) -> None:
    theme = Theme("dark")
    theme.apply(qapp)

    async def scenario(engine: Engine, desk: Desk) -> None:
        await engine.unlock_secrets("correct horse battery")
        await engine.set_up_provider("openai", key=API_KEY)
        project_id = await engine.create("Count", ProjectOptions())
        services, tokens = engine._ours, TokenUsage(input_tokens=900, output_tokens=90)
        for operation in ("blueprint", "fix"):
            call = CallUsage(
                operation=operation,  # type: ignore[arg-type]
                provider="openai",
                model="gpt-6.1-sol",
                tokens=tokens,
                cost=3.0,
                latency_s=1.5,
            )
            await engine._call(
                services.bus.commit(project_id, partial(record_call, project_id, call))
            )
        report_ = await engine.usage(project_id)
        assert [p.key for day in report_.days_by_operation for p in day.parts] == [
            "blueprint",
            "fix",
        ]
        assert [p.calls for day in report_.days_by_model for p in day.parts] == [2]
        await desk.open(project_id)
        desk.controller.settings.open_usage()
        page = desk.window._pages["usage"]
        assert isinstance(page, UsagePage)
        await until(lambda: page.project == project_id and page._report, "it is shown")
        page._budget._field.setText("12.00")
        page._budget._refresh()
        page._budget._button.click()
        await until(lambda: "of your $12.00 limit" in page._budget._words.text, "it is kept")
        assert "$6.00 of your" in page._budget._words.text
        assert (await engine.project(project_id)).budget == 12.0

    play_at_desk(qapp, engine, theme, scenario)
