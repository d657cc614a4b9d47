"""What npm and uv say when they fail, and what the person is told."""

from __future__ import annotations

import pytest

from vibedesk.engine.agent.install_errors import install_error


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("npm error code E404\nnpm error 404 Not Found", "no_such_package"),
        ("npm error code ETARGET", "no_such_package"),
        (
            "error: Failed to add dependencies\n  cause: No solution found when resolving dependencies\n"
            "  cause: Because no-such was not found in the package registry and your project depends on no-such",
            "no_such_package",
        ),
        ("Because there is no version of fastapi==99 and your project depends on it", "no_such_package"),
        ("npm error code ENOTFOUND", "no_network"),
        ("  cause: error sending request for url\n  cause: client error (Connect)\n  cause: dns error", "no_network"),
        ("npm error The network is switched off for this app.", "network_off"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "untrusted_registry"),
        ("npm error nospc ENOSPC: no space left on device", "disk_full"),
        ("  cause: failed to write: No space left on device (os error 28)", "disk_full"),
        ("something else", "install_failed"),
    ],
)  # fmt: skip
def test_a_failed_install_is_told_by_its_cause(log: str, code: str) -> None:
    error = install_error(["uv", "add", "x"], log)
    assert (error.code, error.details["log"]) == (code, log)
    assert error.remedy
