from __future__ import annotations

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.sandboxes.egress.npm_metadata import rewrite, strongest_integrity

REGISTRY = "https://registry.example/npm/"
RELAY = "http://127.0.0.1:3128/"
SHA512 = "sha512-" + base64.b64encode(hashlib.sha512(b"x").digest()).decode()


def turned(document: bytes, package: str = "tiny") -> tuple[Any, dict[str, str]]:
    rewritten = rewrite(document, package, REGISTRY, RELAY)
    whole = b"".join(rewritten.parts)
    return json.loads(whole), {name: tarball.url for name, tarball in rewritten.tarballs.items()}


def version(tarball: str, **more: Any) -> dict[str, Any]:
    return {"name": "tiny", "dist": {"tarball": tarball, "integrity": SHA512, **more}}


def test_tarballs_of_the_registry_lead_to_the_relay() -> None:
    url = f"{REGISTRY}tiny/-/tiny-1.0.0.tgz"
    document = {"versions": {"1.0.0": version(url, signatures=[{"sig": 'é"dist":{'}])}}
    expected = copy.deepcopy(document)
    expected["versions"]["1.0.0"]["dist"]["tarball"] = f"{RELAY}tiny/-/tiny-1.0.0.tgz"
    for text in (
        json.dumps(document),
        json.dumps(document, ensure_ascii=False, indent=3),
        json.dumps(document).replace("/", "\\/"),
    ):
        assert turned(text.encode()) == (expected, {"tiny-1.0.0.tgz": url})


def test_scoped_packages_and_odd_file_names() -> None:
    download = f"{REGISTRY}download/@acme/ui/1.0.0/0123abcd"
    document = json.dumps({"versions": {"1.0.0": version(download)}}).encode()
    value, tarballs = turned(document, "@acme/ui")
    (name,) = tarballs
    assert tarballs[name] == download
    assert value["versions"]["1.0.0"]["dist"]["tarball"] == f"{RELAY}@acme/ui/-/{name}"


@pytest.mark.parametrize(
    "tarball",
    [
        "https://elsewhere.example/tiny/-/tiny-1.0.0.tgz",
        "http://169.254.169.254/latest/meta-data",
        "https://registry.example:8443/tiny.tgz",
        "https://registry.example@elsewhere.example/tiny.tgz",
        "https://user@registry.example/tiny.tgz",
        "file:///etc/passwd",
        "https://[broken/x.tgz",
        "",
    ],
)
def test_tarballs_elsewhere_keep_their_address(tarball: str) -> None:
    document = {"versions": {"1.0.0": version(tarball)}}
    assert turned(json.dumps(document).encode()) == (document, {})


def test_a_registry_that_writes_http_for_https_is_asked_over_https() -> None:
    document = {"versions": {"1.0.0": version("http://registry.example/npm/tiny/-/tiny-1.0.0.tgz")}}
    _, tarballs = turned(json.dumps(document).encode())
    assert tarballs == {"tiny-1.0.0.tgz": f"{REGISTRY}tiny/-/tiny-1.0.0.tgz"}


def test_a_tarball_without_a_hash_is_not_ours_to_vouch_for() -> None:
    url = f"{REGISTRY}tiny/-/tiny-1.0.0.tgz"
    document = {"versions": {"1.0.0": {"dist": {"tarball": url, "integrity": "md5-aaaa"}}}}
    assert turned(json.dumps(document).encode()) == (document, {})


def test_what_is_written_in_texts_is_no_tarball() -> None:
    inner = json.dumps(version(f"{REGISTRY}tiny/-/tiny-1.0.0.tgz"))
    document = {"readme": inner, "dist": inner, "dist-tags": {"dist": "1.0.0"}, inner: "dist"}
    assert turned(json.dumps(document).encode()) == (document, {})


def test_a_description_made_to_cost_time_is_given_up() -> None:
    with pytest.raises(ValueError, match="no package description"):
        rewrite(b'{"dist":{' * 100_000, "tiny", REGISTRY, RELAY)


@pytest.mark.parametrize(
    ("integrity", "shasum", "expected"),
    [
        (SHA512, "0" * 40, "sha512-" + hashlib.sha512(b"x").hexdigest()),
        (f"sha1-AAAA {SHA512}?opt", None, "sha512-" + hashlib.sha512(b"x").hexdigest()),
        (None, "A" * 40, "sha1-" + "a" * 40),
        ("sha512-../../../etc", None, ""),
        ("sha512-AAAA", "../" * 10, ""),
        (5, 5, ""),
    ],
)
def test_integrity(integrity: object, shasum: object, expected: str) -> None:
    assert strongest_integrity(integrity, shasum) == expected


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(['"dist":{', '\\"dist\\":{"tarball":"x"}', "dist", "\\", '"', "é€😀"]),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.one_of(texts, st.just("dist"), st.just("tarball")), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    extra=values,
    versions=st.dictionaries(st.from_regex(r"[0-9]\.[0-9]\.[0-9]", fullmatch=True), values),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
)
def test_nothing_but_the_addresses_changes(
    extra: Any, versions: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    urls = {number: f"{REGISTRY}tiny/-/tiny-{number}.tgz" for number in versions}
    document = {
        "readme": extra,
        "versions": {
            number: version(urls[number], extra=value) for number, value in versions.items()
        },
    }
    expected = copy.deepcopy(document)
    for number, entry in expected["versions"].items():
        entry["dist"]["tarball"] = f"{RELAY}tiny/-/tiny-{number}.tgz"
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    value, tarballs = turned(text.encode("utf-8", "surrogatepass"))
    assert value == expected
    assert tarballs == {f"tiny-{number}.tgz": url for number, url in urls.items()}
