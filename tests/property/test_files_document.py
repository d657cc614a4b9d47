"""Whatever happens to a project's files, in any order: replicas converge, versions are exact, nothing is lost."""

from __future__ import annotations

import random
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pycrdt import Doc, Map, Text

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import InvalidInputError, VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.files.document import FILES_ROOT, PATHS_ROOT, ProjectDocument
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.path_index import PathIndex
from vibedesk.engine.files.project_files import ProjectFiles, clean_text
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import ProjectRow

paths = st.sampled_from(["a", "b.ts", "src/a", "src/b", "SRC/a", "src", "ü/📊.ts", "a/b/c"])
texts = st.lists(
    st.sampled_from(["x", "line\n", "é", "📊", "👩‍👩‍👧", "\r\n", "\ud800", "\x00", "  "]),
    max_size=12,
).map("".join)


class Project(RuleBasedStateMachine):
    """A project, what a simple model says of it, and an editor's replica."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        self.home = Home(root=root, projects=root)
        self.database = Database.open(self.home, write=True)
        now = utc_now()
        self.database.call(
            lambda: ProjectRow.insert(
                id="P", name="p", folder="", created_at=now, updated_at=now
            ).execute()
        )
        self.files = ProjectFiles(self.database, "P")
        self.model: dict[str, str] = {}
        self.versions: list[dict[str, str]] = [{}]
        self.replica = Doc()
        self.replica_texts = self.replica.get(FILES_ROOT, type=Map)
        self.replica_paths = self.replica.get(PATHS_ROOT, type=Map)
        self.pulled = 0

    def teardown(self) -> None:
        self.database.close()
        self._folder.cleanup()

    def free(self, path: str, without: str | None = None) -> bool:
        try:
            PathIndex(other for other in self.model if other != without).check_free(path)
        except InvalidInputError:
            return False
        return True

    def note(self) -> None:
        version = self.files.version
        if version == len(self.versions):
            self.versions.append(dict(self.model))
        assert version == len(self.versions) - 1
        assert self.versions[-1] == self.model

    @rule(path=paths, text=texts)
    def write(self, path: str, text: str) -> None:
        if path in self.model or self.free(path):
            self.files.write(path, text, "agent")
            self.model[path] = clean_text(text)
        else:
            before = self.files.version
            try:
                self.files.write(path, text, "agent")
                raise AssertionError("a path that is not free was written")
            except InvalidInputError:
                assert self.files.version == before
        self.note()

    @rule(path=paths, new_path=paths)
    def rename(self, path: str, new_path: str) -> None:
        if path in self.model and (path == new_path or self.free(new_path, without=path)):
            self.files.rename(path, new_path, "user")
            self.model[new_path] = self.model.pop(path)
            self.note()

    @rule(path=paths)
    def delete(self, path: str) -> None:
        if path in self.model:
            self.files.delete(path, "user")
            del self.model[path]
            self.note()

    @rule(path=paths, text=texts)
    def fail_in_the_middle(self, path: str, text: str) -> None:
        def work() -> None:
            self.files.write(path, text, "agent")
            raise KeyError

        with suppress(KeyError, VibeDeskError):
            self.database.call(work)

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.database = Database.open(self.home, write=True)
        self.files = ProjectFiles(self.database, "P")

    @rule()
    def let_go(self) -> None:
        self.files.release()

    @rule(seed=st.integers(0, 1000))
    @precondition(lambda self: self.model)
    def type_in_the_editor(self, seed: int) -> None:
        self.pull()
        chooser = random.Random(seed)
        path = chooser.choice(sorted(self.model))
        text: Text = self.replica_texts[self.replica_paths[path]]
        content = str(text)
        at = chooser.randint(0, len(content))
        end = min(len(content), at + chooser.randint(0, 3))
        sent: list[bytes] = []
        subscription = self.replica.observe(lambda event: sent.append(event.update))
        start_bytes = len(content[:at].encode())
        with self.replica.transaction():
            if end > at:
                del text[start_bytes : start_bytes + len(content[at:end].encode())]
            text.insert(start_bytes, "é📊")
        self.replica.unobserve(subscription)
        for update in sent:
            self.files.apply_update(update, "user")
        self.model[path] = content[:at] + "é📊" + content[end:]
        self.note()

    @rule()
    def pull(self) -> None:
        for update in self.files.updates_since(self.pulled):
            self.replica.apply_update(update)
        self.pulled = self.files.version
        there = {
            path: str(self.replica_texts[file_id]) for path, file_id in self.replica_paths.items()
        }
        assert there == self.model

    @rule(back=st.integers(0, 30))
    def look_back(self, back: int) -> None:
        version = max(0, len(self.versions) - 1 - back)
        assert dict(self.files.at(version)) == self.versions[version]

    @invariant()
    def reads_as_the_model(self) -> None:
        assert self.files.texts() == self.model


TestProject = Project.TestCase
TestProject.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@settings(max_examples=150, deadline=None)
@given(
    base=texts.map(clean_text),
    steps=st.lists(st.tuples(st.integers(0, 2), texts.map(clean_text)), max_size=10),
    order=st.randoms(use_true_random=False),
)
def test_replicas_converge_whatever_the_order_of_delivery(
    base: str, steps: list[tuple[int, str]], order: random.Random
) -> None:
    first = ProjectDocument()
    with first.changing("agent") as change:
        first.create_text("a", base)
    start = change.updates
    documents = [ProjectDocument(start) for _ in range(3)]
    sent: list[tuple[int, bytes]] = []
    for who, text in steps:
        with documents[who].changing("user") as change:
            documents[who].put_text("a", text)
        sent += [(who, update) for update in change.updates]
    for number, document in enumerate(documents):
        # Each one's updates arrive in their order, but interleaved with the others' in any.
        queues = [[update for who, update in sent if who == other] for other in range(3)]
        queues[number].clear()
        while waiting := [queue for queue in queues if queue]:
            document.apply_update(order.choice(waiting).pop(0), "user")
    assert len({document.text("a") for document in documents}) == 1


@settings(max_examples=150, deadline=None)
@given(update=st.binary(max_size=80))
def test_no_bytes_break_a_document(update: bytes) -> None:
    document = ProjectDocument()
    with document.changing("agent") as change:
        document.create_text("a", "x")
    try:
        document.apply_update(update, "user")
    except InvalidInputError:
        document = ProjectDocument(change.updates)
    assert document.text("a") == "x"


@settings(max_examples=60, deadline=None)
@given(
    base=texts.map(clean_text),
    pieces=st.lists(texts.map(clean_text), max_size=6),
    typed_at=st.integers(0, 6),
    exists=st.booleans(),
)
def test_a_streamed_file_ends_as_the_model_sent_it_with_what_a_person_typed(
    base: str, pieces: list[str], typed_at: int, exists: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder, "db"))
        now = utc_now()
        database.call(
            lambda: ProjectRow.insert(
                id="P", name="p", folder="", created_at=now, updated_at=now
            ).execute()
        )
        files = ProjectFiles(database, "P")
        drafts = Drafts(database, "P", files)
        if exists:
            files.write("a", base, "agent")
        drafts.start("a", "full")
        for number, piece in enumerate(pieces):
            if number == typed_at:
                files.write("a", "«typed»" + files.read("a"), "user")
            drafts.append("a", piece)
        whole = "".join(pieces)
        drafts.close("a", whole)
        typed = "«typed»" if typed_at < len(pieces) else ""
        result = files.read("a")
        assert typed in result
        assert result.replace(typed, "", 1) == whole
        database.close()
