from __future__ import annotations

import asyncio
import gzip
import json
import os
import random
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.sandboxes.conftest import until
from tests.engine.sandboxes.egress.loopback import make_way, open_port
from tests.engine.sandboxes.egress.tiny_registry import (
    ADVISORIES,
    HOLE,
    TinyRegistry,
    packed,
    tiny_registry,
)
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.review.security.packages import audit_packages
from vibedesk.engine.sandboxes.egress.npm_registry import (
    NpmRegistry,
    ProblemError,
    Resource,
    _transport_problem,
    parse_target,
)
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.node import NodeToolchain, find_toolchains

SHORT = {"accept": "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"}


@dataclass
class Relay:
    """A relay in front of a tiny registry, asked over a real socket."""

    source: TinyRegistry
    npm: NpmRegistry
    store: Path
    port: int
    client: httpx.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(f"/{path}", headers=headers)

    def age(self, seconds: float) -> None:
        """Let everything in the store have been fetched and used so much earlier."""
        for path in self.store.rglob("*"):
            if path.is_file():
                status = path.stat()
                os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds))

    def stored(self, kind: str) -> list[Path]:
        return [path for path in (self.store / kind).rglob("*") if path.is_file()]


Open = Callable[..., Any]


@pytest.fixture
async def open_relay(tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as resources:

        async def make(
            *,
            path: str = "",
            scopes: dict[str, str] | None = None,
            rules: NetworkRules | None = None,
            npm: str | None = None,
            store: Path | None = None,
            **options: Any,
        ) -> Relay:
            source = await resources.enter_async_context(tiny_registry(path))
            source.publish("tiny", "1.0.0")
            registries = Registries(
                npm=source.address if npm is None else npm, npm_scopes=scopes or {}
            )
            folder = store or tmp_path / "store"
            # The sandbox's port is not known before the relay is; the tests follow addresses by their path.
            registry = NpmRegistry(
                folder, registries, Upstream({}), address="http://relay.test/", **options
            )
            resources.push_async_callback(registry.aclose)
            way = make_way(rules, registry=registry, registries=registries)
            port = await resources.enter_async_context(open_port(way.egress))
            client = await resources.enter_async_context(
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
            )
            return Relay(source, registry, folder, port, client)

        yield make


async def test_a_package_and_its_tarball_come_through(open_relay: Open) -> None:
    relay = await open_relay()
    tarball = relay.source.publish("tiny", "2.0.0")
    for _ in range(2):
        answer = await relay.get("tiny", **SHORT)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/vnd.npm.install-v1+json"
        dist = answer.json()["versions"]["2.0.0"]["dist"]
        assert dist["tarball"] == "http://relay.test/tiny/-/tiny-2.0.0.tgz"
        assert dist["integrity"].startswith("sha512-")
        file = await relay.get("tiny/-/tiny-2.0.0.tgz")
        assert file.content == tarball
    assert relay.source.asked == {"tiny": 1, "tiny/-/tiny-2.0.0.tgz": 1}


async def test_the_whole_form_is_kept_apart(open_relay: Open) -> None:
    relay = await open_relay()
    assert "readme" not in (await relay.get("tiny", **SHORT)).json()
    assert (await relay.get("tiny")).json()["readme"] == "# Read me"
    assert "readme" not in (await relay.get("tiny", **SHORT)).json()


async def test_one_form_serves_for_the_other(open_relay: Open) -> None:
    relay = await open_relay()
    relay.source.publish("other", "1.0.0")
    await relay.get("tiny")
    assert (await relay.get("tiny", **SHORT)).status_code == 200
    assert relay.source.asked["tiny"] == 1
    await relay.get("other", **SHORT)
    relay.source.hang_up = True
    assert (await relay.get("other")).status_code == 200


@pytest.mark.parametrize("written", ["@acme/ui", "@acme%2fui", "@acme%2Fui"])
async def test_scopes_have_registries_of_their_own(open_relay: Open, written: str) -> None:
    async with tiny_registry("some/path/") as acme:
        tarball = acme.publish("@acme/ui", "1.0.0")
        relay = await open_relay(scopes={"@acme": acme.address})
        answer = await relay.get(written, **SHORT)
        url = answer.json()["versions"]["1.0.0"]["dist"]["tarball"]
        assert url == "http://relay.test/@acme/ui/-/ui-1.0.0.tgz"
        assert (await relay.get(f"{written}/-/ui-1.0.0.tgz")).content == tarball
        assert acme.asked == {"@acme/ui": 1, "@acme/ui/-/ui-1.0.0.tgz": 1}
    assert not relay.source.asked


async def test_a_version_and_tags_can_be_asked_for(open_relay: Open) -> None:
    relay = await open_relay()
    version = await relay.get("tiny/1.0.0")
    assert version.json()["dist"]["tarball"] == "http://relay.test/tiny/-/tiny-1.0.0.tgz"
    assert (await relay.get("-/package/tiny/dist-tags")).json() == {
        "latest": "1.0.0",
        "readme": "# Read me",
    }
    assert (await relay.get("-/ping")).json() == {}


async def test_a_tarball_alone_is_found_by_its_description(open_relay: Open) -> None:
    """As with a lock file that has addresses in it."""
    relay = await open_relay()
    answer = await relay.get("tiny/-/tiny-1.0.0.tgz?x=y")
    assert answer.content == relay.source.tarballs["tiny/-/tiny-1.0.0.tgz"]
    head = await relay.client.head("/tiny/-/tiny-1.0.0.tgz")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))


async def test_packed_answers_and_unpacked_ones(open_relay: Open) -> None:
    relay = await open_relay()
    relay.source.gzipped = True
    plain = await relay.get("tiny", **{"accept-encoding": "identity"})
    packed_answer = await relay.get("tiny", **{"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed_answer.headers["content-encoding"] == "gzip"
    assert plain.json() == packed_answer.json()
    assert int(plain.headers["content-length"]) == len(plain.content)


# -- freshness


@pytest.mark.parametrize("etags", [True, False])
async def test_after_a_while_the_registry_is_asked_again(open_relay: Open, etags: bool) -> None:
    relay = await open_relay(fresh_seconds=300.0)
    relay.source.etags = etags
    first = await relay.get("tiny")
    relay.age(200)
    await relay.get("tiny")
    assert relay.source.asked["tiny"] == 1
    relay.age(101)
    again = await relay.get("tiny")
    assert relay.source.asked["tiny"] == 2
    assert again.headers["etag"] == first.headers["etag"]
    assert ("if-none-match" in relay.source.headers[-1]) is etags
    await relay.get("tiny")
    assert relay.source.asked["tiny"] == 2, "it was just confirmed"
    relay.source.publish("tiny", "1.1.0")
    relay.age(301)
    assert (await relay.get("tiny")).json()["dist-tags"] == {"latest": "1.1.0"}


async def test_who_knows_a_description_is_not_sent_it_again(open_relay: Open) -> None:
    relay = await open_relay()
    etag = (await relay.get("tiny")).headers["etag"]
    again = await relay.get("tiny", **{"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert (await relay.get("tiny", **{"if-none-match": '"other"'})).status_code == 200


async def test_a_new_version_is_found_by_its_tarball(open_relay: Open) -> None:
    relay = await open_relay()
    await relay.get("tiny")
    relay.source.publish("tiny", "1.1.0")
    assert (await relay.get("tiny/-/tiny-1.1.0.tgz")).status_code == 404, "looked a moment ago"
    relay.age(31)
    assert (await relay.get("tiny/-/tiny-1.1.0.tgz")).status_code == 200


async def test_a_lost_list_of_tarballs_is_made_again(open_relay: Open) -> None:
    relay = await open_relay()
    await relay.get("tiny", **SHORT)
    for path in relay.stored("tarball-lists"):
        path.unlink()
    assert (await relay.get("tiny/-/tiny-1.0.0.tgz")).status_code == 200


# -- when the registry is away


async def test_what_is_stored_installs_without_network(open_relay: Open) -> None:
    relay = await open_relay(fresh_seconds=0.0)
    await relay.get("tiny")
    tarball = (await relay.get("tiny/-/tiny-1.0.0.tgz")).content
    relay.source.hang_up = True
    assert (await relay.get("tiny")).status_code == 200
    assert (await relay.get("tiny/-/tiny-1.0.0.tgz")).content == tarball
    relay.source.hang_up = False
    relay.source.status = 503
    assert (await relay.get("tiny")).status_code == 200


async def test_an_unreachable_registry_is_said_in_words_that_are_known(open_relay: Open) -> None:
    relay = await open_relay(npm="http://127.0.0.1:9/")
    for _ in range(3):
        answer = await relay.get("other")
        assert answer.status_code == 502
        assert answer.json()["error"].startswith("ECONNREFUSED: the package registry")


async def test_many_requests_do_not_each_wait_for_a_registry_that_is_away(open_relay: Open) -> None:
    relay = await open_relay()
    relay.source.hang_up = True
    await relay.get("first")
    asked = sum(relay.source.asked.values())
    answers = await asyncio.gather(*(relay.get(f"p{number}") for number in range(20)))
    assert {answer.status_code for answer in answers} == {502}
    assert sum(relay.source.asked.values()) == asked


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, 404), (410, 404), (401, 401), (403, 403), (429, 502), (500, 502), (418, 502)],
)
async def test_answers_of_the_registry_that_are_errors(
    open_relay: Open, status: int, expected: int
) -> None:
    relay = await open_relay()
    relay.source.status = status
    answer = await relay.get("tiny")
    assert answer.status_code == expected
    assert answer.json()["error"]
    assert not relay.stored("documents")


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>Sign in</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: /tiny\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_nonsense_is_never_stored(open_relay: Open, raw: bytes) -> None:
    relay = await open_relay()
    relay.source.raw = raw
    assert (await relay.get("tiny")).status_code == 502
    assert not relay.stored("documents")
    relay.source.raw = b""
    relay.npm._down.clear()
    assert (await relay.get("tiny")).status_code == 200


async def test_redirects_of_the_registry_are_followed(open_relay: Open) -> None:
    relay = await open_relay()
    async with tiny_registry() as other:
        other.publish("tiny", "3.0.0")
        relay.source.redirect = f"{other.address}tiny"
        answer = await relay.get("tiny")
    assert answer.json()["dist-tags"] == {"latest": "3.0.0"}


def test_an_untrusted_certificate_is_named_as_node_names_it() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code = 19
    error = httpx.ConnectError("failed")
    error.__cause__ = cause
    problem = _transport_problem(error)
    assert problem.sentence.startswith("SELF_SIGNED_CERT_IN_CHAIN: ")
    assert not problem.again


async def test_the_persons_own_authority_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    source = TinyRegistry()
    server = await asyncio.start_server(source.accept, "127.0.0.1", 0, ssl=context)
    source.port = server.sockets[0].getsockname()[1]
    source.publish("tiny", "1.0.0")
    registries = Registries(npm=source.address.replace("http:", "https:"))
    statuses = []
    for environment in ({}, {"NODE_EXTRA_CA_CERTS": str(certificate)}):
        npm = NpmRegistry(tmp_path / "store", registries, Upstream(environment))
        answer = await npm.answer("GET", "/tiny", {})
        statuses.append((answer.status, b"".join([piece async for piece in answer.body])[:40]))
        await npm.aclose()
    server.close()
    assert statuses[0] == (502, b'{"error": "DEPTH_ZERO_SELF_SIGNED_CERT: ')
    assert statuses[1][0] == 200


# -- what no app can do


async def test_a_tarball_that_does_not_match_is_refused_and_not_kept(open_relay: Open) -> None:
    relay = await open_relay()
    relay.source.tarballs["tiny/-/tiny-1.0.0.tgz"] = packed("tiny", "1.0.0", "evil()")
    answer = await relay.get("tiny/-/tiny-1.0.0.tgz")
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("EINTEGRITY: ")
    assert not relay.stored("tarballs")


async def test_a_package_cannot_offer_its_tarball_as_anothers(open_relay: Open) -> None:
    relay = await open_relay()
    evil = relay.source.publish("evil", "1.0.0", "evil()")
    good = relay.source.publish("good", "1.0.0")
    dist = relay.source.documents["evil"]["versions"]["1.0.0"]["dist"]
    relay.source.documents["evil"]["versions"]["6.6.6"] = {
        "dist": {**dist, "tarball": f"{relay.source.address}good/-/good-1.0.0.tgz"}
    }
    await relay.get("evil")
    assert (await relay.get("evil/-/good-1.0.0.tgz")).status_code == 422
    assert (await relay.get("good/-/good-1.0.0.tgz")).content == good
    assert (await relay.get("evil/-/evil-1.0.0.tgz")).content == evil


async def test_a_damaged_store_heals(open_relay: Open) -> None:
    relay = await open_relay()
    tarball = (await relay.get("tiny/-/tiny-1.0.0.tgz")).content
    (path,) = relay.stored("tarballs")
    path.write_bytes(packed("tiny", "1.0.0", "evil()"))
    assert (await relay.get("tiny/-/tiny-1.0.0.tgz")).content == tarball
    assert path.read_bytes() == tarball
    for document in relay.stored("documents") + relay.stored("tarball-lists"):
        document.write_bytes(b"{broken")
    assert (await relay.get("tiny", **SHORT)).status_code == 200
    assert (await relay.get("tiny/-/tiny-1.0.0.tgz")).content == tarball


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "tiny", 405),
        ("DELETE", "tiny/-rev/1", 405),
        ("POST", "tiny", 405),
        ("GET", "-/npm/v1/security/advisories/bulk", 404),
        ("PUT", "-/npm/v1/security/advisories/bulk", 404),
        ("POST", "-/npm/v1/security/advisories/bulk/more", 404),
        ("POST", "-/npm/v1/security/advisories", 404),
        ("POST", "-/npm/v1/security/audits/quick", 404),
        ("GET", "-/v1/search?text=x", 404),
        ("PUT", "-/user/org.couchdb.user:me", 405),
        ("GET", "-/whoami", 404),
        ("GET", "", 404),
        ("GET", "../../etc/passwd", 404),
        ("GET", "..%2f..%2fetc%2fpasswd", 404),
        ("GET", "tiny/-/..%2f..%2fx.tgz", 404),
        ("GET", "tiny/-/%2e%2e", 404),
        ("GET", "@acme", 404),
        ("GET", "@acme%2f..", 404),
        ("GET", "@a/b/c/d/e", 404),
        ("GET", "tiny/-/", 404),
        ("GET", "tiny%00", 404),
        ("GET", "tiny%0d%0aX: y", 404),
    ],
)
async def test_everything_but_reading_packages_is_refused(
    open_relay: Open, method: str, path: str, status: int
) -> None:
    relay = await open_relay()
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    target = path.replace(" ", "%20")
    writer.write(
        f"{method} /{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert set(relay.source.asked) <= {"tiny"}


# -- what is known against packages


async def audit(relay: Relay, asked: Any, **headers: str) -> httpx.Response:
    """Ask as npm does."""
    body = gzip.compress(asked if isinstance(asked, bytes) else json.dumps(asked).encode())
    fields = {"content-type": "application/json", "content-encoding": "gzip", **headers}
    return await relay.client.post(f"/{ADVISORIES}", content=body, headers=fields)


async def test_the_registry_is_asked_what_is_known_against_packages(open_relay: Open) -> None:
    relay = await open_relay(path="some/path/")
    relay.source.holes["tiny"] = [HOLE]
    asked = {"tiny": ["1.0.0", "1.1.0-beta.1+x"], "@acme/ui": ["2.0.0"]}
    for _ in range(2):
        answer = await audit(relay, asked)
        assert (answer.status_code, answer.json()) == (200, {"tiny": [HOLE]})
    assert "npm-notice" not in answer.headers
    assert relay.source.audited == [asked, asked], "yesterday's word is none for today"
    assert not relay.stored("documents")
    plain = await relay.client.post(f"/{ADVISORIES}", json={"other": ["1.0.0"]})
    assert (plain.status_code, plain.json()) == (200, {})


async def test_of_what_is_asked_only_names_and_versions_go_out(open_relay: Open) -> None:
    """And of packages that come from elsewhere nothing: this registry knows others of the same name."""
    async with tiny_registry() as acme:
        relay = await open_relay(scopes={"@acme": acme.address})
        text = b'{ "tiny":["1.0.0"],\n"@acme/secret": ["1.0.0"] }'
        answer = await audit(relay, text, authorization="Bearer mine", cookie="a=b")
        assert answer.status_code == 200
        assert answer.headers["npm-notice"].endswith("of other registries: @acme/secret")
        assert relay.source.audited == [{"tiny": ["1.0.0"]}]
        sent = relay.source.headers[-1]
        assert not {"authorization", "cookie"} & set(sent)
        only = await audit(relay, {"@acme/secret": ["1.0.0"]})
        assert only.status_code == 404, "nobody was asked, so nobody said that nothing is known"
        assert only.headers["npm-notice"].endswith(": @acme/secret")
        many = await audit(relay, {f"@acme/p{n:03}": ["1.0.0"] for n in range(200)})
        assert many.headers["npm-notice"].endswith("@acme/p029, and 170 more")
        assert len(relay.source.audited) == 1
        assert not acme.asked


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        [],
        {"tiny": "1.0.0"},
        {"tiny": [1]},
        {"tiny": ["1.0.0", "a word of mine"]},
        {"tiny": [""]},
        {"tiny": ["1" * 300]},
        {"../../x": ["1.0.0"]},
        {"a word of mine": ["1.0.0"]},
        {"t" * 300: ["1.0.0"]},
        {"": ["1.0.0"]},
        {"tiny": {"more": []}},
        b"0" * 50_000_000,
    ],
    ids=lambda asked: str(asked)[:24],
)
async def test_what_is_no_list_of_packages_goes_nowhere(open_relay: Open, asked: Any) -> None:
    relay = await open_relay()
    answer = await audit(relay, asked)
    assert answer.status_code in (400, 413)
    assert answer.json()["error"]
    assert not relay.source.asked


async def test_a_question_that_is_too_large_or_damaged_goes_nowhere(open_relay: Open) -> None:
    relay = await open_relay()
    large = await audit(relay, random.Random(3).randbytes(700_000))
    assert large.status_code == 413
    fields = {"content-encoding": "gzip"}
    damaged = await relay.client.post(f"/{ADVISORIES}", content=b"\x1f\x8bno", headers=fields)
    assert damaged.status_code == 400
    strange = await audit(relay, {"tiny": ["1.0.0"]}, **{"content-encoding": "br"})
    assert strange.status_code == 400
    assert not relay.source.asked


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>Sign in</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n{" + b" " * 8_999_998 + b"}",
    ],
    ids=lambda raw: raw[:70],
)
async def test_a_registry_that_does_not_say_it_is_not_taken_for_one_that_knows_nothing(
    open_relay: Open, raw: bytes
) -> None:
    relay = await open_relay()
    relay.source.raw = raw
    answer = await audit(relay, {"tiny": ["1.0.0"]})
    assert answer.status_code in (401, 404, 502)
    assert answer.json()["error"]


async def test_what_is_known_is_not_asked_of_a_registry_that_is_away_or_where_there_is_none(
    open_relay: Open,
) -> None:
    relay = await open_relay()
    relay.source.hang_up = True
    away = await audit(relay, {"tiny": ["1.0.0"]})
    assert (away.status_code, away.json()["error"][:10]) == (502, "ECONNRESET")
    none = await open_relay(npm="")
    assert (await audit(none, {"tiny": ["1.0.0"]})).status_code == 404
    off = await open_relay(rules=NetworkRules("none"))
    assert (await audit(off, {"tiny": ["1.0.0"]})).status_code == 403
    assert not off.source.asked


async def test_without_network_there_are_no_packages(open_relay: Open) -> None:
    relay = await open_relay(rules=NetworkRules("none"))
    answer = await relay.get("tiny")
    assert answer.status_code == 403
    assert "switched off" in answer.json()["error"]
    assert not relay.source.asked


def test_without_a_registry_it_is_said() -> None:
    with pytest.raises(ProblemError):
        parse_target("GET", "/.hidden")
    assert parse_target("GET", "/JSONStream") == Resource("package", "JSONStream")


async def test_no_known_registry_is_said(open_relay: Open) -> None:
    relay = await open_relay(npm="")
    assert (await relay.get("tiny")).status_code == 404


# -- many at once, and room on the disk


async def test_the_same_is_fetched_once_for_all_who_ask(open_relay: Open) -> None:
    relay = await open_relay()
    relay.source.hold = asyncio.Event()
    asking = [asyncio.create_task(relay.get("tiny/-/tiny-1.0.0.tgz")) for _ in range(10)]
    leaving = asyncio.create_task(relay.get("tiny", **SHORT))
    await until(lambda: relay.source.asked, "the registry is asked")
    leaving.cancel()
    relay.source.hold.set()
    answers = await asyncio.gather(*asking)
    assert {answer.content for answer in answers} == set(relay.source.tarballs.values())
    assert relay.source.asked == {"tiny": 1, "tiny/-/tiny-1.0.0.tgz": 1}


async def test_large_files_come_in_pieces(open_relay: Open) -> None:
    relay = await open_relay()
    text = "//" + random.Random(1).randbytes(4_000_000).hex()
    tarball = relay.source.publish("large", "1.0.0", text)
    assert len(tarball) > 3_000_000
    relay.source.documents["large"]["noise"] = text
    assert (await relay.get("large/-/large-1.0.0.tgz")).content == tarball
    assert (await relay.get("large", **{"accept-encoding": "identity"})).json()["noise"] == text
    assert (await relay.get("large")).json()["noise"] == text
    assert (await relay.client.head("/large")).status_code == 200


async def test_a_large_description_does_not_hold_the_loop(open_relay: Open) -> None:
    relay = await open_relay()
    relay.source.publish("huge", "0.0.0")
    document = relay.source.documents["huge"]
    entry = document["versions"]["0.0.0"]
    for number in range(12_000):
        dist = {
            **entry["dist"],
            "tarball": entry["dist"]["tarball"].replace("0.0.0", f"1.{number}.0"),
        }
        document["versions"][f"1.{number}.0"] = {**entry, "dist": dist, "text": "x" * 800}
    raw = json.dumps(document).encode()
    assert len(raw) > 12_000_000
    relay.source.raw = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    ).encode() + raw
    longest, ended = 0.0, False

    async def watch() -> None:
        nonlocal longest
        while not ended:
            # The processor's time of this thread: what else the machine does is not ours.
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    watching = asyncio.create_task(watch())
    answer = await relay.npm.answer("GET", "/huge", SHORT)
    ended = True
    await watching
    assert answer.status == 200
    answer.close()
    assert longest < 0.15  # at once on the loop it takes three times that


async def test_size_and_cleaning_by_last_use(open_relay: Open) -> None:
    relay = await open_relay()
    assert await relay.npm.size() == 0
    relay.source.publish("old", "1.0.0")
    await relay.get("old/-/old-1.0.0.tgz")
    relay.age(1000)
    await relay.get("tiny/-/tiny-1.0.0.tgz")
    size = await relay.npm.size()
    assert size == sum(path.stat().st_size for path in relay.store.rglob("*") if path.is_file())
    freed = await relay.npm.clean(500.0)
    assert 0 < freed < size
    assert await relay.npm.size() == size - freed
    relay.source.hang_up = True
    assert (await relay.get("tiny/-/tiny-1.0.0.tgz")).status_code == 200
    assert (await relay.get("old/-/old-1.0.0.tgz")).status_code == 502
    await relay.npm.clean(0.0)
    assert await relay.npm.size() == 0


async def test_use_is_noted(open_relay: Open) -> None:
    relay = await open_relay(fresh_seconds=1e9)
    await relay.get("tiny/-/tiny-1.0.0.tgz")
    relay.age(1000)
    await relay.get("tiny/-/tiny-1.0.0.tgz")
    await relay.get("tiny", **SHORT)
    assert await relay.npm.clean(500.0) == 0


async def test_too_much_makes_room_by_last_use(open_relay: Open) -> None:
    relay = await open_relay(max_bytes=120_000)
    noise = random.Random(2)
    for number in range(6):
        relay.source.publish(f"p{number}", "1.0.0", f"//{noise.randbytes(20_000).hex()}")
        await relay.get(f"p{number}/-/p{number}-1.0.0.tgz")
        relay.age(100)
    assert await relay.npm.size() <= 120_000
    relay.source.hang_up = True
    assert (await relay.get("p5/-/p5-1.0.0.tgz")).status_code == 200
    assert (await relay.get("p0/-/p0-1.0.0.tgz")).status_code == 502


async def test_leftovers_of_a_killed_run_are_removed(open_relay: Open) -> None:
    relay = await open_relay()
    await relay.get("tiny")
    (document,) = relay.stored("documents")
    part = document.with_name(".part-old")
    part.write_bytes(b"x")
    os.utime(part, (0, 0))
    await relay.npm.clean(3600.0)
    assert not part.exists()
    assert document.exists()


async def test_a_store_that_cannot_be_written_is_said(open_relay: Open, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    relay = await open_relay(store=blocked / "store")
    answer = await relay.get("tiny")
    assert answer.status_code == 500
    assert answer.json()["error"] == "ENOTDIR: the package store cannot be used."


# -- the real npm, with the tiny registry


@pytest.fixture(scope="module")
def toolchain() -> NodeToolchain:
    return find_toolchains()[0]


async def npm(toolchain: NodeToolchain, folder: Path, relay: Relay, *arguments: str) -> Any:
    home = folder.with_name("npm-home")
    environment = {
        "PATH": f"{toolchain.node.parent}:/usr/bin:/bin",
        "HOME": str(home),
        "npm_config_registry": f"http://127.0.0.1:{relay.port}/",
        "npm_config_userconfig": str(home / "npmrc"),
        "npm_config_globalconfig": str(home / "global-npmrc"),
        "npm_config_cache": str(home / "cache"),
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "npm_config_fetch_retries": "0",
        "npm_config_replace_registry_host": "always",
        "npm_config_omit_lockfile_registry_resolved": "true",
    }

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*toolchain.npm, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return await asyncio.to_thread(run)


async def test_npm_installs_and_says_what_is_wrong(
    open_relay: Open, toolchain: NodeToolchain, tmp_path: Path
) -> None:
    relay = await open_relay()
    relay.source.publish("user", "1.0.0", dependencies={"tiny": "^1.0.0"})
    folder = tmp_path / "app"
    folder.mkdir()
    done = await npm(toolchain, folder, relay, "install", "user@1.0.0", "--save-exact")
    assert done.returncode == 0, done.stderr
    assert (folder / "node_modules" / "tiny" / "index.js").read_text()
    lock = json.loads((folder / "package-lock.json").read_text())
    assert not any("resolved" in entry for entry in lock["packages"].values())
    absent = await npm(toolchain, folder, relay, "install", "absent")
    assert "E404" in absent.stderr
    relay.source.hang_up = True
    away = await npm(toolchain, folder, relay, "install", "another")
    assert "E502" in away.stderr
    assert "ECONNRESET: the package registry cannot be reached." in away.stderr
    again = await npm(toolchain, folder, relay, "ci")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("names", [["tiny", "@acme/ui"], ["@acme/ui"]], ids=["some", "all"])
async def test_a_security_review_says_which_packages_nobody_was_asked_about(
    open_relay: Open, toolchain: NodeToolchain, tmp_path: Path, names: list[str]
) -> None:
    async with tiny_registry() as acme:
        acme.publish("@acme/ui", "1.0.0")
        relay = await open_relay(scopes={"@acme": acme.address})
        relay.source.holes["tiny"] = [HOLE]
        folder = tmp_path / "app"
        folder.mkdir()
        done = await npm(toolchain, folder, relay, "install", *names)
        assert done.returncode == 0, done.stderr

        async def run(argv: list[str]) -> tuple[int, list[str]]:
            ended = await npm(toolchain, folder, relay, *argv[1:])
            return ended.returncode, f"{ended.stderr}\n{ended.stdout}".splitlines()

        found = await audit_packages(run, load_template("react-vite"), {})
    *holes, unasked = found
    assert [issue.code for issue in holes] == ["vulnerable_package"] * (len(names) - 1)
    assert (unasked.code, unasked.severity, unasked.file) == (
        "audit_incomplete",
        "warning",
        "package.json",
    )
    assert unasked.message.startswith("These packages were not looked at: @acme/ui. ")


async def test_npm_audits_an_app_through_it(
    open_relay: Open, toolchain: NodeToolchain, tmp_path: Path
) -> None:
    relay = await open_relay()
    relay.source.publish("tiny", "2.0.0")
    folder = tmp_path / "app"
    folder.mkdir()
    await npm(toolchain, folder, relay, "install", "tiny@1.0.0", "--save-exact")
    clean = await npm(toolchain, folder, relay, "audit", "--omit=dev", "--json")
    assert json.loads(clean.stdout)["vulnerabilities"] == {}
    relay.source.holes["tiny"] = [HOLE]
    found = await npm(toolchain, folder, relay, "audit", "--omit=dev", "--json")
    entry = json.loads(found.stdout)["vulnerabilities"]["tiny"]
    assert (entry["severity"], entry["fixAvailable"]["version"]) == ("high", "2.0.0")
    assert relay.source.audited == [{"tiny": ["1.0.0"]}] * 2
    relay.source.hang_up = True
    away = await npm(toolchain, folder, relay, "audit", "--omit=dev", "--json")
    assert "vulnerabilities" not in json.loads(away.stdout)
