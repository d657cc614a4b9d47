"""Figures about tasks."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """Something to do."""

    id: str
    title: str
    minutes: int
    done: bool


@dataclass(frozen=True)
class Summary:
    """What is open and how long it takes."""

    total: int
    open_minutes: int
    longest: Task | None


def summarize(tasks: Iterable[Task]) -> Summary:
    """Add the tasks up."""
    known = list(tasks)
    open_ones = [task for task in known if not task.done]
    # The first of equals wins, which is the oldest.
    longest = max(open_ones, key=lambda task: task.minutes, default=None)
    return Summary(len(known), sum(task.minutes for task in open_ones), longest)


def describe(summary: Summary) -> str:
    """Say it in a line."""
    hours, minutes = divmod(summary.open_minutes, 60)
    line = f"{summary.total} tasks, {hours} h {minutes} min open"
    if summary.longest is not None:
        line += f", the longest: {summary.longest.title}"
    return line
