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


UNUSED = {
    "src/u/timer.ts": "export function timer(tick: () => void): void {\n  const timer = setInterval(tick, 1000)\n}\n",
    "src/u/saved.ts": "export async function saved(save: () => Promise<number>): Promise<void> {\n  const saved = await save()\n}\n",
    "src/u/part.ts": "export function part(save: () => { id: number }): void {\n  const { id } = save()\n}\n",
    "src/u/parts.ts": "export function parts(save: () => { id: number; at: number }): void {\n  const { id, at } = save()\n}\n",
    "src/u/first.ts": "export function first(save: () => number[]): void {\n  const [one] = save()\n}\n",
    "src/u/deep.ts": "export function deep(save: () => number): void {\n  const all = { one: [1, save() + 1] }\n}\n",
    "src/u/fallback.ts": "export function fallback(o: { a?: number; b: number }, next: () => number): number {\n  const { a = next(), b } = o\n  return b\n}\n",
    "src/u/made.ts": "export function made(): void {\n  const made = new WebSocket('/a')\n}\n",
    "src/u/tagged.ts": "export function tagged(css: (s: TemplateStringsArray) => string): void {\n  const style = css`a`\n}\n",
    "src/u/grown.ts": "export function grown(n: number): number {\n  const old = n++\n  const now = (n += 1)\n  return n\n}\n",
    "src/u/gone.ts": "export function gone(o: { a?: number }): void {\n  const gone = delete o.a\n}\n",
    "src/u/two.ts": "export function two(tick: () => void): number {\n  const one = 1, other = setInterval(tick, 1)\n  return one\n}\n",
    "src/u/given.ts": "export function* given(): Generator<number, void, number> {\n  const given = yield 1\n}\n",
}  # fmt: skip
SPARE = {
    "src/u/sum.ts": ("export function sum(a: number): number {\n  // of all\n  const one = 1\n  const spare = [a + 1, a > 0 ? 'x' : `${a}`]\n  return one\n}\n",
                     "export function sum(a: number): number {\n  // of all\n  const one = 1\n  return one\n}\n"),
    "src/u/later.ts": ("export function later(tick: () => void): number {\n  const all = { tick: () => tick() }\n  return 1\n}\n",
                       "export function later(tick: () => void): number {\n  return 1\n}\n"),
    "src/u/state.ts": ("export function state(use: () => [number, () => void]): () => void {\n  const [n, set] = use()\n  return set\n}\n",
                       "export function state(use: () => [number, () => void]): () => void {\n  const [, set] = use()\n  return set\n}\n"),
    "src/u/rest.ts": ("export function rest(load: () => { a: number; b: number }): number {\n  const { a, b } = load()\n  return b\n}\n",
                      "export function rest(load: () => { a: number; b: number }): number {\n  const { b } = load()\n  return b\n}\n"),
}  # fmt: skip


async def test_what_is_not_used_goes_only_where_nothing_happens_in_it(
    service: LanguageService, starter: Path
) -> None:
    strict = (starter / APP).read_text("utf-8").replace('"strict": true', '"strict": true, "noUnusedLocals": true')  # fmt: skip
    spare = {path: before for path, (before, _) in SPARE.items()}
    texts = {APP: strict, **UNUSED, **spare}
    await service.open(texts)
    told = await service.diagnose()
    assert {issue.file for issue in told} == {*UNUSED, *SPARE}
    result = await repair(told, texts, service)
    assert result.edits == {path: after for path, (_, after) in SPARE.items()}, result.log
    assert {issue.file for issue in result.left} == set(UNUSED)
