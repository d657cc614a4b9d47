from __future__ import annotations

import itertools
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.sandboxes.egress.hellos import (
    GREASE,
    hello,
    message,
    real_hello,
    records,
    server_name,
    vector,
)
from vibedesk.engine.sandboxes.egress.client_hello import (
    LARGEST_MESSAGE,
    ClientHello,
    NotHelloError,
)

NAME = b"api.example.com"


def read(data: bytes) -> str | None:
    return ClientHello().feed(data)


@pytest.mark.parametrize(
    "name", ["api.example.com", "xn--bcher-kva.example", "a" * 63 + ".example"]
)
def test_the_name_in_a_real_hello_is_read(name: str) -> None:
    assert read(real_hello(name)) == name


@pytest.mark.parametrize("name", [None, "127.0.0.1", "::1"])
def test_real_hellos_without_a_name_have_none(name: str | None) -> None:
    assert read(real_hello(name)) == ""


def test_the_oldest_form_has_no_extensions() -> None:
    assert read(records(message(None))) == ""
    assert read(records(message([]))) == ""


kinds = st.integers(1, 0xFFFF)
extension_lists = st.lists(
    st.tuples(kinds, st.binary(max_size=60)), max_size=60, unique_by=itemgetter(0)
)


@given(
    extensions=extension_lists,
    at=st.integers(0, 60),
    cuts=st.lists(st.integers(0, 5000), max_size=20),
    pieces=st.lists(st.integers(0, 6000), max_size=20),
    after=st.binary(max_size=50),
)
def test_how_it_is_cut_and_what_is_around_the_name_does_not_matter(
    extensions: list[tuple[int, bytes]],
    at: int,
    cuts: list[int],
    pieces: list[int],
    after: bytes,
) -> None:
    extensions.insert(at, server_name(NAME))
    raw = records(message([(GREASE, b""), *(e for e in extensions if e[0] != GREASE)]), cuts)
    edges = [0, *sorted(cut for cut in pieces if cut < len(raw)), len(raw)]
    reader = ClientHello()
    *early, last = [raw[start:end] for start, end in itertools.pairwise(edges)]
    if early:
        for piece in early:
            assert reader.feed(piece) is None
    assert reader.feed(last + after) == NAME.decode()


@given(end=st.integers(0, len(hello(NAME)) - 1))
def test_a_hello_that_is_not_whole_yet_is_waited_for(end: int) -> None:
    assert read(hello(NAME)[:end]) is None


@given(end=st.integers(1, len(message([server_name(NAME)])) - 5))
def test_a_hello_whose_message_is_cut_off_is_none(end: int) -> None:
    body = message([server_name(NAME)])[4:][:end]
    try:
        assert read(records(b"\x01" + vector(body, 3))) == ""
    except NotHelloError:
        return
    # The one place where it may end: before its extensions.
    assert len(body) == 2 + 32 + 33 + 6 + 2


@given(data=st.binary(max_size=400))
def test_garbage_is_refused_or_waited_for(data: bytes) -> None:
    for raw in (data, records(data) if data else b"", records(b"\x01" + vector(data, 3))):
        try:
            found = read(raw)
        except NotHelloError:
            continue
        assert found is None or found == "" or found.encode() in data


@given(
    at=st.integers(0, len(real_hello("api.example.com")) - 1),
    value=st.integers(0, 255),
)
def test_one_byte_that_is_wrong_breaks_nothing(at: int, value: int) -> None:
    raw = bytearray(real_hello("api.example.com"))
    raw[at] = value
    reader = ClientHello()
    try:
        found = reader.feed(bytes(raw))
    except NotHelloError:
        return
    assert found is None or found.isascii()


@pytest.mark.parametrize(
    "raw",
    [
        b"G",
        b"\x15\x03\x01\x00\x02\x01\x00" + hello(NAME),
        b"\x80\x2e\x01\x03\x01",
        b"\x16\x02",
        b"\x16\x03\x01\x00\x00" + hello(NAME),
        b"\x16\x03\x01\x40\x01",
        records(b"\x02" + message([server_name(NAME)])[1:]),
        records(b"\x01" + (LARGEST_MESSAGE).to_bytes(3, "big")),
        records(message([server_name(NAME)]) + message([server_name(b"evil.example")])),
        records(message([server_name(NAME)], after=b"x")),
        records(message([server_name(NAME), server_name(b"evil.example")])),
        records(message([(0x1234, b""), (0x1234, b""), server_name(NAME)])),
        records(message([server_name(NAME, kind=1)])),
        records(message([server_name(b"")])),
        records(message([server_name("äpi.example".encode())])),
        records(message([(0, b"")])),
        records(message([(0, b"\x00\x00")])),
        records(message([(0, server_name(NAME)[1] + b"x")])),
        records(message([(0, vector(b"\x00" + vector(NAME, 2) + b"\x00" + vector(NAME, 2), 2))])),
    ],
)
def test_what_could_be_read_in_two_ways_is_none(raw: bytes) -> None:
    with pytest.raises(NotHelloError):
        read(raw)


def test_tiny_records_and_pieces_of_a_large_hello_cost_little() -> None:
    whole = message([(0x15, bytes(15_000)), server_name(NAME)])
    reader = ClientHello()
    found = [reader.feed(bytes([byte])) for byte in records(whole, range(len(whole)))]
    assert found[-1] == NAME.decode()
    assert set(found[:-1]) == {None}
