"""From a report to plots, axes, tables and CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from tests.ui.settings_gallery import TODAY, report, usage_sum
from vibedesk.engine.views import UsageDayView, UsageReport
from vibedesk.ui.usage.figures import (
    MEASURES,
    axis_steps,
    figure,
    seconds,
    value,
)
from vibedesk.ui.usage.tables import GROUPINGS, Table, TableColumn, table, to_csv
from vibedesk.ui.widgets.amounts import count, money

pytestmark = pytest.mark.ui


@given(st.floats(1e-9, 1e12))
def test_an_axis_reaches_the_highest_value_in_few_round_steps(highest: float) -> None:
    lines = axis_steps(highest)
    assert lines[0] == 0
    assert lines[-1] >= highest * 0.999999
    assert lines[-2] < highest
    assert 2 <= len(lines) <= 8
    step = f"{lines[1]:.12e}".split("e")[0].rstrip("0").rstrip(".")
    assert step in ("1", "2", "2.5", "5")


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("stack", ["operation", "model"])
def test_a_plot_comes_to_the_sum_of_its_days(qapp: QApplication, measure, stack) -> None:  # type: ignore[no-untyped-def]
    shown = report()
    drawn = figure(shown, measure, stack, 30, TODAY)
    assert len(drawn.columns) == 30
    assert drawn.columns[-1].title == "27 Nov 2026"
    if measure == "latency":
        assert len(drawn.series) == 1
        assert drawn.columns[3].total == pytest.approx(shown.by_day[3].mean_seconds)
        return
    days = shown.days_by_operation if stack == "operation" else shown.days_by_model
    expected = sum(value(part, measure) for day in days for part in day.parts)
    assert sum(column.total for column in drawn.columns) == pytest.approx(expected)


def test_days_without_a_call_stay_as_gaps_and_many_days_become_weeks(qapp: QApplication) -> None:
    old = TODAY - timedelta(days=400)
    part = usage_sum("fix", 2.0, 3)
    shown = UsageReport(
        totals=part, by_day=(usage_sum(old.isoformat(), 2.0, 3),), by_operation=(part,), by_model=(),
        by_phase=(), by_project=(), calls=(),
        days_by_operation=(UsageDayView(day=old.isoformat(), parts=(part,)),),
    )  # fmt: skip
    ever = figure(shown, "cost", "operation", None, TODAY)
    assert len(ever.columns) == 58
    assert ever.columns[0].title.startswith("Week from")
    assert ever.columns[0].total == 2.0
    assert [series.key for series in ever.series] == ["fixing"]
    week = figure(shown, "cost", "operation", 7, TODAY)
    assert len(week.columns) == 7
    assert week.highest == 0
    assert figure(UsageReport(totals=part, by_day=(), by_operation=(), by_model=(), by_phase=(), by_project=(), calls=()), "cost", "model", 7, TODAY).columns == ()  # fmt: skip


def test_models_beyond_the_colours_are_drawn_as_others(qapp: QApplication) -> None:
    names = [f"model-{n}" for n in range(8)]
    parts = tuple(usage_sum(name, 8.0 - n, 1, name) for n, name in enumerate(names))
    day = date(2026, 11, 27).isoformat()
    shown = UsageReport(
        totals=parts[0], by_day=(usage_sum(day, 36.0, 8),), by_operation=(), by_model=parts, by_phase=(),
        by_project=(), calls=(), days_by_model=(UsageDayView(day=day, parts=parts),),
    )  # fmt: skip
    drawn = figure(shown, "cost", "model", 1, TODAY)
    assert [s.label for s in drawn.series][-1] == "Other models"
    assert drawn.columns[0].values[-1] == pytest.approx(3.0 + 2.0 + 1.0)


def test_every_table_has_a_value_for_each_column(qapp: QApplication) -> None:
    for grouping in GROUPINGS:
        for of_project in (False, True):
            shown = table(report(), grouping, of_project=of_project)
            assert shown.rows
            assert {len(row) for row in shown.rows} == {len(shown.columns)}
    names = [column.csv for column in table(report(), "calls", of_project=True).columns]
    assert "project" not in names


def test_csv_reads_back_and_is_no_formula() -> None:
    columns = (TableColumn(title="Project", csv="project"), TableColumn(title="Cost", csv="cost"))
    shown = Table(columns=columns, rows=(('=cmd|"/c calc"!A1', 0.1 + 0.2), ("a,b\nc", None)))
    read = list(csv.reader(io.StringIO(to_csv(shown))))
    assert read == [["project", "cost"], ['\'=cmd|"/c calc"!A1', "0.3"], ["a,b\nc", ""]]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (money(0.0), "$0.00"), (money(0.0042), "$0.0042"), (money(1234.5), "$1,234.50"),
        (count(812), "812"), (count(3100), "3.1 k"), (count(718_800), "719 k"), (count(1_000_000), "1 M"),
        (seconds(0.41), "410 ms"), (seconds(12.34), "12.3 s"), (seconds(371.0), "371 s"),
    ],
)  # fmt: skip
def test_numbers_are_said_as_people_do(said: str, expected: str) -> None:
    assert said == expected
