"""Finding JSON in what models write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recordings import recordings
from vibedesk.engine.models.protocol import BadAnswerError
from vibedesk.engine.models.structured import recover_candidates, recover_json

VALUE = {"name": "a", "files": [{"path": "src/a.ts", "changes": None}], "is_last_phase": True}


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "files": [{"path": "src/a.ts", "changes": null}], "is_last_phase": true}',
        'Here you go:\n```json\n{"name": "a", "files": [{"path": "src/a.ts", "changes": null}], "is_last_phase": true}\n```\nHave fun!',
        '{"name": "a", "files": [{"path": "src/a.ts", "changes": null,},], "is_last_phase": true,}',
        "{'name': 'a', 'files': [{'path': 'src/a.ts', 'changes': None}], 'is_last_phase': True}",
        '{name: "a", files: [{path: "src/a.ts", changes: null}], is_last_phase: true}',
        '{"name": "a", // the name\n "files": [{"path": "src/a.ts", "changes": null}], /* last */ "is_last_phase": true}',
        'Use {curly} braces. {"name": "a", "files": [{"path": "src/a.ts", "changes": null}], "is_last_phase": true} Done {ok}.',
        '\ufeff~~~\n{"name": "a", "files": [{"path": "src/a.ts", "changes": null}], "is_last_phase": true}\n~~~',
        '{"name": "a", "files": [{"path": "src/a.ts", "changes": null}], "is_last_phase": true',
        '```json\n{"name": "a", "is_last_phase": true, "files": [{"path": "src/a.ts", "changes": null}\n```',
    ],
    ids=[
        "plain",
        "fence",
        "trailing commas",
        "python",
        "bare keys",
        "comments",
        "prose braces",
        "bom and tildes",
        "no end",
        "no end in a fence",
    ],
)
def test_what_models_write(text: str) -> None:
    assert recover_json(text) == VALUE


def test_a_broken_object_is_not_replaced_by_a_whole_one_inside_it() -> None:
    text = '{"name": "a", "files": [{"path": "x"}, {"path": "y"}] "rest": {"deep": 1}'
    value = recover_json(text)
    assert isinstance(value, dict)
    assert value["name"] == "a"
    assert value["files"] == [{"path": "x"}, {"path": "y"}]


def test_an_end_that_was_made_up_is_told() -> None:
    whole, cut = '{"a": [1, 2,], "b": 3}', '{"a": [1, 2'
    assert next(recover_candidates(whole)).complete
    assert not next(recover_candidates(cut)).complete


@pytest.mark.parametrize(
    "text", ["", "I cannot do that.", "null", "42", '"text"', "{", "{}}", "```"]
)
def test_nothing_to_find(text: str) -> None:
    with pytest.raises(BadAnswerError) as raised:
        recover_json(text)
    assert raised.value.remedy


def test_code_in_strings_does_not_confuse() -> None:
    value = {"snippet": "```ts\nconst a = {b: [1]}\n```\n}", "n": [{"x": "it's"}]}
    text = f"Sure!\n```json\n{json.dumps(value, indent=2)}\n```"
    assert recover_json(text) == value


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_recorded_answers_survive_trailing_commas(folder: Any) -> None:
    for path in folder.glob("0*-*.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        broken = (
            json.dumps(value, indent=1, ensure_ascii=False)
            .replace("\n}", ",\n}")
            .replace('"\n', '",\n')
        )
        assert recover_json(f"Here:\n```\n{broken}\n```") == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)
json_objects = st.dictionaries(st.text(min_size=1, max_size=8), json_values, min_size=1, max_size=5)
prose = st.text(st.characters(exclude_characters="{}[]`~", exclude_categories=["Cs"]), max_size=60)


@given(value=json_objects, before=prose, after=prose, fence=st.sampled_from(["", "```", "```json"]))
def test_wrapping_never_matters(value: dict[str, Any], before: str, after: str, fence: str) -> None:
    body = json.dumps(value, ensure_ascii=False)
    if fence:
        body = f"{fence}\n{body}\n```"
    assert recover_json(f"{before}\n{body}\n{after}") == value


@given(value=json_objects, cut=st.floats(0, 1))
def test_any_beginning_is_a_value_or_a_clear_error(value: dict[str, Any], cut: float) -> None:
    text = json.dumps(value)
    try:
        found = recover_json(text[: int(len(text) * cut)])
    except BadAnswerError:
        return
    assert isinstance(found, dict | list)


@given(text=st.text(max_size=200) | st.text("{}[]\"',:\\ntrue /*#`", max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = recover_json(text)
    except BadAnswerError:
        return
    assert isinstance(found, dict | list)


def test_deep_nesting_and_many_braces_are_survived() -> None:
    for text in ("[" * 20_000, "{" * 20_000, '{"a":' * 5_000, "{ " * 10_000 + "}" * 10_000):
        try:
            recover_json(text)
        except BadAnswerError:
            continue
