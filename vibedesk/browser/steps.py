"""What each step of a check does to a page. A step ends when it holds and fails when it does not in time.

The steps are those of `engine/builder/check_steps.py`; `as` is the check's own (`check.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urljoin

from vibedesk.browser.page import BrowserPage, PageFailedError
from vibedesk.browser.pointer import Pointer

_POLL_SECONDS = 0.04
_STABLE_SECONDS = 0.02
_SHOWN = 600

Step = Mapping[str, Any]


class StepFailedError(Exception):
    """A step did not hold; the text says what was there instead."""


class Steps:
    """Takes the steps of one person on one page, each for at most `seconds`; a load may take longer."""

    def __init__(self, page: BrowserPage, base_url: str, seconds: float) -> None:
        self._seconds = seconds
        self._page = page
        self._pointer = Pointer(page)
        self._base_url = base_url

    async def take(self, step: Step) -> None:
        """Take one step.

        Raises:
            StepFailedError: it did not hold.
        """
        name = step.get("do", "")
        if name not in self._KINDS:
            raise StepFailedError(f"there is no step {name!r}")
        try:
            await self._KINDS[name](self, step)
        except PageFailedError as error:
            raise StepFailedError(str(error)) from None
        except KeyError as error:
            raise StepFailedError(f"the step {name} lacks {error}") from None

    async def _goto(self, step: Step) -> None:
        await self._page.goto(urljoin(self._base_url, str(step.get("path", "/"))))

    async def _reload(self, _step: Step) -> None:
        await self._page.reload()

    async def _wait(self, step: Step) -> None:
        await asyncio.sleep(float(step["ms"]) / 1000)

    async def _click(self, step: Step) -> None:
        await self._pointer.click(await self._click_place(step))

    async def _click_place(self, step: Step) -> tuple[float, float]:
        """Return where to click: on an element that is enabled, at rest and not covered."""
        attempt = 0
        last: list[float] | None = None

        async def look() -> dict[str, Any] | None:
            nonlocal attempt, last
            place = await self._page.ask("clickPlace", _element(step), attempt)
            if not place or "wait" in place:
                attempt += 1 if place and place.get("covered") else 0
                last = None
                return place or None
            at_rest = place["box"] == last
            last = place["box"]
            if at_rest:
                return {"done": True, **place}
            await asyncio.sleep(_STABLE_SECONDS)
            return {"wait": "it does not come to rest"}

        place = await self._until_done(look, step, "click")
        return place["x"], place["y"]

    async def _change(self, function: str, step: Step) -> None:
        what = {key: step[key] for key in ("value", "filename", "content") if key in step}
        words = {"fill": "write into", "select": "choose in", "attach": "give a file to"}[function]
        await self._until_done(
            lambda: self._page.ask(function, {**_element(step), **what}), step, words
        )

    async def _press(self, step: Step) -> None:
        if "selector" in step:
            await self._until_done(
                lambda: self._page.ask("focus", _element(step)), step, "press a key in"
            )
        try:
            await self._pointer.press(str(step["key"]))
        except ValueError as error:
            raise StepFailedError(str(error)) from None

    async def _drag(self, step: Step) -> None:
        ends = [_element(step["from"]), _element(step["to"])]
        for end in ends:
            await self._grip(end, scrolls=True)
        # Scrolling to the second may have moved the first.
        start, target = [await self._grip(end, scrolls=False) for end in ends]
        await self._pointer.drag(start, target)

    async def _grip(self, element: Step, *, scrolls: bool) -> tuple[float, float]:
        async def look() -> dict[str, Any] | None:
            place = await self._page.ask("grip", element, scrolls)
            return place if not place or "wait" in place else {"done": True, **place}

        place = await self._until_done(look, element, "take hold of")
        return place["x"], place["y"]

    async def _until_done(
        self,
        attempt: Callable[[], Awaitable[dict[str, Any] | None]],
        step: Step,
        words: str,
    ) -> dict[str, Any]:
        """Repeat until the page says `done`; what it waits for makes the error."""
        deadline = _now() + self._seconds
        while True:
            found = await attempt()
            if found and found.get("done"):
                return found
            if found and "error" in found:
                raise StepFailedError(found["error"])
            if _now() > deadline:
                why = found["wait"] if found else "the page was changing"
                if why == "missing":
                    raise StepFailedError(await self._missing(step))
                raise StepFailedError(f"could not {words} {_described(step)}: {why}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _missing(self, step: Step) -> str:
        element = _element(step)
        if step.get("nth"):
            count = await self._page.ask("count", element)
            if count:
                return f"only {count} visible of {_described(step)}, so none at place {step['nth']}"
        texts = await self._page.ask("texts", element)
        there = f"; texts there: {_quoted(texts)}" if texts else ""
        return f"no visible {_described(step)}{there}"

    async def _expect_text(self, step: Step) -> None:
        await self._until(
            lambda: self._counts(step, lambda n: n > 0), lambda: self._missing({**step, "nth": 0})
        )

    async def _expect_no_text(self, step: Step) -> None:
        async def explain() -> str:
            texts = await self._page.ask("matchingTexts", _element(step))
            return f"still visible: {_described(step)}: {_quoted(texts)}"

        await self._until(lambda: self._counts(step, lambda n: n == 0), explain)

    async def _expect_count(self, step: Step) -> None:
        wanted = step["count"]

        async def explain() -> str:
            found = await self._page.ask("count", _element(step))
            return f"expected {wanted} of {_described(step)}, found {found}"

        await self._until(lambda: self._counts(step, lambda n: n == wanted), explain)

    async def _expect_value(self, step: Step) -> None:
        element = {"selector": step["selector"], "nth": step.get("nth", 0)}

        async def value() -> dict[str, Any]:
            return await self._page.ask("value", element) or {"wait": "the page was changing"}

        async def explain() -> str:
            found = await value()
            if found.get("wait") == "missing":
                return await self._missing(element)
            shown = _quoted(found["value"]) if "value" in found else found["wait"]
            return f"expected value {_quoted(step['value'])}, found {shown}"

        async def holds() -> bool:
            return bool((await value()).get("value") == step["value"])

        await self._until(holds, explain)

    async def _expect_url(self, step: Step) -> None:
        async def holds() -> bool:
            url = self._page.url
            return any(str(step["text"]) in shown for shown in (url, unquote(url)))

        async def explain() -> str:
            return f"address is {self._page.url}, lacks {step['text']}"

        await self._until(holds, explain)

    async def _expect_title(self, step: Step) -> None:
        async def holds() -> bool:
            return str(step["text"]) in str(await self._page.ask("title"))

        async def explain() -> str:
            return (
                f"title is {_quoted(await self._page.ask('title'))}, lacks {_quoted(step['text'])}"
            )

        await self._until(holds, explain)

    async def _expect_download(self, step: Step) -> None:
        downloads = self._page.downloads
        while not downloads.empty():
            downloads.get_nowait()
        await self._click(step)
        try:
            async with asyncio.timeout(self._seconds):
                download = await downloads.get()
        except TimeoutError:
            raise StepFailedError("nothing was downloaded") from None
        name = download.suggestedFileName()
        if step.get("filename") and step["filename"] not in name:
            raise StepFailedError(f"the download is called {name}")
        path = Path(download.downloadDirectory(), download.downloadFileName())
        content = (await asyncio.to_thread(path.read_bytes)).decode("utf-8", "replace")
        wanted = step.get("contains") or []
        for text in [wanted] if isinstance(wanted, str) else wanted:
            if text not in content:
                raise StepFailedError(
                    f"the download lacks {_quoted(text)}: {_quoted(content[:300])}"
                )

    async def _counts(self, step: Step, holds: Callable[[int], bool]) -> bool:
        count = await self._page.ask("count", _element(step))
        return count is not None and holds(count)

    async def _until(
        self, holds: Callable[[], Awaitable[bool]], explain: Callable[[], Awaitable[str]]
    ) -> None:
        deadline = _now() + self._seconds
        while not await holds():
            if _now() > deadline:
                raise StepFailedError((await explain())[:_SHOWN])
            await asyncio.sleep(_POLL_SECONDS)

    # Of the class: with methods of its own, each would keep itself and its page until garbage is collected.
    _KINDS: ClassVar[Mapping[str, Callable[[Steps, Step], Awaitable[None]]]] = {
        "goto": _goto,
        "reload": _reload,
        "click": _click,
        "fill": lambda self, step: self._change("fill", step),
        "select": lambda self, step: self._change("select", step),
        "attach": lambda self, step: self._change("attach", step),
        "press": _press,
        "drag": _drag,
        "wait": _wait,
        "expectText": _expect_text,
        "expectNoText": _expect_no_text,
        "expectCount": _expect_count,
        "expectValue": _expect_value,
        "expectUrl": _expect_url,
        "expectTitle": _expect_title,
        "expectDownload": _expect_download,
    }


def _now() -> float:
    return asyncio.get_running_loop().time()


def _element(step: Step) -> dict[str, Any]:
    return {key: step[key] for key in ("selector", "text", "nth") if step.get(key) is not None}


def _described(step: Step) -> str:
    text = step.get("text")
    return step["selector"] if text is None else f"{step['selector']} with text {_quoted(text)}"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
