"""Files while they are being written: visible, stored, resumable, and never at the cost of a person's typing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vibedesk.base.errors import InvalidInputError, NotAllowedNowError
from vibedesk.base.paths import Home
from vibedesk.engine.files.drafts import Draft, Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import DraftChunkRow, FileRow


@pytest.fixture
def drafts(database: Database, project_id: str, files: ProjectFiles) -> Drafts:
    return Drafts(database, project_id, files)


def stored_file(database: Database, path: str) -> FileRow:
    return database.call(lambda: FileRow.get(FileRow.path == path))


def test_a_new_file_grows_in_the_document_but_is_not_finished(
    files: ProjectFiles, drafts: Drafts, database: Database
) -> None:
    drafts.start("src/App.tsx", "full", 3)
    drafts.append("src/App.tsx", "one\n")
    drafts.append("src/App.tsx", "📊 two\n")
    assert files.read("src/App.tsx") == "one\n📊 two\n"
    assert files.open_paths() == {"src/App.tsx"}
    assert files.texts() == {}
    version = drafts.close("src/App.tsx", "one\n📊 two\n")
    assert version == files.version
    assert files.texts() == {"src/App.tsx": "one\n📊 two\n"}
    assert drafts.list() == []
    assert database.call(DraftChunkRow.select().count) == 0
    stored = stored_file(database, "src/App.tsx")
    assert (stored.phase, stored.size) == (3, len("one\n📊 two\n".encode()))
    assert "+📊 two" in stored.last_diff


def test_a_rewrite_shows_the_old_text_until_it_closes(files: ProjectFiles, drafts: Drafts) -> None:
    files.write("a.ts", "old\n", "agent")
    drafts.start("a.ts", "full")
    drafts.append("a.ts", "new\n")
    assert files.read("a.ts") == "old\n"
    assert files.texts() == {"a.ts": "old\n"}
    assert drafts.get("a.ts") == Draft("a.ts", "full", "old\n", "new\n", truncated=False, phase=0)
    drafts.close("a.ts", "new\n")
    assert files.read("a.ts") == "new\n"


def test_what_a_person_types_before_a_rewrite_begins_that_does_not_know_of_it_survives(
    files: ProjectFiles, drafts: Drafts
) -> None:
    """A model is shown the code, thinks, and writes other files first."""
    shown = "import x\n\nfunction a() {}\n"
    files.write("a.ts", shown, "agent")
    files.write("a.ts", f"// mine\n{shown}", "user")
    drafts.start("a.ts", "full", shown=shown)
    files.write("a.ts", f"// mine\n{shown}// too\n", "user")
    drafts.close("a.ts", "import x\n\nfunction a() { return 1 }\n")
    assert files.read("a.ts") == "// mine\nimport x\n\nfunction a() { return 1 }\n// too\n"


def test_what_a_person_types_during_a_rewrite_survives(files: ProjectFiles, drafts: Drafts) -> None:
    files.write("a.ts", "import x\n\nfunction a() {}\n\nfunction b() {}\n", "agent")
    drafts.start("a.ts", "full")
    drafts.append("a.ts", "import x\n\nfunction a() { return 1 }\n\nfunct")
    files.write("a.ts", "// mine\nimport x\n\nfunction a() {}\n\nfunction b() {}\n", "user")
    drafts.close("a.ts", "import x\n\nfunction a() { return 1 }\n\nfunction b() {}\n")
    assert files.read("a.ts") == (
        "// mine\nimport x\n\nfunction a() { return 1 }\n\nfunction b() {}\n"
    )


def test_what_a_person_types_into_a_new_file_survives(files: ProjectFiles, drafts: Drafts) -> None:
    drafts.start("a.ts", "full")
    drafts.append("a.ts", "const a = 1;\n")
    files.write("a.ts", "// mine\nconst a = 1;\n", "user")
    drafts.append("a.ts", "const b = 2;\n")
    drafts.close("a.ts", "const a = 1;\nconst b = 2;\n")
    assert files.read("a.ts") == "// mine\nconst a = 1;\nconst b = 2;\n"


def test_a_patch_is_made_on_the_file_as_it_is_now(files: ProjectFiles, drafts: Drafts) -> None:
    files.write("a.ts", "one\ntwo\n", "agent")
    drafts.start("a.ts", "patch")
    drafts.append("a.ts", "@@ -2 +2 @@\n-two\n+2\n")
    files.write("a.ts", "zero\none\ntwo\n", "user")
    drafts.close("a.ts", files.read("a.ts").replace("two", "2"))
    assert files.read("a.ts") == "zero\none\n2\n"


def test_the_closing_text_decides_over_the_streamed_one(
    files: ProjectFiles, drafts: Drafts
) -> None:
    drafts.start("a.ts", "full")
    drafts.append("a.ts", "one\ntwo")
    drafts.close("a.ts", "one\ntwo\nthree\n")
    assert files.read("a.ts") == "one\ntwo\nthree\n"


def test_a_file_renamed_or_deleted_meanwhile_gets_its_text(
    files: ProjectFiles, drafts: Drafts
) -> None:
    files.write_all({"a.ts": "a\n", "b.ts": "b\n"}, "agent")
    drafts.start("a.ts", "full")
    drafts.start("b.ts", "full")
    files.rename("a.ts", "c.ts", "user")
    files.delete("b.ts", "user")
    drafts.close("a.ts", "new a\n")
    drafts.close("b.ts", "new b\n")
    assert files.texts() == {"b.ts": "new b\n", "c.ts": "new a\n"}


def test_a_truncated_draft_is_kept(files: ProjectFiles, drafts: Drafts) -> None:
    drafts.start("a.ts", "full", 2)
    drafts.append("a.ts", "one\nt")
    drafts.interrupt("a.ts")
    assert drafts.list() == [Draft("a.ts", "full", None, "one\nt", truncated=True, phase=2)]
    assert files.texts() == {}
    drafts.close("a.ts", "one\ntwo\n")
    assert files.texts() == {"a.ts": "one\ntwo\n"}


def test_starting_again_begins_anew(files: ProjectFiles, drafts: Drafts) -> None:
    drafts.start("a.ts", "full")
    drafts.append("a.ts", "half")
    drafts.start("a.ts", "full")
    drafts.append("a.ts", "whole")
    assert files.read("a.ts") == "whole"
    assert [draft.text for draft in drafts.list()] == ["whole"]


def test_what_a_person_types_into_a_file_that_broke_off_outlives_that_it_begins_anew(
    files: ProjectFiles, drafts: Drafts
) -> None:
    files.write("old.ts", "one\ntwo\nthree\n", "agent")
    for path in ("new.ts", "old.ts"):
        drafts.start(path, "full", 1)
        drafts.append(path, "one\ntwo\nthr")
        drafts.interrupt(path)
    for _ in range(2):
        files.write("new.ts", files.read("new.ts").replace("two\n", "two\n// mine\n"), "user")
        files.write("old.ts", files.read("old.ts").replace("two\n", "two\n// mine\n"), "user")
        for path in ("new.ts", "old.ts"):
            drafts.start(path, "full", 1)
            drafts.append(path, "one\ntw")
    whole = "one\ntwo\nthree\nfour\n"
    for path in ("new.ts", "old.ts"):
        drafts.close(path, whole)
        assert files.read(path) == "one\ntwo\n// mine\n// mine\nthree\nfour\n"
    assert files.list() == ["new.ts", "old.ts"]


def test_a_dropped_draft_leaves_what_was_there(files: ProjectFiles, drafts: Drafts) -> None:
    files.write("old.ts", "old", "agent")
    for path in ("old.ts", "new.ts"):
        drafts.start(path, "full")
        drafts.append(path, "half")
        drafts.discard(path)
    assert files.texts() == {"old.ts": "old"}
    assert files.list() == ["old.ts"]
    assert drafts.list() == []


def test_a_dropped_draft_leaves_what_somebody_typed_into_its_new_file(
    files: ProjectFiles, drafts: Drafts
) -> None:
    drafts.start("new.ts", "full")
    drafts.append("new.ts", "half\n")
    files.write("new.ts", "mine\nhalf\n", "user")
    drafts.discard("new.ts")
    assert files.texts() == {"new.ts": "mine\nhalf\n"}
    assert drafts.list() == []


def test_a_draft_over_a_binary_file_makes_it_a_text(files: ProjectFiles, drafts: Drafts) -> None:
    files.write_binary("icon.svg", b"\0", "user")
    drafts.start("icon.svg", "full")
    drafts.append("icon.svg", "<svg/>")
    drafts.close("icon.svg", "<svg/>")
    assert files.texts() == {"icon.svg": "<svg/>"}


def test_what_is_not_open_cannot_be_written(drafts: Drafts) -> None:
    for attempt in (
        lambda: drafts.append("a.ts", "x"),
        lambda: drafts.close("a.ts", "x"),
        lambda: drafts.interrupt("a.ts"),
        lambda: drafts.discard("a.ts"),
    ):
        with pytest.raises(NotAllowedNowError):
            attempt()
    assert drafts.get("a.ts") is None


def test_a_draft_of_a_path_that_may_not_be_is_refused(files: ProjectFiles, drafts: Drafts) -> None:
    files.write("src", "x", "agent")
    for path in ("../x", "src/a"):
        with pytest.raises(InvalidInputError):
            drafts.start(path, "full")
    assert drafts.list() == []


def test_appending_costs_what_was_appended(drafts: Drafts, database: Database) -> None:
    drafts.start("a.ts", "full")
    with database.counting() as first:
        drafts.append("a.ts", "x" * 20)
    for _ in range(200):
        drafts.append("a.ts", "line of code\n" * 20)
    database.call(lambda: None)
    with database.counting() as last:
        drafts.append("a.ts", "x" * 20)
    assert last.statements == first.statements


def test_a_process_killed_while_streaming_loses_nothing_it_reported(
    home: Home, database: Database
) -> None:
    database.close()
    script = f"""
import os, signal
from pathlib import Path
from vibedesk.base.clock import utc_now
from vibedesk.base.paths import Home
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import ProjectRow
database = Database.open(Home(root=Path({str(home.root)!r}), projects=Path("x")), write=True)
now = utc_now()
database.call(lambda: ProjectRow.insert(id="P", name="p", folder="", created_at=now, updated_at=now).execute())
files = ProjectFiles(database, "P")
drafts = Drafts(database, "P", files)
files.write("old.ts", "old", "agent")
drafts.start("new.ts", "full")
drafts.start("old.ts", "full")
for number in range(400):
    drafts.append("new.ts", f"line {{number}} 📊\\n")
    drafts.append("old.ts", f"line {{number}} 📊\\n")
    print(number, flush=True)
    if number == 321:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    child = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert child.stdout, child.stderr
    told = "".join(f"line {number} 📊\n" for number in child.stdout.split())
    again = Database.open(home, write=True)
    files = ProjectFiles(again, "P")
    drafts = Drafts(again, "P", files)
    assert [draft.path for draft in drafts.list()] == ["new.ts", "old.ts"]
    assert all(draft.text.startswith(told) for draft in drafts.list())
    assert files.read("new.ts") == drafts.list()[0].text
    assert files.texts() == {"old.ts": "old"}
    again.close()
