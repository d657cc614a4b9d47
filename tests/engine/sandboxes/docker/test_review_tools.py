"""What the image brings for the review."""

from __future__ import annotations

import asyncio
import json

from tests.engine.sandboxes.conftest import Place
from vibedesk.engine.review.native_typescript import native_types


async def test_the_native_typescript_checks_a_project(place: Place) -> None:
    settings = {"compilerOptions": {"strict": True, "noEmit": True}, "include": ["src"]}
    source = place.folder / "src"
    await asyncio.to_thread(source.mkdir)
    (place.folder / "tsconfig.json").write_text(json.dumps(settings))
    (source / "a.ts").write_text("export const a: number = 'a'\n")
    await place.sandbox.push(["tsconfig.json", "src/a.ts"])
    found = await native_types(place.sandbox)
    assert found is not None
    assert [(issue.code, issue.place) for issue in found] == [("TS2322", "src/a.ts:1:14")]
