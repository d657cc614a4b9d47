"""Only names on the internet can be granted to a previewed app."""

from __future__ import annotations

import pytest

from vibedesk.ui.preview.network_rules import Allowed, decide, grantable_host

OWN = "http://127.0.0.1:23456"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example.org/x?y", "api.example.org"),
        ("wss://live.example.org/socket", "live.example.org"),
        ("https://api.example.org:8443/", "api.example.org:8443"),
        ("https://API.Example.Org./", "api.example.org"),
    ],
)
def test_a_grant_of_it_lets_the_page_through(url: str, host: str) -> None:
    assert grantable_host(url, OWN) == host
    assert decide(url, OWN, (host,)) == Allowed("granted")


@pytest.mark.parametrize(
    "url",
    [
        OWN,
        "http://127.0.0.1:9/",
        "http://localhost:8000/",
        "http://10.0.0.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://printer.local/",
        "file:///etc/passwd",
        "https://user@example.org/",
        "not an address",
    ],
)
def test_nothing_else_can_be_granted(url: str) -> None:
    assert grantable_host(url, OWN) is None
