from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.base.hosts import canonical_host
from vibedesk.engine.sandboxes.egress.reach import own_networks
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules, decide, refuse_addresses

REGISTRIES = Registries(
    npm="https://npm.example.org/",
    npm_scopes={"@acme": "http://10.1.2.3:4873/npm/"},
    python=("https://wheels.example.org/simple",),
)
GRANTED = NetworkRules(granted=frozenset({"api.example.com", "api.example.com:8443", "b.example"}))
SPELLINGS = ["API.Example.com", "api.example.com.", "ａｐｉ.example.com", "api.example。com"]
NEVER = [
    "localhost",
    "app.localhost",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "0x7f000001",
    "0",
    "0.0.0.0",
    "::1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "::ffff:7f00:1",
    "[::]",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "metadata.google.internal",
    "fd00:ec2::254",
    "10.0.0.1",
    "192.168.1.1",
    "172.17.0.1",
    "100.64.0.1",
    "8.8.8.8",
    "[2001:4860:4860::8888]",
    "fe80::1%eth0",
    "printer",
    "printer.local",
    "db.internal",
    "router.lan",
    "nas.home.arpa",
]
NO_HOST = [
    "",
    ".",
    "..",
    "a..b.example",
    "api.example.com:443",
    "user@api.example.com",
    "api.example.com@evil.example",
    "api.example.com%00.evil.example",
    "%61pi.example.com",
    "api.example.com/",
    "api.example.com\\@evil.example",
    "api.example.com#x",
    "api.example.com?x",
    "api example.com",
    "api.example.com\n",
    "1.2.3.4.5",
    "256.1.1.1",
    "[api.example.com]",
    "a" * 64 + ".example",
    "a." * 200 + "example",
    "*.example.com",
]


@pytest.mark.parametrize("host", ["api.example.com", *SPELLINGS])
@pytest.mark.parametrize("port", [80, 443, 8443])
def test_a_granted_host_is_allowed_however_it_is_written(host: str, port: int) -> None:
    decision = decide(GRANTED, host, port, REGISTRIES)
    assert decision.allowed
    assert not decision.trusted


@pytest.mark.parametrize(
    ("host", "port", "ask"),
    [
        ("api.example.com", 8080, "api.example.com:8080"),
        ("b.example", 22, "b.example:22"),
        ("WWW.Example.com", 443, "www.example.com"),
        ("api.example.com.evil.example", 80, "api.example.com.evil.example"),
        ("xapi.example.com", 443, "xapi.example.com"),
        ("npm.example.org", 80, "npm.example.org"),
    ],
)
def test_what_is_not_granted_says_what_would_have_to_be(host: str, port: int, ask: str) -> None:
    decision = decide(GRANTED, host, port, REGISTRIES)
    assert not decision.allowed
    assert decision.ask == ask
    assert ask in decision.reason
    assert decide(NetworkRules(granted=frozenset({ask})), host, port, REGISTRIES).allowed, (
        "the grant that it asks for must be enough"
    )


@pytest.mark.parametrize("host", NEVER)
def test_no_grant_opens_addresses_and_local_names(host: str) -> None:
    grants = frozenset({host, f"{host}:80", f"[{host}]", f"[{host}]:80"})
    decision = decide(NetworkRules(granted=grants), host, 80, REGISTRIES)
    assert not decision.allowed
    assert decision.reason
    assert not decision.ask


@pytest.mark.parametrize("host", NO_HOST)
def test_what_is_not_certainly_a_host_is_refused(host: str) -> None:
    decision = decide(GRANTED, host, 443, REGISTRIES)
    assert not decision.allowed
    assert not decision.ask


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_must_be_one(port: int) -> None:
    assert not decide(GRANTED, "api.example.com", port, REGISTRIES).allowed


def test_registries_are_allowed_on_their_own_port_and_may_be_private() -> None:
    assert decide(NetworkRules(), "Wheels.example.org.", 443, REGISTRIES).because == "registry"
    assert decide(NetworkRules(), "wheels.example.org", 443, REGISTRIES).trusted
    assert decide(NetworkRules(), "10.1.2.3", 4873, REGISTRIES).because == "plain registry"
    assert not decide(NetworkRules(), "10.1.2.3", 4874, REGISTRIES).allowed
    assert not decide(NetworkRules(), "wheels.example.org", 8443, REGISTRIES).allowed


def test_the_npm_registry_is_reached_through_the_relay_only() -> None:
    refused = decide(NetworkRules(), "NPM.example.org.", 443, REGISTRIES)
    assert not refused.allowed
    assert "npm_config_registry" in refused.reason
    assert refused.ask == "npm.example.org"
    granted = decide(
        NetworkRules(granted=frozenset({"npm.example.org"})), "npm.example.org", 443, REGISTRIES
    )
    assert granted.because == "granted"
    assert not granted.trusted


@pytest.mark.parametrize("host", ["10.1.2.3", "npm.corp", "localhost"])
def test_no_grant_opens_an_npm_registry_of_the_local_network(host: str) -> None:
    registries = Registries(npm=f"https://{host}/")
    decision = decide(NetworkRules(granted=frozenset({host})), host, 443, registries)
    assert not decision.allowed
    assert "npm_config_registry" in decision.reason
    assert not decision.ask


def test_a_host_that_has_python_packages_too_may_be_reached() -> None:
    both = Registries(npm="https://both.example.org/npm/", python=("https://both.example.org/py",))
    assert decide(NetworkRules(), "both.example.org", 443, both).because == "registry"


def test_without_network_nothing_is_allowed_and_nothing_is_asked() -> None:
    rules = NetworkRules("none", GRANTED.granted)
    for host in ("api.example.com", "npm.example.org", "other.example"):
        decision = decide(rules, host, 443, REGISTRIES)
        assert (decision.allowed, decision.ask) == (False, "")


hosts = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[a-zA-Z0-9.\-_%@:\[\]xX]{1,30}", fullmatch=True),
    st.ip_addresses().map(str),
    st.integers(0, 2**32 - 1).map(str),
    st.integers(0, 2**32 - 1).map(hex),
    st.sampled_from([*NEVER, *NO_HOST, *SPELLINGS]),
)


@given(host=hosts, port=st.integers(0, 70_000), granted=st.frozensets(hosts, max_size=4))
def test_only_public_names_that_were_granted_are_ever_allowed(
    host: str, port: int, granted: frozenset[str]
) -> None:
    decision = decide(NetworkRules(granted=granted), host, port, Registries())
    assert bool(decision.reason) is not decision.allowed
    if decision.allowed:
        canonical = canonical_host(host)
        assert isinstance(canonical, str)
        assert "." in canonical
        assert canonical in {
            canonical_host(grant.strip()) or canonical_host(grant.strip().rpartition(":")[0])
            for grant in granted
        }
    if decision.ask:
        again = NetworkRules(granted=frozenset({decision.ask}))
        assert decide(again, host, port, Registries()).allowed


PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.80",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:7f00:1::",
    "3fff::1",
    "3ffe::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "no address",
    "",
]


def far(_address: IPv4Address | IPv6Address) -> bool:
    return False


def test_public_addresses_are_let_through() -> None:
    assert refuse_addresses(PUBLIC, far) == ""
    assert refuse_addresses(["::ffff:93.184.216.34"], far) == ""


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_one_address_that_is_not_public_is_enough_to_refuse(address: str) -> None:
    assert refuse_addresses([address], far)
    assert refuse_addresses([*PUBLIC, address], far)


def test_a_name_without_addresses_is_refused() -> None:
    assert refuse_addresses([], far)


def test_this_machines_own_public_addresses_are_refused() -> None:
    networks = own_networks(
        [
            ("127.0.0.1", "255.0.0.0"),
            ("93.184.216.34", "255.255.255.0"),
            ("2606:2800:220:1::5", "ffff:ffff:ffff:ffff::"),
            ("8.8.4.4", "0.0.0.0"),
            ("1.1.1.1", None),
            ("fe80::1%eth0", "ffff:ffff:ffff:ffff::"),
            ("nonsense", "nonsense"),
        ]
    )

    def near(address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in networks)

    for address in ("93.184.216.99", "2606:2800:220:1::99", "8.8.4.4", "1.1.1.1"):
        assert refuse_addresses([address], near), address
    for address in ("93.184.217.1", "2606:2800:220:2::1", "8.8.8.8", "1.1.1.2"):
        assert not refuse_addresses([address], near), address


@given(inner=st.ip_addresses(v=4), low=st.integers(0, 2**16 - 1))
def test_an_address_wrapped_in_another_is_never_more_public(inner: IPv4Address, low: int) -> None:
    plain_refused = bool(refuse_addresses([str(inner)], far))
    mapped = IPv6Address((0xFFFF << 32) | int(inner))
    assert bool(refuse_addresses([str(mapped)], far)) == plain_refused
    for wrapped in (
        (0x64FF9B << 96) | int(inner),
        (0x2002 << 112) | (int(inner) << 80) | low,
        (0x20010000 << 96) | (low << 32) | int(inner),
        int(inner),
    ):
        assert refuse_addresses([str(IPv6Address(wrapped))], far)


@given(address=st.ip_addresses())
def test_what_is_let_through_is_global(address: IPv4Address | IPv6Address) -> None:
    if not refuse_addresses([str(address)], far):
        inner = getattr(address, "ipv4_mapped", None) or address
        assert ip_address(str(inner)).is_global
        assert not inner.is_multicast
