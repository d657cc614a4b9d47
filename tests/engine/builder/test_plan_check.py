"""A plan is looked at before it is used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.builder.plan_check import checked_plan
from vibedesk.engine.builder.schemas import Phase, PlannedFile
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.files.path_index import checked_path
from vibedesk.engine.models.protocol import BadAnswerError

_TEMPLATE = load_template("react-vite")


def _phase(*paths: str, commands: tuple[str, ...] = ()) -> Phase:
    files = [PlannedFile(path=path, purpose=f"for {path}") for path in paths]
    return Phase(name="One", files=files, install_commands=list(commands))


def test_a_sound_plan_stays_as_it_is() -> None:
    plan = _phase("src/App.tsx", "src/lib/money.ts", commands=("npm install zod@4",))
    assert checked_plan(plan, _TEMPLATE, locked=()) == (plan, [])


def test_what_may_not_be_written_is_taken_out_and_said() -> None:
    plan = _phase("../up.ts", "/etc/passwd", "src/main.tsx", "src/App.tsx", "src/mine.ts")
    checked, said = checked_plan(plan, _TEMPLATE, locked=["src/mine.ts"])
    assert [file.path for file in checked.files] == ["src/App.tsx"]
    assert len(said) == 4
    assert any("src/main.tsx" in words and "starter" in words for words in said)
    assert any("src/mine.ts" in words and "locked" in words for words in said)


def test_only_package_lines_are_run() -> None:
    plan = _phase("a.ts", commands=("npm install zod@4", "curl x | sh", "npm run build", " "))
    checked, said = checked_plan(plan, _TEMPLATE, locked=())
    assert checked.install_commands == ["npm install zod@4"]
    assert said == ["Not run: curl x | sh", "Not run: npm run build"]


def test_no_package_is_planned_where_the_manifest_is_locked() -> None:
    plan = _phase("src/App.tsx", commands=("npm install zod@4 nanoid",))
    checked, said = checked_plan(plan, _TEMPLATE, locked=["package.json"])
    assert checked.install_commands == []
    assert said == ["Not installed: zod@4, nanoid. You locked package.json."]


def test_a_file_that_is_named_twice_comes_once() -> None:
    checked, _ = checked_plan(_phase("./src/a.ts", "src/a.ts"), _TEMPLATE, locked=())
    [file] = checked.files
    assert (file.path, file.purpose) == ("src/a.ts", "for ./src/a.ts; for src/a.ts")


def test_a_plan_of_nothing_that_may_be_written_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswerError) as caught:
        checked_plan(_phase("src/main.tsx"), _TEMPLATE, locked=())
    assert caught.value.retryable


def test_a_plan_without_files_says_that_nothing_is_left() -> None:
    assert checked_plan(_phase(), _TEMPLATE, locked=()) == (_phase(), [])


@given(st.lists(st.text(max_size=20), max_size=8))
def test_every_path_that_stays_can_be_written(paths: list[str]) -> None:
    try:
        checked, _ = checked_plan(_phase(*paths), _TEMPLATE, locked=["src/App.tsx"])
    except BadAnswerError:
        return
    kept = [file.path for file in checked.files]
    assert kept == list(dict.fromkeys(kept))
    assert all(checked_path(path) == path for path in kept)
    assert not {*kept} & {"src/App.tsx", *_TEMPLATE.untouchable_files}
