"""The corpus of broken projects, served and visited: what only a running app shows is found, and where it is.

A spread sample; with `VIBEDESK_CORPUS=all` (`make corpus`) every project whose label tells what a visit shows.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.corpora.broken import Entry, app_files, corpus
from tests.corpora.broken.entry import TEMPLATES
from tests.engine.review.corpus_visits import Stage, staged
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.review.issues import Issue

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ALL = os.environ.get("VIBEDESK_CORPUS") == "all"
_SAMPLE = {
    "class-that-tailwind-does-not-know",
    "comma-too-many-in-package-json",
    "effect-without-an-end",
    "element-of-another-id",
    "error-while-the-module-loads",
    "keys-forgotten",
    "null-is-read",
    "route-not-in-the-list",
    "storage-holds-no-json",
    "style-hides-everything",
    "table-misspelled",
}
"""One of every kind of thing to be seen."""
_ENTRIES = [entry for entry in corpus() if entry.visit and (_ALL or entry.name in _SAMPLE)]
_BUILT_ALL_THE_SAME = {"alias-lost-in-vite", "version-that-was-never-published"}
"""Builds find aliases in tsconfig, which the dev server does not; what is installed is built with, whatever is asked for."""
_BUILDS = [
    entry
    for entry in corpus()
    if "build" in entry.clean
    and entry.name not in _BUILT_ALL_THE_SAME
    and (_ALL or entry.name in _SAMPLE)
]
_MENDED = {
    "alias-lost-in-vite",
    "comma-too-many-in-package-json",
    "directives-of-tailwind-3",
    "extension-of-another-file",
    "migration-with-an-error",
    "plugin-of-another-name",
    "root-of-another-id",
    "root-of-another-id-in-plain-typescript",
    "script-forgotten",
    "script-of-another-name",
    "tailwind-as-a-postcss-plugin",
}
"""What the fixer alone mends of the projects that only a build or a visit can judge."""
_APPS = sorted({entry.app for entry in _ENTRIES} if _ALL else {"helpdesk", "recipes"})

_SHOWS_MORE = {"handler-called-while-rendering"}
"""What was broken came into the app together with what it shows once it is mended."""

AT = {
    "null-is-read": ("src/hooks/useTodos.ts", "todos.filter("),
    "undefined-is-mapped": ("src/components/RecipeDetails.tsx", "recipe.steps.map("),
    "state-set-while-rendering": ("src/App.tsx", "useTodos()"),
    "handler-called-while-rendering": ("src/App.tsx", "function Reset("),
    "provider-forgotten": ("src/context/ExpensesContext.tsx", "works inside <ExpensesProvider>"),
    "storage-holds-no-json": ("src/lib/stats.ts", "JSON.parse(text)"),
    "last-question-is-too-far": ("src/components/QuestionCard.tsx", "question.difficulty"),
    "method-loses-its-object": ("src/game/Game.ts", "this.snake.turn("),
    "element-of-another-id": ("src/app.ts", "find('#results', root)"),
    "rejection-nobody-handles": ("src/api/client.ts", "There is no recipe"),
    "date-that-is-none": ("src/components/ExpenseForm.tsx", "toISOString()"),
    "extension-of-another-file": ("src/App.tsx", "./components/TodoItem.ts"),
    "alias-lost-in-vite": ("src/App.tsx", "@/components/ProgressBar"),
    "comma-too-many-in-package-json": ("package.json", "}"),
    "class-that-tailwind-does-not-know": ("src/index.css", ""),
    "directives-of-tailwind-3": ("src/index.css", ""),
    "tailwind-as-a-postcss-plugin": ("src/index.css", ""),
    "script-of-another-name": ("index.html", ""),
    "root-of-another-id": ("src/main.tsx", "createRoot("),
    "root-of-another-id-in-plain-typescript": ("src/app.ts", "render("),
    "route-throws": ("server/routes/tickets.ts", "oldest.subject"),
    "column-misspelled": ("server/routes/tickets.ts", "db.get"),
    "table-misspelled": ("server/routes/tickets.ts", "db.get"),
    "statement-with-an-error": ("server/routes/tickets.ts", "db.get"),
    "migration-forgotten": ("server/routes/tickets.ts", "db.get"),
    "migration-with-an-error": ("server/migrations/0003_tickets.sql", ""),
    "too-many-values": ("server/routes/tickets.ts", "db.get"),
    "error-while-the-module-loads": ("server/routes/tickets.ts", "JSON.parse("),
    "typing-not-imported": ("app/routes/tasks.py", "Annotated["),
    "import-from-the-wrong-module": ("app/routes/tasks.py", "app.core.views"),
    "imported-name-misspelled": ("app/routes/tasks.py", "import Task, describe, summarise"),
    "import-in-a-circle": ("app/lib/statistics.py", "from app.routes.tasks import router"),
    "colon-missing": ("app/lib/statistics.py", "-> str"),
    "indented-wrongly": ("app/lib/statistics.py", "known = list(tasks)"),
    "parenthesis-not-closed": ("app/lib/statistics.py", "default=None"),
    "fence-around-a-module": ("app/lib/statistics.py", "```python"),
    "attribute-misspelled": ("app/lib/statistics.py", "task.minuts"),
    "attribute-that-does-not-exist": ("app/lib/statistics.py", "summary.longest.owner"),
    "template-missing": ("app/core/pages.py", "TemplateResponse"),
    "template-block-not-closed": ("app/templates/tasks.html", "endblock"),
    "filter-of-the-template-missing": ("app/templates/tasks.html", "| duration"),
    "column-that-does-not-exist": ("app/routes/tasks.py", "SELECT id, title, duration"),
    "table-without-a-migration": ("app/routes/tasks.py", "SELECT id, title"),
    "package-missing": ("app/lib/statistics.py", "from humanize import"),
    "coroutine-not-awaited": ("app/lib/statistics.py", "list(tasks)"),
    "await-outside-of-async": ("app/routes/tasks.py", "await _all_tasks"),
    "form-value-without-form": ("app/routes/tasks.py", "from fastapi.responses import Form"),
}
"""Where the error of an entry is thrown or told: a file, and what stands in its line; "" where tools know no line."""


class Stages:
    """The starters, each laid out when it is first wanted."""

    def __init__(self, root: Path, until_end: AsyncExitStack) -> None:
        self._root = root
        self._until_end = until_end
        self._stages: dict[str, Stage] = {}

    async def of(self, template: str) -> Stage:
        if template not in self._stages:
            stage = staged(template, self._root / template)
            self._stages[template] = await self._until_end.enter_async_context(stage)
        return self._stages[template]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[BrowserProcess]:
    browser = BrowserProcess()
    yield browser
    await browser.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stages]:
    async with AsyncExitStack() as until_end:
        yield Stages(tmp_path_factory.mktemp("stages"), until_end)


@pytest.mark.parametrize("app", _APPS)
async def test_a_working_app_has_nothing_wrong(
    app: str, stages: Stages, browser: BrowserProcess
) -> None:
    stage = await stages.of(TEMPLATES[app])
    looked = await stage.look(browser, app_files(app), {"path": "/"})
    assert [
        i for i in looked.issues if i.blocks or i.code in ("restless_page", "request_failed")
    ] == []


@pytest.mark.parametrize("template", sorted({entry.template for entry in _ENTRIES}))
async def test_a_starter_has_nothing_wrong(
    template: str, stages: Stages, browser: BrowserProcess
) -> None:
    looked = await (await stages.of(template)).look(browser, {}, {"path": "/"})
    assert looked.issues == ()


@pytest.mark.parametrize("entry", _ENTRIES, ids=lambda entry: entry.name)
async def test_what_a_visit_shows_is_found(
    entry: Entry, stages: Stages, browser: BrowserProcess
) -> None:
    stage = await stages.of(entry.template)
    # What the server refuses may be meant so: only that the app does not do what it should says it is not.
    after = entry.after if entry.visit["shows"] == "request" else ""
    looked = await stage.look(browser, entry.files, entry.visit, after)
    told = "\n".join(f"{i.source} {i.code} {i.place} {i.message}" for i in looked.issues)
    assert any(_shows(issue, entry) for issue in looked.issues), f"{told}\n{looked.log}"
    if entry.name in AT:
        file, part = AT[entry.name]
        starter, _ = load_template(entry.template).files()
        lines = {**starter, **entry.files}[file].splitlines() if part else []
        places = {(i.file, lines[i.line - 1] if lines and i.line else "") for i in looked.issues}
        assert any(f == file and part in line for f, line in places), told


@pytest.mark.parametrize(
    "entry",
    [e for e in _ENTRIES if e.after and e.name not in _SHOWS_MORE],
    ids=lambda entry: entry.name,
)
async def test_the_same_visit_of_the_working_app_is_sound(
    entry: Entry, stages: Stages, browser: BrowserProcess
) -> None:
    """What is to be seen once it is mended is what the app showed before it was broken."""
    stage = await stages.of(entry.template)
    looked = await stage.look(browser, app_files(entry.app), entry.visit, entry.after)
    assert [issue for issue in looked.issues if issue.blocks] == []


@pytest.mark.parametrize("entry", _BUILDS, ids=lambda entry: entry.name)
async def test_what_keeps_it_from_being_built_is_found(entry: Entry, stages: Stages) -> None:
    issues = await (await stages.of(entry.template)).build(entry.files)
    assert any(issue.blocks and issue.source == "build" for issue in issues)


@pytest.mark.parametrize("name", sorted(_MENDED if _ALL else _MENDED & _SAMPLE))
async def test_what_the_fixer_mends_is_built_and_shows_what_it_should(
    name: str, stages: Stages, browser: BrowserProcess
) -> None:
    [entry] = [entry for entry in corpus() if entry.name == name]
    stage = await stages.of(entry.template)
    mended = await stage.mend(entry.files)
    assert mended != entry.files
    assert [part for part in entry.keep if not any(part in text for text in mended.values())] == []
    looked = await stage.look(browser, mended, entry.visit or {"path": "/"}, entry.after)
    assert [issue for issue in looked.issues if issue.blocks] == [], looked.log
    if "build" in entry.clean:
        assert await stage.build(mended) == []


def _shows(issue: Issue, entry: Entry) -> bool:
    """Whether an issue is what the label says."""
    visit = entry.visit
    text = visit.get("log") or visit.get("text", "")
    if text not in f"{issue.message}\n{issue.stack}\n{issue.file}" and not _tells_request(
        issue, text
    ):
        return False
    match visit["shows"]:
        case "overlay":
            return issue.severity == "critical" and issue.source in ("page", "server")
        case "error page" | "console":
            return issue.blocks and issue.source in ("page", "runtime", "check")
        case "blank":
            return issue.code == "blank_page" or (issue.blocks and bool(text))
        case "wrong page":
            return issue.code == "a11y-contrast"
        case "busy":
            return issue.code == "restless_page"
        case "no server":
            return issue.source == "server" and issue.blocks
    return issue.source != "types"


def _tells_request(issue: Issue, text: str) -> bool:
    """Whether it tells of a request (`GET /api/status 404`) that failed so."""
    method, _, rest = text.partition(" ")
    path, _, status = rest.partition(" ")
    seen = [issue.message, *issue.evidence.get("requests", ())]
    return (
        f"{method} {path} answers {status}" in seen
        or any(each.startswith(method) and each.endswith(f"{path} {status}") for each in seen)
        or (issue.code == "page_unreachable" and issue.message == f"the page answers {status}")
    )
