"""Versions in git, checked with the real git: kept beside the person's work, never in its way."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from vibedesk.base.errors import InvalidInputError, NotFoundError, StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.history import HISTORY_REFERENCE, History
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.work_folder import WorkFolder
from vibedesk.engine.store.database import Database


@pytest.fixture
def folder(home: Home) -> Path:
    return home.projects / "p1"


@pytest.fixture
def work(database: Database, project_id: str, files: ProjectFiles, folder: Path) -> WorkFolder:
    return WorkFolder(database, project_id, files, folder)


@pytest.fixture
def history(database: Database, project_id: str, files: ProjectFiles, folder: Path) -> History:
    return History(database, project_id, files, folder)


@pytest.fixture
def git(folder: Path):
    def run(*arguments: str) -> str:
        environment = {
            **os.environ,
            "GIT_AUTHOR_NAME": "P",
            "GIT_AUTHOR_EMAIL": "p@example.org",
            "GIT_COMMITTER_NAME": "P",
            "GIT_COMMITTER_EMAIL": "p@example.org",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_snapshot_is_a_commit_with_the_documents_files(
    files: ProjectFiles, history: History, git
) -> None:
    files.write_all({"src/a.ts": "a\r\n", "b.ts": "📊"}, "agent", blobs={"logo.png": b"\0\1"})
    kept = history.snapshot("Phase 1:  Timer\nand more", "agent")
    assert (kept.label, kept.author, kept.files_changed) == ("Phase 1: Timer and more", "agent", 3)
    assert kept.code_version == files.version
    assert git("rev-parse", HISTORY_REFERENCE).strip() == kept.commit
    assert git("ls-tree", "-r", "--name-only", kept.commit).split() == [
        "b.ts",
        "logo.png",
        "src/a.ts",
    ]
    assert git("show", f"{kept.commit}:b.ts") == "📊"
    assert git(
        "log", "-1", "--format=%cn|%ae|%(trailers:key=VibeDesk-Author,valueonly)", kept.commit
    ).strip() == ("VibeDesk agent|agent@vibedesk.invalid|agent")
    git("fsck", "--strict")


def test_only_the_history_reference_is_made(files: ProjectFiles, history: History, git) -> None:
    files.write("a", "x", "agent")
    history.snapshot("one")
    assert git("for-each-ref", "--format=%(refname)").split() == [HISTORY_REFERENCE]


def test_versions_come_newest_first_and_nothing_new_is_no_version(
    files: ProjectFiles, history: History
) -> None:
    assert history.versions() == []
    files.write("a", "1", "agent")
    first = history.snapshot("one")
    assert history.snapshot("again") == first
    files.write("a", "2", "fix")
    history.snapshot("two", "fix")
    assert [(kept.label, kept.author) for kept in history.versions()] == [
        ("two", "fix"),
        ("one", "agent"),
    ]
    with pytest.raises(InvalidInputError):
        history.snapshot("three", "somebody")


def test_an_empty_project_can_be_kept(history: History, git) -> None:
    kept = history.snapshot("nothing yet")
    assert git("ls-tree", "-r", kept.commit) == ""


def test_deletions_renames_and_files_for_folders_are_kept(
    files: ProjectFiles, history: History, git
) -> None:
    files.write_all({"src/a/b.ts": "b", "src/c.ts": "c", "d": "d"}, "agent")
    history.snapshot("one")
    files.delete("src/a/b.ts", "agent")
    files.rename("d", "e/d", "agent")
    second = history.snapshot("two")
    assert git("ls-tree", "-r", "--name-only", second.commit).split() == ["e/d", "src/c.ts"]
    files.rename("e/d", "e", "agent")
    files.rename("src/c.ts", "src/c.ts/index.ts", "agent")
    third = history.snapshot("three")
    assert git("ls-tree", "-r", "--name-only", third.commit).split() == ["e", "src/c.ts/index.ts"]
    git("fsck", "--strict")


def test_files_that_are_being_written_are_not_kept_until_they_close(
    files: ProjectFiles, history: History, database: Database, project_id: str
) -> None:
    drafts = Drafts(database, project_id, files)
    files.write("old", "old", "agent")
    drafts.start("new", "full")
    drafts.append("new", "half")
    drafts.start("old", "full")
    drafts.append("old", "ne")
    first = history.snapshot("one")
    assert history.files_at(first.commit) == {"old": b"old"}
    drafts.close("new", "half")
    second = history.snapshot("two")
    assert history.files_at(second.commit) == {"old": b"old", "new": b"half"}


def test_ignored_files_are_never_kept(files: ProjectFiles, history: History) -> None:
    files.write_all(
        {".gitignore": "own.txt\n/out/\n", "own.txt": "KEY=1", "out/x": "x", "a": "a"}, "agent"
    )
    first = history.snapshot("one")
    assert sorted(history.files_at(first.commit)) == [".gitignore", "a"]
    files.write(".gitignore", "a\n", "agent")
    second = history.snapshot("two")
    assert sorted(history.files_at(second.commit)) == [".gitignore", "out/x", "own.txt"]


def test_restoring_brings_files_back_and_loses_nothing(
    files: ProjectFiles, history: History, git
) -> None:
    files.write_all({"a": "1", "b": "b", ".gitignore": ".env\n"}, "agent", blobs={"c.png": b"\0\1"})
    first = history.snapshot("one")
    files.write_all({"a": "2", "d": "d", ".env": "SECRET"}, "user", deleted=["b"])
    files.write_binary("c.png", b"\0\2", "user")
    version = history.restore(first.commit[:10])
    assert version == files.version
    assert files.texts() == {"a": "1", "b": "b", ".gitignore": ".env\n", ".env": "SECRET"}
    assert files.read_binary("c.png") == b"\0\1"
    assert [entry.origin for entry in files.replay(version - 1, version)] == ["restore"]
    labels = [kept.label for kept in history.versions()]
    assert labels == ["Restored “one”", "Before restoring “one”", "one"]
    before = history.versions()[1]
    history.restore(before.commit)
    assert files.read("a") == "2"
    assert files.read("d") == "d"
    git("fsck", "--strict")


def test_a_gitignore_is_kept_although_it_names_itself(
    files: ProjectFiles, history: History
) -> None:
    files.write_all({".gitignore": "*\n!a\n", "a": "a", "b": "b"}, "agent")
    first = history.snapshot("one")
    assert sorted(history.files_at(first.commit)) == [".gitignore", "a"]
    files.write(".gitignore", "*\n", "user")
    history.restore(first.commit)
    before = history.versions()[1]
    assert history.files_at(before.commit)[".gitignore"] == b"*\n"
    assert files.texts() == {".gitignore": "*\n!a\n", "a": "a", "b": "b"}


@pytest.mark.parametrize("one_file", [False, True], ids=["all", "one"])
def test_what_is_named_by_a_later_gitignore_is_kept_before_it_is_restored(
    files: ProjectFiles, history: History, *, one_file: bool
) -> None:
    files.write_all({"a": "1", "b": "1"}, "agent")
    first = history.snapshot("one")
    files.write_all({".gitignore": "a\n.env\n", "a": "2", ".env": "SECRET"}, "user")
    history.snapshot("two")
    files.write("a", "3", "user")
    history.snapshot("three")
    if one_file:
        history.restore_file(first.commit, "a")
    else:
        history.restore(first.commit)
    assert files.read("a") == "1"
    before = next(kept for kept in history.versions() if kept.label.startswith("Before"))
    assert history.files_at(before.commit) == {".gitignore": b"a\n.env\n", "a": b"3", "b": b"1"}


def test_unknown_and_ambiguous_versions_are_said(files: ProjectFiles, history: History) -> None:
    for number in range(20):
        files.write("a", str(number), "agent")
        history.snapshot(str(number))
    ids = [kept.commit for kept in history.versions()]
    twice = next(c for c in "0123456789abcdef" if sum(i.startswith(c) for i in ids) > 1)
    with pytest.raises(InvalidInputError, match="means"):
        history.version(twice)
    for unknown in ("", "zzzz", "0" * 40):
        with pytest.raises(NotFoundError):
            history.restore(unknown)


def test_differences_between_versions(files: ProjectFiles, history: History) -> None:
    files.write_all({"a": "one\n", "b": "b\n"}, "agent", blobs={"c": b"\0"})
    first = history.snapshot("one")
    files.write_all({"a": "two\n", "d": "d\n"}, "agent", blobs={"c": b"\0\1"}, deleted=["b"])
    second = history.snapshot("two")
    found = {d.path: d for d in history.differences(second.commit)}
    assert {path: d.status for path, d in found.items()} == {
        "a": "changed",
        "b": "deleted",
        "c": "changed",
        "d": "added",
    }
    assert "-one\n+two" in found["a"].patch
    assert found["c"].binary
    assert [d.path for d in history.differences(first.commit)] == ["a", "b", "c"]
    assert [d.status for d in history.differences(first.commit, second.commit)] == [
        "changed",
        "added",
        "changed",
        "deleted",
    ]


def test_main_follows_while_its_tip_is_ours_and_the_status_is_clean(
    files: ProjectFiles, work: WorkFolder, history: History, git
) -> None:
    for number in (1, 2):
        files.write_all({"a": str(number), f"n{number}": "x", ".gitignore": "out\n"}, "agent")
        work.materialise()
        kept = history.snapshot(f"Phase {number}", advance_main=True)
        assert git("rev-parse", "HEAD").strip() == kept.commit
        assert git("symbolic-ref", "HEAD").strip() == "refs/heads/main"
        assert git("status", "--porcelain") == ""


def test_main_stays_where_the_person_put_it(
    files: ProjectFiles, work: WorkFolder, history: History, git, folder: Path
) -> None:
    files.write("a", "1", "agent")
    work.materialise()
    history.snapshot("Phase 1", advance_main=True)
    (folder / "mine").write_text("mine")
    git("add", "mine")
    index = (folder / ".git/index").read_bytes()
    files.write("a", "2", "agent")
    kept = history.snapshot("Phase 2", advance_main=True)
    assert git("rev-parse", "main").strip() != kept.commit
    assert (folder / ".git/index").read_bytes() == index  # what was staged stays staged
    git("commit", "-qm", "mine")
    own = git("rev-parse", "main")
    files.write("a", "3", "agent")
    history.snapshot("Phase 3", advance_main=True)
    assert git("rev-parse", "main") == own
    assert len(history.versions()) == 3


def test_main_follows_without_touching_another_branch(
    files: ProjectFiles, work: WorkFolder, history: History, git, folder: Path
) -> None:
    files.write("a", "1", "agent")
    work.materialise()
    history.snapshot("Phase 1", advance_main=True)
    git("checkout", "-qb", "feature")
    head, index = git("rev-parse", "HEAD"), (folder / ".git/index").read_bytes()
    files.write("a", "2", "agent")
    kept = history.snapshot("Phase 2", advance_main=True)
    assert git("rev-parse", "main").strip() == kept.commit
    assert git("rev-parse", "HEAD") == head
    assert (folder / ".git/index").read_bytes() == index


def test_a_repository_of_the_persons_is_only_added_to(
    database: Database, project_id: str, files: ProjectFiles, folder: Path, git
) -> None:
    folder.mkdir(parents=True)
    git("init", "-q", "-b", "main")
    (folder / "theirs").write_text("x")
    git("add", ".")
    git("commit", "-qm", "theirs")
    hook = folder / ".git/hooks/post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    (folder / ".git/hooks/reference-transaction").write_bytes(hook.read_bytes())
    (folder / ".git/hooks/reference-transaction").chmod(0o755)
    git("config", "core.fsmonitor", f"touch {folder}/ran")
    before = (
        git("rev-parse", "HEAD"),
        (folder / ".git/index").read_bytes(),
        (folder / ".git/config").read_bytes(),
    )
    (folder / "ran").unlink(missing_ok=True)
    history = History(database, project_id, files, folder, own=False)
    files.write("a", "1", "agent")
    history.snapshot("Phase 1", advance_main=True)
    assert not (folder / "ran").exists()
    hook.with_name("reference-transaction").unlink()
    git("config", "--unset", "core.fsmonitor")
    assert git("rev-parse", "HEAD") == before[0]
    assert (folder / ".git/index").read_bytes() == before[1]
    assert len(history.versions()) == 1


def test_a_repository_above_the_folder_is_left_alone(
    files: ProjectFiles, history: History, home: Home, folder: Path
) -> None:
    home.projects.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(home.projects)], check=True)
    files.write("a", "1", "agent")
    history.snapshot("one")
    assert (folder / ".git").is_dir()
    assert not (home.projects / ".git/refs/vibedesk").exists()


def test_a_lost_repository_is_begun_again_with_everything(
    files: ProjectFiles, history: History, folder: Path
) -> None:
    files.write_all({"a": "1", "b": "2"}, "agent")
    history.snapshot("one")
    (folder / ".git").rename(folder / "gone")
    files.write("a", "3", "agent")
    kept = history.snapshot("two")
    assert history.files_at(kept.commit) == {"a": b"3", "b": b"2"}
    assert [version.label for version in history.versions()] == ["two"]


def test_a_commit_that_was_not_noted_is_followed(
    files: ProjectFiles, history: History, database: Database
) -> None:
    files.write_all({"a": "1", "b": "2"}, "agent")
    history.snapshot("one")
    progress = database.call(history._log.progress)
    files.write("a", "3", "agent")
    history.snapshot("two")
    database.call(history._log.set_snapshot, progress.snapshot_version, progress.snapshot_commit)
    files.delete("b", "agent")
    kept = history.snapshot("three")
    assert history.files_at(kept.commit) == {"a": b"3"}
    assert len(history.versions()) == 3


def test_a_repository_of_another_user_works(
    files: ProjectFiles, history: History, folder: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("changing the owner needs root")
    files.write("a", "1", "agent")
    history.snapshot("one")
    for path in (folder, folder / ".git"):
        os.chown(path, 12345, 12345)
    files.write("a", "2", "agent")
    history.snapshot("two")
    assert len(history.versions()) == 2


def test_a_broken_repository_is_said(files: ProjectFiles, history: History, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".git").write_text("gitdir: /nowhere/at/all\n")
    with pytest.raises(StorageError, match="could not be used"):
        history.snapshot("one")


def test_a_snapshot_writes_only_what_changed(
    files: ProjectFiles, history: History, folder: Path
) -> None:
    files.write_all({f"src/d{n % 10}/f{n}.ts": str(n) for n in range(500)}, "agent")
    history.snapshot("one")

    def objects() -> int:
        return sum(1 for path in (folder / ".git/objects").rglob("*") if path.is_file())

    before = objects()
    files.write("src/d3/f3.ts", "changed", "agent")
    history.snapshot("two")
    assert objects() - before == 5  # a blob, three trees, a commit


def test_an_executable_file_stays_executable(
    files: ProjectFiles, work: WorkFolder, history: History, folder: Path, git
) -> None:
    files.write("run.sh", "#!/bin/sh\n", "agent")
    work.materialise()
    (folder / "run.sh").chmod(0o755)
    work.take_in()
    kept = history.snapshot("one", advance_main=True)
    assert git("ls-tree", kept.commit).startswith("100755")
    assert git("status", "--porcelain") == ""


def test_env_files_are_never_kept_whatever_gitignore_says(
    files: ProjectFiles, history: History
) -> None:
    files.write_all(
        {
            ".gitignore": "!.env\n",
            ".env": "KEY=1",
            "server/.env.local": "KEY=1",
            ".env.example": "KEY=",
            ".envrc.md": "no secret",
        },
        "agent",
    )
    first = history.snapshot("one")
    assert sorted(history.files_at(first.commit)) == [".env.example", ".envrc.md", ".gitignore"]
    history.restore(first.commit)
    assert files.read(".env") == "KEY=1"
