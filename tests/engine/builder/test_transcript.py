"""The conversation in requests: cut between question and question, and never more than it may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.builder.transcript import MOST_CHARACTERS, history, old_part
from vibedesk.engine.store.records import MessageRecord


def message(number: int, role: str, text: str, **data: object) -> MessageRecord:
    return MessageRecord(id=f"{number:05}", role=role, text=text, at="", complete=True, data=data)


def conversation(sizes: list[tuple[int, int]]) -> list[MessageRecord]:
    """Return questions and answers of given lengths; an answer of -1 is none."""
    messages = []
    for number, (asked, answered) in enumerate(sizes):
        messages.append(message(2 * number, "user", "q" * asked))
        if answered >= 0:
            text = "a" * answered
            messages.append(message(2 * number + 1, "assistant", text, answers=f"{2 * number:05}"))
    return messages


def test_answers_follow_their_questions_with_what_came_of_them() -> None:
    messages = [
        message(1, "user", "first"),
        message(2, "user", "second"),
        message(3, "assistant", "one", answers="00001", scof="cat > a <<'E'\nx\nE\n"),
        message(4, "assistant", "two", answers="00002", no_change=True),
    ]
    told = [
        ("user", "first"),
        ("assistant", "one\n\n(The change followed in SCOF: a.)"),
        ("user", "second"),
        ("assistant", "two\n\n[no change]"),
    ]
    assert history(messages) == told
    assert history(messages, before="00002") == told[:2]
    assert history(messages, after="00001") == told[2:]


def test_a_short_conversation_is_not_cut() -> None:
    assert old_part(conversation([(100, 1000)] * 20), after="", before=None) is None


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(-1, 9000)), max_size=25))
def test_what_stays_is_short_and_begins_with_a_question(sizes: list[tuple[int, int]]) -> None:
    messages = conversation(sizes)
    old = old_part(messages, after="", before=None)
    whole = history(messages)
    if old is None:
        assert sum(len(text) for _, text in whole) <= MOST_CHARACTERS
        return
    kept = history(messages, after=old.upto)
    assert [*old.messages, *kept] == whole
    assert sum(len(text) for _, text in kept) <= MOST_CHARACTERS // 2
    assert not kept or kept[0][0] == "user"
    assert old_part(messages, after=old.upto, before=None) is None
