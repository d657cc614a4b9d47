"""Serves one session of VibeDesk inside a container: commands, files, connections, over standard input and output.

Only the standard library, and the modules beside this one. It is started as LAUNCH says, with one word:

    serve      in a project's sandbox, as its user
    keep       in the keeper, which holds the folders of every sandbox

The end of standard input is the end of the session: every command ends with it. What is inside the sandbox can kill
or imitate this program; VibeDesk believes nothing that comes from here beyond what concerns this one sandbox.
"""

from __future__ import annotations

import contextlib

from vibedesk.engine.sandboxes.inside.channels import Agent

FOLDER = "/opt/vibedesk"
"""Where this package lies in the image, under its full name."""
LAUNCH = (
    "python3",
    "-I",
    "-S",
    "-c",
    f"import sys; sys.path.insert(0, '{FOLDER}'); "
    "from vibedesk.engine.sandboxes.inside.agent import main; main(sys.argv[1])",
)
"""The command, without its one word; not a script, because scripts are compiled anew at every start."""

SHELL = (
    "python3",
    "-I",
    "-S",
    "-c",
    f"import os, sys; sys.path.insert(0, '{FOLDER}'); "
    "from vibedesk.engine.sandboxes.inside.narrowing import narrow; narrow(); "
    "print('You are in the sandbox, in the app\\'s folder. Files that you change here stay here: what is to "
    "last, change in VibeDesk.', flush=True); os.execvp('bash', ['bash'])",
)
"""The command of a shell for a person, which has no more rights than the app."""


def main(role: str) -> None:
    """Serve one session until its standard input ends."""
    if role == "keep":
        from vibedesk.engine.sandboxes.inside.keeping import Task, tell_free

        Agent({"task": Task, "free": tell_free}).run()
        return
    from vibedesk.engine.sandboxes.inside.commands import Command
    from vibedesk.engine.sandboxes.inside.connections import connect, listen_for_proxy
    from vibedesk.engine.sandboxes.inside.files import Compare, Get, Put, exists
    from vibedesk.engine.sandboxes.inside.narrowing import narrow, outlive_the_app

    outlive_the_app()
    with contextlib.suppress(OSError):  # a kernel without filters
        narrow()
    agent = Agent(
        {
            "exec": Command,
            "connect": connect,
            "put": Put,
            "compare": Compare,
            "get": Get,
            "exists": exists,
        }
    )
    listen_for_proxy(agent)
    agent.run()
