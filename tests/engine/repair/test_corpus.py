"""The fixer alone on broken projects that were written without sight of it, judged by a compiler of their own.

A fixed sample of it, since all of it takes long: of what can be mended every sixth project of a family and all of
Python's, of the hopeless ones every twelfth. With `VIBEDESK_CORPUS=all` (`make corpus`) every project of the corpus.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
import pytest_asyncio

from tests.corpora.broken import Entry
from tests.corpora.broken.families import families
from tests.engine.repair.corpus_run import Outcome, run, table

_ALL = os.environ.get("VIBEDESK_CORPUS") == "all"
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(0 if _ALL else 900),  # the first test waits for the whole run
]

_SHARES = {"static": 0.8, "config": 0.8, "python": 0.8}  # of the repairable projects of a kind
_AT_LEAST = {"static": 25, "config": 2, "python": 15}  # are repairable and in the sample


def _chosen() -> list[Entry]:
    if _ALL:
        return [entry for entries in families().values() for entry in entries]
    ordered = [sorted(each, key=lambda entry: entry.name) for each in families().values()]
    repairable = [[e for e in entries if e.repairable] for entries in ordered]
    python = [e for entries in repairable for e in entries if e.kind == "python"]
    others = [e for entries in repairable for e in entries[::6] if e.kind != "python"]
    hopeless = [e for entries in ordered for e in entries if not e.repairable]
    return [*others, *python, *hopeless[::12]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return await run(_chosen(), tmp_path_factory.mktemp("corpus"))


async def test_most_of_the_repairable_ones_are_mended(outcomes: Sequence[Outcome]) -> None:
    names = {entry.name: name for name, entries in families().items() for entry in entries}
    assert {names[outcome.entry.name] for outcome in outcomes} == set(families())
    shares = table(outcomes, names)
    print(f"\n{shares}")
    for kind, share in _SHARES.items():
        own = [o for o in outcomes if o.entry.repairable and o.entry.kind == kind and o.judged]
        mended = [outcome for outcome in own if not outcome.complaints]
        print(f"{kind}: {len(mended)} of {len(own)} repairable ones mended")
        assert len(own) >= _AT_LEAST[kind]
        assert len(mended) >= share * len(own), shares


async def test_none_becomes_worse(outcomes: Sequence[Outcome]) -> None:
    worse = {
        outcome.entry.name: (outcome.before.said, outcome.after.said)
        for outcome in outcomes
        if len(outcome.after.codes) > len(outcome.before.codes)
    }
    assert not worse


async def test_every_fix_is_confirmed(outcomes: Sequence[Outcome]) -> None:
    unconfirmed = {o.entry.name: o.unconfirmed for o in outcomes if o.unconfirmed}
    assert not unconfirmed
    assert sum(len(outcome.result.fixed) for outcome in outcomes) >= len(outcomes) / 2


async def test_nothing_is_silenced(outcomes: Sequence[Outcome]) -> None:
    assert not {o.entry.name: o.silenced for o in outcomes if o.silenced}


async def test_nothing_is_lost_or_stubbed(outcomes: Sequence[Outcome]) -> None:
    """In none of them, mended or not: comments and the person's own code are there, and no error is hidden."""
    assert sum(len(o.entry.keep) for o in outcomes) >= len(outcomes)
    assert not {o.entry.name: o.lost for o in outcomes if o.lost}
    assert not {o.entry.name: o.stubbed for o in outcomes if o.stubbed}
