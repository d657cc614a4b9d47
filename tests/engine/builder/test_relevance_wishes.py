"""Thirty small wishes on two projects of 200 files: what is needed is in the request, and the requests stay small.

`tests/corpora/wishes.json` says what a competent engineer has to read or change for each. The numbers of one run:
`pytest -s` prints them.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.corpora.make import PROJECTS, project
from tests.support.model_server import ModelServer
from vibedesk.engine.builder import focus
from vibedesk.engine.builder.context import (
    ProjectContext,
    converse_request,
    fix_request,
    implement_request,
    plan_request,
)
from vibedesk.engine.builder.file_choice import FileChoice
from vibedesk.engine.builder.relevance.file_facts import file_facts
from vibedesk.engine.builder.relevance.import_graph import import_graph
from vibedesk.engine.builder.relevance.scores import Focus
from vibedesk.engine.builder.relevance.selection import KnownFiles, choose_files
from vibedesk.engine.builder.schemas import Phase
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.models.protocol import ModelRequest
from vibedesk.engine.models.providers import ModelChoice, Providers

WISHES = json.loads((Path(__file__).parents[2] / "corpora" / "wishes.json").read_text("utf-8"))
TEMPLATES = {"studio-planner": "react-vite", "corner-shop": "react-fullstack"}
IMPORTANT = ["package.json", "index.html", "src/main.tsx", "src/App.tsx", "src/app/App.tsx"]
MOST_BYTES = 0.3
IMPORT = re.compile(r"""(?:from\s+|import\s+|import\()'((?:\.|@)[^']*)'""")
PACKAGES = ("@vitejs/",)


@cache
def known(name: str) -> KnownFiles:
    return KnownFiles(texts=project(name), changed={}, purposes={}, marks={}, important=IMPORTANT)


def focus_of(wish: Mapping[str, Any]) -> Focus:
    match wish["operation"]:
        case "implement":
            return focus.of_phase(Phase.model_validate(wish["plan"]))
        case "plan":
            return focus.of_plan(None, 1, [wish["wish"]])
        case "fix":
            return focus.of_problems([wish["problem"]])
    return focus.of_message(wish["wish"])


def request_of(wish: Mapping[str, Any], files: FileChoice) -> ModelRequest:
    context = ProjectContext(
        template=load_template(TEMPLATES[wish["project"]]),
        wish=f"A {wish['project']}",
        blueprint=None,
        files=files,
        wishes=[wish["wish"]] if wish["operation"] == "plan" else [],
    )
    match wish["operation"]:
        case "implement":
            return implement_request(context, 2, Phase.model_validate(wish["plan"]))
        case "plan":
            return plan_request(context, 2, final=False)
        case "fix":
            return fix_request(context, 2, [wish["problem"]])
    return converse_request(context, wish["wish"], activity="nothing runs", turn=1)


def said(wish: Mapping[str, Any]) -> str:
    return wish.get("wish") or wish.get("problem") or wish["plan"]["name"]


@pytest.mark.parametrize("wish", WISHES, ids=said)
def test_what_a_wish_needs_is_shown(wish: Mapping[str, Any]) -> None:
    choice = choose_files(known(wish["project"]), focus_of(wish))
    assert set(wish["needed"]) - {file.path for file in choice.chosen} == set()


async def test_the_requests_are_a_third_of_the_whole_project_at_most() -> None:
    sizes: list[tuple[int, int]] = []
    async with ModelServer() as server:
        providers = Providers([], environ=server.environment())
        model = providers.build_model(ModelChoice("anthropic", "some-model"))
        for wish in WISHES:
            files = known(wish["project"])
            for choice in (
                choose_files(files, focus_of(wish)),
                choose_files(files, focus_of(wish), whole=10**9),
            ):
                server.answer("Yes.")
                async with aclosing(model.stream(request_of(wish, choice))) as items:
                    assert [item async for item in items]
            sent, whole = (
                len(json.dumps(request.body, ensure_ascii=False).encode())
                for request in server.requests[-2:]
            )
            sizes.append((sent, whole))
            print(f"{sent / whole:.2f}  {sent:>7} of {whole} bytes  {said(wish)[:60]!r}")
        await model.aclose()
    ratio = sum(sent for sent, _ in sizes) / sum(whole for _, whole in sizes)
    print(f"{ratio:.3f} of all bytes")
    assert ratio <= MOST_BYTES


def test_half_of_the_wishes_name_no_file_and_no_identifier() -> None:
    assert len(WISHES) == 30
    texts = [wish["wish"] for wish in WISHES if "wish" in wish]
    plain = [text for text in texts if not re.search(r"\w\.\w|[a-z][A-Z]|\(\)", text)]
    assert len(plain) >= 15


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_whole(name: str) -> None:
    texts = project(name)
    assert len(texts) == 200
    graph = import_graph({path: file_facts(path, text) for path, text in texts.items()}, texts)
    for path, text in texts.items():
        for target in IMPORT.findall(text):
            if target.startswith(PACKAGES):
                continue
            stem = posixpath.basename(target).removesuffix(".css")
            found = [other for other in graph.uses[path] if stem in other or target == "."]
            assert found, f"{path} imports {target}"
