"""Writing a result into a folder, and the command line around it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from tests.support.recordings import recordings
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.scof import parse_scof
from vibedesk.engine.scof.apply import ApplyReport, apply_scof
from vibedesk.engine.scof.command_line import decoded_chunks, run

ROOT = Path(__file__).resolve().parents[3]


def apply(stream: str, folder: Path) -> ApplyReport:
    return apply_scof(parse_scof([stream]), folder)


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_all_operations_in_order(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a").write_bytes(b"1\r\n2\r\n")
    (tmp_path / "gone").write_text("x")
    report = apply(
        "mv old/a new/a\npatch new/a <<E\n@@ -2 +2 @@\n-2\n+3\nE\ncat >> new/a <<E\n4\nE\nrm -r old gone\n"
        "cat > deep/er/b <<E\n5\nE\ncat >> c <<E\n6\nE\nrm nothing\n"
        "patch d <<E\n--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+7\nE\n",
        tmp_path,
    )
    assert contents(tmp_path) == {
        "new/a": "1\r\n3\r\n4\n",
        "deep/er/b": "5\n",
        "c": "6\n",
        "d": "7\n",
    }
    assert report.written == ["new/a", "deep/er/b", "c", "d"]
    assert (report.renamed, report.deleted) == ([("old/a", "new/a")], ["old", "gone"])
    assert (report.refused, report.warnings) == ([], ["nothing to delete: nothing"])


def test_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    (project / "real").mkdir(parents=True)
    (project / ".git").mkdir()
    (outside / "f").write_text("kept\n")
    (project / "folder").symlink_to(outside)
    (project / "file").symlink_to(outside / "f")
    (project / "inner").symlink_to(project / "real")
    (project / "git").symlink_to(project / ".git")
    (project / "loop").symlink_to("loop")
    stream = "".join(
        f"cat > {path} <<E\nbad\nE\n"
        for path in ("folder/f", "folder/new/x", "file", "git/config", "loop/x", "inner/ok")
    )
    report = apply(
        stream + "rm folder/f\nmv inner/ok folder/ok\npatch file <<E\n@@\n-kept\n+bad\nE\n", project
    )
    assert contents(outside) == {"f": "kept\n"}
    assert list((project / ".git").iterdir()) == []
    assert (project / "real" / "ok").read_text() == "bad\n"
    assert len(report.refused) == 8
    assert report.written == ["inner/ok"]


def test_removing_a_link_keeps_what_it_leads_to(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    project.mkdir()
    (outside / "f").write_text("kept")
    (project / "folder").symlink_to(outside)
    apply("rm -rf folder\n", project)
    assert not (project / "folder").exists()
    assert contents(outside) == {"f": "kept"}


def test_what_does_not_fit_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    report = apply(
        "cat > file/a <<E\nE\ncat > folder <<E\nE\nmv file folder\nmv no yes\nmv folder folder/in\n"
        "patch file <<E\n@@\n-y\n+z\nE\npatch no <<E\n@@ -1 +1 @@\n-y\n+z\nE\n"
        "patch binary <<E\n@@\n-y\n+z\nE\ncat > ok <<E\n1\nE\n",
        tmp_path,
    )
    assert len(report.refused) == 8
    assert report.written == ["ok"]
    assert (tmp_path / "file").read_text() == "x\n"


def test_a_truncated_file_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("whole\n")
    apply("cat > a <<E\nha", tmp_path)
    assert contents(tmp_path) == {"a": "whole\n"}


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("x")
    (tmp_path / "run.sh").chmod(0o755)
    apply("cat > run.sh <<E\ny\nE\n", tmp_path)
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("size", [1, 13, None])
def test_recorded_sessions_give_their_expected_files(
    folder: Path, size: int | None, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "resources" / "templates" / "react-vite", project)
    session = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    names = [step["file"] for step in session["order"] if step["file"].endswith(".scof")]
    streams = [(folder / name).read_bytes() for name in names]
    conversation = json.loads((folder / "05-conversation.json").read_text(encoding="utf-8"))
    for stream, files in [
        *((stream, []) for stream in streams[:-1]),
        (streams[-1], expected["files"]),
        (conversation["scof"].encode(), expected["conversation_files"]),
    ]:
        status, printed = scof(stream, chunk_size=size, apply_to=project)
        fields = json.loads(printed)
        assert status == 0
        assert (fields["refused"], fields["truncated"], fields["warnings"]) == ([], None, [])
        assert [path for path in files if not (project / path).is_file()] == []


def scof(data: bytes, **options: object) -> tuple[int, str]:
    out = io.StringIO()
    arguments: dict[str, object] = {
        "chunk_size": None,
        "as_json": True,
        "apply_to": None,
        **options,
    }
    status = run(io.BytesIO(data), out=out, **arguments)  # type: ignore[arg-type]
    return status, out.getvalue()


@pytest.mark.parametrize("size", [None, 1, 2, 7, 1_000_000])
def test_bad_bytes_become_replacement_characters_with_a_warning(size: int | None) -> None:
    body = b"caf\xc3\xa9 \xff \xe2\x82 \xf0\x9f\x98\x80\n"
    status, printed = scof(b"cat > a <<E\n" + body + b"E\n\xe2", chunk_size=size)
    fields = json.loads(printed)
    assert status == 0
    assert fields["files"] == {"a": body.decode("utf-8", "replace")}
    assert len(fields["warnings"]) == 1
    assert list(fields) == [
        *("files", "patches", "appends", "deleted", "renamed", "install_commands", "commands"),
        *("refused", "truncated", "warnings"),
    ]


@pytest.mark.parametrize("size", [1, 3, 65_536, 65_537, 10**9])
def test_chunks_have_the_size_asked_for(size: int) -> None:
    text = "é" * 100_001
    chunks = [chunk for chunk in decoded_chunks(io.BytesIO(text.encode()), size) if chunk]
    assert "".join(chunks) == text
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert len(chunks[-1]) <= size


def test_without_json_a_person_can_read_it(tmp_path: Path) -> None:
    stream = b"npm i zod\ncat > a <<E\n1\nE\nrm b\nmv c d\ncat > ../e <<E\nE\nls\ncat > f <<E\nhalf"
    _, printed = scof(stream, as_json=False, apply_to=tmp_path)
    for words in (
        "file       a",
        "package    zod",
        "delete     b",
        "c → d",
        "../e",
        "truncated  f",
        "1 files",
    ):
        assert words in printed


def test_a_chunk_size_below_one_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        scof(b"", chunk_size=0)


def test_a_folder_that_cannot_be_made_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match="cannot be written"):
        scof(b"cat > a <<E\nE\n", apply_to=tmp_path / "file")
