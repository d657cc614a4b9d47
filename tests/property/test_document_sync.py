"""What a person types while the agent writes the file is in the document at the end, once, whatever comes between."""

from __future__ import annotations

import asyncio
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.document import ProjectDocument
from vibedesk.engine.files.text_diff import merged_edits
from vibedesk.ui.document_sync import DocumentSync

_PATH = "a.txt"
_FIRST_TYPED = 0x4E00
"""What is typed are letters that come once each."""
_TEXT = st.text(alphabet="ab \n", max_size=12)
_STREAM = st.tuples(st.just("stream"), _TEXT)
_TYPE = st.tuples(st.just("type"), st.integers(0, 60), st.integers(0, 4), st.integers(0, 3))
_STEPS = st.lists(
    st.one_of(_STREAM, _TYPE, _TYPE, st.just(("sent",)), st.just(("anew",))), max_size=14
)


class Documents:
    """What a `DocumentSync` asks the engine for, of a document that nothing stores, and the agent's rewrites."""

    def __init__(self, before: str) -> None:
        self._document = ProjectDocument()
        self._updates: list[bytes] = []
        with self._document.changing("agent") as change:
            self._file = self._document.create_text(_PATH, before)
        self._updates += change.updates
        self.begin()

    @property
    def text(self) -> str:
        return self._document.text_of(self._file)

    def begin(self) -> None:
        self._base = self.text

    def close(self, text: str) -> None:
        """As the engine ends a draft of a whole file."""
        with self._document.changing("agent") as change:
            self._document.edit_text(self._file, merged_edits(self._base, self.text, text))
        self._updates += change.updates

    async def updates_since(self, _: str, version: int) -> tuple[int, list[bytes]]:
        return len(self._updates), self._updates[version:]

    async def apply_update(self, _: str, update: bytes) -> int:
        self._document.apply_update(update, "user")
        self._updates.append(update)
        return len(self._updates)


class Typing:
    """The agent, who writes a file, and the person, who types in the editor that shows it."""

    def __init__(self, before: str) -> None:
        self.documents = Documents(before)
        self.errors: list[VibeDeskError] = []
        self.typed = ""
        self.shown = ""
        self.lost = ""
        """What was shown of answers that broke off."""
        self._written = ""
        self._sync = DocumentSync(
            cast("Engine", self.documents), "", list, self.errors.append, lambda path: None
        )

    async def play(self, steps: list[tuple[object, ...]], *, whole: bool) -> None:
        """Write the file, with these steps, to its end, or break off."""
        sync = self._sync
        sending = asyncio.create_task(sync.send_typed())
        await sync.fetch()
        self._begin()
        for step in steps:
            match step:
                case ("stream", str(text)):
                    self._stream(text)
                case ("type", int(at), int(removed), int(count)):
                    self._type(at, removed, count)
                case ("sent",):
                    await sync.all_sent()
                case ("anew",):
                    self._begin()
        if whole:
            self.documents.close(self._written)
            self.shown = sync.stream_is_whole(_PATH, self.documents.text)
            self._type(1, 0, 1)
        await sync.end_stream(_PATH)
        await sync.all_sent()
        sending.cancel()
        assert not sync.is_streaming(_PATH)
        assert sync.current(_PATH) == self.documents.text
        assert self.errors == []

    def _begin(self) -> None:
        self.lost += self.shown
        self._written = self.shown = ""
        self.documents.begin()
        self._sync.begin_stream(_PATH, "")

    def _stream(self, text: str) -> None:
        self._written += text
        self.shown += text
        self._sync.streamed(_PATH, text)

    def _type(self, at: int, removed: int, count: int) -> None:
        at %= len(self.shown) + 1
        gone = self.shown[at : at + removed]
        first = _FIRST_TYPED + len(self.typed)
        typed = "".join(map(chr, range(first, first + count)))
        self.typed += typed
        start = len(self.shown[:at].encode())
        self.shown = self.shown[:at] + typed + self.shown[at + len(gone) :]
        self._sync.typed(_PATH, start, len(gone.encode()), typed)


@given(before=_TEXT, steps=_STEPS, whole=st.booleans())
def test_what_is_typed_beside_a_stream_is_in_the_document_once(
    before: str, steps: list[tuple[object, ...]], whole: bool
) -> None:
    typing = Typing(before)
    asyncio.run(typing.play(steps, whole=whole))
    document = typing.documents.text
    for letter in typing.typed:
        kept = letter in typing.shown + typing.lost
        assert kept <= document.count(letter) <= 1, (letter, document)
