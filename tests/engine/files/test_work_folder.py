"""The folder on disk follows the document, and what other programs do in it is never lost."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from vibedesk.base.errors import DiskFullError, ReadOnlyHomeError, StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.work_folder import Undone, WorkFolder
from vibedesk.engine.store.database import Database


@pytest.fixture
def folder(home: Home) -> Path:
    return home.projects / "p1"


@pytest.fixture
def work(database: Database, project_id: str, files: ProjectFiles, folder: Path) -> WorkFolder:
    work = WorkFolder(database, project_id, files, folder)
    work.create()
    return work


def on_disk(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def taken(work: WorkFolder) -> list[tuple[str, bool]]:
    return [(change.path, change.deleted) for change in work.take_in()]


def test_only_changed_files_are_written(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"src/a.ts": "a\r\n", "b.ts": "📊"}, "agent")
    assert work.changed_paths() == ["b.ts", "src/a.ts"]
    assert work.materialise() == ["b.ts", "src/a.ts"]
    assert (folder / "src/a.ts").read_bytes() == b"a\r\n"
    before = (folder / "b.ts").stat().st_ino
    files.write("src/a.ts", "a2", "agent")
    assert work.materialise() == ["src/a.ts"]
    assert (folder / "b.ts").stat().st_ino == before
    assert work.materialise() == []
    assert work.changed_paths() == []
    assert sorted(path.name for path in folder.iterdir()) == ["b.ts", "src"]


def test_what_a_killed_program_left_half_written_goes(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write("src/a.ts", "a", "agent")
    work.materialise()
    (folder / "src" / ".vibedesk-0123456789ab.tmp").write_text("half")
    (folder / ".vibedesk-mine.tmp").write_text("no name that we give")
    assert taken(work) == []
    assert on_disk(folder) == {".vibedesk-mine.tmp": "no name that we give", "src/a.ts": "a"}


def test_deleted_and_renamed_files_leave_the_folder(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"src/deep/a.ts": "a", "src/b.ts": "b", "c.ts": "c"}, "agent")
    work.materialise()
    files.delete("src/deep/a.ts", "agent")
    files.rename("c.ts", "C.ts", "user")
    assert work.materialise() == ["C.ts", "c.ts", "src/deep/a.ts"]
    assert on_disk(folder) == {"C.ts": "c", "src/b.ts": "b"}
    assert not (folder / "src/deep").exists()


def test_a_file_may_take_the_place_of_a_folder(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write("src/index.ts", "x", "agent")
    work.materialise()
    files.rename("src/index.ts", "src", "user")
    work.materialise()
    assert on_disk(folder) == {"src": "x"}
    assert len(work.take_in()) == 0


def test_only_some_files_when_asked(files: ProjectFiles, work: WorkFolder, folder: Path) -> None:
    files.write_all({"package.json": "{}", "src/a.ts": "a"}, "agent")
    assert work.materialise(["package.json"]) == ["package.json"]
    assert on_disk(folder) == {"package.json": "{}"}
    assert work.materialise() == ["src/a.ts"]


def test_a_file_that_is_being_written_waits_until_it_closes(
    files: ProjectFiles, work: WorkFolder, database: Database, folder: Path
) -> None:
    drafts = Drafts(database, files.project_id, files)
    files.write("old.ts", "old", "agent")
    drafts.start("new.ts", "full")
    drafts.append("new.ts", "half")
    drafts.start("old.ts", "full")
    drafts.append("old.ts", "ne")
    assert work.materialise() == ["old.ts"]
    assert on_disk(folder) == {"old.ts": "old"}
    drafts.close("new.ts", "half")
    drafts.close("old.ts", "new")
    assert work.materialise() == ["new.ts", "old.ts"]
    assert on_disk(folder) == {"new.ts": "half", "old.ts": "new"}


def test_binary_files_come_and_go(files: ProjectFiles, work: WorkFolder, folder: Path) -> None:
    files.write_binary("logo.png", b"\x89PNG\0", "user")
    work.materialise()
    assert (folder / "logo.png").read_bytes() == b"\x89PNG\0"
    (folder / "logo.png").write_bytes(b"\x89PNG\0\1")
    (folder / "latin1.txt").write_bytes("é".encode("latin-1"))
    assert taken(work) == [("latin1.txt", False), ("logo.png", False)]
    assert files.read_binary("logo.png") == b"\x89PNG\0\1"
    assert files.read_binary("latin1.txt") == b"\xe9"


def test_edits_new_files_and_deletions_come_in(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"a.ts": "one\ntwo\n", "b.ts": "b", "c.ts": "c"}, "agent")
    work.materialise()
    assert taken(work) == []
    (folder / "a.ts").write_text("one\n2\n")
    (folder / "new").mkdir()
    (folder / "new/d.ts").write_text("d")
    (folder / "b.ts").unlink()
    version = files.version
    changes = work.take_in()
    assert [(change.path, change.deleted) for change in changes] == [
        ("b.ts", True),
        ("a.ts", False),
        ("new/d.ts", False),
    ]
    assert {change.version for change in changes} == {version + 1}
    assert files.texts() == {"a.ts": "one\n2\n", "c.ts": "c", "new/d.ts": "d"}
    assert [entry.origin for entry in files.replay(version, files.version)] == ["disk"]
    assert taken(work) == []
    assert work.materialise() == []


def test_an_edit_of_the_same_length_right_after_writing_is_seen(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    for number in range(10):
        files.write("a.ts", f"agent {number}", "agent")
        work.materialise()
        (folder / "a.ts").write_text(f"other {number}")
        assert taken(work) == [("a.ts", False)]


def test_an_outside_edit_and_the_documents_change_both_stay(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write("a.ts", "one\ntwo\nthree\n", "agent")
    work.materialise()
    files.write("a.ts", "ONE\ntwo\nthree\n", "user")
    (folder / "a.ts").write_text("one\ntwo\nTHREE\n")
    assert taken(work) == [("a.ts", False)]
    assert files.read("a.ts") == "ONE\ntwo\nTHREE\n"
    assert work.materialise() == ["a.ts"]
    assert on_disk(folder) == {"a.ts": "ONE\ntwo\nTHREE\n"}


def test_writing_never_overwrites_an_edit_that_was_not_taken_in(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write("a.ts", "one\ntwo\nthree\n", "agent")
    work.materialise()
    (folder / "a.ts").write_text("one\ntwo\nTHREE\n")
    files.write("a.ts", "ONE\ntwo\nthree\n", "agent")
    work.materialise()
    assert files.read("a.ts") == "ONE\ntwo\nTHREE\n"
    assert on_disk(folder) == {"a.ts": "ONE\ntwo\nTHREE\n"}


def test_what_lies_where_we_never_wrote_is_kept_as_a_version(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    (folder / "a.ts").write_text("theirs")
    files.write("a.ts", "ours", "agent")
    assert taken(work) == []
    work.materialise()
    assert on_disk(folder) == {"a.ts": "ours"}
    assert "theirs" in [files.at(version).get("a.ts") for version in range(files.version)]
    assert work.materialise() == []


def test_a_deletion_of_an_edited_file_brings_the_edit_back(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"a.ts": "a", "b.ts": "b"}, "agent")
    work.materialise()
    files.delete("a.ts", "agent")
    (folder / "a.ts").write_text("edited")
    work.materialise()
    assert files.texts() == {"a.ts": "edited", "b.ts": "b"}
    (folder / "b.ts").unlink()
    files.write("b.ts", "rewritten", "agent")
    assert taken(work) == []
    work.materialise()
    assert on_disk(folder) == {"a.ts": "edited", "b.ts": "rewritten"}


def test_ignored_paths_stay_out_and_lock_files_come_in(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write(".gitignore", "*.log\n!keep.log\n/out/\n*.json\n[bad\n", "agent")
    work.materialise()
    for path in (
        "a.log",
        "keep.log",
        "out/x.js",
        "src/out/x.js",
        "node_modules/react/index.js",
        "src/node_modules/y.js",
        "dist/index.html",
        ".git/config",
        "package-lock.json",
        "other.json",
        "src/.gitignore",
        "src/local.txt",
        "src/keep.txt",
        ".DS_Store",
        ".env.example",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("local.txt\n" if path == "src/.gitignore" else "x")
    assert [path for path, _ in taken(work)] == [
        ".env.example",
        "keep.log",
        "package-lock.json",
        "src/.gitignore",
        "src/keep.txt",
        "src/out/x.js",
    ]


def test_a_file_of_ours_is_followed_although_it_is_ignored(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({".gitignore": ".env\nbuild/\n", ".env": "A=1", "build/x.js": "1"}, "agent")
    work.materialise()
    (folder / ".env").write_text("A=2")
    (folder / "build/x.js").write_text("2")
    assert taken(work) == [(".env", False), ("build/x.js", False)]
    assert taken(work) == []


def test_links_are_never_followed(
    files: ProjectFiles, work: WorkFolder, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (folder / "link.txt").symlink_to(outside / "secret")
    (folder / "linked").symlink_to(outside)
    (folder / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe")
    assert taken(work) == []
    files.write("linked/x.ts", "x", "agent")
    with pytest.raises(StorageError, match="links are never followed"):
        work.materialise()
    assert [path.name for path in outside.iterdir()] == ["secret"]
    files.delete("linked/x.ts", "agent")
    files.write_all({"link.txt": "mine", "dangling": "mine"}, "agent")
    work.materialise()
    assert (outside / "secret").read_text() == "secret"
    assert not (tmp_path / "nowhere").exists()
    assert (folder / "link.txt").read_text() == "mine"
    assert not (folder / "link.txt").is_symlink()


def test_a_file_that_became_a_link_is_gone_not_read(
    files: ProjectFiles, work: WorkFolder, folder: Path, tmp_path: Path
) -> None:
    files.write_all({"a.ts": "a", "b.ts": "b"}, "agent")
    work.materialise()
    (tmp_path / "secret").write_text("secret")
    (folder / "a.ts").unlink()
    (folder / "a.ts").symlink_to(tmp_path / "secret")
    assert taken(work) == [("a.ts", True)]
    assert files.texts() == {"b.ts": "b"}


def test_a_folder_in_the_way_of_a_file_is_said(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    (folder / "a.ts/inner").mkdir(parents=True)
    files.write("a.ts", "a", "agent")
    with pytest.raises(StorageError, match="where a file should be"):
        work.materialise()
    assert work.changed_paths() == ["a.ts"]
    (folder / "a.ts/inner").rmdir()
    (folder / "a.ts").rmdir()
    assert work.materialise() == ["a.ts"]


def test_the_executable_bit_is_kept(files: ProjectFiles, work: WorkFolder, folder: Path) -> None:
    files.write_all({"run.sh": "#!/bin/sh\n", "private.txt": "x"}, "agent")
    work.materialise()
    (folder / "run.sh").chmod(0o755)
    (folder / "private.txt").chmod(0o600)
    work.take_in()
    files.write_all({"run.sh": "#!/bin/sh\necho\n", "private.txt": "y"}, "agent")
    work.materialise()
    assert (folder / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (folder / "private.txt").stat().st_mode & 0o777 == 0o600
    (folder / "run.sh").unlink()
    files.write("run.sh", "#!/bin/sh\necho 2\n", "agent")
    work.materialise()
    assert os.access(folder / "run.sh", os.X_OK)


@pytest.mark.parametrize("how", ["missing", "empty", "strangers only"])
def test_a_folder_that_is_gone_deletes_nothing(
    files: ProjectFiles, work: WorkFolder, folder: Path, how: str
) -> None:
    files.write_all({"a.ts": "a", "b.ts": "b"}, "agent")
    work.materialise()
    folder.rename(folder.with_name("elsewhere"))
    if how != "missing":
        folder.mkdir()
    if how == "strangers only":
        (folder / "lost+found").write_text("x")
    with pytest.raises(StorageError) as gone:
        work.take_in()
    assert gone.value.code == "folder_missing"
    assert files.texts() == {"a.ts": "a", "b.ts": "b"}


def test_a_folder_that_does_not_exist_yet_is_empty(
    files: ProjectFiles, database: Database, tmp_path: Path
) -> None:
    work = WorkFolder(database, files.project_id, files, tmp_path / "none")
    assert len(work.take_in()) == 0
    files.write("a", "x", "agent")
    assert work.materialise() == ["a"]


def test_names_that_no_project_may_hold_are_left_out_with_a_notice(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    (folder / "con.txt").write_text("x")
    (folder / "a:b").write_text("x")
    (folder / os.fsdecode(b"bad\xff")).write_text("x")
    (folder / "App.tsx").write_text("x")
    (folder / "app.tsx").write_text("y")
    result = work.take_in()
    assert files.list() == ["App.tsx"]
    assert len(result.notices) == 4
    assert any("differs only in spelling" in notice for notice in result.notices)


def test_a_transaction_that_fails_after_writing_takes_nothing_in_twice(
    files: ProjectFiles, work: WorkFolder, database: Database, folder: Path
) -> None:
    files.write("a.ts", "1", "agent")

    def fail() -> None:
        work.materialise()
        raise KeyError

    with pytest.raises(KeyError):
        database.call(fail)
    assert on_disk(folder) == {"a.ts": "1"}
    assert taken(work) == []
    assert work.materialise() == ["a.ts"]
    assert files.version == 1


def test_a_full_disk_leaves_whole_files_and_is_said(
    files: ProjectFiles, database: Database, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        work = WorkFolder(database, files.project_id, files, small / "p")
        files.write("a.ts", "old", "agent")
        work.materialise()
        files.write("a.ts", "new " * 200_000, "agent")
        with pytest.raises(DiskFullError):
            work.materialise()
        assert on_disk(small) == {"p/a.ts": "old"}
        assert work.changed_paths() == ["a.ts"]
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_read_only_folder_is_said(
    files: ProjectFiles, database: Database, tmp_path: Path
) -> None:
    target = tmp_path / "readonly"
    target.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(target)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        work = WorkFolder(database, files.project_id, files, target / "p")
        files.write("a.ts", "x", "agent")
        with pytest.raises(ReadOnlyHomeError):
            work.materialise()
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


def test_taking_in_an_untouched_folder_reads_no_file(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({f"src/f{number}.ts": "x" for number in range(50)}, "agent")
    work.materialise()
    for path in folder.rglob("*.ts"):
        os.utime(path, ns=(0, 10**18))
    assert taken(work) == []
    reads: list[str] = []
    real = work._access.read
    work._access.read = lambda path: reads.append(path) or real(path)
    assert taken(work) == []
    assert [path for path in reads if not path.endswith(".gitignore")] == []


def test_what_an_app_stores_is_what_is_ignored_and_no_secret(
    work: WorkFolder, folder: Path
) -> None:
    for path, text in {
        ".gitignore": "data\n*.log\n.env\n",
        "server/.gitignore": "uploads/\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    stored = ["data/app.db", "data/gone.db-wal", "server/uploads/a.png", "server/a.log"]
    projects = ["src/app.ts", "server/data.ts", "uploads/a.png", ".env", "package-lock.json"]
    assert work.stored_by_app([*stored, *projects]) == set(stored)


def test_the_owner_of_all_data_is_not_held_up_by_paths_that_an_app_named(
    work: WorkFolder, database: Database
) -> None:
    looked = threading.Event()
    busy = database.submit(lambda: looked.wait(60))
    assert work.stored_by_app(["src/app.ts", f"{'long' * 100}/app.ts"]) == set()
    looked.set()
    assert busy.result(), "the rules were asked beside the owner's thread"


def test_no_file_of_the_projects_is_the_apps_although_it_is_ignored(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({".gitignore": "data\n", "src/data/old.ts": "", "src/data/x.ts": ""}, "agent")
    work.materialise()
    files.write("src/data/new.ts", "", "agent")
    files.delete("src/data/x.ts", "agent")
    asked = ["src/data/old.ts", "src/data/new.ts", "src/data/x.ts", "src/data/app.db"]
    assert work.stored_by_app(asked) == {"src/data/app.db"}
    work.materialise()
    assert work.stored_by_app(asked) == {"src/data/app.db"}, "what was deleted goes everywhere"
    (folder / "src/data/x.ts").write_text("by the app")
    assert work.stored_by_app(asked) == {"src/data/app.db", "src/data/x.ts"}


def test_what_cannot_be_kept_stays_where_it_is_while_the_rest_is_put_back(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"README.md": "mine", "app.js": "mine"}, "agent")
    work.materialise()
    (folder / "readme.md").write_text("a name that differs only in case")
    (folder / "app.js").write_text("changed")
    (folder / "new.js").write_text("new")
    assert work.put_back() == Undone(["app.js", "new.js"])
    assert on_disk(folder) == {
        "README.md": "mine",
        "app.js": "mine",
        "readme.md": "a name that differs only in case",
    }


def test_after_a_crash_only_what_a_command_had_time_for_is_put_back(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"a.js": "mine", "b.js": "mine", "gone.js": "mine"}, "agent")
    work.materialise()
    work.begin_undoing(60)
    until = work.to_be_put_back
    (folder / "a.js").write_text("the command's")
    (folder / "gone.js").unlink()
    for name in ("b.js", "new.js"):
        (folder / name).write_text("the person's, later")
        os.utime(folder / name, (until + 1, until + 1))
    assert work.put_back(until=until) == Undone(["a.js", "gone.js"])
    assert work.to_be_put_back == 0
    assert sorted(taken(work)) == [("b.js", False), ("new.js", False)]
    assert files.read("a.js") == files.read("gone.js") == "mine"


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        ("app.js/", True),
        ("app.js/deep/", True),
        ("app.js/app.js", False),
        ("app.js/node_modules/x/y.js", True),
        ("app.js/" + "a/" * 300, True),
    ],
    ids=["empty", "folder", "file", "packages", "deep"],
)
def test_a_folder_in_a_files_place_goes(
    files: ProjectFiles, work: WorkFolder, folder: Path, made: str, kept: bool
) -> None:
    files.write_all({"app.js": "mine", "b.js": "mine"}, "agent")
    work.materialise()
    work.begin_undoing(60)
    (folder / "app.js").unlink()
    (folder / made).parent.mkdir(parents=True, exist_ok=True)
    (folder / made).mkdir() if made.endswith("/") else (folder / made).write_text("the command's")
    (folder / "b.js").write_text("the command's")
    assert work.put_back() == Undone(["app.js", "b.js"], kept=kept)
    assert on_disk(folder) == {"app.js": "mine", "b.js": "mine"}
    assert work.to_be_put_back == 0
    assert taken(work) == []
    assert files.texts() == {"app.js": "mine", "b.js": "mine"}


def test_what_cannot_be_put_back_waits_while_the_rest_is(
    files: ProjectFiles, work: WorkFolder, folder: Path, tmp_path: Path
) -> None:
    before = {"a.js": "mine", "b.js": "mine", "src/c.js": "mine"}
    files.write_all(before, "agent")
    work.materialise()
    work.begin_undoing(60)
    (folder / "src").rename(tmp_path / "src")
    (folder / "src").symlink_to(tmp_path / "src")
    for path in ("a.js", "new.js", "src/c.js"):
        (folder / path).write_text("the command's")
    undone = work.put_back()
    assert undone == Undone(["a.js", "new.js"], left=["src/c.js"])
    assert undone.outcome == (
        "That was undone; what was there is in the history. src/c.js could not be put back."
    )
    unsure = Undone(unsure=["new.js"])
    assert unsure
    assert f"{unsure.what}. {unsure.outcome}" == (
        "may have made new.js. Left alone, as it may be the app's: new.js."
    )
    assert work.to_be_put_back == 0
    assert taken(work) == []
    assert files.texts() == before
    with pytest.raises(StorageError, match="links are never followed"):
        work.materialise()
    (folder / "src").unlink()
    assert work.materialise() == ["src/c.js"]
    assert on_disk(folder) == before


def test_after_a_crash_a_folder_that_the_person_filled_since_stays(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write_all({"a.js": "mine", "b.js": "mine", "c.js": "mine"}, "agent")
    work.materialise()
    work.begin_undoing(60)
    until = work.to_be_put_back
    for name in ("a.js", "b.js"):
        (folder / name).unlink()
        (folder / name / "deep").mkdir(parents=True)
        (folder / name / "deep" / "new.js").write_text("new")
    os.utime(folder / "b.js" / "deep" / "new.js", (until + 1, until + 1))
    assert work.put_back(until=until) == Undone(["a.js"], kept=False)
    assert sorted(taken(work)) == [("b.js", True), ("b.js/deep/new.js", False)]
    assert on_disk(folder) == files.texts() == {
        "a.js": "mine", "b.js/deep/new.js": "new", "c.js": "mine",
    }  # fmt: skip


def test_a_folder_that_is_gone_is_not_filled_again_to_undo_a_command(
    files: ProjectFiles, work: WorkFolder, folder: Path
) -> None:
    files.write("a.js", "mine", "agent")
    work.materialise()
    work.begin_undoing(60)
    folder.rename(folder.with_name("moved"))
    assert work.to_be_put_back == 0
    with pytest.raises(StorageError):
        work.take_in()
    folder.with_name("moved").rename(folder)
    assert work.to_be_put_back
