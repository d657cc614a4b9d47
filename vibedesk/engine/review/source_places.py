"""Where lines of the code that a dev server sends stand in the files that were written: by the source maps it sends along."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

from vibedesk.engine.browser.reports import CheckOutcome, PageReport
from vibedesk.engine.review.parsers.node_stack import Locate
from vibedesk.engine.review.parsers.source_maps import SourceMap, inline_source_map

_FETCH_SECONDS = 5.0
_MOST_MAPS = 12


async def report_locator(base: str, *seen: PageReport | CheckOutcome) -> Locate:
    """Return a function that turns places that visits or checks of the app at `base` told into those of its files."""
    texts: list[str] = []
    for one in seen:
        texts += [e.stack for e in one.errors] + [m.text for m in one.console]
        if isinstance(one, PageReport):
            texts.append(one.overlay)
    return await source_locator(base, "\n".join(texts))


async def source_locator(base: str, text: str) -> Locate:
    """Return a function that turns places of pages under `base` which `text` names into the real ones."""
    maps: dict[str, SourceMap] = {}
    urls = list(dict.fromkeys(_urls(text, base)))[:_MOST_MAPS]
    # To load certificates, which http never needs, would take longer than the maps.
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=_FETCH_SECONDS) as client:

        async def fetch(url: str) -> None:
            try:
                answer = await client.get(url)
            except httpx.HTTPError:
                return
            found = inline_source_map(answer.text) if answer.status_code == 200 else None
            if found is not None:
                maps[url] = found

        await asyncio.gather(*map(fetch, urls))

    def locate(place: str, line: int, column: int) -> tuple[str, int, int]:
        found = maps[place].original(line, column) if place in maps else None
        # The source is named as in the map; the path of the page says where in the project it lies.
        return (place, found[1], found[2]) if found is not None else (place, line, column)

    return locate


def _urls(text: str, base: str) -> Iterable[str]:
    for piece in text.split(base)[1:]:
        path = piece.split(")")[0].split()[0] if piece.strip() else ""
        path = path.rsplit(":", 2)[0] if path.count(":") >= 2 else path
        if urlsplit(path).path.startswith("/") and "node_modules" not in path:
            yield f"{base}{path}"
