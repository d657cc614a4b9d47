from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from vibedesk.engine.sandboxes.egress.upstream import Upstream


def test_without_a_proxy_there_is_none() -> None:
    assert Upstream({}).proxy_for("https", "api.example.com", 443) is None


def test_the_proxy_of_the_environment_and_its_credentials() -> None:
    proxy = Upstream({"HTTPS_PROXY": "http://me:p%40ss@proxy.example:3128"}).proxy_for(
        "https", "api.example.com", 443
    )
    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.tls) == ("proxy.example", 3128, False)
    assert proxy.address == "http://proxy.example:3128"
    assert proxy.authorization == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("proxy.example:8080", ("proxy.example", 8080)),
        ("https://proxy.example", ("proxy.example", 443)),
        ("http://[::1]:8080", ("::1", 8080)),
        ("socks5://proxy.example:1080", None),
        ("http://", None),
        ("http://proxy.example:port", None),
    ],
)
def test_forms_of_a_proxys_address(address: str, place: tuple[str, int] | None) -> None:
    proxy = Upstream({"http_proxy": address}).proxy_for("http", "api.example.com", 80)
    assert (None if proxy is None else (proxy.host, proxy.port)) == place


@pytest.mark.parametrize(
    ("exceptions", "host", "port", "around"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "api.example.com", 443, True),
        (".example.com", "api.EXAMPLE.com", 443, True),
        ("*.example.com", "api.example.com", 443, True),
        ("example.com", "notexample.com", 443, False),
        ("example.com:8443", "example.com", 443, False),
        ("example.com:8443", "example.com", 8443, True),
        ("10.0.0.0/8, localhost", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("::1", "::1", 443, True),
        ("*", "anything.example", 443, True),
        ("", "anything.example", 443, False),
    ],
)
def test_exceptions_from_the_proxy(exceptions: str, host: str, port: int, around: bool) -> None:
    upstream = Upstream({"https_proxy": "http://proxy.example:1", "no_proxy": exceptions})
    assert (upstream.proxy_for("https", host, port) is None) is around


def test_the_persons_certificates_are_trusted_and_bad_files_do_no_harm(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    context = Upstream(
        {"SSL_CERT_FILE": certifi.where(), "NODE_EXTRA_CA_CERTS": str(bad)}
    ).ssl_context
    assert context.cert_store_stats()["x509_ca"] > 50
    assert context.check_hostname
    assert Upstream({"NODE_EXTRA_CA_CERTS": str(tmp_path / "absent")}).ssl_context is not None
