"""What a wish will cost, while it is written."""

from __future__ import annotations

import asyncio

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.errors import NotFoundError
from vibedesk.engine.views import EstimateView
from vibedesk.ui.home.estimate_watch import EstimateWatch, estimate_reason, estimate_words

SOME = EstimateView(0.4, 0.7, 1.2, "From your last 5 finished projects.")


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (SOME, "About $0.40–1.20"),
        (EstimateView(0.4, 0.4, 0.401, ""), "About $0.40"),
        (EstimateView(0.001, 0.002, 0.003, ""), "Under $0.01"),
        (EstimateView(0.0, 0.0, 0.0, ""), "No cost"),
        (EstimateView(None, None, None, "The price is not known."), "Cost not known"),
    ],
)
def test_an_estimate_is_said_in_a_few_words(estimate: EstimateView, words: str) -> None:
    assert estimate_words(estimate) == words


def test_the_limit_is_named_where_it_can_stop_what_costs() -> None:
    free = EstimateView(0.0, 0.0, 0.0, "It is your own server.")
    unknown = EstimateView(None, None, None, "The price of m is not known.")
    assert estimate_words(SOME, 5.0) == "About $0.40–1.20, at most $5.00"
    assert "At $5.00, your limit for new projects" in estimate_reason(SOME, 5.0)
    assert estimate_words(free, 5.0) == "No cost"
    assert estimate_reason(free, 5.0) == free.why
    assert estimate_words(unknown, 5.0) == "Cost not known"
    assert "the limit of $5.00 for new projects cannot stop it" in estimate_reason(unknown, 5.0)
    assert estimate_reason(SOME, None) == SOME.why


def test_only_the_last_words_are_asked_about(qapp: QApplication) -> None:
    asked: list[str] = []
    cancelled: list[str] = []
    shown: list[EstimateView | None] = []

    async def ask(wish: str) -> EstimateView:
        asked.append(wish)
        if wish == "slow":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(wish)
                raise
        if wish == "wrong":
            raise NotFoundError("There is no model.")
        return SOME

    async def scenario() -> None:
        owner = QObject()
        watch = EstimateWatch(ask, shown.append, owner)
        for wish in ("s", "sl", "slow"):
            watch.set_wish(wish)
        await until(lambda: asked == ["slow"], "asked once, after a pause")
        watch.set_wish("a lane booking page ")
        await until(lambda: cancelled == ["slow"], "what goes on is dropped")
        await until(lambda: shown[-1] is SOME, "told")
        watch.set_wish("a lane booking page")
        assert shown[-1] is SOME, "the same wish is not asked about again"
        watch.renew()
        await until(lambda: len(asked) == 3, "unless what it costs may have changed")
        assert shown[-1] is SOME, "what was told stays meanwhile"
        watch.set_wish("")
        assert shown[-1] is None
        watch.set_wish("wrong")
        await until(lambda: asked[-1] == "wrong")
        assert shown[-1] is None
        assert asked == ["slow", "a lane booking page", "a lane booking page", "wrong"]

    run_on_qt(qapp, scenario())


def test_what_comes_after_the_page_is_gone_is_dropped(qapp: QApplication) -> None:
    shown: list[EstimateView | None] = []
    ended: list[bool] = []

    async def ask(wish: str) -> EstimateView:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return SOME

    async def scenario() -> None:
        owner = QObject()
        watch = EstimateWatch(ask, shown.append, owner)
        watch.set_wish("a page")
        await until(lambda: watch._task is not None, "asked")
        await asyncio.sleep(0)
        shiboken6.delete(owner)
        await until(lambda: ended, "the question is dropped")
        assert shown == [None]

    run_on_qt(qapp, scenario())
