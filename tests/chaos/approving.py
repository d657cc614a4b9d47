"""A program that builds with a person who changes the plan before they approve it; prints events as `--json` does.

python -m tests.chaos.approving HOME WISH TEMPLATE        # from the beginning
python -m tests.chaos.approving HOME PROJECT              # goes on after a kill
"""

from __future__ import annotations

import asyncio
import sys

from vibedesk.base.paths import resolve_home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.progress import ProgressPrinter

CHANGES = ({"title": "Counter, mine"}, {"data_flow": "One number"}, {"pitfalls": ["None"]})


async def main(home: str, wish_or_project: str, template: str = "") -> int:
    engine = Engine(resolve_home(home))
    engine.start()
    try:
        project = wish_or_project
        if template:
            options = ProjectOptions(template=template, approval=True)
            project = await engine.create(wish_or_project, options)
        printer = ProgressPrinter(sys.stdout, as_json=True)
        subscription = await engine.subscribe(project)

        async def show() -> None:
            async for event in subscription:
                printer.show(event)

        showing = asyncio.create_task(show())
        state = (await engine.project(project)).state
        if state == "idle":
            await engine.generate(project)
        elif state != "awaiting_approval":
            await engine.resume(project)
        await engine.wait(project)
        if (await engine.project(project)).state == "awaiting_approval":
            for change in CHANGES:
                await engine.edit_blueprint(project, change)
            await engine.approve(project)
            await engine.wait(project)
        await engine.unsubscribe(subscription)
        await showing
        return 0 if (await engine.project(project)).state == "complete" else 1
    finally:
        await engine.shutdown()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
