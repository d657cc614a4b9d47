"""What the plots and tables show of a usage report: plain values, made from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from PySide6.QtCore import QCoreApplication, QLocale

from vibedesk.engine.views import UsageDayView, UsageReport, UsageSumView
from vibedesk.ui.widgets.amounts import count, money

Measure = Literal["cost", "tokens", "requests", "latency", "saved"]
Stack = Literal["operation", "model"]

MEASURES: tuple[Measure, ...] = ("cost", "tokens", "requests", "latency", "saved")
_MODEL_TONES = ("chart.c2", "chart.c1", "chart.c3", "chart.c4", "chart.c6")
_OTHER_TONE = "chart.c5"
_MOST_COLUMNS = 92


def tr(text: str) -> str:
    return QCoreApplication.translate("Usage", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One colour of a plot."""

    key: str
    label: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One bar: its place on the axis, its name in full, and a value for each series."""

    tick: str
    title: str
    values: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A whole plot."""

    series: tuple[Series, ...] = ()
    columns: tuple[Column, ...] = ()

    @property
    def highest(self) -> float:
        return max((column.total for column in self.columns), default=0.0)


# -- numbers ----------------------------------------------------------------------------------------
def seconds(amount: float) -> str:
    if amount < 1:
        return f"{round(amount * 1000)} ms"
    if amount < 100:
        return f"{amount:.1f} s"
    return f"{round(amount)} s"


def percent(share: float) -> str:
    return f"{round(share * 100)} %"


def in_words(measure: Measure) -> Callable[[float], str]:
    """Return how a measure's values are said."""
    match measure:
        case "cost" | "saved":
            return money
        case "latency":
            return seconds
        case "tokens" | "requests":
            return count


def measure_name(measure: Measure) -> str:
    return {
        "cost": tr("Cost"),
        "tokens": tr("Tokens"),
        "requests": tr("Requests"),
        "latency": tr("Mean time of an answer"),
        "saved": tr("Saved by caches"),
    }[measure]


def value(total: UsageSumView, measure: Measure) -> float:
    """Return a group's value of a measure."""
    match measure:
        case "cost":
            return total.cost
        case "tokens":
            return float(total.input_tokens + total.output_tokens)
        case "requests":
            return float(total.calls)
        case "latency":
            return total.mean_seconds
        case "saved":
            return total.saved


# -- operations -------------------------------------------------------------------------------------
_FAMILIES = {
    "implement_phase": "implementation",
    "continue": "implementation",
    "regenerate_file": "implementation",
    "blueprint": "blueprint",
    "plan_phase": "planning",
    "fix": "fixing",
    "review": "fixing",
    "debug": "fixing",
    "checks": "fixing",
    "converse": "conversation",
    "summarize": "conversation",
}
_FAMILY_TONES = {
    "implementation": "chart.c2",
    "blueprint": "chart.c1",
    "planning": "chart.c6",
    "fixing": "chart.c3",
    "conversation": "chart.c4",
    "other": _OTHER_TONE,
}


def family(operation: str) -> str:
    """Return the kind of work that an operation is counted as in plots."""
    return _FAMILIES.get(operation, "other")


def family_name(name: str) -> str:
    return {
        "implementation": tr("Implementation"),
        "blueprint": tr("Blueprint"),
        "planning": tr("Planning"),
        "fixing": tr("Fixing"),
        "conversation": tr("Conversation"),
    }.get(name, tr("Other"))


# -- plots ------------------------------------------------------------------------------------------
def figure(
    report: UsageReport, measure: Measure, stack: Stack, days: int | None, today: date
) -> Figure:
    """Return the plot of a measure by day, or by week where that would be too many bars.

    Args:
        report: What is known.
        measure: What is drawn; the mean time of an answer has no parts.
        stack: What the bars are made of.
        days: So many up to today; None: from the first day that is known.
        today: The last day.
    """
    if not report.by_day:
        return Figure()
    begin = _day(report.by_day[0].key)
    if days is not None:
        begin = today - timedelta(days=days - 1)
    count_ = max(1, (today - begin).days + 1)
    step = 1 if count_ <= _MOST_COLUMNS else 7
    starts = [begin + timedelta(days=n) for n in range(0, count_, step)]
    if measure == "latency":
        return _means(report, starts, step)
    days_ = report.days_by_operation if stack == "operation" else report.days_by_model
    series, place = _series(report, days_, stack)
    values = [[0.0] * len(series) for _ in starts]
    for day in days_:
        at = (_day(day.day) - begin).days // step
        if 0 <= at < len(starts):
            for part in day.parts:
                values[at][place(part.key)] += value(part, measure)
    shown = [n for n in range(len(series)) if any(row[n] for row in values)]
    return Figure(
        series=tuple(series[n] for n in shown),
        columns=tuple(
            _column(start, step, tuple(row[n] for n in shown))
            for start, row in zip(starts, values, strict=True)
        ),
    )


def _means(report: UsageReport, starts: Sequence[date], step: int) -> Figure:
    spent = [0.0] * len(starts)
    calls = [0] * len(starts)
    for total in report.by_day:
        at = (_day(total.key) - starts[0]).days // step
        if 0 <= at < len(starts):
            spent[at] += total.mean_seconds * total.calls
            calls[at] += total.calls
    series = Series(key="mean", label=measure_name("latency"), tone="chart.c1")
    return Figure(
        series=(series,),
        columns=tuple(
            _column(start, step, (spent[n] / calls[n] if calls[n] else 0.0,))
            for n, start in enumerate(starts)
        ),
    )


def _series(
    report: UsageReport, days: Sequence[UsageDayView], stack: Stack
) -> tuple[list[Series], Callable[[str], int]]:
    if stack == "operation":
        names = list(_FAMILY_TONES)
        made = [Series(key=n, label=family_name(n), tone=_FAMILY_TONES[n]) for n in names]
        return made, lambda key: names.index(family(key))
    models = [total.key for total in report.by_model][: len(_MODEL_TONES)]
    made = [Series(key=model, label=model, tone=_MODEL_TONES[n]) for n, model in enumerate(models)]
    made.append(Series(key="", label=tr("Other models"), tone=_OTHER_TONE))
    return made, lambda key: models.index(key) if key in models else len(models)


def _column(start: date, step: int, values: tuple[float, ...]) -> Column:
    month = QLocale.c().monthName(start.month, QLocale.FormatType.ShortFormat)
    title = f"{start.day} {month} {start.year}"
    if step > 1:
        title = tr("Week from {0}").format(title)
    tick = f"{start.day} {month}" if start.day == 1 or step > 1 else str(start.day)
    return Column(tick=tick, title=title, values=values)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def axis_steps(highest: float, wanted: int = 5) -> list[float]:
    """Return the values of an axis' lines, from 0 up to at least `highest`, at round distances."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / wanted
    size = 10.0 ** _exponent(rough)
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * 0.999999)
    lines = [0.0]
    while lines[-1] < highest * 0.999999:
        lines.append(step * len(lines))
    return lines


def _exponent(amount: float) -> int:
    power = 0
    while amount >= 10:
        amount /= 10
        power += 1
    while amount < 1:
        amount *= 10
        power -= 1
    return power
