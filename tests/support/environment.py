"""The environment that tests run in: nothing of whoever runs them."""

from __future__ import annotations

import os
from pathlib import Path

_OUR_PREFIXES = ("ANTHROPIC_", "OPENAI_", "VIBEDESK_")
SET_FOR_TESTS = frozenset(
    {"VIBEDESK_CHECKS", "VIBEDESK_CORPUS", "VIBEDESK_DISK", "VIBEDESK_SHOTS", "VIBEDESK_WISHES"}
)
"""What a person sets for tests: whether a second runner checks too, whether all of a sample's source is run, where large
files and where pictures of the window go."""


def isolate_environment(session_home: Path) -> None:
    """Take away keys, homes and the keychain of whoever runs the tests; child processes inherit that.

    The proxy variables stay, because npm may need them to reach its registry; loopback goes around them.
    """
    ours = [name for name in os.environ if name.startswith(_OUR_PREFIXES)]
    for name in ours:
        if name not in SET_FOR_TESTS:
            del os.environ[name]
    os.environ["VIBEDESK_HOME"] = str(session_home)
    # A whole review of every small app that a test builds would cost minutes; tests that look closer say so.
    os.environ["VIBEDESK_REVIEW"] = "page"
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    # The Docker of whoever runs the tests is not theirs to use: those that need one start it.
    os.environ.pop("DOCKER_CONTEXT", None)
    os.environ["DOCKER_HOST"] = f"unix://{session_home}/no-docker.sock"
    for name in ("NO_PROXY", "no_proxy"):
        others = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(["127.0.0.1", "localhost", "::1", *others])
