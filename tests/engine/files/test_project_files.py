"""The files of a project: contracts of reading, writing, renaming, versions and replicas."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pycrdt import Doc, Map, Text

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import DiskFullError, InvalidInputError, NotFoundError, ReadOnlyHomeError
from vibedesk.base.paths import Home
from vibedesk.engine.files.document import FILES_ROOT, PATHS_ROOT
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.stored_document import FileChange
from vibedesk.engine.scof.errors import PatchError
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import CodeSnapshotRow, FileRow, ProjectRow


class Replica:
    """What an editor holds."""

    def __init__(self, files: ProjectFiles) -> None:
        self.doc = Doc()
        self.texts = self.doc.get(FILES_ROOT, type=Map)
        self.paths = self.doc.get(PATHS_ROOT, type=Map)
        self.version = 0
        self.sent: list[bytes] = []
        self.pull(files)
        self._subscription = self.doc.observe(lambda event: self.sent.append(event.update))

    def pull(self, files: ProjectFiles) -> None:
        for update in files.updates_since(self.version):
            self.doc.apply_update(update)
        self.version = files.version

    def text(self, path: str) -> Text:
        return self.texts[self.paths[path]]

    def push(self, files: ProjectFiles, origin: str = "user") -> int:
        version = files.version
        while self.sent:
            version = files.apply_update(self.sent.pop(0), origin)
        return version


def row(database: Database, path: str) -> FileRow | None:
    return database.call(lambda: FileRow.get_or_none(FileRow.path == path))


def test_what_is_written_is_read_and_counts_versions(files: ProjectFiles) -> None:
    assert files.version == 0
    assert files.list() == []
    assert files.write("src/App.tsx", "one\r\n\ttwo ", "agent") == 1
    assert files.write("src/main.tsx", "📊", "user") == 2
    assert files.read("./src//App.tsx") == "one\r\n\ttwo "
    assert files.list() == ["src/App.tsx", "src/main.tsx"]
    assert files.version == 2


def test_the_same_text_again_is_no_new_version(files: ProjectFiles) -> None:
    files.write("a.txt", "same", "agent")
    assert files.write("a.txt", "same", "user") == 1
    assert files.version == 1


def test_an_empty_file_is_a_file(files: ProjectFiles) -> None:
    assert files.write("src/.gitkeep", "", "agent") == 1
    assert files.read("src/.gitkeep") == ""


def test_a_missing_file_is_not_found(files: ProjectFiles) -> None:
    for missing in (
        lambda: files.read("a"),
        lambda: files.delete("a", "user"),
        lambda: files.rename("a", "b", "user"),
        lambda: files.edit("a", "x", "y", "user"),
        lambda: files.undelete("a", "user"),
        lambda: files.at(7),
    ):
        with pytest.raises(NotFoundError):
            missing()
    assert files.version == 0


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", ".git/config", "a/../../b", "con", "a\\b"]
)
def test_paths_that_may_not_be_are_refused(files: ProjectFiles, path: str) -> None:
    with pytest.raises(InvalidInputError):
        files.write(path, "x", "agent")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("SRC/app.TSX", "differs only in spelling from src/App.tsx"),
        ("src", "src is a folder"),
        ("src/App.tsx/x", "src/App.tsx is a file"),
        ("Src/APP.tsx/x", "src/App.tsx is a file"),
        ("SRC", "SRC is a folder"),
    ],
)
def test_paths_that_a_file_system_could_not_hold_together_are_refused(
    files: ProjectFiles, second: str, reason: str
) -> None:
    files.write("src/App.tsx", "x", "agent")
    for refused in (
        lambda: files.write(second, "y", "agent"),
        lambda: files.write_binary(second, b"\0", "agent"),
    ):
        with pytest.raises(InvalidInputError, match=reason):
            refused()
    files.write("other", "z", "agent")
    with pytest.raises(InvalidInputError, match=reason):
        files.rename("other", second, "user")
    assert files.list() == ["other", "src/App.tsx"]


def test_unicode_forms_of_one_name_collide(files: ProjectFiles) -> None:
    files.write("caf\u00e9.txt", "x", "agent")
    with pytest.raises(InvalidInputError, match="spelling"):
        files.write("cafe\u0301.txt", "y", "agent")


def test_a_file_may_change_the_case_of_its_name_and_become_a_folder_of_its_own(
    files: ProjectFiles,
) -> None:
    files.write("readme", "x", "agent")
    files.rename("readme", "README", "user")
    files.rename("README", "readme/index.md", "user")
    files.rename("readme/index.md", "readme", "user")
    assert files.list() == ["readme"]
    assert files.read("readme") == "x"


def test_lone_surrogates_become_replacement_characters(files: ProjectFiles) -> None:
    files.write("a", "x\ud83dy\udcca 📊", "agent")
    assert files.read("a") == "x\ufffdy\ufffd 📊"


def test_a_write_changes_only_what_differs_for_a_replica(files: ProjectFiles) -> None:
    files.write("a.ts", "const a = 1;\nconst b = 2;\nconst c = 3;\n", "agent")
    editor = Replica(files)
    editor.text("a.ts").insert(0, "// mine\n")
    files.write("a.ts", "const a = 1;\nconst c = 3;\n", "agent")
    editor.push(files)
    assert files.read("a.ts") == "// mine\nconst a = 1;\nconst c = 3;\n"
    editor.pull(files)
    assert str(editor.text("a.ts")) == files.read("a.ts")


def test_typing_goes_on_through_a_rename(files: ProjectFiles) -> None:
    files.write("old.ts", "x", "agent")
    editor = Replica(files)
    editor.text("old.ts").insert(1, "y")
    files.rename("old.ts", "new.ts", "user")
    editor.push(files)
    assert files.list() == ["new.ts"]
    assert files.read("new.ts") == "xy"


def test_a_folder_is_renamed_and_deleted_with_everything_in_it_as_one_version(
    files: ProjectFiles,
) -> None:
    for path in ("src/parts/Card.tsx", "src/parts/deep/Row.tsx", "src/partsList.ts"):
        files.write(path, path, "agent")
    replica = Replica(files)
    replica.text("src/parts/Card.tsx").insert(0, "typed ")
    before = files.version
    assert files.rename("src/parts", "src/ui/parts", "user") == before + 1
    assert files.list() == [
        "src/partsList.ts",
        "src/ui/parts/Card.tsx",
        "src/ui/parts/deep/Row.tsx",
    ]
    replica.push(files)
    assert files.read("src/ui/parts/Card.tsx") == "typed src/parts/Card.tsx"
    files.delete("src/ui", "user")
    assert files.list() == ["src/partsList.ts"]
    with pytest.raises(NotFoundError):
        files.delete("src/ui", "user")


def test_a_folder_that_would_cover_a_file_is_not_renamed_at_all(files: ProjectFiles) -> None:
    for path in ("old/a.ts", "old/b.ts", "new/b.ts"):
        files.write(path, path, "agent")
    with pytest.raises(InvalidInputError):
        files.rename("old", "new", "user")
    assert files.list() == ["new/b.ts", "old/a.ts", "old/b.ts"]
    assert files.read("old/a.ts") == "old/a.ts"


def test_a_deleted_file_comes_back_with_what_was_typed_meanwhile(files: ProjectFiles) -> None:
    files.write("a.ts", "x", "agent")
    editor = Replica(files)
    editor.text("a.ts").insert(1, "y")
    files.delete("a.ts", "user")
    editor.push(files)
    assert files.list() == []
    files.undelete("a.ts", "user")
    assert files.read("a.ts") == "xy"
    with pytest.raises(InvalidInputError):
        files.undelete("a.ts", "user")


def test_two_renames_at_once_leave_one_file(files: ProjectFiles) -> None:
    files.write("a.ts", "x", "agent")
    editor = Replica(files)
    file_id = editor.paths["a.ts"]
    with editor.doc.transaction():
        del editor.paths["a.ts"]
        editor.paths["theirs.ts"] = file_id
    files.rename("a.ts", "ours.ts", "agent")
    editor.push(files)
    assert files.list() == ["ours.ts"]
    editor.pull(files)
    assert sorted(editor.paths.to_py()) == ["ours.ts"]


def test_edit_is_literal_and_says_why_it_refuses(files: ProjectFiles, database: Database) -> None:
    files.write("a.ts", "one\ntwo\none\n", "agent")
    assert files.edit("a.ts", "two\n", r"\1 $& two" + "\n", "fix") == 2
    assert files.read("a.ts") == "one\n\\1 $& two\none\n"
    for search, reason in (("one\n", "ambiguous"), ("three\n", "no_match"), ("", "empty_search")):
        with pytest.raises(PatchError) as refused:
            files.edit("a.ts", search, "x\n", "fix")
        assert refused.value.reason == reason
    assert files.version == 2
    assert files.edit("new.ts", "", "content\n", "fix") == 3
    assert files.read("new.ts") == "content\n"


def test_every_version_can_be_rebuilt_exactly_across_snapshots(
    files: ProjectFiles, database: Database
) -> None:
    expected: list[dict[str, str]] = [{}]
    for number in range(120):
        path = f"f{number % 7}.txt"
        if number % 11 == 10 and path in expected[-1]:
            files.delete(path, "user")
            state = {key: value for key, value in expected[-1].items() if key != path}
        else:
            text = f"{number} 📊é\n" * (number % 50 + 1)
            files.write(path, text, "agent")
            state = {**expected[-1], path: text}
        expected.append(state)
        assert files.version == len(expected) - 1
    database.call(lambda: None)
    snapshots = database.call(CodeSnapshotRow.select().count)
    assert snapshots >= 2
    for version, state in enumerate(expected):
        assert dict(files.at(version)) == state
    reopened = ProjectFiles(database, files.project_id)
    assert reopened.texts() == expected[-1]


def test_snapshots_cost_no_more_than_the_log(files: ProjectFiles, database: Database) -> None:
    for number in range(400):
        files.write("a.txt", "line of text\n" * number, "agent")
    database.call(lambda: None)

    def sizes() -> tuple[int, int]:
        run = ProjectRow._meta.database.execute_sql
        log = run("SELECT sum(length(data)) FROM code_updates").fetchone()[0]
        return log, run("SELECT sum(length(data)) FROM code_snapshots").fetchone()[0]

    log, snapshots = database.call(sizes)
    assert 0 < snapshots <= log + 10_240


def test_replay_gives_every_change_with_time_and_origin(files: ProjectFiles) -> None:
    files.write("a", "1", "agent")
    files.write("a", "12", "user")
    files.write("a", "123", "fix")
    entries = list(files.replay(1, 3))
    assert [(entry.version, entry.origin) for entry in entries] == [(2, "user"), (3, "fix")]
    assert all(entry.at.endswith("Z") for entry in entries)
    doc = Doc()
    texts, paths = doc.get(FILES_ROOT, type=Map), doc.get(PATHS_ROOT, type=Map)
    for entry in files.replay(0, 3):
        doc.apply_update(entry.data)
    assert str(texts[paths["a"]]) == "123"


def test_texts_without_what_the_person_did_have_what_others_did(files: ProjectFiles) -> None:
    shown = files.write_all({"a": "one\ntwo\nthree\n", "b": "b\n", "c": "c\n"}, "agent")
    files.write("a", "mine\none\ntwo\nthree\n", "user")
    files.write("a", "mine\none\n2\nthree\n", "fix")
    files.write("a", "mine\none\n2\n3\n", "agent")
    files.write("a", "mine\none\n2\n3\nmine too\n", "disk")
    files.write("b", "other\n", "fix")
    files.write("c", "typed\n", "user")
    files.write("d", "new\n", "user")
    assert files.without_person(shown) == {"a": "one\n2\n3\n", "c": "c\n"}
    assert files.without_person(files.version) == {}


def test_a_late_replica_gets_fewer_bytes_than_the_whole_log(
    files: ProjectFiles, database: Database
) -> None:
    for number in range(300):
        files.write("a.txt", f"{number}\n" * 50, "agent")
    database.call(lambda: None)
    whole = sum(len(entry.data) for entry in files.replay(0, files.version))
    late = files.updates_since(0)
    assert sum(map(len, late)) < whole / 2
    assert str(Replica(files).text("a.txt")) == files.read("a.txt")
    assert len(files.updates_since(files.version - 1)) == 1
    assert files.updates_since(files.version) == []


def test_a_known_update_is_no_new_version(files: ProjectFiles) -> None:
    files.write("a", "x", "agent")
    editor = Replica(files)
    editor.text("a").insert(1, "y")
    update = editor.sent[0]
    assert files.apply_update(update, "user") == 2
    assert files.apply_update(update, "user") == 2


def test_updates_that_are_none_or_make_bad_paths_are_refused_and_change_nothing(
    files: ProjectFiles,
) -> None:
    files.write("src/a", "x", "agent")
    before = dict(files.at(1))
    for garbage in (b"", b"garbage", b"\xff" * 40, b"\x01\x01"):
        with pytest.raises(InvalidInputError):
            files.apply_update(garbage, "user")
    for path in ("../out", "SRC/A", "src", "src/a/b", "./x", ".git/hooks/x"):
        editor = Replica(files)
        editor.paths[path] = editor.paths["src/a"]
        with pytest.raises(InvalidInputError):
            editor.push(files)
    for value in (7, "no such text"):
        editor = Replica(files)
        editor.paths["b"] = value
        with pytest.raises(InvalidInputError):
            editor.push(files)
    assert files.version == 1
    assert files.texts() == before


def test_an_update_that_rests_on_a_missing_one_is_refused_until_that_came(
    files: ProjectFiles,
) -> None:
    files.write("a", "ABC", "agent")
    editor = Replica(files)
    text = editor.text("a")
    text.insert(0, "x")
    with editor.doc.transaction():
        text.insert(4, "y")
        text.insert(0, "line")
    first, second = editor.sent
    with pytest.raises(InvalidInputError, match="never arrived"):
        files.apply_update(second, "user")
    assert files.read("a") == "ABC"
    files.apply_update(first, "user")
    files.apply_update(second, "user")
    assert files.read("a") == "linexABCy" == str(text)


def test_changes_are_told_inside_their_transaction(files: ProjectFiles, database: Database) -> None:
    heard: list[FileChange] = []
    stop = files.on_change(heard.append)
    files.write("a", "1", "agent")
    editor = Replica(files)
    editor.text("a").insert(1, "2")
    editor.push(files)
    files.rename("a", "b", "user")
    files.delete("b", "disk")
    assert heard == [
        FileChange("changed", "a", 1, "agent"),
        FileChange("changed", "a", 2, "user"),
        FileChange("renamed", "a", 3, "user", "b"),
        FileChange("deleted", "b", 4, "disk"),
    ]
    stop()
    files.write("c", "1", "agent")
    assert len(heard) == 4

    def refuse(change: FileChange) -> None:
        raise RuntimeError("no")

    files.on_change(refuse)
    with pytest.raises(RuntimeError):
        files.write("d", "1", "agent")
    assert files.list() == ["c"]
    assert files.version == 5


def test_what_a_transaction_undoes_is_undone_in_memory_too(
    files: ProjectFiles, database: Database
) -> None:
    files.write("a", "kept", "agent")

    def work() -> None:
        files.write("a", "lost", "agent")
        files.write("b", "lost", "agent")
        assert files.read("a") == "lost"
        raise KeyError("undo")

    with pytest.raises(KeyError):
        database.call(work)
    assert files.texts() == {"a": "kept"}
    assert files.write("b", "new", "agent") == 2
    assert ProjectFiles(database, files.project_id).texts() == {"a": "kept", "b": "new"}


def test_two_views_of_one_project_see_each_other(files: ProjectFiles, database: Database) -> None:
    other = ProjectFiles(database, files.project_id)
    files.write("a", "1", "agent")
    other.write("a", "12", "user")
    files.write("b", "x", "agent")
    assert other.texts() == files.texts() == {"a": "12", "b": "x"}


def test_binary_files_are_blobs_with_versions(
    files: ProjectFiles, database: Database, home: Home
) -> None:
    data = bytes(range(256))
    assert files.write_binary("public/logo.png", data, "user") == 1
    assert files.write_binary("public/logo.png", data, "user") == 1
    assert files.write_binary("public/logo.png", b"\0new", "user") == 2
    assert files.read_binary("public/logo.png") == b"\0new"
    assert files.list() == ["public/logo.png"]
    assert files.texts() == {}
    with pytest.raises(InvalidInputError, match="binary"):
        files.read("public/logo.png")
    old = files.at(1).blobs["public/logo.png"]
    assert files.blobs.get(old) == data
    assert row(database, "public/logo.png").blob == files.at(2).blobs["public/logo.png"]
    files.write("public/logo.png", "<svg/>", "agent")
    assert files.read("public/logo.png") == "<svg/>"
    files.write_binary("public/logo.png", data, "user")
    files.rename("public/logo.png", "logo.png", "user")
    assert files.read_binary("logo.png") == data
    files.delete("logo.png", "user")
    files.undelete("logo.png", "user")
    assert files.read_binary("logo.png") == data


def test_a_stored_file_knows_its_size_and_last_difference_and_keeps_its_purpose(
    files: ProjectFiles, database: Database
) -> None:
    files.write("a.ts", "é1\n", "agent")
    database.call(lambda: FileRow.update(purpose="greets", phase=2).execute())
    files.write("a.ts", "é2\n", "agent")
    stored = row(database, "a.ts")
    assert (stored.size, stored.purpose, stored.phase) == (4, "greets", 2)
    assert "-é1\n+é2\n" in stored.last_diff
    files.rename("a.ts", "b.ts", "user")
    assert row(database, "a.ts") is None
    assert row(database, "b.ts").purpose == "greets"
    files.delete("b.ts", "user")
    assert row(database, "b.ts") is None


def test_several_files_are_one_version_or_none(files: ProjectFiles) -> None:
    assert files.write_all({"a": "1", "b/c": "2"}, "agent", blobs={"d.bin": b"\0"}) == 1
    with pytest.raises(InvalidInputError):
        files.write_all({"e": "1", "b": "folder"}, "agent")
    assert files.list() == ["a", "b/c", "d.bin"]
    assert files.version == 1
    earlier = files.at(1)
    files.write_all({"f": "3"}, "agent", deleted=["a"])
    files.write_binary("d.bin", b"\1", "user")
    files.replace_all(earlier, "restore")
    assert files.texts() == {"a": "1", "b/c": "2"}
    assert files.read_binary("d.bin") == b"\0"


def test_a_reader_without_the_lock_sees_versions_but_cannot_write(
    files: ProjectFiles, home: Home
) -> None:
    files.write("a", "1", "agent")
    reader = Database.open(home, write=False)
    view = ProjectFiles(reader, files.project_id)
    assert view.texts() == {"a": "1"}
    files.write("a", "2", "agent")
    assert view.read("a") == "2"
    with pytest.raises(ReadOnlyHomeError):
        view.write("a", "3", "agent")
    assert view.read("a") == "2"
    reader.close()


def test_an_unknown_project_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        ProjectFiles(database, "nobody").write("a", "1", "agent")


def test_projects_do_not_see_each_other(
    files: ProjectFiles, database: Database, new_project
) -> None:
    other = ProjectFiles(database, new_project("P2"))
    files.write("a", "1", "agent")
    other.write("a", "one", "agent")
    assert files.read("a") == "1"
    assert other.read("a") == "one"
    assert other.version == files.version == 1


def new_project_in(database: Database, folder: Path) -> str:
    now = utc_now()
    database.call(
        lambda: ProjectRow.insert(
            id="P", name="p", folder=str(folder), created_at=now, updated_at=now
        ).execute()
    )
    return "P"


def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        home = Home(root=small / "home", projects=small)
        database = Database.open(home, write=True)
        files = ProjectFiles(database, new_project_in(database, small))
        files.write("a", "kept", "agent")
        saved = {"a": "kept"}

        def fill() -> None:
            for number in range(200):
                files.write(f"f{number}", f"{number:04} " * 4000, "agent")
                saved[f"f{number}"] = f"{number:04} " * 4000

        with pytest.raises(DiskFullError):
            fill()
        assert files.texts() == saved
        with pytest.raises(DiskFullError):
            files.write_binary("b.bin", bytes(4_000_000), "user")
        assert files.texts() == saved
        database.close()
        again = Database.open(home, write=True)
        assert ProjectFiles(again, "P").texts() == saved
        again.close()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
