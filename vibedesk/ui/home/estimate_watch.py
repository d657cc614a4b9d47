"""Asks what a wish will cost while it is written: after a pause, and never for words that are out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer

from vibedesk.engine.views import EstimateView
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.widgets.amounts import money

Ask = Callable[[str], Awaitable[EstimateView]]
_PAUSE_MS = 500
_CENT = 0.01


class EstimateWatch(QObject):
    """One question at a time; the one that goes on is dropped as soon as the words change.

    Args:
        ask: Gives the estimate of a wish.
        show: Gets it; None while there is none.
        parent: Ends it.
    """

    def __init__(
        self, ask: Ask, show: Callable[[EstimateView | None], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._ask = ask
        self._show = show
        self._wish = ""
        self._task: asyncio.Task[None] | None = None
        # It is only a hint; what is wrong is told when the wish is sent.
        self._tasks = WidgetTasks(parent, lambda _error: None)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._begin)

    def set_wish(self, wish: str) -> None:
        """The words are these now; empty ones have no estimate."""
        wish = wish.strip()
        if wish == self._wish:
            return
        self._wish = wish
        self.cancel()
        self._show(None)
        if wish:
            self._pause.start()
        else:
            self._pause.stop()

    def renew(self) -> None:
        """Ask about the same words again, because what they cost may have changed."""
        self.cancel()
        if self._wish:
            self._pause.start()

    def cancel(self) -> None:
        """Drop the question that goes on."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _begin(self) -> None:
        self._task = self._tasks.start(self._answer(self._wish))

    async def _answer(self, wish: str) -> None:
        self._show(await self._ask(wish))


def estimate_words(estimate: EstimateView, budget: float | None = None) -> str:
    """Return an estimate in a few words, for example "About $0.40–1.20, at most $5.00".

    `budget` is named where it can stop what costs; what it cannot is said in `estimate_reason`.
    """
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return _tr("Cost not known")
    if high == 0:
        return _tr("No cost")
    if high < _CENT:
        words = _tr("Under $0.01")
    elif f"{low:.2f}" == f"{high:.2f}":
        words = _tr("About ${0:.2f}").format(high)
    else:
        words = _tr("About ${0:.2f}–{1:.2f}").format(low, high)
    return words if budget is None else _tr("{0}, at most {1}").format(words, money(budget))


def estimate_reason(estimate: EstimateView, budget: float | None) -> str:
    """Return what an estimate rests on, and what becomes of the `budget`."""
    if budget is None or estimate.high == 0:
        return estimate.why
    if estimate.high is None:
        limit = _tr("So the limit of {0} for new projects cannot stop it.")
    else:
        limit = _tr("At {0}, your limit for new projects, building pauses and you are asked.")
    return f"{estimate.why} {limit.format(money(budget))}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("EstimateWatch", text)
