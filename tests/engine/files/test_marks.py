"""What the person says of files: locked ones no model writes, whatever the way."""

from __future__ import annotations

import pytest

from vibedesk.base.errors import NotAllowedNowError, NotFoundError
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.stored_document import LockedFileError


@pytest.fixture
def kept(files: ProjectFiles) -> ProjectFiles:
    files.write_all({"src/kept.ts": "mine\n", "src/other.ts": "theirs\n"}, "agent")
    files.mark("src/kept.ts", "locked", on=True)
    return files


@pytest.fixture
def drafts(files: ProjectFiles) -> Drafts:
    return Drafts(files.database, files.project_id, files)


@pytest.mark.parametrize("origin", ["agent", "fix"])
def test_no_model_changes_a_locked_file(kept: ProjectFiles, origin: str) -> None:
    version = kept.version
    for change in (
        lambda: kept.write("src/kept.ts", "new\n", origin),
        lambda: kept.edit("src/kept.ts", "mine", "new", origin),
        lambda: kept.delete("src/kept.ts", origin),
        lambda: kept.delete("src", origin),
        lambda: kept.rename("src/kept.ts", "src/moved.ts", origin),
        lambda: kept.rename("src", "lib", origin),
    ):
        with pytest.raises(LockedFileError):
            change()
    assert kept.version == version
    assert kept.texts() == {"src/kept.ts": "mine\n", "src/other.ts": "theirs\n"}


@pytest.mark.parametrize("origin", ["user", "disk", "restore"])
def test_everybody_else_does(kept: ProjectFiles, origin: str) -> None:
    kept.write("src/kept.ts", "new\n", origin)
    assert kept.read("src/kept.ts") == "new\n"


def test_a_lock_follows_its_file_and_ends_with_it(kept: ProjectFiles) -> None:
    kept.rename("src/kept.ts", "src/moved.ts", "user")
    assert kept.locked(["src/kept.ts", "src/moved.ts"]) == ["src/moved.ts"]
    kept.delete("src/moved.ts", "user")
    kept.write("src/moved.ts", "again\n", "agent")
    assert kept.marks() == {}


def test_a_mark_is_taken_back(kept: ProjectFiles) -> None:
    kept.mark("src/kept.ts", "pinned", on=True)
    assert kept.marks() == {"src/kept.ts": {"locked", "pinned"}}
    kept.mark("src/kept.ts", "locked", on=False)
    kept.write("src/kept.ts", "new\n", "agent")
    assert kept.marks() == {"src/kept.ts": {"pinned"}}


def test_a_rewrite_that_was_under_way_is_refused_at_its_end(
    kept: ProjectFiles, drafts: Drafts
) -> None:
    drafts.start("src/other.ts", "full")
    kept.mark("src/other.ts", "locked", on=True)
    with pytest.raises(LockedFileError):
        drafts.close("src/other.ts", "new\n")
    assert kept.read("src/other.ts") == "theirs\n"


def test_what_is_not_there_or_not_whole_cannot_be_locked(
    kept: ProjectFiles, drafts: Drafts
) -> None:
    with pytest.raises(NotFoundError):
        kept.mark("nothing.ts", "locked", on=True)
    drafts.start("new.ts", "full")
    with pytest.raises(NotAllowedNowError):
        kept.mark("new.ts", "locked", on=True)
