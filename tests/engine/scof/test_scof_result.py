"""Commands, packages, and what a stream comes to when order counts."""

from __future__ import annotations

import pytest

from tests.support.recordings import recording
from vibedesk.engine.scof import ScofParser, ScofResult, parse_scof
from vibedesk.engine.scof.events import InstallPackages, RenamePath
from vibedesk.engine.scof.result import ScofCollector

PATCH = "@@ -1,2 +1,2 @@\n a\n-b\n+B\n"


def full(path: str, body: str) -> str:
    return f"cat > {path} <<'EOF'\n{body}EOF\n"


def patch(path: str, diff: str = PATCH) -> str:
    return f"cat <<'EOF' | patch {path}\n{diff}EOF\n"


def append(path: str, body: str) -> str:
    return f"cat >> {path} <<'EOF'\n{body}EOF\n"


@pytest.mark.parametrize(
    ("line", "packages"),
    [
        ("npm install zod@4", ["zod@4"]),
        ("$ npm i -D zod '@types/node@^22' \"react@>=19 <20\"", ["zod", "@types/node@^22", "react@>=19 <20"]),
        ("pnpm add -D vitest --filter web", ["vitest"]),
        ("yarn add a b a", ["a", "b"]),
        ("bun add left-pad", ["left-pad"]),
        ("pip install flask>=3.0 'uvicorn[standard]==0.30' -r more.txt", ["flask>=3.0", "uvicorn[standard]==0.30"]),
        ("python -m pip install httpx", ["httpx"]),
        ("uv add httpx", ["httpx"]),
        ("npm install --registry http://evil/ zod", ["zod"]),
        ("npm install zod 2>/dev/null # quiet", ["zod"]),
        ("npm install zod && npm install zod ky; npm i p", ["zod", "ky", "p"]),
        ("npm install a \\\n  b \\\n  c", ["a", "b", "c"]),
        ("npm install ../x git+https://x.y/z user/repo ok $(id) `id`", ["ok"]),
        ("npm install is what you need", []),
        ("npm install the following packages:", []),
    ],
)  # fmt: skip
def test_package_lines_become_specs(line: str, packages: list[str]) -> None:
    for chunks in ([line], list(line + "\n")):
        result = parse_scof(chunks)
        assert result.install_commands == packages
        assert result.commands == []


def test_packages_are_named_once_each_in_order() -> None:
    result = parse_scof(["npm install b a\nyarn add a c\npnpm install b\n"])
    assert result.install_commands == ["b", "a", "c"]


@pytest.mark.parametrize(
    "line", ["npm install", "npm ci", "npm run build", "npx create-vite .", "mkdir -p a", "echo x > y",
             "git init", "curl x | sh", "npm uninstall zod", "touch a.ts", "cat a.ts", "npm i -g pnpm"]
)  # fmt: skip
def test_other_commands_are_reported(line: str) -> None:
    result = parse_scof([f"$ {line}\n"])
    assert result.commands == [line]
    assert result.install_commands == []


@pytest.mark.parametrize(
    "line", ["Run npm install zod", "- npm install zod", "`npm install zod`", "# npm install zod",
             "npm: it is a tool", "> rm a", "Remove it with rm a", "npm, install", "catalog > x"]
)  # fmt: skip
def test_prose_is_no_command(line: str) -> None:
    result = parse_scof([f"{line}\n"])
    assert result == ScofResult()


def test_commands_are_told_as_values() -> None:
    events = ScofParser().feed("npm i -D zod\nmv a b c/\n")
    assert [event.command for event in events] == [
        InstallPackages("npm", ("zod",), development=True),
        RenamePath("a", "c/a"),
        RenamePath("b", "c/b"),
    ]


def test_file_operations() -> None:
    result = parse_scof(["rm -rf 'a b' -- -c d/\nmv x y\nmv -f x2 d/\ngit mv e f\ngit rm g\n"])
    assert result.deleted == ["a b", "-c", "d", "g"]
    assert result.renamed == [["x", "y"], ["x2", "d/x2"], ["e", "f"]]
    assert result.commands == []


def test_a_patch_of_a_written_file_shows_only_in_files() -> None:
    result = parse_scof([full("f", "a\nb\n") + patch("f")])
    assert (result.files, result.patches) == ({"f": "a\nB\n"}, [])


def test_a_patch_of_another_file_stays_a_patch() -> None:
    result = parse_scof([patch("f") + patch("f") + append("g", "x\n")])
    assert result.patches == [{"path": "f", "diff": PATCH}] * 2
    assert result.appends == [{"path": "g", "text": "x\n"}]


def test_a_later_whole_write_drops_what_came_before() -> None:
    result = parse_scof([patch("f") + append("f", "x\n") + "rm f\n" + full("f", "new\n")])
    assert (result.files, result.patches, result.appends, result.deleted) == (
        {"f": "new\n"},
        [],
        [],
        [],
    )


def test_an_append_to_a_written_file_extends_it() -> None:
    result = parse_scof([full("f", "a\n") + append("f", "b\n") + patch("f") + append("f", "c\n")])
    assert (result.files, result.appends) == ({"f": "a\nB\nc\n"}, [])


def test_removing_and_moving_what_was_written() -> None:
    result = parse_scof(
        [full("a", "1\n") + full("b", "2\n") + patch("c") + "rm a\nmv b d\nmv c e\n"]
    )
    assert result.files == {"d": "2\n"}
    assert result.deleted == ["a"]
    assert result.renamed == [["b", "d"], ["c", "e"]]
    assert [each["path"] for each in result.patches] == ["e"]


def test_removing_a_folder_removes_what_was_written_below_it_before() -> None:
    result = parse_scof([full("src/old/a", "1\n") + "rm -rf src/old\n" + full("src/old/b", "2\n")])
    assert result.files == {"src/old/b": "2\n"}


def test_a_patch_that_does_not_fit_leaves_the_written_file_and_is_told() -> None:
    result = parse_scof([full("f", "x\n") + patch("f")])
    assert (result.files, result.refused, result.patches) == ({"f": "x\n"}, ["f"], [])
    assert "no_match" in result.warnings[0]


def test_an_already_applied_patch_is_done_with_a_warning() -> None:
    result = parse_scof([full("f", "a\nB\n") + patch("f")])
    assert (result.files, result.refused) == ({"f": "a\nB\n"}, [])
    assert "already_applied" in result.warnings[0]


def test_a_finished_file_sent_again_replaces_itself() -> None:
    result = parse_scof([full("f", "1\n") + full("f", "2\n") + "cat > f <<'EOF'\nhalf"])
    assert (result.files, result.truncated, result.partial) == ({"f": "2\n"}, "f", "half")


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_truncated_recording_continued_equals_the_whole(size: int) -> None:
    folder = recording("recipe-finder")
    collector = ScofCollector()
    for name in ("02-implement-1.truncated.scof", "02b-continue.scof"):
        text = (folder / name).read_text(encoding="utf-8")
        parser = ScofParser()
        for at in range(0, len(text), size):
            for event in parser.feed(text[at : at + size]):
                collector.add(event)
        for event in parser.close():
            collector.add(event)
        if "truncated" in name:
            assert parser.truncated_path == collector.result().truncated == "src/data/recipes.ts"
            assert "src/data/recipes.ts" not in collector.result().files
            assert text.endswith(collector.result().partial)
    whole = parse_scof([(folder / "02-implement-1.scof").read_text(encoding="utf-8")])
    assert collector.result().files == whole.files
    assert collector.result().patches == whole.patches
    assert collector.result().truncated is None


def test_a_reply_to_continue_may_go_on_with_the_next_files() -> None:
    collector = ScofCollector()
    for text in (full("a", "1\n") + "cat > b <<'EOF'\nha", full("c", "3\n")):
        parser = ScofParser()
        for event in [*parser.feed(text), *parser.close()]:
            collector.add(event)
    assert collector.result().files == {"a": "1\n", "c": "3\n"}
    assert collector.result().truncated == "b"
