"""Any stream, however it is cut, gives the same result, writes nowhere else and costs linear time."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibedesk.engine.scof import ScofEvent, ScofParser, parse_scof
from vibedesk.engine.scof.apply import apply_scof

PIECES = st.sampled_from(
    [
        *(
            "cat > a.ts <<'EOF'\n",
            "cat > b/c.ts << EOF\r\n",
            "cat>>a.ts<<EOF\n",
            "cat <<-'E' > d\n",
        ),
        *(
            "cat > a.ts\n",
            "<<'EOF'\n",
            'tee x <<"END OF\n',
            "cat <<'E' | patch a.ts\n",
            "patch -p1 <<E\n",
        ),
        *(
            "EOF\n",
            "EOF",
            "EO",
            "E\n",
            "\tE ;\n",
            "END OF\n",
            " EOF\n",
            "EOF \t;;\r\n",
            "eof\n",
            "\n",
            "\r\n",
        ),
        *(
            "@@ -1 +1 @@\n",
            "-x\n",
            "+y\n",
            " z\n",
            "--- a/a.ts\n",
            "+++ b/a.ts\n",
            "x\n",
            "z",
            "```bash\n",
        ),
        *(
            "rm a.ts\n",
            "mv a.ts b/\n",
            "rm -rf b\n",
            "npm install zod a.b @x/y@1\n",
            "pip install q \\\n",
        ),
        *(
            "cat > ../up <<EOF\n",
            "cat > .git/x <<E\n",
            "rm /etc/passwd\n",
            "cat > 'a b\" <<''\n",
            "$ ",
            "\\",
        ),
        *(
            "😀",
            "\ud83d",
            "\ude00",
            "\ufeff",
            "é\u2028",
            "\x00",
            "'",
            '"',
            "<<",
            "> ",
            "; ",
            " && ",
            "# ",
        ),
    ]
)
STREAMS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=80)


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def events_of(chunks: list[str]) -> list[ScofEvent]:
    parser = ScofParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return [*events, *parser.close()]


def without_chunks(events: list[ScofEvent]) -> list[tuple[str, str, str, str, bool]]:
    # Where bad bytes are first noticed depends on the cut; that they were, does not.
    told = [(e.kind, e.path, e.mode, e.text, e.truncated) for e in events if e.kind != "chunk"]
    return sorted(told, key=lambda each: "no text" in each[3] and each[0] == "warning")


@settings(max_examples=600, deadline=None)
@given(text=STREAMS, places=st.lists(st.integers(0, 1000), max_size=12))
def test_the_result_does_not_depend_on_the_chunking(text: str, places: list[int]) -> None:
    whole = events_of([text])
    for chunks in (cut(text, places), list(text)):
        assert without_chunks(events_of(chunks)) == without_chunks(whole)
        assert parse_scof(chunks).to_dict() | {"warnings": 0} == (
            parse_scof([text]).to_dict() | {"warnings": 0}
        )
        assert sorted(parse_scof(chunks).warnings) == sorted(parse_scof([text]).warnings)


@settings(max_examples=400, deadline=None)
@given(text=STREAMS, places=st.lists(st.integers(0, 1000), max_size=12))
def test_chunks_add_up_to_the_body_of_their_end(text: str, places: list[int]) -> None:
    open_path: str | None = None
    came: list[str] = []
    for event in events_of(cut(text, places)):
        if event.kind == "start":
            assert open_path is None
            open_path, came = event.path, []
        elif event.kind == "chunk":
            assert event.path == open_path
            assert event.text
            came.append(event.text)
        elif event.kind == "end":
            assert event.path == open_path
            assert "".join(came) == event.text
            open_path = None
    assert open_path is None


@settings(max_examples=400, deadline=None)
@given(text=STREAMS)
def test_every_result_is_valid_text_with_safe_paths(text: str) -> None:
    result = parse_scof([text])
    paths = [*result.files, *result.deleted, *(path for pair in result.renamed for path in pair)]
    paths += [each["path"] for each in result.patches] + [each["path"] for each in result.appends]
    for path in paths:
        assert not path.startswith("/")
        assert not {"..", ".git", ""} & set(path.split("/"))
    for content in result.files.values():
        content.encode()


@settings(max_examples=150, deadline=None)
@given(text=STREAMS)
def test_nothing_is_written_outside_the_folder(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("apply")
    outside, project = base / "outside", base / "project"
    outside.mkdir()
    project.mkdir()
    (outside / "c.ts").write_text("kept")
    (project / "b").symlink_to(outside)
    (project / "a.ts").symlink_to(outside / "c.ts")
    apply_scof(parse_scof([text]), project)
    assert {path.name for path in base.iterdir()} == {"outside", "project"}
    assert [path.name for path in outside.iterdir()] == ["c.ts"]
    assert (outside / "c.ts").read_text() == "kept"


def seconds_for(text: str, size: int) -> float:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        parse_scof(pieces)
        best = min(best, time.process_time() - started)
    return best


LONG_INPUTS = {
    "one line in a body": lambda n: "cat > a <<'EOF'\n" + "x" * n + "\nEOF\n",
    "one line of prose": lambda n: "x" * n,
    "one command line": lambda n: "cat > " + "x " * (n // 2),
    "a long marker": lambda n: f"cat > a <<'{'E' * n}'\n{'E' * n}",
    "blanks behind the marker": lambda n: "cat > a <<EOF\nEOF" + " " * n + "x\nEOF\n",
    "indent before the marker": lambda n: "cat > a <<-EOF\n" + "\t" * n + "x\nEOF\n",
    "empty lines with <<-": lambda n: "cat > a <<-EOF\n" + "\n" * n + "EOF\n",
    "almost the marker": lambda n: "cat > a <<EOF\n" + "EOFx\n" * (n // 5) + "EOF\n",
    "quotes": lambda n: "npm install " + "'\"\\" * (n // 3) + "\n",
    "forgiven quotes": lambda n: "cat > " + "'a<\"" * (n // 4) + " <<EOF\n",
    "continuations": lambda n: "npm install a \\\n" * (n // 16),
    "appends": lambda n: "cat > a <<E\n\nE\n" + "cat >> a <<E\nx\nE\n" * (n // 17),
    "removals": lambda n: "cat > a/b <<E\nE\n" * (n // 30) + "rm a\n" * (n // 10),
}


@pytest.mark.parametrize("name", LONG_INPUTS)
def test_cost_is_linear(name: str) -> None:
    make = LONG_INPUTS[name]
    small, large = seconds_for(make(60_000), 20), seconds_for(make(480_000), 20)
    # Eight times the text: quadratic work would take 64 times as long.
    assert large < 24 * small + 0.2


def test_a_line_of_ten_megabytes_in_small_chunks() -> None:
    body = "x" * 10_000_000
    text = f"cat > a.js <<'EOF'\n{body}\nEOF\n"
    started = time.process_time()
    result = parse_scof(text[at : at + 20] for at in range(0, len(text), 20))
    assert result.files == {"a.js": body + "\n"}
    assert time.process_time() - started < 10
