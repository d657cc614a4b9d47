"""What `vibedesk usage` prints: what models were asked and what it cost, as plain tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vibedesk.engine.views import EstimateView, UsageReport, UsageSumView

_HEAD = ("", "calls", "input", "cached", "output", "USD", "saved", "seconds")


def usage_lines(report: UsageReport, *, of_project: bool) -> Iterator[str]:
    """Yield the report's tables, line by line; sums over projects only where more than one is meant."""
    if not report.totals.calls:
        yield "No model was asked yet."
        return
    groups = [
        ("By day", report.by_day),
        ("By operation", report.by_operation),
        ("By model", report.by_model),
        ("By phase" if of_project else "By project", report.by_phase if of_project else report.by_project),
    ]  # fmt: skip
    for title, sums in groups:
        yield title
        yield from _table(sums)
        yield ""
    yield from _table([report.totals])
    if report.totals.unpriced:
        yield f"The price of {_calls(report.totals.unpriced)} is not known; they are not in the sums of money."
    if report.budget is not None:
        yield f"Budget: {report.totals.cost:.4f} of {report.budget:g} USD are spent."


def estimate_line(estimate: EstimateView) -> str:
    """Return the estimate as one sentence."""
    if estimate.low is None or estimate.likely is None or estimate.high is None:
        return estimate.why
    return (
        f"About {estimate.likely:.2f} USD ({estimate.low:.2f} to {estimate.high:.2f}). "
        f"{estimate.why}"
    )


def _table(sums: Sequence[UsageSumView]) -> Iterator[str]:
    rows = [_HEAD, *(_row(total) for total in sums)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        first, *rest = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(["  " + first, *rest]).rstrip()


def _row(total: UsageSumView) -> tuple[str, ...]:
    return (
        _short(total.label) or "In all",
        str(total.calls),
        str(total.input_tokens),
        str(total.cached_tokens),
        str(total.output_tokens),
        f"{total.cost:.4f}" + ("+?" if total.unpriced else ""),
        f"{total.saved:.4f}",
        f"{total.mean_seconds:.1f}",
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def _calls(count: int) -> str:
    return "one call" if count == 1 else f"{count} calls"
