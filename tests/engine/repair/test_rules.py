"""Every rule on small files: mended to the byte, confirmed by the compiler, and what is not ours left alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.engine.repair.cases import CASES, LEFT, Case
from vibedesk.engine.repair.fixer import RepairResult, repair
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.review.issues import Issue

pytestmark = pytest.mark.asyncio(loop_scope="session")

SILENCERS = re.compile(
    r"\bany\b|@ts-\w+|eslint-disable|as unknown|as never|not implemented|[\w)\]]!(?=[.;,)\]\[\s])(?!\s*=)"
)


@dataclass(frozen=True)
class Run:
    texts: dict[str, str]
    before: list[Issue]
    result: RepairResult
    after: list[Issue]

    def text(self, path: str) -> str:
        return self.result.edits.get(path, self.texts[path])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def run(shared_service: LanguageService) -> Run:
    texts = {path: text for case in (*CASES, *LEFT) for path, text in case.before.items()}
    await shared_service.open(texts)
    before = await shared_service.diagnose()
    result = await repair(before, texts, shared_service, seconds=120)
    after = await shared_service.diagnose()
    await shared_service.forget()
    return Run(texts, before, result, after)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_it_is_mended_to_the_byte(run: Run, case: Case) -> None:
    now = {path: run.text(path) for path in case.before}
    assert now == {**case.before, **case.after}
    assert any(issue.file in case.before for issue in run.before), "the case has no error"
    assert [i for i in run.after if i.file in case.before] == []


@pytest.mark.parametrize("case", LEFT, ids=lambda case: case.name)
async def test_what_needs_a_model_is_left_alone(run: Run, case: Case) -> None:
    assert {path: run.text(path) for path in case.before} == case.before
    assert any(issue.file in case.before for issue in run.result.left)


async def test_what_is_told_is_what_the_checker_says(run: Run) -> None:
    after = {issue.signature for issue in run.after}
    assert set(run.result.fixed).isdisjoint(after)
    assert {issue.signature for issue in run.before} - after == set(run.result.fixed)
    assert {issue.signature for issue in run.result.left} == after
    assert set(run.result.edits) == {path for case in CASES for path in case.after}


async def test_nothing_is_silenced(run: Run) -> None:
    for path, text in run.result.edits.items():
        assert len(SILENCERS.findall(text)) <= len(SILENCERS.findall(run.texts[path])), path
