"""The corpus of broken projects is in form, and its labels hold: a sample of them under the real compiler."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.corpora.broken import Entry, app_files, corpus
from tests.corpora.broken.validate import complaints, findings
from tests.starters.workshop import Workshop

_SAMPLE = 15
_ENTRIES = corpus()
_STATIC = [entry for entry in _ENTRIES if entry.kind == "static"]


def test_names_are_unique() -> None:
    assert [name for name, times in Counter(e.name for e in _ENTRIES).items() if times > 1] == []


def test_there_is_enough_of_every_kind() -> None:
    kinds = Counter(entry.kind for entry in _ENTRIES)
    least = {"static": 70, "config": 12, "runtime": 10, "page": 6, "server": 8, "python": 15}
    assert {kind: kinds[kind] for kind, number in least.items() if kinds[kind] < number} == {}
    assert len(_ENTRIES) >= 120
    assert sum(entry.repairable for entry in _STATIC) >= 50
    assert len({code for entry in _STATIC for code in entry.codes}) >= 60


@pytest.mark.parametrize("entry", _ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_is_in_form(entry: Entry) -> None:
    text = "\0".join(entry.files.values())
    assert entry.broken.endswith(".")
    assert entry.files != app_files(entry.app)
    assert entry.kind != "static" or entry.codes
    assert entry.kind in ("static", "config", "python") or {"path", "shows"} <= entry.visit.keys()
    assert [fragment for fragment in (*entry.keep, *entry.loses) if fragment not in text] == []
    assert [fragment for fragment in (*entry.never, *entry.gains) if fragment in text] == []
    assert entry.expect["clean"]


def test_a_sample_has_the_errors_that_its_labels_name(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    own = [entry for entry in _STATIC if entry.template == "react-vite"]
    sample = own[:: len(own) // _SAMPLE][:_SAMPLE]
    workshop = Workshop(tmp_path_factory.mktemp("broken"))
    found = findings(sample, lambda name: workshop.installed(name).folder, tmp_path)
    assert complaints(sample, found) == []
    assert all(found[entry.name].codes for entry in sample)
