"""The kept-alive service: starts with its first use, comes back, waits its turn; packages, files that still stream."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.repair.cases import CASES
from tests.support.processes import is_alive
from vibedesk.engine.repair.fixer import check_file, repair
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.repair.program import RepairError
from vibedesk.engine.sandboxes.driver import Sandbox, SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRONG = {"src/r1/a.ts": "export const a: number = 'a'\n"}


def programs() -> list[psutil.Process]:
    """Return those that descend from this process: tests beside this one have theirs."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            words = process.cmdline()  # a new node does not bear its own name
            if words and Path(words[0]).name == "node" and "language-service-" in " ".join(words):
                found.append(process)
    return found


def codes(issues: object) -> list[str]:
    return [issue.code for issue in issues]  # type: ignore[attr-defined]


async def test_it_comes_back_with_what_was_open_when_it_was_killed(
    service: LanguageService,
) -> None:
    await service.open(WRONG)
    before = await service.diagnose()
    killed = programs()
    for process in killed:
        process.kill()
    assert killed
    assert await service.diagnose() == before
    assert codes(before) == ["TS2322"]


async def test_a_cancelled_request_does_not_disturb_the_next(service: LanguageService) -> None:
    await service.open(WRONG)
    waiting = asyncio.create_task(service.diagnose())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert codes(await service.diagnose()) == ["TS2322"]


async def test_requests_wait_for_each_other(service: LanguageService) -> None:
    await service.open(WRONG)
    answers = await asyncio.gather(*(service.diagnose() for _ in range(4)))
    assert [codes(answer) for answer in answers] == [["TS2322"]] * 4


async def test_files_on_the_disk_are_followed(service: LanguageService, starter: Path) -> None:
    file = starter / "src" / "onDisk.ts"
    try:
        file.write_text("export const n: number = 1\n")
        assert await service.diagnose() == []
        file.write_text("export const n: number = 'text'\n")
        assert codes(await service.diagnose()) == ["TS2322"]
        await service.open({"src/onDisk.ts": None, "src/r2/a.ts": "import '../onDisk'\nimport { n } from '../onDisk'\nexport const m = n\n"})  # fmt: skip
        assert codes(await service.diagnose()) == ["TS2307"]
    finally:
        file.unlink()


async def test_a_file_is_checked_while_the_next_one_still_streams(
    service: LanguageService,
) -> None:
    text = "import { Later } from './Later'\n\nexport const Now = () => <Later n={1} />\nconst x: number = 'a'\n"
    assert codes(await check_file("src/r3/Now.tsx", text, service)) == ["TS2322"]
    assert codes(await check_file("src/r3/Now.tsx", text.replace("'a'", "1 +"), service))[0].startswith("TS1")  # fmt: skip
    later = "export const Later = ({ n }: { n: string }) => <p>{n}</p>\n"
    assert await check_file("src/r3/Later.tsx", later, service) == []
    assert codes(await check_file("src/r3/Now.tsx", text.replace("'a'", "1"), service)) == ["TS2322"]  # fmt: skip
    assert await check_file("src/r3/style.css", "p {", service) == []
    assert codes(await check_file("app/main.py", "def f(:\n", None)) == ["SyntaxError"]
    assert await check_file("app/main.py", "def f() -> None: ...\n", None) == []


VUE = """<script setup lang="ts" generic="T extends Array<string>">
import { Later } from './Later'
const props = defineProps<{ all: T }>()
const n = nobody + {PART}
</script>

<template><Later v-if="n > 1" :all="props.all">{{ n }</Later></template>
<script type="application/ld+json">{ "a": 1 }</script>
"""
SVELTE = """<script lang="ts">
  let n: number = $state(0)
  $: twice = $n * {PART}
</script>

<button onclick={() => n++}>{twice}</button>
"""


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("src/r10/a.js", "export const a = (1\n", ["2:1 TS1005"]),
        ("src/r10/a.js", "export const a = nobody(1)\n", []),
        ("src/r10/A.jsx", "export const A = () => <p>a</b>\n", ["1:30 TS17002"]),
        ("src/r10/A.jsx", "export const A = () => <p>a</p>\n", []),
        ("tool.mjs", "// of all\nexport const a: number = 1\n", ["2:17 TS8010"]),
        ("tool.cjs", "module.exports = { a: 1 }\n", []),
        ("src/A.vue", VUE.replace("{PART}", "]"), ["4:20 TS1109"]),
        ("src/A.vue", VUE.replace("{PART}", "1"), []),
        ("src/A.svelte", SVELTE.replace("{PART}", "]"), ["3:19 TS1109"]),
        ("src/A.svelte", SVELTE.replace("{PART}", "2"), []),
        ("tsconfig.app.json", '{ "compilerOptions": { "skipLibChek": true, /* one */ }, "include": ["src"] }\n', ["1:24 TS5025"]),
        ("tsconfig.app.json", '{ "compilerOptions": { "strict": true // or so\n } "include": ["later"] }\n', ["2:4 TS1005"]),
        ("tsconfig.app.json", '{ "compilerOptions": { "strict": true /* one */ }, "include": ["later"] }\n', []),
        ("tsconfig.json", '{ "files": [] "references": [{ "path": "./later.json" }] }\n', ["1:15 TS1005"]),
        ("tsconfig.json", '{ "files": [], "references": [{ "path": "./later.json" }] }\n', []),
    ],
)  # fmt: skip
async def test_what_can_be_read_alone_is_checked_too(
    service: LanguageService, path: str, text: str, wrong: list[str]
) -> None:
    found = await check_file(path, text, service)
    assert {issue.file for issue in found} <= {path}
    assert [f"{issue.line}:{issue.column} {issue.code}" for issue in found] == wrong


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("package.json", '{\n  "name": "app",\n  "type": "module",\n}\n', ["4:1 JSON"]),
        ("package.json", '\ufeff{ "name": "app" }\n', []),
        ("src/data.json", '{ "a": 1 // one\n}\n', ["1:10 JSON"]),
        ("src/data.json", '{ "a": NaN }\n', ["1:1 JSON"]),
        ("src/data.json", "", ["1:1 JSON"]),
        ("src/data.json", "[1, null]", []),
        # These may have comments.
        (".vscode/settings.json", "{ // one\n}\n", []),
        (".eslintrc.json", "{ // one\n}\n", []),
        ("tsconfig.json", "{ // one\n}\n", []),
    ],
)
async def test_json_is_read_without_any_service(path: str, text: str, wrong: list[str]) -> None:
    found = await check_file(path, text, None)
    assert [f"{issue.line}:{issue.column} {issue.code}" for issue in found] == wrong
    assert {(issue.file, issue.kind) for issue in found} <= {(path, "syntax")}


async def test_json_that_is_too_deep_to_be_read_is_told() -> None:
    assert codes(await check_file("src/data.json", "[" * 100_000, None)) == ["JSON"]


async def test_a_repair_sees_nothing_of_what_was_opened_before_it(
    service: LanguageService, starter: Path
) -> None:
    uses = "import { size } from './size'\n\nexport const twice: number = size * 2\n"
    on_disk = starter / "src" / "r8"
    on_disk.mkdir()
    (on_disk / "size.ts").write_text("export const size = 1\n")
    try:
        # What a file was while it was written, and one that is deleted since.
        wrong = "export const size = { width: 1 }\n"
        assert await check_file("src/r8/size.ts", wrong, service) == []
        await check_file("src/r8/deleted.ts", "export const gone: number = 'text'\n", service)
        assert codes(await check_file("src/r8/uses.ts", uses, service)) == ["TS2362"]
        result = await repair([], {"src/r8/uses.ts": uses}, service)
        assert (dict(result.edits), result.left) == ({}, ())
    finally:
        shutil.rmtree(on_disk)


async def test_packages_that_came_are_seen_once_it_is_told(
    service: LanguageService, starter: Path
) -> None:
    text = "import { n } from 'came-later'\n\nexport const m: number = n\n"
    package = starter / "node_modules" / "came-later"
    assert codes(await check_file("src/r9/a.ts", text, service)) == ["TS2307"]
    package.mkdir()
    try:
        (package / "package.json").write_text('{"name": "came-later", "types": "index.d.ts"}')
        (package / "index.d.ts").write_text("export const n: number\n")
        await service.refresh()
        assert await check_file("src/r9/a.ts", text, service) == []
    finally:
        shutil.rmtree(package)
        await service.refresh()


async def test_packages_that_are_missing_are_named(service: LanguageService) -> None:
    texts = {
        "src/r4/a.ts": "import clsx from 'clsx'\nimport { z } from 'zod/mini'\nimport x from '@scope/name/deep'\n"
        "import { none } from './nowhere'\n\nexport const a = [clsx, z, x, none]\n"
    }
    await service.open(texts)
    wrong = await service.diagnose()
    result = await repair(wrong, texts, service)
    assert sorted(result.packages) == ["@scope/name", "clsx", "zod"]
    named = {issue.message.split("'")[1]: (issue.signature,) for issue in wrong}
    # Another package has brought zod, so nothing is wrong with that import yet.
    asking = {"@scope/name": named["@scope/name/deep"], "clsx": named["clsx"], "zod": ()}
    assert result.asking == asking
    assert not result.edits
    assert not result.fixed
    assert codes(result.left) == ["TS2307"] * 3


async def test_protected_files_stay(service: LanguageService) -> None:
    texts = {"src/r5/a.ts": "export const a = [1].mpa((n) => n)\n"}
    await service.open(texts)
    result = await repair([], texts, service, protect=list(texts))
    assert not result.edits
    assert result.left


async def test_what_brings_more_errors_is_taken_back(service: LanguageService) -> None:
    texts = {
        "src/r6/use.ts": "import { makeBox } from './gone'\n\nexport const size: string = makeBox(1).size\nexport const more: string = makeBox(2).size\n",
        "src/r6/makers.ts": "export const makeBox = (n: number) => ({ size: n })\n",
    }
    await service.open(texts)
    before = await service.diagnose()
    result = await repair(before, texts, service)
    assert not result.edits
    assert any("errors grew" in line for line in result.log)
    assert await service.diagnose() == before == list(result.left)


async def test_what_brings_more_errors_stays_where_those_are_mended_too(
    service: LanguageService,
) -> None:
    texts = {
        "src/r7/use.ts": "import { makeList } from './gone'\n\nexport const one = makeList(1).lenght\nexport const two = makeList(2).lenght\n",
        "src/r7/makers.ts": "export const makeList = (n: number) => [n]\n",
    }
    result = await repair([], texts, service)
    assert result.edits == {
        "src/r7/use.ts": "import { makeList } from './makers'\n\nexport const one = makeList(1).length\nexport const two = makeList(2).length\n"
    }
    assert not result.left


async def test_a_repaired_project_is_a_fixed_point(service: LanguageService) -> None:
    texts = {path: text for case in CASES[:12] for path, text in {**case.before, **case.after}.items()}  # fmt: skip
    result = await repair([], texts, service)
    assert (dict(result.edits), result.rounds, result.left) == ({}, 0, ())


@given(
    chosen=st.lists(
        st.sampled_from(CASES), min_size=3, max_size=6, unique_by=lambda case: case.name
    ),
    data=st.data(),
)
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
async def test_no_remark_and_no_blank_line_is_lost(
    service: LanguageService, chosen: list, data: st.DataObject
) -> None:
    texts = {}
    for case in chosen:
        for path, text in case.before.items():
            texts[path] = remarked(text, data) if path in case.after else text
    await service.open(texts)
    before = await service.diagnose()
    result = await repair(before, texts, service)
    assert len(result.left) <= len(before)
    for path, text in result.edits.items():
        for number in range(texts[path].count("// remark")):
            assert text.count(f"// remark {number}.") == 1
        assert text.count("\n\n") >= texts[path].count("\n\n") - 1
    await service.forget()


def remarked(text: str, data: st.DataObject) -> str:
    """Put remarks before some of the lines that stand at the margin."""
    lines: list[str] = []
    count = 0
    for line in text.splitlines(keepends=True):
        statement = line.startswith(("import ", "export ", "const ", "function "))
        if statement and data.draw(st.booleans()):
            lines.append(f"// remark {count}.\n")
            count += 1
        lines.append(line)
    return "".join(lines)


@pytest_asyncio.fixture(loop_scope="session")
async def bare(tmp_path: Path) -> AsyncIterator[Sandbox]:
    """A project without any packages."""
    folder = tmp_path / "bare"
    folder.mkdir()
    driver = LocalDriver(tmp_path / "state")
    spec = SandboxSpec(project_id="bare", folder=folder, port=pick_port())
    yield await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    await driver.aclose()


async def test_without_typescript_it_says_so(bare: Sandbox) -> None:
    service = LanguageService(bare)
    with pytest.raises(RepairError) as caught:
        await service.diagnose()
    assert caught.value.code == "repair_unavailable"
    assert "packages" in caught.value.remedy
    await service.aclose()


async def test_what_needs_no_service_is_mended_without_it(bare: Sandbox) -> None:
    service = LanguageService(bare)
    result = await repair([], {"package.json": '{"name": "app",}\n'}, service)
    assert result.edits == {"package.json": '{"name": "app"}\n'}
    with pytest.raises(RepairError):
        await repair([], {"package.json": "{}"}, service)
    await service.aclose()


async def test_a_package_json_that_cannot_be_read_is_no_hindrance(
    starter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "node_modules").symlink_to(starter / "node_modules")
    (folder / "package.json").write_text("{,}", "utf-8")
    (folder / "tsconfig.json").write_text(
        (starter / "tsconfig.app.json").read_text("utf-8"), "utf-8"
    )
    driver = LocalDriver(tmp_path / "state", use_bubblewrap=False)
    spec = SandboxSpec(project_id="unread", folder=folder, port=pick_port())
    service = LanguageService(
        await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    )
    await service.open({"src/a.ts": "export const a: number = 'a'\n"})
    assert codes(await service.diagnose()) == ["TS2322"]
    await service.aclose()
    await driver.aclose()


async def test_it_ends_with_its_sandbox(starter: Path, tmp_path: Path) -> None:
    before = programs()
    driver = LocalDriver(tmp_path / "state")
    spec = SandboxSpec(project_id="ends", folder=starter, port=pick_port())
    sandbox = await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    service = LanguageService(sandbox)
    await service.open({})
    own = [process for process in programs() if process not in before]
    assert own
    await driver.aclose()
    await service.aclose()
    assert not [process for process in own if is_alive(process)]
