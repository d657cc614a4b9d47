"""The previewed page reaches its own app and granted hosts only, however an address is spelled."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.base.hosts import canonical_host, is_public_address, parse_address
from vibedesk.ui.preview.network_rules import Allowed, Blocked, decide, parse_origin

OWN = "http://127.0.0.1:5173"
GRANTED = ("api.example.com", "live.example.org:8443", "8.8.8.8", "münchen.example")


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("http://127.0.0.1:5173/", "own"),
        ("http://127.0.0.1:5173/src/App.tsx?t=1#x", "own"),
        ("http://127.0.0.1:5173", "own"),
        ("ws://127.0.0.1:5173/?token=1", "own"),
        ("HTTP://127.0.0.1:5173/", "own"),
        ("https://api.example.com/v1", "granted"),
        ("wss://API.example.com./socket", "granted"),
        ("http://api.example.com/", "granted"),
        ("https://live.example.org:8443/", "granted"),
        ("https://8.8.8.8/dns", "granted"),
        ("https://xn--mnchen-3ya.example/", "granted"),
        ("data:text/plain,hello", "inline"),
        ("blob:http://127.0.0.1:5173/0a1b", "inline"),
        ("about:blank", "inline"),
        ("about:srcdoc", "inline"),
    ],
)
def test_the_app_itself_and_granted_hosts_are_allowed(url: str, because: str) -> None:
    assert decide(url, OWN, GRANTED) == Allowed(because)


@pytest.mark.parametrize(
    "url",
    [
        # the app's address with something else about it
        "https://127.0.0.1:5173/",
        "wss://127.0.0.1:5173/",
        "http://127.0.0.1:5174/",
        "http://127.0.0.1/",
        "http://localhost:5173/",
        "http://[::1]:5173/",
        "http://127.0.0.2:5173/",
        "http://127.0.0.1:5173@evil.example/",
        "http://127.0.0.1:5173\\@evil.example/",
        "http://user:word@127.0.0.1:5173/",
        "http://127.0.0.1:05173x/",
        "http://127.0.0.1:517\t3/",
        "http:/127.0.0.1:5173/",
        "http:127.0.0.1:5173/",
        "http:///127.0.0.1:5173/",
        "http://127.0.0.1:5173.evil.example/",
        "blob:http://127.0.0.1:9999/0a1b",
        "blob:https://api.example.com/0a1b",
        # files and pages of the browser
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "qrc:/x",
        "view-source:http://127.0.0.1:5173/",
        "chrome://gpu",
        "devtools://devtools/bundled/inspector.html",
        "about:version",
        "filesystem:http://127.0.0.1:5173/temporary/x",
        "ftp://api.example.com/",
        "javascript:alert(1)",
        "vibedesk:open",
        "",
        "/relative",
        # hosts nobody granted, or granted otherwise
        "https://example.com/",
        "https://api.example.com:8443/",
        "https://live.example.org/",
        "https://api.example.com.evil.example/",
        "https://evil.example/?api.example.com",
        "https://api.example.com@evil.example/",
        # private networks
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://192.0.0.170/",
        "http://[fd00::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[2002:a00:1::]/",
        "http://router.local/",
        "http://metadata.google.internal/",
    ],
)
def test_everything_else_is_blocked(url: str) -> None:
    assert isinstance(decide(url, OWN, GRANTED), Blocked)


def _spellings(address: IPv4Address) -> list[str]:
    number = int(address)
    octets = address.packed
    return [
        str(address),
        f"{address}.",
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(octet) for octet in octets),
        ".".join(f"0{octet:o}" for octet in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        f"{octets[0]}.{octets[1]}.{number & 0xFFFF}",
        str(address).translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)}),
        str(address).replace(".", "。"),
        f"[::ffff:{address}]",
        f"[0:0:0:0:0:ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
    ]


_NEAR = st.one_of(
    *(
        st.ip_addresses(v=4, network=network)
        for network in (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "0.0.0.0/8",
            "224.0.0.0/4",
            "240.0.0.0/4",
        )
    )
)


@given(
    address=_NEAR,
    port=st.integers(1, 65535),
    scheme=st.sampled_from(["http", "https", "ws", "wss"]),
)
def test_no_spelling_of_a_near_address_passes_even_when_it_was_granted(
    address: IPv4Address, port: int, scheme: str
) -> None:
    grants = [f"{address}:{port}", str(address)]
    for spelling in _spellings(address):
        url = f"{scheme}://{spelling}:{port}/"
        own = parse_origin(url) == parse_origin(OWN)
        assert own or isinstance(decide(url, OWN, grants), Blocked), url


@given(address=st.ip_addresses(v=4))
def test_all_spellings_of_an_address_are_one(address: IPv4Address) -> None:
    assert {canonical_host(spelling) for spelling in _spellings(address)} == {address}


@given(
    address=st.one_of(
        *(
            st.ip_addresses(v=6, network=network)
            for network in (
                "fc00::/7",
                "fe80::/10",
                "fec0::/10",
                "ff00::/8",
                "::/8",
                "64:ff9b::/32",
                "2002::/16",
                "2001::/32",
            )
        )
    )
)
def test_near_and_disguised_ipv6_addresses_never_pass(address: IPv6Address) -> None:
    mapped = parse_address(str(address))
    if isinstance(mapped, IPv4Address):
        return  # a mapped address is judged as the IPv4 address it is
    url = f"http://[{address.exploded}]/"
    assert isinstance(decide(url, OWN, [f"[{address}]"]), Blocked)


@given(
    text=st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
    scheme=st.sampled_from(["http://", "https://", "ws://", "blob:", "", "file:", "http:"]),
)
def test_arbitrary_text_is_judged_without_failing_and_never_allowed_by_accident(
    text: str, scheme: str
) -> None:
    verdict = decide(scheme + text, OWN, ())
    if verdict == Allowed("own"):
        assert parse_origin(scheme + text) == parse_origin(OWN)


@given(
    host=st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,8}){1,2}", fullmatch=True), port=st.integers(1, 65535)
)
def test_a_grant_reaches_exactly_its_host_and_port(host: str, port: int) -> None:
    url = f"https://{host}:{port}/"
    assert isinstance(decide(url, OWN, ()), Blocked)
    local = isinstance(decide(url, OWN, [f"{host}:{port}"]), Blocked)
    assert (
        local == host.endswith(("local", "internal", "lan", "intranet", "localhost", "localdomain"))
        or not local
    )
    assert isinstance(decide(f"https://sub.{host}:{port}/", OWN, [f"{host}:{port}"]), Blocked)
    assert isinstance(
        decide(f"https://{host}:{port % 65535 + 1}/", OWN, [f"{host}:{port}"]), Blocked
    )


def test_an_app_that_is_not_on_loopback_is_nobodys_own() -> None:
    assert isinstance(decide("https://example.com/", "https://example.com", ()), Blocked)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111"])
def test_public_addresses_are_public(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert is_public_address(address)
