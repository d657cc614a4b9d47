"""Readers of what tools print. `reports/` holds what the real tools printed, each in the version named in the notes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.review.checkers import read_log
from vibedesk.engine.review.issues import Issue, deduplicated
from vibedesk.engine.review.parsers.eslint import parse_eslint
from vibedesk.engine.review.parsers.node_stack import frames, parse_server_log, parse_stack
from vibedesk.engine.review.parsers.python import (
    parse_mypy,
    parse_pyright,
    parse_ruff,
    parse_tracebacks,
)
from vibedesk.engine.review.parsers.source_maps import inline_source_map, read_source_map
from vibedesk.engine.review.parsers.text import json_report, project_path
from vibedesk.engine.review.parsers.typescript import parse_svelte_check, parse_typescript
from vibedesk.engine.review.parsers.vite import parse_vite

_REPORTS = Path(__file__).with_name("reports")
_ROOT = "/app"


def report(name: str) -> str:
    return (_REPORTS / f"{name}.txt").read_text("utf-8")


def places(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.code, issue.place) for issue in issues]


# -- TypeScript -----------------------------------------------------------------------------------------------


_BROKEN = [
    ("TS2307", "src/Broken.tsx:2:22"),
    ("TS2307", "src/Broken.tsx:3:24"),
    ("TS2345", "src/Broken.tsx:6:38"),
    ("TS2322", "src/Broken.tsx:8:21"),
    ("TS2551", "src/Broken.tsx:9:44"),
    ("TS2552", "src/Broken.tsx:9:62"),
]


@pytest.mark.parametrize("name", ["tsc6-plain", "tsc6-pretty", "tsc7-plain", "tsc7-pretty"])
def test_both_compilers_in_both_forms(name: str) -> None:
    issues = parse_typescript(report(name), _ROOT)
    assert places(issues) == _BROKEN
    assert (
        issues[4].message == "Property 'titel' does not exist on type 'Task'. Did you mean 'title'?"
    )
    assert [issue.kind for issue in issues] == ["import", "import", "type", "type", "type", "type"]
    assert all(issue.severity == "blocking" for issue in issues)


def test_windows_line_ends_and_noise_change_nothing() -> None:
    noisy = "npm warn deprecated x@1\n\x1b[?25l> app@0.0.0 typecheck\n" + report("tsc6-plain")
    assert places(parse_typescript(noisy.replace("\n", "\r\n"), _ROOT)) == _BROKEN


def test_a_message_in_several_lines_is_one_issue() -> None:
    text = (
        "src/a.ts(1,7): error TS2322: Type 'A' is not assignable to type 'B'.\n"
        "  Property 'x' is missing in type 'A'.\n"
        "    Deeper.\n"
        "src/b.ts(2,1): error TS1005: ';' expected.\n"
        "error TS5083: Cannot read file '/app/tsconfig.base.json'.\n"
    )
    first, second, third = parse_typescript(text, _ROOT)
    assert first.message.splitlines()[1:] == ["Property 'x' is missing in type 'A'.", "Deeper."]
    assert (second.kind, second.severity) == ("syntax", "critical")
    assert (third.code, third.place) == ("TS5083", "")


def test_vue_tsc_speaks_as_tsc_does() -> None:
    issues = parse_typescript(report("vue-tsc"), _ROOT)
    assert [issue.place for issue in issues] == [
        "src/Bad.vue:3:15", "src/Bad.vue:4:27", "src/Bad.vue:6:17", "src/Bad.vue:6:35",
    ]  # fmt: skip


def test_svelte_check() -> None:
    issues = parse_svelte_check(report("svelte-check"), _ROOT)
    assert [(i.place, i.kind, i.severity) for i in issues] == [
        ("src/Bad.svelte:5:15", "style", "warning"),
        ("src/Bad.svelte:2:17", "import", "blocking"),
        ("src/Bad.svelte:3:7", "type", "blocking"),
        ("src/Bad.svelte:5:5", "type", "blocking"),
    ]
    assert issues[3].message == "Cannot find name 'coutn'. Did you mean 'count'?"


# -- ESLint, Vite --------------------------------------------------------------------------------------------


def test_eslint_between_npm_s_lines() -> None:
    issues = parse_eslint(report("eslint"), _ROOT)
    assert [(i.code, i.severity) for i in issues] == [
        ("@typescript-eslint/no-unused-vars", "warning"),
        ("@typescript-eslint/no-unused-vars", "warning"),
        ("react-hooks/rules-of-hooks", "blocking"),
    ]
    assert issues[2].place == "src/Broken.tsx:6:17"
    assert issues[2].kind == "runtime"


def test_a_piece_of_a_report_is_none() -> None:
    cut = report("eslint").rstrip()[:-2]
    assert json_report(cut, lambda value: True) is None
    assert parse_eslint(cut, _ROOT) == []
    # What a tool says before is no report either.
    after = f"[]\n[1] eslint\n[{{}}]\n{report('eslint')}"
    assert parse_eslint(after, _ROOT) == parse_eslint(report("eslint"), _ROOT) != []
    assert parse_eslint("[" * 200_000) == []
    said = "[warn] what is known of browsers is old\n" * 200 + report("eslint")
    assert parse_eslint(said, _ROOT) == parse_eslint(report("eslint"), _ROOT)


def test_what_is_no_report_is_not_read_again_and_again() -> None:
    read: list[int] = []
    # Every line begins a list, and every one holds the large one.
    output = "[\n" * 300 + json.dumps([7] * 1_000_000) + "\n]" * 300
    assert json_report(output, lambda value: bool(read.append(len(value)))) is None
    assert 1 < len(read) < 50


def test_vite_s_dev_server() -> None:
    issues = deduplicated(parse_vite(report("vite-dev"), _ROOT, source="server"))
    assert [(i.code, i.kind, i.place) for i in issues] == [
        ("UNRESOLVED_IMPORT", "import", "src/App.tsx:1:14"),
        ("PARSE_ERROR", "syntax", "src/App.tsx:3:53"),
    ]
    assert issues[1].message == "Expected corresponding JSX closing tag for 'div'."


def test_vite_s_build() -> None:
    [issue] = parse_vite(report("vite-build"), _ROOT)
    assert (issue.code, issue.kind, issue.place) == (
        "UNRESOLVED_IMPORT",
        "import",
        "src/App.tsx:1:15",
    )
    assert issue.severity == "critical"


def test_what_a_plugin_of_the_build_refuses() -> None:
    [issue] = parse_vite(report("vite-build-plugin"), _ROOT)
    assert (issue.source, issue.kind, issue.file) == ("build", "runtime", "src/index.css")
    assert issue.message == "Cannot apply unknown utility class `no-such-class`"


def test_an_overlay_names_the_file_by_its_place_on_the_disk() -> None:
    overlay = (
        '[plugin:vite:import-analysis] Failed to resolve import "@/Bar" from "src/App.tsx". Does the file exist?\n'
        '/app/src/App.tsx:2:24\n1  |  import { useState } from "react";'
    )
    assert places(parse_vite(overlay, _ROOT, source="page")) == [
        ("UNRESOLVED_IMPORT", "src/App.tsx:2:24")
    ]
    nowhere = "[plugin:vite:css] [postcss] no such plugin\n/app/src/index.css:undefined:null"
    assert places(parse_vite(nowhere, _ROOT, source="page")) == [("", "src/index.css")]
    without = "[plugin:@tailwindcss/vite:generate:serve] Cannot apply `x`\n/app/src/index.css"
    assert places(parse_vite(without, _ROOT, source="page")) == [("", "src/index.css")]


def test_a_log_that_knows_no_line_still_knows_the_file() -> None:
    log = "3:25:54 PM [vite] (client) Pre-transform error: [postcss] wrong\n  Plugin: vite:css\n  File: /app/src/index.css:undefined:NaN"
    assert places(parse_vite(log, _ROOT)) == [("", "src/index.css")]


def test_what_rolldown_says_it_cannot_handle_is_told_in_its_own_words() -> None:
    [issue] = parse_vite(
        "[UNHANDLEABLE_ERROR] Something went wrong inside rolldown, please report this problem.\n"
        'JSONError { path: "/app/package.json", message: "trailing comma at line 35 column 1", line: 35, column: 1 }\n',
        _ROOT,
    )
    assert (issue.place, issue.kind) == ("package.json:35:1", "syntax")
    assert issue.message == "trailing comma at line 35 column 1"


@pytest.mark.parametrize(
    ("importer", "file"), [("", "index.html"), (" in /app/src/App.tsx", "src/App.tsx")]
)
def test_a_module_that_is_not_there_belongs_to_who_asks_for_it(importer: str, file: str) -> None:
    [issue] = parse_vite(
        "3:26:08 PM [vite] (client) Pre-transform error: Failed to load url /src/x.ts "
        f"(resolved id: /src/x.ts){importer}. Does the file exist?",
        _ROOT,
    )
    assert (issue.code, issue.kind, issue.file) == ("UNRESOLVED_IMPORT", "import", file)


def test_esbuild_and_an_overlay() -> None:
    text = '✘ [ERROR] Could not resolve "zod"\n\n    src/lib/a.ts:2:18:\n      2 │ import { z } from "zod"\n'
    [issue] = parse_vite(text)
    assert (issue.kind, issue.place) == ("dependency", "src/lib/a.ts:2:18")
    overlay = '[plugin:vite:import-analysis] Failed to resolve import "./x" from "src/B.tsx". Does the file exist?'
    [issue] = parse_vite(overlay, source="page")
    assert (issue.kind, issue.file, issue.source) == ("import", "src/B.tsx", "page")


# -- stacks ---------------------------------------------------------------------------------------------------


def test_a_crash_of_node() -> None:
    [issue] = parse_server_log(report("node-crash"), _ROOT)
    assert issue.place == "n.mjs:2:37"
    assert issue.message.startswith("Error: ENOENT")
    assert issue.source == "server"


def test_an_error_of_the_browser_names_the_app_s_own_code() -> None:
    text = (
        "[app-error] TypeError: Cannot read properties of null (reading 'filter')\n"
        "    at Array.map (<anonymous>)\n"
        "    at Object.react_stack_bottom_frame (http://127.0.0.1:5173/node_modules/.vite/deps/react-dom.js?v=b2db9ffa:1:2)\n"
        "    at TodaySummary (http://127.0.0.1:5173/src/components/TodaySummary.tsx?t=1795780464411:5:20)\n"
        "    at App (http://127.0.0.1:5173/src/App.tsx:15:58)"
    )
    issue = parse_stack(text)
    assert issue is not None
    assert issue.place == "src/components/TodaySummary.tsx:5:20"
    assert issue.message == "TypeError: Cannot read properties of null (reading 'filter')"
    assert [frame.name for frame in frames(text)] == ["TodaySummary", "App"]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("Uncaught (in promise) TypeError: x is not a function", "runtime"),
        ('SyntaxError: "best:12" is not valid JSON', "runtime"),
        ("Uncaught SyntaxError: The requested module '/src/a.ts' does not provide an export named 'b'", "import"),
        ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /app/src/a.ts", "import"),
        ("SyntaxError: Unexpected token '}'", "syntax"),
    ],
)  # fmt: skip
def test_what_an_error_means(head: str, kind: str) -> None:
    issue = parse_stack(head)
    assert issue is not None
    assert issue.kind == kind


_CORE = ("server/core/database.ts", "server/core/api.ts")
_HANDLED = """[app-error] GET /api/status: Error: no such column: state
    at #statement (/app/server/core/database.ts:69:33)
    at Object.handle (/app/server/routes/tickets.ts:23:19)
    at #answer (/app/server/core/api.ts:47:16)
"""


def test_a_server_that_says_what_it_was_doing_is_understood() -> None:
    [issue] = parse_server_log(_HANDLED, _ROOT)
    assert issue.message == "Error: no such column: state"
    assert issue.place == "server/core/database.ts:69:33"
    loading = (
        "[app-error] The server code cannot be loaded: Error: notes.sql failed: syntax error\n"
    )
    [issue] = parse_server_log(f"{loading}    at run (/app/server/migrate.ts:57:11)\n", _ROOT)
    assert issue.message == "Error: notes.sql failed: syntax error"


def test_an_error_belongs_to_what_was_written_and_not_to_what_was_given() -> None:
    [issue] = parse_server_log(_HANDLED, _ROOT, given=_CORE)
    assert issue.place == "server/routes/tickets.ts:23:19"
    migration = (
        "Error: server/migrations/3.sql failed: syntax\n    at run (/app/server/core/api.ts:7:1)\n"
    )
    [issue] = parse_server_log(migration, _ROOT, given=_CORE)
    assert issue.place == "server/migrations/3.sql"
    # Where it is all that is known, it is told.
    [issue] = parse_server_log(_HANDLED, _ROOT, given=[*_CORE, "server/routes/tickets.ts"])
    assert issue.place == "server/core/database.ts:69:33"


def test_a_module_of_the_server_that_throws_is_told_once_with_its_place() -> None:
    log = (
        "3:24:35 PM [vite] (ssr) Error when evaluating SSR module /server/app.ts: Unexpected end of JSON input\n"
        "      at JSON.parse (<anonymous>)\n"
        "      at eval (/app/server/routes/tickets.ts:14:21)\n"
        "[app-error] The server code cannot be loaded: SyntaxError: Unexpected end of JSON input\n"
        "    at JSON.parse (<anonymous>)\n"
        "    at /app/server/routes/tickets.ts:8:21\n"
    )
    [issue] = read_log(log, _ROOT)
    assert (issue.place, issue.kind) == ("server/routes/tickets.ts:8:21", "runtime")


def test_words_are_no_error() -> None:
    assert parse_stack("Download the React DevTools for a better development experience") is None
    assert parse_server_log("listening on 4000\nGET / 200\n") == []


# -- Python ---------------------------------------------------------------------------------------------------


def test_a_traceback() -> None:
    [issue] = parse_tracebacks("INFO: started\n" + report("traceback"), _ROOT)
    assert (issue.place, issue.kind, issue.code) == ("app/main.py:2", "import", "ImportError")
    assert issue.severity == "critical"


def test_a_traceback_through_a_library_names_the_app_s_line() -> None:
    text = (
        "ERROR:    Exception in ASGI application\n"
        "Traceback (most recent call last):\n"
        '  File "/app/.venv/lib/python3.11/site-packages/starlette/routing.py", line 7, in app\n'
        "    await route()\n"
        '  File "/app/app/routes.py", line 31, in save\n'
        "    db.execute(sql)\n"
        '  File "/app/.venv/lib/python3.11/site-packages/x/db.py", line 3, in execute\n'
        "sqlite3.OperationalError: no such table: notes\n"
        "INFO: more\n"
    )
    [issue] = parse_tracebacks(text, _ROOT)
    assert (issue.place, issue.code) == ("app/routes.py:31", "OperationalError")
    through = text.replace("/app/.venv/lib/python3.11/site-packages/x/db.py", "/app/app/core/db.py")
    [issue] = parse_tracebacks(through, _ROOT, given=["app/core/db.py"])
    assert issue.place == "app/routes.py:31"
    [issue] = parse_tracebacks(through, _ROOT, given=["app/core/db.py", "app/routes.py"])
    assert issue.place == "app/core/db.py:3"
    assert issue.message == "sqlite3.OperationalError: no such table: notes"


def test_ruff_mypy_and_pyright() -> None:
    ruff = parse_ruff(report("ruff"), _ROOT)
    assert ("F821", "app/main.py:6:16") in places(ruff)
    assert {i.severity for i in ruff if i.code == "F821"} == {"blocking"}
    assert {i.severity for i in ruff if i.code == "F401"} == {"warning"}
    assert parse_ruff(report("eslint"), _ROOT) == []
    mypy = parse_mypy(report("mypy"), _ROOT)
    assert places(mypy)[0] == ("attr-defined", "app/main.py:2")
    assert len(mypy) == 3
    pyright = {
        "generalDiagnostics": [
            {
                "file": "/app/app/main.py", "severity": "error", "message": "\"missing\" is unknown import symbol",
                "rule": "reportAttributeAccessIssue", "range": {"start": {"line": 1, "character": 19}},
            }
        ]
    }  # fmt: skip
    [issue] = parse_pyright("No configuration file found.\n" + json.dumps(pyright), _ROOT)
    assert issue.place == "app/main.py:2:20"


# -- source maps -----------------------------------------------------------------------------------------------


_MAP = {"version": 3, "sources": ["App.tsx"], "mappings": "AAAA;AACA,SAASA;;GACP"}


def test_a_place_in_generated_code_becomes_the_real_one() -> None:
    data = base64.b64encode(json.dumps(_MAP).encode()).decode()
    code = f"line1;\nline2;\n//# sourceMappingURL=data:application/json;base64,{data}\n"
    found = inline_source_map(code)
    assert found is not None
    assert found.original(1, 1) == ("App.tsx", 1, 1)
    assert found.original(2, 5) == ("App.tsx", 2, 1)
    assert found.original(2, 12) == ("App.tsx", 2, 10)
    assert found.original(4, 9) == ("App.tsx", 3, 3)
    assert found.original(3, 1) is None
    assert found.original(99, 1) is None


@given(st.text(max_size=60))
def test_a_broken_map_is_none(mappings: str) -> None:
    text = json.dumps({"version": 3, "sources": ["a.ts"], "mappings": mappings})
    found = read_source_map(text)
    assert found is None or all(
        (place := found.original(line, 1)) is None or place[1] >= 1 for line in range(1, 5)
    )
    assert read_source_map(mappings) is None or mappings.strip()


# -- all of them ------------------------------------------------------------------------------------------------


_PARSERS: tuple[Callable[[str], list[Issue]], ...] = (
    parse_typescript, parse_svelte_check, parse_eslint, parse_vite, parse_server_log, parse_tracebacks,
    parse_ruff, parse_pyright, parse_mypy,
)  # fmt: skip
_PIECES = [line for path in sorted(_REPORTS.glob("*.txt")) for line in path.read_text().split("\n")]


@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=30)), max_size=25))
def test_no_text_breaks_a_parser(lines: list[str]) -> None:
    for parser in _PARSERS:
        for issue in parser("\n".join(lines)):
            assert Issue.from_dict(issue.to_dict()) == issue
            assert not issue.file.startswith(("/", ".."))


@given(st.text(max_size=40), st.text(max_size=10))
def test_a_project_path_stays_inside(raw: str, root: str) -> None:
    path = project_path(raw, root)
    assert not path.startswith("/")
    assert ".." not in path.split("/")[:1]


def test_the_same_problem_on_another_line_is_the_same_issue() -> None:
    text = report("tsc6-plain")
    moved = text.replace("(9,44)", "(12,3)")
    before, after = parse_typescript(text, _ROOT), parse_typescript(moved, _ROOT)
    assert [i.signature for i in before] == [i.signature for i in after]
    assert len({i.signature for i in before}) == len(before)
    assert deduplicated([*before, *after]) == sorted(before, key=lambda i: (i.file, i.line))
