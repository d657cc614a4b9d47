"""A look at one page: does it open, does it show anything, what does it complain about."""

from __future__ import annotations

import asyncio
import base64
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QUrl

from vibedesk.browser.interceptor import origin_of
from vibedesk.browser.page import BrowserPage, PageFailedError, ScriptThrewError
from vibedesk.browser.trouble import Trouble

_log = logging.getLogger(__name__)

_QUIET_SECONDS: Final = 0.4
_SETTLE_SECONDS: Final = 4.0
_RESTLESS_SECONDS: Final = 2.5
"""What changes so long without a pause is no loading any more."""
_POLL_SECONDS: Final = 0.1
_APP_ERROR: Final = "[app-error]"
"""Begins what the starters' error boundaries log, instead of the app they then show a message."""


async def visit(url: str, size: tuple[int, int], folder: Path) -> dict[str, Any]:
    """Return the report of a page."""
    trouble = Trouble(origin_of(QUrl(url)))
    page = BrowserPage(trouble, size, folder)
    page.bring_to_front()
    status, reason, restless, look, findings = 0, "", False, None, None
    try:
        try:
            status = await page.goto(url)
            restless = await _settle(page)
            look = await _asked(page, "look")
            page.run_file("audit.js")
            findings = await _asked(page, "audit")
        except PageFailedError as failure:
            reason = str(failure)
        picture = page.picture()
        address = page.url or url
    finally:
        page.discard()
    seen = look or {}
    return {
        "status": status,
        "reason": reason,
        "url": address,
        "title": seen.get("title", ""),
        "text": seen.get("text", ""),
        "blank": bool(seen.get("blank", True)),
        "restless": restless,
        "overlay": seen.get("overlay") or _app_error(trouble),
        "errors": [asdict(error) for error in trouble.exceptions],
        "accessibility": findings or [],
        "picture": base64.b64encode(picture).decode("ascii"),
        **trouble.to_dict(),
    }


async def _asked(page: BrowserPage, question: str) -> Any:
    """Ask the page; None where it changes at this moment, or is none that our own script can deal with."""
    try:
        return await page.ask(question)
    except ScriptThrewError as error:
        _log.warning("%s failed: %s", question, error)
        return None


async def _settle(page: BrowserPage) -> bool:
    """Wait until nothing has changed for a moment; longer, but not for ever, for a page that shows nothing yet.

    Return whether what it shows went on changing to the end.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SETTLE_SECONDS
    resources = -1
    changing_since: float | None = None
    while loop.time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        now = await _asked(page, "settling")
        if not now or page.is_loading:
            changing_since = None
            continue
        shown = now["state"] == "complete" and not now["blank"]
        if not shown or now["still"] >= _QUIET_SECONDS * 1000:
            changing_since = None
        elif changing_since is None:
            changing_since = loop.time()
        same, resources = now["resources"] == resources, now["resources"]
        if same and shown and now["quiet"] >= _QUIET_SECONDS * 1000:
            return False
    return changing_since is not None and loop.time() - changing_since >= _RESTLESS_SECONDS


def _app_error(trouble: Trouble) -> str:
    return next(
        (m.text for m in trouble.console if m.level == "error" and m.text.startswith(_APP_ERROR)),
        "",
    )
