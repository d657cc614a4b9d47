"""How files are read, joined and told apart, and what is chosen of them whatever the project looks like."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.builder.file_choice import ChosenFile
from vibedesk.engine.builder.focus import of_problems
from vibedesk.engine.builder.relevance.file_facts import file_facts
from vibedesk.engine.builder.relevance.import_graph import ImportGraph, import_graph
from vibedesk.engine.builder.relevance.project_map import project_map
from vibedesk.engine.builder.relevance.scores import Focus, named_paths
from vibedesk.engine.builder.relevance.selection import (
    KnownFiles,
    choose_files,
    never_shown,
    tokens,
)
from vibedesk.engine.builder.relevance.words import singular, synonyms, words_in

ROOT = Path(__file__).parents[3]


def known(texts: dict[str, str], **more: object) -> KnownFiles:
    facts: dict[str, object] = {"changed": {}, "purposes": {}, "marks": {}, **more}
    return KnownFiles(texts=texts, **facts)  # type: ignore[arg-type]


def graph_of(texts: dict[str, str]) -> ImportGraph:
    return import_graph({path: file_facts(path, text) for path, text in texts.items()}, texts)


@pytest.mark.parametrize(
    ("path", "text", "target"),
    [
        ("src/a.ts", "import { b } from './b';", "src/b.ts"),
        ("src/a.ts", 'import type { B } from "./b.js";', "src/b.ts"),
        ("src/a.ts", "import b, {\n  type C,\n  d as e,\n} from '../src/b'", "src/b.ts"),
        ("src/a.ts", "export * from './b';", "src/b.ts"),
        ("src/a.tsx", "const B = lazy(() => import('@/b'));", "src/b.ts"),
        ("src/a.ts", "import './look.css';", "src/look.css"),
        ("src/a.ts", "import data from '~/data.json';", "src/data.json"),
        ("src/a.cjs", "const b = require('./b')", "src/b.ts"),
        ("src/a.ts", "new Worker(new URL('./b.ts', import.meta.url))", "src/b.ts"),
        ("src/a.ts", "import { x } from './parts';", "src/parts/index.ts"),
        ("src/App.vue", "<script setup>\nimport B from './b'\n</script>", "src/b.ts"),
        ("src/A.svelte", "<script>import { b } from '$lib/c';</script>", "src/lib/c.ts"),
        ("src/look.css", "@import './more.css';", "src/more.css"),
        ("src/look.css", "@import url(more.css);", "src/more.css"),
        ("index.html", '<script type="module" src="/src/b.ts"></script>', "src/b.ts"),
        ("app/main.py", "from .models import User", "app/models.py"),
        ("app/main.py", "from app.routes import users, items", "app/routes/users.py"),
        ("app/main.py", "import app.models as m", "app/models.py"),
        ("app/routes/users.py", "from ..models import (\n    User,\n)", "app/models.py"),
        ("app/routes/users.py", "from app import models", "app/models.py"),
    ],
)
def test_an_import_leads_to_its_file(path: str, text: str, target: str) -> None:
    others = [
        "src/b.ts", "src/look.css", "src/more.css", "src/data.json", "src/parts/index.ts", "src/lib/c.ts",
        "app/__init__.py", "app/models.py", "app/routes/__init__.py", "app/routes/users.py", "app/routes/items.py",
    ]  # fmt: skip
    graph = graph_of({**dict.fromkeys(others, ""), path: text})
    assert target in graph.uses[path]
    assert path in graph.used_by[target]


def test_aliases_are_the_projects_own() -> None:
    configuration = (
        '{ // ours\n "compilerOptions": { "baseUrl": ".", "paths": { "#/*": ["app/*"], }, } }'
    )
    texts = {
        "web/tsconfig.json": configuration,
        "web/app/a.ts": "import { b } from '#/b';",
        "web/app/b.ts": "",
    }
    assert list(graph_of(texts).uses["web/app/a.ts"]) == ["web/app/b.ts"]
    broken = {**texts, "web/tsconfig.json": '{"compilerOptions": {"paths": 7}'}
    assert graph_of(broken).uses["web/app/a.ts"] == {}


def test_through_a_barrel_to_the_file_that_has_the_name() -> None:
    texts = {
        "src/ui/index.ts": "export * from './Button';\nexport { Dialog as Modal } from './Dialog';\nexport * from './more';",
        "src/ui/Button.tsx": "export function Button() {}",
        "src/ui/Dialog.tsx": "export function Dialog() {}",
        "src/ui/more.ts": "export * from './Tabs';",
        "src/ui/Tabs.tsx": "export const Tabs = 1;",
        "src/a.ts": "import { Button, Tabs } from '@/ui';",
    }
    uses = graph_of(texts).uses["src/a.ts"]
    assert set(uses) == {"src/ui/index.ts", "src/ui/Button.tsx", "src/ui/Tabs.tsx"}
    assert uses["src/ui/index.ts"] < uses["src/ui/Button.tsx"]


def test_style_classes_and_addresses_join_files() -> None:
    texts = {
        "a.tsx": '<nav className="side-menu" />',
        "a.css": ".side-menu:hover { color: red; }",
        "b.ts": "call('/api/orders/7')",
        "server.ts": "new Router('/api/orders')",
    }
    graph = graph_of(texts)
    assert list(graph.uses["a.tsx"]) == ["a.css"]
    assert list(graph.uses["b.ts"]) == ["server.ts"]


def test_words_are_parts_of_names_without_case_accents_and_plural() -> None:
    assert words_in("useMemberList HTTPServer größen_2 Straße categories") == [
        "use", "member", "list", "http", "server", "großen".replace("ß", "ss"), "strasse", "category",
    ]  # fmt: skip
    assert [singular(word) for word in ("boxes", "class", "status", "buses", "prices")] == [
        "box", "class", "status", "buse", "price",
    ]  # fmt: skip
    assert "basket" in synonyms("warenkorb")


def test_paths_are_found_in_traces_addresses_and_sentences() -> None:
    paths = ["src/app/Header.tsx", "src/Header.tsx", "src/lib/csv.ts", "app/[id]/page.tsx"]
    trace = "at Header (http://127.0.0.1:5173/src/app/Header.tsx?t=1:4:5)"
    assert named_paths(trace, paths) == {"src/app/Header.tsx"}
    assert named_paths("Look at csv.ts, please.", paths) == {"src/lib/csv.ts"}
    assert named_paths("./app/[id]/page.tsx:3:1 - error", paths) == {"app/[id]/page.tsx"}
    assert named_paths("It costs 3.50 e.g. today", paths) == set()


def test_a_small_project_goes_whole_and_the_rest_is_only_named() -> None:
    texts = {"a.ts": "a", "package-lock.json": "{}", ".env": "KEY=1", "vite.config.ts": "c"}
    choice = choose_files(known(texts, hidden={"vite.config.ts"}), Focus(words="a", can_ask=True))
    assert choice.chosen == (ChosenFile("a.ts", "a"),)
    assert choice.rest == (".env", "package-lock.json", "vite.config.ts")
    assert not choice.can_ask


def test_a_file_that_no_model_can_read_at_once_is_only_named_and_that_is_said() -> None:
    texts = {"a.ts": "a", "vast.txt": "x" * 3_000_000, "big.txt": "x" * 30_000}
    marks = dict.fromkeys(("vast.txt", "big.txt"), frozenset({"pinned"}))
    choice = choose_files(known(texts, marks=marks), Focus(words="a"))
    assert [file.path for file in choice.chosen] == ["a.ts", "big.txt"]
    assert choice.too_large == ("vast.txt",)
    assert choice.rest == ("vast.txt",)


def test_what_a_request_has_room_for_is_never_exceeded() -> None:
    texts = {f"part{n}.txt": "x" * 4_000 for n in range(6)} | {"a.ts": "a"}
    marks = {f"part{n}.txt": frozenset({"pinned"}) for n in range(4)}
    focus = Focus(paths=("part3.txt",), words="part5", budget=20_000)
    choice = choose_files(known(texts, marks=marks), focus, most=2_100)
    assert [file.path for file in choice.chosen] == ["part0.txt", "part3.txt"]
    assert choice.too_large == ("part1.txt", "part2.txt")
    assert choose_files(known(texts, marks=marks), focus, most=-9).chosen == ()


def test_a_changed_file_leaves_those_before_it_where_they_were() -> None:
    texts = {"a.ts": "a\n", "b.ts": "b\n", "c.ts": "c\n"}
    changed = {"a.ts": (1, "9:00"), "b.ts": (1, "9:01"), "c.ts": (2, "9:30")}
    before = choose_files(known(texts, changed=changed), Focus())
    changed = {**changed, "b.ts": (3, "9:40")}
    after = choose_files(known({**texts, "b.ts": "B\n"}, changed=changed), Focus())
    assert [file.path for file in before.chosen] == ["a.ts", "b.ts", "c.ts"]
    assert [file.path for file in after.chosen] == ["a.ts", "c.ts", "b.ts"]


def test_a_purpose_counts_and_stands_in_the_map() -> None:
    texts = {f"src/part{n}.ts": f"export const value{n} = {n};\n" * 20 for n in range(40)}
    purposes = {"src/part7.ts": "Rechnet die Mehrwertsteuer aus"}
    focus = Focus(words="Die Mehrwertsteuer stimmt nicht", budget=300)
    choice = choose_files(known(texts, purposes=purposes), focus, whole=0)
    assert "src/part7.ts" in {file.path for file in choice.chosen}
    other = choose_files(known(texts, purposes=purposes), Focus(words="nothing"), whole=0)
    assert "src/part7.ts: Rechnet die Mehrwertsteuer aus (value7)" in other.rest


def test_a_long_map_is_folded_where_it_matters_least() -> None:
    paths = [f"{folder}/file{n}.ts" for folder in ("src/near", "src/far") for n in range(20)]
    exports = dict.fromkeys(paths, ("one", "two"))
    lines = project_map(paths, {}, exports, {"src/near/file3.ts": 2.0}, characters=1000)
    assert len(lines) == 21
    assert lines[0].startswith("src/far/: file0.ts, file1.ts, ")
    assert "src/near/file3.ts (one, two)" in lines
    shortest = project_map(paths, {}, exports, {}, characters=10)
    assert shortest == ["src/far/ (20 files)", "src/near/ (20 files)"]


names = st.sampled_from(
    ["src/App.tsx", "src/lib/money.ts", "src/basket/Basket.tsx", "server/orders.ts", ".env", "a/.env.local",
     "package-lock.json", "README.md", "main.py", "src/look.css", "weird name (1).ts", "data.json"]
)  # fmt: skip
bodies = st.sampled_from(
    ["import { x } from './lib/money';\n", "export const basket = 1;\n" * 30, "", ".total { color: red }\n" * 9,
     "from server import orders\n", "<p>The total of the basket</p>\n" * 50, "import {" * 40, "\ud800 ü 日本\n"]
)  # fmt: skip
marks = st.frozensets(st.sampled_from(["pinned", "excluded", "locked"]))
focuses = st.builds(
    Focus,
    paths=st.lists(names, max_size=2).map(tuple),
    words=st.sampled_from(["", "the total of the basket", "server/orders.ts fails", "💥 (((", "main.py .env"]),
    budget=st.integers(0, 900),
)  # fmt: skip


@given(
    texts=st.dictionaries(names, bodies),
    marked=st.dictionaries(names, marks),
    focus=focuses,
    changed=st.dictionaries(names, st.tuples(st.integers(0, 3), st.sampled_from(["1", "2"]))),
    hidden=st.frozensets(names, max_size=2),
    whole=st.sampled_from([0, 10_000]),
    most=st.sampled_from([0, 100, 10_000]),
)
def test_marks_secrets_budget_and_order_hold(
    texts: dict[str, str],
    marked: dict[str, frozenset[str]],
    focus: Focus,
    changed: dict[str, tuple[int, str]],
    hidden: frozenset[str],
    whole: int,
    most: int,
) -> None:
    files = known(texts, marks=marked, changed=changed, hidden=hidden)
    choice = choose_files(files, focus, whole=whole, most=most)
    shown = [file.path for file in choice.chosen]
    excluded = {path for path, of in marked.items() if "excluded" in of}
    pinned = {path for path, of in marked.items() if "pinned" in of} - excluded
    allowed = {path for path in texts if path not in excluded and not never_shown(path)}
    always = allowed & (pinned | set(focus.paths))
    assert always - set(choice.too_large) <= set(shown) <= allowed
    assert set(choice.too_large) <= always - set(shown)
    assert sum(tokens(texts[path]) for path in shown) <= most
    assert not excluded & set(shown)
    assert len(shown) == len(set(shown))
    assert all(file.text == texts[file.path] for file in choice.chosen)
    if whole == 0:
        size = sum(tokens(texts[path]) for path in shown)
        assert size <= max(focus.budget, sum(tokens(texts[path]) for path in always))
    turned = known(dict(reversed(texts.items())), marks=marked, changed=changed, hidden=hidden)
    assert choose_files(turned, focus, whole=whole, most=most) == choice


def test_the_choice_does_not_depend_on_how_python_hashes() -> None:
    program = (
        "from tests.corpora.make import project\n"
        "from tests.engine.builder.test_relevance import known\n"
        "from vibedesk.engine.builder.focus import of_message\n"
        "from vibedesk.engine.builder.relevance.selection import choose_files\n"
        "choice = choose_files(known(project('corner-shop')), of_message('the coupon is not taken off'))\n"
        "print([file.path for file in choice.chosen], choice.rest)\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert b"CouponField" in told[0]


def test_a_mend_after_one_in_vain_sees_what_belongs_to_the_broken_file_and_more() -> None:
    other = "export const value = 1;\n" * 300
    texts = {
        "src/sum.ts": "import { value } from './used';\nexport const sum = () => value.total;\n",
        "src/used.ts": other,
        "src/pages/user.ts": "import { sum } from '../sum';\n" + other,
        **{f"src/sums/total{n:02}.ts": "export const totalOfSums = 'sum total';\n" * 150 for n in range(30)},
    }  # fmt: skip
    problem = "src/sum.ts:2:34: Property 'total' does not exist on the sum (types)"
    around = ("src/sum.ts", "src/used.ts", "src/pages/user.ts")
    shown = [
        {file.path for file in choose_files(known(texts), of_problems([problem], closely=closely)).chosen}
        for closely in (False, True)
    ]  # fmt: skip
    assert "src/pages/user.ts" not in shown[0]
    assert shown[1] >= set(around)
    assert len(shown[1] - set(around)) > len(shown[0] - set(around)) > 0


def test_what_the_person_changed_since_the_last_phase_counts_as_recent() -> None:
    text = "export const total = 'a sum';\n" * 150
    texts = {f"src/part{n:02}.ts": text for n in range(40)}
    changed = {path: (1, f"09:{n:02}") for n, path in enumerate(texts)}
    changed["src/part39.ts"] = (2, "10:00")
    focus = Focus(words="The total is wrong", budget=3_000)

    def shown(**edited: tuple[int, str]) -> set[str]:
        ages = changed | {f"src/{name}.ts": age for name, age in edited.items()}
        return {file.path for file in choose_files(known(texts, changed=ages), focus).chosen}

    assert "src/part30.ts" not in shown()
    assert {"src/part30.ts", "src/part39.ts"} <= shown(part30=(1, "10:05"))
