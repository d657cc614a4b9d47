"""A sandbox's way out as a program of its own: the tests' process may not reach the real registry, this one may.

Usage: relay_program.py STORE. Prints its address, then how long its loop was ever held, in milliseconds, when
its input ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.egress.registries import Registries, find_registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.node import find_toolchains
from vibedesk.engine.sandboxes.streams import SocketStream


async def main(store: Path, registries: Registries) -> None:
    held = 0.0

    async def watch() -> None:
        nonlocal held
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            held = max(held, time.monotonic() - before - 0.001)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await egress.serve(SocketStream(reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    upstream = Upstream(os.environ)
    registry = NpmRegistry(store, registries, upstream, address=address)
    egress = Egress(
        rules=NetworkRules,
        registries=registries,
        registry=registry,
        upstream=upstream,
        on_refused=lambda host: print(f"refused {host}", file=sys.stderr),
    )
    watching = asyncio.create_task(watch())
    print(address, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    watching.cancel()
    server.close()
    await registry.aclose()
    print(round(held * 1000), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), find_registries(find_toolchains()[0].npm, os.environ)))
