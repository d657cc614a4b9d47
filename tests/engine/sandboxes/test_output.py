"""Lines from bytes: any chunking gives the same, in bounded memory."""

from __future__ import annotations

import time

from hypothesis import example, given
from hypothesis import strategies as st

from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS, FloodGate, LineSplitter, strip_ansi

_PIECES = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b"a", b" ", "ü".encode(), "😀".encode(), b"\xff", b"\x1b[31m", b"\x1b", b"\x1b]0;t\x07", b"\x00"]
)  # fmt: skip


def split(chunks: list[bytes], longest: int = MAX_LINE_CHARS) -> list[str]:
    splitter = LineSplitter(longest)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + splitter.close()


@given(st.lists(_PIECES, max_size=60).map(b"".join), st.integers(1, 7))
@example(b"a\r\nb\r\n", 2)
def test_the_lines_do_not_depend_on_the_chunking(data: bytes, size: int) -> None:
    whole = split([data])
    assert split([data[i : i + size] for i in range(0, len(data), size)]) == whole
    assert len(whole) == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    assert not any(ord(c) < 32 or ord(c) == 127 for line in whole for c in line if c != "\t")


def test_colours_links_and_titles_are_taken_out() -> None:
    coloured = "".join(f"\x1b[38;5;{i % 256}m{c}\x1b[39m" for i, c in enumerate("error: x" * 900))
    assert split([coloured.encode() + b"\n"]) == ["error: x" * 900]
    assert (
        strip_ansi("\x1b]8;;https://x\x1b\\text\x1b]8;;\x1b\\ \x1b(B\x9b1mbold\x1b[?25h")
        == "text bold"
    )
    assert strip_ansi("tab\tstays [31m too") == "tab\tstays [31m too"


def test_a_long_line_is_cut_and_says_so() -> None:
    [line] = split([b"y" * 100_000 + b"\n"])
    assert line == "y" * MAX_LINE_CHARS + " … (line cut)"
    assert split([b"y" * MAX_LINE_CHARS]) == ["y" * MAX_LINE_CHARS]


def test_a_line_that_is_wanted_whole_is_cut_later() -> None:
    assert split([b"y" * 200_000, b"z\nnext"], 200_001) == ["y" * 200_000 + "z", "next"]
    [line] = split([b"y" * 200_000, b"zz\n"], 200_001)
    assert line == "y" * 200_000 + "z … (line cut)"


def test_hostile_output_costs_linear_time() -> None:
    for hostile in (
        b"\x1b]" * 5_000_000,
        b"\x1b[" * 5_000_000,
        b"\r" * 10_000_000,
        b"\x1b[1;" * 2_500_000,
    ):
        began = time.process_time()
        split([hostile[i : i + 65536] for i in range(0, len(hostile), 65536)])
        assert time.process_time() - began < 2


def test_a_flood_is_thinned_and_counted() -> None:
    gate = FloodGate(3)
    shown = [text for number in range(10) for text in gate.admit(str(number), 7.1 + number / 100)]
    assert shown == ["0", "1", "2"]
    assert gate.admit("later", 8.0) == ["… 7 lines left out: too many in a second", "later"]
    assert gate.close() == []
