"""Something happens in the folder, and it is noticed once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vibedesk.engine.files.watcher import watch_folder


async def test_changes_are_noticed_but_not_those_of_tools(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "src").mkdir()
    stop = asyncio.Event()
    seen: set[str] = set()

    async def watch() -> None:
        async for paths in watch_folder(tmp_path, stop):
            seen.update(paths)

    watching = asyncio.create_task(watch())
    deadline = asyncio.get_running_loop().time() + 20
    number = 0
    while not {"src/a.ts", "last"} <= seen and asyncio.get_running_loop().time() < deadline:
        # The watch begins some time after the task does: go on until it saw something.
        (tmp_path / "node_modules/x.js").write_text(str(number))
        (tmp_path / ".vibedesk-abc.tmp").write_text(str(number))
        (tmp_path / "src/a.ts").write_text(str(number))
        (tmp_path / "last").write_text(str(number))
        number += 1
        await asyncio.sleep(0.6)
    stop.set()
    await asyncio.wait_for(watching, 10)
    assert seen - {"src"} == {"src/a.ts", "last"}


async def test_from_the_first_set_on_nothing_is_missed(tmp_path: Path) -> None:
    stop = asyncio.Event()
    watching = watch_folder(tmp_path, stop)
    assert await asyncio.wait_for(anext(watching), 30) == set()
    (tmp_path / "a.ts").write_text("1")
    assert await asyncio.wait_for(anext(watching), 30) == {"a.ts"}
    stop.set()
    assert await asyncio.wait_for(anext(watching, None), 30) is None
