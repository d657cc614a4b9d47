"""The Docker sandbox: the contract of every sandbox, and what is its own."""

from __future__ import annotations

from tests.engine.sandboxes.contract import SandboxContract


class TestInDocker(SandboxContract):
    """`driver` comes from the conftest."""
