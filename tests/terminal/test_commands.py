"""What commands print of what the engine says."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from vibedesk.base.errors import InvalidInputError
from vibedesk.check_lines import outcome_lines
from vibedesk.commands import _assigned, _say_kept
from vibedesk.engine.views import (
    CheckResultView,
    EstimateView,
    ProjectView,
    StoredView,
    UsageReport,
    UsageSumView,
)
from vibedesk.usage_tables import estimate_line, usage_lines

KEPT = [
    StoredView("packages", "a1b2", 80 * 1024**2, "2026-10-01T10:00:00+00:00", in_use=False),
    StoredView("packages", "c3d4", 300 * 1024**2, "2026-11-01T10:00:00+00:00", in_use=True),
    StoredView("image", "vibedesk-sandbox:ff", 1024**3, "", in_use=False),
    StoredView("sandbox", "e5", 512, "", in_use=True, project_id="01JD"),
]


def options(*, as_json: bool = False) -> argparse.Namespace:
    return argparse.Namespace(json=as_json)


def test_what_is_kept_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    _say_kept(KEPT, options(), None)
    assert capsys.readouterr().out.splitlines() == [
        "     1 GB  image     last used -            vibedesk-sandbox:ff",
        "   300 MB  packages  in use                 c3d4",
        "    80 MB  packages  last used 2026-10-01   a1b2",
        "512 bytes  sandbox   in use                 e5  of 01JD",
        "   1.4 GB  in all",
    ]


def test_what_became_free_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    _say_kept([], options(), 2 * 1024**2)
    assert capsys.readouterr().out.splitlines() == [
        "2 MB became free.",
        "Nothing is kept for sandboxes.",
    ]


@pytest.mark.parametrize("freed", [None, 0, 7])
def test_as_json(freed: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    _say_kept(KEPT[:1], options(as_json=True), freed)
    answer = json.loads(capsys.readouterr().out)
    assert answer.get("freed") == freed
    assert answer["kept"] == [KEPT[0].to_dict()]


STOPPING_FOR_EVER = """
import asyncio
from vibedesk.commands import _on_interrupt

async def main():
    interrupted = _on_interrupt()
    print("ready", flush=True)
    await interrupted
    print("stopping", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_second_ctrl_c_does_not_wait_for_what_the_first_one_stops() -> None:
    command = [sys.executable, "-c", STOPPING_FOR_EVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in ("ready", "stopping"):
                assert process.stdout.readline().strip() == line
                process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()


def total(**changes: object) -> UsageSumView:
    usual: dict[str, object] = {
        "key": "a", "label": "A", "calls": 2, "input_tokens": 1000, "cached_tokens": 400, "cache_write_tokens": 0,
        "output_tokens": 50, "reasoning_tokens": 0, "cost": 0.25, "unpriced": 0, "saved": 0.01, "mean_seconds": 2.5,
    }  # fmt: skip
    return UsageSumView(**{**usual, **changes})  # type: ignore[arg-type]


def report(totals: UsageSumView, budget: float | None = None) -> UsageReport:
    return UsageReport(
        totals=totals,
        by_day=(total(label="2026-11-27"),),
        by_operation=(total(label="Blueprint"),),
        by_model=(total(label="a-model"),),
        by_phase=(total(label="Phase 1: Basics"),),
        by_project=(total(label="A project"),),
        calls=(),
        budget=budget,
    )


def test_usage_is_plain_tables() -> None:
    lines = list(usage_lines(report(total(label="", unpriced=1), 1.0), of_project=True))
    assert lines[:3] == [
        "By day",
        "              calls  input  cached  output     USD   saved  seconds",
        "  2026-11-27      2   1000     400      50  0.2500  0.0100      2.5",
    ]
    assert [line for line in lines if not line.startswith(" ") and line] == [
        "By day",
        "By operation",
        "By model",
        "By phase",
        "The price of one call is not known; they are not in the sums of money.",
        "Budget: 0.2500 of 1 USD are spent.",
    ]
    assert "0.2500+?" in lines[-3]
    assert list(usage_lines(report(total(calls=0)), of_project=False)) == [
        "No model was asked yet."
    ]


def test_an_estimate_is_a_sentence() -> None:
    assert estimate_line(EstimateView(0.1, 0.25, 1.5, "From X.")) == (
        "About 0.25 USD (0.10 to 1.50). From X."
    )
    assert estimate_line(EstimateView(None, None, None, "Not known.")) == "Not known."


@pytest.mark.parametrize(
    ("words", "assigned"),
    [
        (["A=b=c"], ("A", "b=c")),
        (["A="], ("A", "")),
        (["A"], ("A", None)),
        (["A", "-"], ("A", "typed\nlines")),
    ],
)
def test_a_variable_is_assigned(
    words: list[str], assigned: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("typed\nlines\n"))
    assert _assigned(words) == assigned


@pytest.mark.parametrize("words", [["A=b", "-"], ["A", "b"], ["A", "-", "c"]])
def test_what_assigns_nothing_is_said(words: list[str]) -> None:
    with pytest.raises(InvalidInputError):
        _assigned(words)


# -- how a run ended -------------------------------------------------------------------------------------
def built(**said: Any) -> ProjectView:
    """Return a complete project that was looked at in a browser."""
    plain: dict[str, Any] = {
        field.name: {"str": "", "bool": False, "int": 0, "float": 0.0}.get(str(field.type))
        for field in dataclasses.fields(ProjectView)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    look = {"reviewed": ("page", "server"), "reviewed_at": "2026-11-01T10:00:00+00:00"}
    return ProjectView(**{**plain, "name": "board", "state": "complete", **look, **said})


def warning(number: int, **said: Any) -> dict[str, Any]:
    return {
        "severity": "warning", "file": "src/App.tsx", "line": number, "status": "open", "evidence": {},
        "message": f"Nobody uses {number}.\nMore of it.", **said,
    }  # fmt: skip


def ran(name: str, passed: bool | None, **said: Any) -> CheckResultView:
    return CheckResultView(name, (), 1, passed, **said)


def test_where_all_was_seen_and_nothing_is_left_the_end_says_only_that_checks_pass() -> None:
    assert list(outcome_lines(built())) == []
    passed = [ran("A", True), ran("B", True)]
    assert list(outcome_lines(built(checks=tuple(passed)))) == ["2 of 2 checks pass."]
    assert list(outcome_lines(built(checks=tuple(passed[:1])))) == ["1 of 1 check passes."]


def test_what_nobody_saw_is_no_success_at_the_end() -> None:
    checks = (ran("A", True), ran("B", None), ran("C", None), ran("D", True, outdated=True))
    assert list(outcome_lines(built(checks=checks, reviewed=("server",)))) == [
        "The page was not looked at in a browser.",
        "1 of 4 checks passes, 1 ran before the last change, 2 were not run.",
    ]
    assert list(outcome_lines(built(reviewed=(), reviewed_at=""))) == []


def test_warnings_that_stay_are_listed_at_the_end_within_bounds() -> None:
    long = warning(1, message="x" * 500)
    assert list(outcome_lines(built(issues=(warning(7),)))) == [
        "1 warning is left:",
        "  warning   src/App.tsx:7: Nobody uses 7.",
    ]
    first, *lines, last = outcome_lines(built(issues=(long, *map(warning, range(2, 9)))))
    assert first == "8 warnings are left:"
    assert len(lines) == 5
    assert max(map(len, lines)) == len("  ") + 160
    assert last == "  and 3 more: vibedesk show board"
    skipped = warning(1, severity="blocking", status="skipped")
    assert list(outcome_lines(built(issues=(skipped, warning(2)))))[:2] == [
        "2 problems are left:",
        "  blocking  src/App.tsx:1: Nobody uses 1. (skipped by you)",
    ]
