"""Versions of the person's: their edits apart from the agent's, names, single files brought back, differences."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vibedesk.base.errors import NotAllowedNowError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.history import History
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.store.database import Database


@pytest.fixture
def folder(home: Home) -> Path:
    return home.projects / "p1"


@pytest.fixture
def history(database: Database, project_id: str, files: ProjectFiles, folder: Path) -> History:
    files.write_all({"a.ts": "a\n", "src/b.ts": "b\n", "c.ts": "c\n"}, "agent")
    history = History(database, project_id, files, folder)
    history.snapshot("Phase 1")
    return history


def files_in(folder: Path, commit: str) -> dict[str, str]:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    paths = git("ls-tree", "-r", "--name-only", commit).split()
    return {path: git("show", f"{commit}:{path}") for path in paths}


def test_only_what_the_person_alone_changed_is_theirs(
    files: ProjectFiles, history: History, folder: Path
) -> None:
    files.write("src/b.ts", "mine\n", "user")
    files.write("c.ts", "both\n", "user")
    files.write("c.ts", "both, and the agent\n", "agent")
    files.write("new.ts", "the agent's\n", "fix")
    files.delete("a.ts", "user")
    files.write("package.json", "{}", "disk")
    kept = history.snapshot_of_person()
    assert kept is not None
    assert (kept.author, kept.label, kept.files_changed) == ("you", "Your edits: a.ts, src/b.ts", 2)
    assert files_in(folder, kept.commit) == {"src/b.ts": "mine\n", "c.ts": "c\n"}
    assert history.snapshot_of_person() is None
    after = history.snapshot("Phase 2")
    assert (after.author, after.files_changed) == ("agent", 3)
    assert files_in(folder, after.commit) == files.texts()


def test_a_gitignore_of_theirs_is_a_version_and_the_next_whole_one_goes_by_it(
    files: ProjectFiles, history: History, folder: Path
) -> None:
    files.write(".gitignore", "c.ts\n", "user")
    kept = history.snapshot_of_person()
    assert kept is not None
    assert (kept.label, kept.files_changed) == ("Your edits: .gitignore", 1)
    assert files_in(folder, kept.commit)[".gitignore"] == "c.ts\n"
    assert history.snapshot_of_person() is None
    files.write("a.ts", "the agent's\n", "agent")
    after = history.snapshot("Phase 2")
    assert files_in(folder, after.commit).keys() == {".gitignore", "a.ts", "src/b.ts"}
    files.write(".gitignore", "", "agent")
    whole = history.snapshot("Phase 3")
    assert files_in(folder, whole.commit).keys() == {".gitignore", "a.ts", "c.ts", "src/b.ts"}


def test_a_change_that_was_taken_back_is_nothing(files: ProjectFiles, history: History) -> None:
    files.write("a.ts", "x\n", "user")
    files.write("a.ts", "a\n", "user")
    assert history.snapshot_of_person() is None
    assert len(history.versions()) == 1


def test_many_files_are_counted(files: ProjectFiles, history: History) -> None:
    files.write_all({f"{n}.ts": "x\n" for n in range(4)}, "disk")
    kept = history.snapshot_of_person()
    assert kept is not None
    assert kept.label == "Your edits: 4 files"


def test_before_the_first_version_there_is_nothing_to_keep_apart(
    database: Database, project_id: str, files: ProjectFiles, folder: Path
) -> None:
    history = History(database, project_id, files, folder)
    files.write("a.ts", "mine\n", "user")
    assert history.snapshot_of_person() is None
    assert not folder.exists()


def test_a_named_version_is_kept_although_nothing_changed(history: History) -> None:
    named = history.snapshot("Before the demo", "you", named=True)
    assert [kept.label for kept in history.versions()] == ["Before the demo", "Phase 1"]
    assert named.files_changed == 0
    assert history.snapshot("Before the demo", "you", named=True) == named


def test_one_file_comes_back_and_everything_else_stays(
    files: ProjectFiles, history: History, folder: Path
) -> None:
    [first] = history.versions()
    files.write_all({"a.ts": "a2\n", "c.ts": "c2\n"}, "agent")
    files.delete("src/b.ts", "user")
    history.restore_file(first.commit, "a.ts")
    assert files.texts() == {"a.ts": "a\n", "c.ts": "c2\n"}
    history.restore_file(first.commit, "src/b.ts")
    assert files.texts() == {"a.ts": "a\n", "c.ts": "c2\n", "src/b.ts": "b\n"}
    labels = [kept.label for kept in history.versions()]
    assert labels[:3] == [
        "Restored src/b.ts of “Phase 1”",
        "Restored a.ts of “Phase 1”",
        "Before restoring a.ts",
    ]
    assert files_in(folder, history.versions()[2].commit) == {"a.ts": "a2\n", "c.ts": "c2\n"}


def test_a_file_that_is_being_written_is_not_brought_back(
    database: Database, project_id: str, files: ProjectFiles, history: History
) -> None:
    [first] = history.versions()
    files.delete("a.ts", "user")
    Drafts(database, project_id, files).start("a.ts", "full")
    with pytest.raises(NotAllowedNowError):
        history.restore_file(first.commit, "a.ts")
    with pytest.raises(NotFoundError, match=r"no nothing\.ts"):
        history.restore_file(first.commit, "nothing.ts")


def test_differences_since_a_version(files: ProjectFiles, history: History) -> None:
    [first] = history.versions()
    assert history.differences_since(first.commit) == []
    files.write_all({"a.ts": "a\nmore\n"}, "user", blobs={"logo.png": b"\0\1"})
    files.write_all({".gitignore": "*.log\n", "x.log": "left out\n"}, "user")
    files.delete("src/b.ts", "user")
    found = history.differences_since(first.commit)
    assert [(d.path, d.status, d.binary) for d in found] == [
        (".gitignore", "added", False),
        ("a.ts", "changed", False),
        ("logo.png", "added", True),
        ("src/b.ts", "deleted", False),
    ]
    assert "+more" in found[1].patch
    assert "-b" in found[3].patch
