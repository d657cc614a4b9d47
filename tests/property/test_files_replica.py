"""Whatever the engine's side and an editor do to a file, both end with the same text, and the editor's view follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.files.document import ProjectDocument
from vibedesk.engine.files.replica import DocumentReplica, Merged, RemoteEdit, merged_text

TEXT = st.text(alphabet="ab\n😀é", max_size=12)
STEP = st.tuples(st.sampled_from(["engine", "editor"]), st.integers(0, 30), st.integers(0, 5), TEXT)


def apply_to_view(view: bytes, edit: RemoteEdit) -> bytes:
    return view[: edit.position] + edit.inserted.encode() + view[edit.position + edit.removed :]


def character_bounds(text: str, position: int, removed: int) -> tuple[int, int]:
    start = min(position, len(text))
    end = min(start + removed, len(text))
    return len(text[:start].encode()), len(text[start:end].encode())


@given(base=TEXT, edited=TEXT, current=TEXT)
def test_what_was_made_of_another_text_is_brought_in_and_told(
    base: str, edited: str, current: str
) -> None:
    document = ProjectDocument()
    with document.changing("agent") as change:
        file_id = document.create_text("a.txt", current)
    replica = DocumentReplica()
    replica.apply(1, change.updates)
    update = replica.merge("a.txt", base, edited, Merged())
    if update is not None:
        document.apply_update(update, "user")
    merged = merged_text(base, current, edited)
    assert replica.text("a.txt") == document.text_of(file_id) == merged


@given(start=TEXT, steps=st.lists(STEP, max_size=12))
def test_both_sides_converge_and_the_view_follows(
    start: str, steps: list[tuple[str, int, int, str]]
) -> None:
    document = ProjectDocument()
    with document.changing("agent") as change:
        file_id = document.create_text("a.txt", start)
    replica = DocumentReplica()
    replica.apply(1, change.updates)
    view = start.encode()

    for version, (side, position, removed, inserted) in enumerate(steps, start=2):
        if side == "engine":
            text = document.text_of(file_id)
            with document.changing("agent") as change:
                document.put_text("a.txt", text[:position] + inserted + text[position + removed :])
            for edit in replica.apply(version, change.updates):
                view = apply_to_view(view, edit)
        else:
            at, length = character_bounds(view.decode(), position, removed)
            update = replica.edit("a.txt", at, length, inserted)
            view = view[:at] + inserted.encode() + view[at + length :]
            if update is not None:
                document.apply_update(update, "user")

    assert replica.text("a.txt") == document.text_of(file_id)
    assert view.decode() == document.text_of(file_id)
