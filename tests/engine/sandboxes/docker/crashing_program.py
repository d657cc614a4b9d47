"""Opens a sandbox as VibeDesk does and is killed by the test.

Usage: crashing_program.py HOST OWNER FOLDER SPEC, the last a JSON object. Prints the sandbox's id when its server
runs, and a second line when a command runs as well.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.engine.sandboxes.docker.homes import DockerHome, egress_to, opened
from vibedesk.engine.sandboxes.driver import SandboxSpec


async def main(host: str, owner: str, folder: Path, facts: dict[str, str]) -> None:
    async with egress_to("http://127.0.0.1:9/", folder / "tarballs") as make_egress:
        home = DockerHome(host, folder, make_egress, owner=owner)
        driver = home.driver(pool_size=1)
        spec = SandboxSpec(
            project_id=facts["project_id"], folder=Path(facts["folder"]), port=int(facts["port"])
        )
        place = await opened(driver, spec)
        await driver.warm(spec.folder)
        token = facts["token"]
        await place.sandbox.start_server(["node", "server.mjs", str(spec.port), token, ""])
        print(place.sandbox.id, flush=True)
        script = "require('fs').writeFileSync('notes.db', 'mine'); console.log('written'); setInterval(() => {}, 1000)"
        async for line in place.sandbox.exec(["node", "-e", script, token]):
            print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])))
