"""The fields of an answer, as soon as each is whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recordings import recordings
from vibedesk.engine.builder import section_reader
from vibedesk.engine.builder.blueprint_answer import partial_blueprint
from vibedesk.engine.builder.schemas import Blueprint
from vibedesk.engine.builder.section_reader import SectionReader, read_sections
from vibedesk.engine.models.tolerant_json import Reading, read_tolerantly

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, min_size=1, max_size=6)
MESSY = """Here is {the} plan, don't worry:
```json
{ "title": "a, } \\" {", // it's "noted", }
  'views': [{"name": "One"}, /* ], */ {"name": 'Two'},],
  # template comes "now"
  template: "react-vite",
  "data_flow": null,
}
``` And that was {it: 1}."""


def in_pieces(text: str, sizes: list[int]) -> list[tuple[str, object]]:
    reader = SectionReader()
    sections: list[tuple[str, object]] = []
    position = turn = 0
    while position < len(text):
        size = sizes[turn % len(sizes)]
        sections += reader.feed(text[position : position + size])
        position, turn = position + size, turn + 1
    return sections


@given(OBJECTS, st.lists(st.integers(1, 30), min_size=1, max_size=8), st.sampled_from([None, 2]))
def test_any_chunking_gives_the_fields_of_the_object(
    value: dict[str, Any], sizes: list[int], indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    assert dict(in_pieces(text, sizes)) == value


@given(st.text("{}[]\"',:/*#\\ab1 \n", max_size=60), st.lists(st.integers(1, 5), min_size=1))
def test_what_comes_out_of_anything_does_not_depend_on_the_cuts(
    text: str, sizes: list[int]
) -> None:
    assert in_pieces(text, sizes) == in_pieces(text, [len(text) or 1])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_models_put_around_and_between_is_forgiven(size: int) -> None:
    sections = in_pieces(MESSY, [size])
    assert [name for name, _ in sections] == ["title", "views", "template", "data_flow"]
    assert dict(sections)["title"] == 'a, } " {'
    assert dict(sections)["views"] == [{"name": "One"}, {"name": "Two"}]


@given(OBJECTS, st.data())
def test_a_field_comes_only_when_it_is_whole(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(0, len(text)))
    for name, part in read_sections(text[:cut]).items():
        assert part == value[name]


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_recorded_blueprints_stream_into_what_they_become(folder: Any) -> None:
    [text] = [path.read_text() for path in folder.glob("*-blueprint.json")]
    whole = Blueprint.model_validate_json(text).model_dump()
    partial = partial_blueprint(text)
    assert partial == {name: whole[name] for name in partial}
    assert partial.keys() == json.loads(text).keys() & Blueprint.model_fields.keys()


def test_every_field_is_parsed_once_and_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def note(text: str, start: int) -> Reading | None:
        parsed.append(text)
        return read_tolerantly(text, start)

    monkeypatch.setattr(section_reader, "read_tolerantly", note)
    text = json.dumps({f"field{n}": "word " * 400 for n in range(500)})
    assert len(in_pieces(text, [20])) == 500
    assert len(parsed) == 500
    assert sum(map(len, parsed)) <= len(text) + 500 * len("{\n}")


def test_fields_that_have_not_their_form_are_left_out() -> None:
    text = '{"title": "A", "views": [{"no": "name"}], "color_palette": "#fff", "unknown": 1, "pitfalls": ["x"'
    assert partial_blueprint(text) == {"title": "A", "color_palette": ["#fff"]}
