"""Components of Vue and Svelte: their scripts are mended by what their own checker says, and it finds nothing afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.support.starter_packages import starter_with_packages
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.repair.fixer import repair
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.review.checkers import Checkers, ask
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.sandboxes.driver import Sandbox, SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

TOTAL = {"src/lib/total.ts": "export const total = (all: number[]): number => all.length\n"}


@dataclass(frozen=True)
class Case:
    """One component of a starter, and what becomes of it."""

    starter: str
    path: str
    before: str
    after: str
    others: dict[str, str] = field(default_factory=lambda: TOTAL)


VUE = Case(
    "vue-vite",
    "src/Counter.vue",
    """<script setup lang="ts">
// Counts.
import { computed } from 'vue'
import { total } from './lib/totals'

const n = ref(0)
const props = defineProps<{ start: number }>()
const twice = computed(() => n.value * 2 + props.strat + total([1]))
</script>

<template>
  <!-- “é”: shown -->
  <button @click="n++">{{ twice }}</button>
</template>
""",
    """<script setup lang="ts">
// Counts.
import { computed, ref } from 'vue'
import { total } from './lib/total'

const n = ref(0)
const props = defineProps<{ start: number }>()
const twice = computed(() => n.value * 2 + props.start + total([1]))
</script>

<template>
  <!-- “é”: shown -->
  <button @click="n++">{{ twice }}</button>
</template>
""",
)
SVELTE = Case(
    "svelte-vite",
    "src/Counter.svelte",
    """<!-- “é”: counts -->
<script lang="ts">
  let n = $state(0)
  const items = [1].lenght // one
  const twice = $derived(n * 2 + total([1]) + items)
</script>

<button onclick={() => n++}>{twice}</button>
""",
    """<!-- “é”: counts -->
<script lang="ts">
  import { total } from './lib/total'
  let n = $state(0)
  const items = [1].length // one
  const twice = $derived(n * 2 + total([1]) + items)
</script>

<button onclick={() => n++}>{twice}</button>
""",
)


@pytest.mark.parametrize("case", [VUE, SVELTE], ids=lambda case: case.starter)
async def test_a_component_s_script_is_mended(case: Case, tmp_path: Path) -> None:
    folder = starter_with_packages(case.starter, tmp_path / "app")
    texts = {case.path: case.before, **case.others}
    write(folder, texts)
    driver = LocalDriver(tmp_path / "state")
    spec = SandboxSpec(project_id=case.starter, folder=folder, port=pick_port())
    sandbox = await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    service = LanguageService(sandbox)

    told = await types(case, sandbox)
    assert {issue.file for issue in told} == {case.path}
    result = await repair(told, texts, service)
    assert result.edits == {case.path: case.after}, result.log
    # What only its own checker can judge is not told of it.
    assert await service.diagnose() == []
    write(folder, result.edits)
    assert [issue for issue in await types(case, sandbox) if issue.blocks] == []
    kept = await repair(told, texts, service, protect=[case.path])
    assert not kept.edits
    await service.aclose()
    await driver.aclose()


def write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


async def types(case: Case, sandbox: Sandbox) -> list[Issue]:
    """Return what the starter's own checker finds."""

    run = partial(ask, sandbox)
    return await Checkers(load_template(case.starter), sandbox.workdir, run).types()
