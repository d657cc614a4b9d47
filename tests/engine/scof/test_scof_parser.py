"""What the parser makes of a stream: bodies, headers as models write them, and when events come."""

from __future__ import annotations

import pytest

from vibedesk.engine.scof import ScofEvent, ScofParser, parse_scof

HEADERS = [
    "cat > src/App.tsx <<'EOF'",
    'cat > src/App.tsx <<"EOF"',
    "cat > src/App.tsx <<EOF",
    "cat > src/App.tsx << EOF",
    "cat > 'src/App.tsx' <<'EOF'",
    'cat > "src/App.tsx" <<EOF',
    "cat > 'src/App.tsx\" <<'EOF'",
    "cat > \"src/App.tsx' <<\"EOF'",
    "cat > src/App.tsx <<'EOF\"",
    "cat > src/App.tsx <<'EOF",
    'cat > src/App.tsx <<"EOF',
    'cat > "src/App.tsx <<EOF',
    "cat>src/App.tsx<<EOF",
    "cat >| src/App.tsx <<\\EOF",
    "cat <<EOF > src/App.tsx",
    "cat <<'EOF' >\"src/App.tsx\"",
    "cat <<'EOF > src/App.tsx",
    "cat <<'EOF' | tee src/App.tsx > /dev/null",
    "cat > src/App.tsx\n<<'EOF'",
    "cat <<-EOF > src/App.tsx",
    "tee src/App.tsx <<EOF",
    "tee src/App.tsx > /dev/null <<'EOF'",
    "sudo tee src/App.tsx <<'EOF'",
    "mkdir -p src && cat > src/App.tsx <<EOF",
    "$ cat > src/App.tsx <<'EOF'",
    "  cat > src/App.tsx <<'EOF'  ",
    "cat > src/App.tsx <<'EOF' # it's a comment",
    "cat > src/App.tsx <<'EOF'; echo hi",
    "cat > src/App.tsx 2>/dev/null <<'EOF'",
    "cat > src/App.tsx <<'EOF' 2>&1",
    "cat > src/App.tsx \\\n  <<'EOF'",
    "cat \\\r\n > src/App.tsx \\ \r\n <<EOF",
    "cat > ./src//App.tsx <<'EOF'",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_form_of_header_opens_the_file(header: str, newline: str) -> None:
    stream = f"{header}\nconst a = 1\nEOF\nsome prose\n".replace("\r\n", "\n").replace(
        "\n", newline
    )
    for chunks in ([stream], list(stream)):
        result = parse_scof(chunks)
        assert result.files == {"src/App.tsx": f"const a = 1{newline}"}
        assert (result.refused, result.truncated, result.warnings) == ([], None, [])


@pytest.mark.parametrize(
    "path",
    [
        *("my file.txt", "src/routes/$id.tsx", "app/[slug]/page.tsx", "app/(group)/@modal/x.tsx"),
        *(
            "src/été.ts",
            "文件/名.ts",
            "a&b.ts",
            "[[...slug]].tsx",
            "a{b}.ts",
            "a,b=c+d!.ts",
            "😀.md",
        ),
    ],
)
@pytest.mark.parametrize(
    "header",
    [
        *("cat > {} <<'EOF'", "cat > '{}' <<EOF", 'cat > "{}" <<"EOF"', "cat <<EOF > {}"),
        *("tee {} <<EOF", "cat > '{}\" <<EOF", "cat>{}<<EOF", "cat <<'EOF' >> ./{}"),
    ],
)
def test_unusual_paths_are_kept(path: str, header: str) -> None:
    result = parse_scof([header.format(path) + "\nx\nEOF\n"])
    appended = [each["path"] for each in result.appends]
    assert [*result.files, *appended] == [path]
    assert result.warnings == []


@pytest.mark.parametrize(
    "header", ["patch f.ts <<EOF", "patch -p1 f.ts <<EOF", "cat <<'EOF' | patch f.ts",
               "cat <<EOF | patch -p 1 -u f.ts -", "cat <<EOF |patch 'f.ts\"", "patch f.ts\n<<EOF",
               "patch -p1 <<EOF", "git apply <<'EOF'"]
)  # fmt: skip
def test_every_form_of_patch_names_its_file(header: str) -> None:
    result = parse_scof([f"{header}\n--- a/f.ts\n+++ b/f.ts\n@@ -1 +1 @@\n-a\n+b\nEOF\n"])
    assert [each["path"] for each in result.patches] == ["f.ts"]
    assert result.patches[0]["diff"].endswith("@@ -1 +1 @@\n-a\n+b\n")
    assert (result.files, result.commands, result.warnings) == ({}, [], [])


@pytest.mark.parametrize(
    ("closing", "closes"),
    [
        *(
            ("EOF\n", True),
            ("EOF", True),
            ("EOF \t\n", True),
            ("EOF;\n", True),
            ("EOF ;; \r\n", True),
        ),
        *(
            (" EOF\n", False),
            ("\tEOF\n", False),
            ("eof\n", False),
            ("EOF x\n", False),
            ("EOF2\n", False),
        ),
        *(("'EOF'\n", False), ("EO\n", False), ("xEOF\n", False), ("EOF)\n", False)),
    ],
)
def test_only_the_marker_itself_closes(closing: str, closes: bool) -> None:
    for chunks in ([f"cat > a <<EOF\nx\n{closing}"], list(f"cat > a <<EOF\nx\n{closing}")):
        result = parse_scof(chunks)
        if closes:
            assert (result.files, result.truncated) == ({"a": "x\n"}, None)
        else:
            assert (result.files, result.truncated) == ({}, "a")
            assert result.partial == f"x\n{closing}"


def test_dash_frees_the_closing_line_and_keeps_the_body() -> None:
    result = parse_scof(["cat <<-'EOF' > a\n\tx\n    y\n\t EOF\n"])
    assert result.files == {"a": "\tx\n    y\n"}


@pytest.mark.parametrize(
    "word", ["EOF_2f8a3b", "__END__", "END-OF-FILE", "}", "🚀", "E.O.F", "cat"]
)
def test_any_word_is_a_marker(word: str) -> None:
    body = f"EOF\ncats\n{word} x\n{word}{word}\n"
    for header in (f"cat > a <<'{word}'", f"cat > a <<{word}"):
        assert parse_scof(list(f"{header}\n{body}{word}\n")).files == {"a": body}


@pytest.mark.parametrize("quote", ["'{}'", '"{}"', "'{}\"", "'{}"])
def test_a_quoted_marker_may_have_several_words(quote: str) -> None:
    stream = f"cat > a <<{quote.format('END OF FILE')}\nEND\nEND OF FILE\n"
    assert parse_scof(list(stream)).files == {"a": "END\n"}


def test_content_is_kept_byte_for_byte() -> None:
    body = (
        "\ttabs  \r\n  \n\ncat > inner <<'OTHER'\nnpm install evil\nOTHER\n```ts\n\\\n"
        "$HOME `x` \\n EOF\n\ufeffé😀\x00\x0c\u2028\rlone\n```\nrm -rf src\n\n"
    )
    result = parse_scof(list(f"```bash\ncat > a <<'EOF'\n{body}EOF\n```\n"))
    assert result.files == {"a": body}
    assert result.deleted == result.install_commands == result.commands == []


def test_empty_and_blank_bodies() -> None:
    assert parse_scof(["cat > a <<E\nE\ncat > b <<E\n\nE\n"]).files == {"a": "", "b": "\n"}


def test_fences_and_prose_between_files() -> None:
    stream = (
        "\ufeffSure! I will run npm install zod later.\n\n```bash\ncat > a <<'EOF'\n1\nEOF\n```\n"
        "Now `cat > c <<EOF` for the next one:\n1. cat > d <<EOF\n# cat > e <<EOF\n"
        "~~~\n$ tee b <<EOF\n2\nEOF\n~~~\nAll done, cat.\n"
    )
    result = parse_scof(list(stream))
    assert result.files == {"a": "1\n", "b": "2\n"}
    assert (result.commands, result.install_commands, result.warnings) == ([], [], [])


def test_several_heredocs_on_one_line() -> None:
    result = parse_scof(["cat > a <<A && cat > b <<B && rm c\n1\nA\n2\nB\n"])
    assert (result.files, result.deleted) == ({"a": "1\n", "b": "2\n"}, ["c"])


def test_a_body_that_makes_no_file_is_no_commands_either() -> None:
    result = parse_scof(["python - <<'EOF'\nrm x\nnpm install y\nEOF\ncat > ../up <<E\nrm z\nE\n"])
    assert result.commands == ["python - <<'EOF'"]
    assert (result.deleted, result.install_commands, result.files) == ([], [], {})
    assert result.refused == ["../up"]


def chunk_texts(events: list[ScofEvent]) -> list[str]:
    return [event.text for event in events if event.kind == "chunk"]


def test_text_is_shown_at_once_unless_it_may_be_the_marker() -> None:
    parser = ScofParser()
    assert [e.kind for e in parser.feed("cat > a <<'EOF'\n")] == ["start"]
    assert chunk_texts(parser.feed("hel")) == ["hel"]
    assert chunk_texts(parser.feed("lo EO")) == ["lo EO"]
    assert chunk_texts(parser.feed("F\n")) == ["F\n"]
    assert chunk_texts(parser.feed("E")) == []
    assert chunk_texts(parser.feed("O")) == []
    assert chunk_texts(parser.feed("x")) == ["EOx"]
    assert chunk_texts(parser.feed("\nEOF ")) == ["\n"]
    assert chunk_texts(parser.feed(" ;")) == []
    assert chunk_texts(parser.feed("y\n")) == ["EOF  ;y\n"]
    assert parser.open_path == "a"
    (end,) = parser.feed("EOF\n")
    assert (end.kind, end.path, end.mode, end.truncated) == ("end", "a", "full", False)
    assert end.text == "hello EOF\nEOx\nEOF  ;y\n"
    assert parser.open_path is None
    assert parser.close() == []


def test_modes_are_told() -> None:
    stream = "cat > a <<E\nE\ncat >> b <<E\nE\ntee -a c <<E\nE\npatch d <<E\n@@\n+x\nE\n"
    starts = [e for e in ScofParser().feed(stream) if e.kind == "start"]
    assert [e.mode for e in starts] == ["full", "append", "append", "patch"]


def test_the_end_of_the_stream_inside_a_file_is_told_with_what_came() -> None:
    parser = ScofParser()
    parser.feed("cat > a <<'EOF'\n1\nEOF\ncat > b <<'EOF'\nhalf\nEO")
    *_, end = parser.close()
    assert (end.kind, end.path, end.text, end.truncated) == ("end", "b", "half\nEO", True)
    assert (parser.truncated_path, parser.partial_text) == ("b", "half\nEO")
    assert parser.feed("more") == parser.close() == []


@pytest.mark.parametrize("cut", ["cat > a <<'E", "cat > a <<EOF", "cat > a <<'EOF'\n"])
def test_a_stream_may_end_in_or_behind_a_header(cut: str) -> None:
    assert parse_scof([cut]).truncated == "a"


def test_a_header_without_body_is_told() -> None:
    result = parse_scof(["cat > a"])
    assert (result.files, result.truncated, len(result.warnings)) == ({}, None, 1)


def test_surrogate_pairs_cut_apart_are_joined() -> None:
    result = parse_scof(["cat > a <<E\n\ud83d", "\ude00\n", "E\n"])
    assert (result.files, result.warnings) == ({"a": "😀\n"}, [])


@pytest.mark.parametrize("chunks", [["\udcff\udcff"], ["\ud83d", "x", "\udcff"]])
def test_characters_that_are_no_text_are_replaced_with_one_warning(chunks: list[str]) -> None:
    result = parse_scof(["cat > a <<E\n", *chunks, "\nE\n"])
    assert result.files["a"].replace("x", "") == "\ufffd\ufffd\n"
    assert len(result.warnings) == 1


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/etc/passwd",
            "../x",
            "a/../../x",
            "C:/x",
            "c:x",
            "..\\x",
            "a\\..\\..\\x",
            "\\\\host\\x",
            "~/x",
        ),
        *(
            ".git/config",
            ".GIT/hooks/x",
            "a/.git/x",
            ".git./x",
            "git~1/x",
            ".g\u200cit/x",
            "．git/x",
        ),
        *(
            "con",
            "aux.txt",
            "NUL.ts",
            "com1.md",
            "a/prn/b",
            "x.",
            "a:b",
            "a?b",
            "a*b",
            "x\x00y",
            "x\ty",
        ),
        *("a/", "."),
    ],
)
def test_unsafe_paths_are_refused_and_the_rest_goes_on(path: str) -> None:
    result = parse_scof([f"cat > '{path}' <<'EOF'\nrm b\nEOF\ncat > ok <<E\n1\nE\n"])
    assert (result.files, result.refused, result.deleted) == ({"ok": "1\n"}, [path], [])
    assert len(result.warnings) == 1


@pytest.mark.parametrize("path", ["/etc", "../x", "..", ".", "/", ".git", "nul", "a/../../b/"])
def test_file_operations_stay_inside(path: str) -> None:
    result = parse_scof([f"rm -rf '{path}' ok\nmv a '{path}'\nmv -f '{path}' b\n"])
    assert (result.deleted, result.renamed) == (["ok"], [])
    assert result.refused
