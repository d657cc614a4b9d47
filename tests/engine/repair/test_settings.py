"""Settings of the React starter, broken one way each: mended where it is certain, confirmed by the compiler."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vibedesk.engine.repair.fixer import repair
from vibedesk.engine.repair.language_service import LanguageService

pytestmark = pytest.mark.asyncio(loop_scope="session")

APP, ROOT, VITE = "tsconfig.app.json", "tsconfig.json", "vite.config.ts"
ALIAS = (
    "  resolve: {\n    alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) },\n  },\n"
)


@dataclass(frozen=True)
class Case:
    """`old` of a file of the starter is `new`; after repair it is `mended`, or `new` still where that is empty."""

    name: str
    path: str
    old: str
    new: str
    mended: str
    files: dict[str, str] = field(default_factory=dict)


USES_ALIAS = {
    "src/s1/a.ts": "import { one } from '@/s1/b'\nexport const two = one + 1\n",
    "src/s1/b.ts": "export const one = 1\n",
}
CASES = [
    Case("jsx of React 16", APP, '"jsx": "react-jsx"', '"jsx": "react"', '"jsx": "react-jsx"',
         {"src/s0/A.tsx": "export const A = () => <b>a</b>\n"}),
    Case("types of a package that the app does not have", APP, '["vite/client"]', '["vite/client", "vitest/globals"]', '["vite/client"]'),
    Case("comma missing", APP, '"noEmit": true,', '"noEmit": true', '"noEmit": true,'),
    Case("comma missing before a comment", APP, '"noEmit": true,', '"noEmit": true // nothing is written', ""),
    Case("modules as in Node 10", APP, '"bundler"', '"node"', '"bundler"'),
    Case("base of old, and targets that need it", APP, '"paths": { "@/*": ["./src/*"] },',
         '"baseUrl": ".",\n    "paths": { "@/*": ["src/*"] },', '"paths": { "@/*": ["./src/*"] },', USES_ALIAS),
    Case("base with a reason", APP, '"paths": {', '// why\n    "baseUrl": ".",\n    "paths": {', ""),
    Case("includes a folder that is not there", APP, '["src"]', '["source"]', '["src"]'),
    Case("library without toSorted", APP, '"lib": ["ES2023"', '"lib": ["es2020"', '"lib": ["es2023"',
         {"src/s2/a.ts": "export const sorted = [2, 1].toSorted((a, b) => a - b)\n"}),
    Case("option misspelled", APP, '"skipLibCheck"', '"skipLibChek"', '"skipLibCheck"'),
    Case("option that nobody knows", APP, '"skipLibCheck"', '"somethingElse"', ""),
    Case("project that is not there", ROOT, '{ "path": "./tsconfig.node.json" }',
         '{ "path": "./tsconfig.node.json" }, { "path": "./tsconfig.server.json" }', '{ "path": "./tsconfig.node.json" }'),
    Case("sister of the plugin", VITE, "'@vitejs/plugin-react'", "'@vitejs/plugin-react-swc'", "'@vitejs/plugin-react'"),
    Case("alias that only the compiler knows", VITE, ALIAS, "", "", USES_ALIAS),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_setting_is_mended_where_it_is_certain(
    service: LanguageService, starter: Path, case: Case
) -> None:
    whole = (starter / case.path).read_text("utf-8")
    broken = whole.replace(case.old, case.new)
    texts = {case.path: broken, **case.files}
    await service.open(texts)
    told = await service.diagnose()
    assert told, "the case has no error"
    result = await repair(told, texts, service)
    if case.path == VITE and not case.new:
        mended = broken.replace("\n})", "\n  resolve: { alias: { '@': '/src' } },\n})")
    else:
        mended = broken.replace(case.new, case.mended) if case.mended else broken
    assert result.edits == ({case.path: mended} if mended != broken else {}), result.log
    left = await service.diagnose()
    assert (left == []) is (mended != broken), left
    assert set(result.fixed) == ({i.signature for i in told} if mended != broken else set())


async def test_what_a_protected_setting_says_stays(service: LanguageService, starter: Path) -> None:
    broken = (starter / APP).read_text("utf-8").replace('"skipLibCheck"', '"skipLibChek"')
    await service.open({APP: broken})
    result = await repair([], {APP: broken}, service, protect=[APP])
    assert not result.edits
    assert [issue.code for issue in result.left] == ["TS5025"]


async def test_a_setting_that_must_stay_keeps_nothing_else_from_being_mended(
    service: LanguageService, starter: Path
) -> None:
    reason = '// why\n    "baseUrl": ".",\n    "paths": {'
    broken = (starter / APP).read_text("utf-8").replace('"paths": {', reason)
    texts = {APP: broken, "src/s4/a.ts": "export const many = [1].lenght\n"}
    await service.open(texts)
    result = await repair(await service.diagnose(), texts, service)
    assert result.edits == {"src/s4/a.ts": "export const many = [1].length\n"}


async def test_an_alias_that_comes_from_elsewhere_is_not_missed(
    service: LanguageService, starter: Path
) -> None:
    vite = (starter / VITE).read_text("utf-8").replace(ALIAS, "")
    shared = vite.replace(
        "import { defineConfig } from 'vite'", "import { defineConfig } from './vite.base'"
    )
    await service.open(
        {VITE: shared, "vite.base.ts": "export { defineConfig } from 'vite'\n", **USES_ALIAS}
    )
    assert [issue for issue in await service.diagnose() if issue.code == "vite-alias"] == []
