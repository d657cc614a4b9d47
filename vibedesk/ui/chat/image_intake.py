"""Reads and checks offered pictures beside the event loop, and fills a tray with those that can be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.project_options import ImageFile
from vibedesk.ui.chat.image_tray import ImageTray
from vibedesk.ui.chat.image_viewer import LARGEST, ImageViewer
from vibedesk.ui.chat.pictures import (
    Attached,
    Source,
    decoded,
    read_source,
    source_name,
    thumbnail,
)
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme

Check = Callable[[Sequence[ImageFile], int], Awaitable[None]]
"""Raises a VibeDeskError for images that cannot go with a message that has so many others."""


class ImageIntake:
    """Fills one tray.

    Args:
        theme: The look.
        tray: Where they are shown.
        check: Says whether they can be sent.
        tasks: Where the work runs.
    """

    def __init__(self, theme: Theme, tray: ImageTray, check: Check, tasks: WidgetTasks) -> None:
        self._theme = theme
        self._tray = tray
        self._check = check
        self._tasks = tasks

    def take(self, sources: list[Source]) -> None:
        """Read, check and add pictures; the tray says why one cannot be sent."""
        begun = [(self._tray.begin(source_name(source)), source) for source in sources]
        self._tasks.start(self._take(begun), name="read pictures")

    def show(self, picture: Attached) -> None:
        """Show a picture large."""
        self._tasks.start(self._show(picture), name="show picture")

    async def _take(self, begun: Sequence[tuple[int, Source]]) -> None:
        for key, source in begun:
            try:
                file = await asyncio.to_thread(read_source, source)
                await self._check([file], len(self._tray.pictures))
            except VibeDeskError as error:
                self._tray.refuse(key, f"{error.message} {error.remedy}".strip())
            else:
                small = await asyncio.to_thread(thumbnail, file.data)
                self._tray.finish(key, Attached(file, small))

    async def _show(self, picture: Attached) -> None:
        large = await asyncio.to_thread(decoded, picture.file.data, LARGEST)
        if not large.isNull():
            name = picture.file.name
            ImageViewer(self._theme, self._tray.window(), name, large).open()
