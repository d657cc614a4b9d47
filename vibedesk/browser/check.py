"""One acceptance check: its steps in order, on storage that nobody used before."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QUrl

from vibedesk.browser.interceptor import origin_of
from vibedesk.browser.page import BrowserPage, PageFailedError
from vibedesk.browser.steps import Step, StepFailedError, Steps
from vibedesk.browser.trouble import Trouble

FIRST: Final = "first"
_LAST_WORDS_SECONDS: Final = 0.1
"""How long a page is heard after the last step, for errors that this step caused."""


class Check:
    """Runs once. Several persons (`as`) use the app side by side, each with storage of their own."""

    def __init__(
        self,
        base_url: str,
        size: tuple[int, int],
        folder: Path,
        *,
        api_paths: Sequence[str],
        step_seconds: float,
    ) -> None:
        self._base_url = base_url
        self._size = size
        self._api_paths = tuple(api_paths)
        self._step_seconds = step_seconds
        self._folder = folder
        self._trouble = Trouble(origin_of(QUrl(base_url)))
        self._people: dict[str, tuple[BrowserPage, Steps]] = {}

    async def run(self, steps: Sequence[Step]) -> dict[str, Any]:
        """Take the steps up to the first that fails; return the outcome."""
        begun = time.monotonic()
        started: list[str] = []
        failed: int | None = None
        error = ""
        try:
            page, acting = await self._person(FIRST)
            for index, step in enumerate(steps):
                if step.get("check"):
                    started.append(str(step["check"]))
                try:
                    if step.get("do") == "as":
                        page, acting = await self._person(str(step.get("user") or FIRST))
                    else:
                        await acting.take(step)
                except (StepFailedError, PageFailedError) as failure:
                    failed, error = index, str(failure).partition("\n")[0]
                    break
            await asyncio.sleep(_LAST_WORDS_SECONDS)
            picture = page.picture()
        finally:
            self._discard()
        errors = self._trouble.errors(self._api_paths)
        return {
            "passed": failed is None and not errors and not self._trouble.blocked,
            "step": failed,
            "error": error,
            "started": started,
            "errors": [asdict(each) for each in errors],
            "picture": base64.b64encode(picture).decode("ascii"),
            "seconds": round(time.monotonic() - begun, 3),
            **self._trouble.to_dict(),
        }

    async def _person(self, name: str) -> tuple[BrowserPage, Steps]:
        known = self._people.get(name)
        if known is None:
            page = BrowserPage(self._trouble, self._size, self._folder)
            known = self._people[name] = (page, Steps(page, self._base_url, self._step_seconds))
            page.bring_to_front()
            if name != FIRST:
                await page.goto(self._base_url)
        known[0].bring_to_front()
        return known

    def _discard(self) -> None:
        for page, _ in self._people.values():
            page.discard()
        self._people.clear()
