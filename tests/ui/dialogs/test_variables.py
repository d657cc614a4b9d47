"""The app's own variables, on the real engine with a secrets file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import VariableView
from vibedesk.ui.dialogs.variables import VariableActions, VariableEntry, VariablesDialog
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    await asyncio.to_thread(made.start)
    yield made
    await made.shutdown()


async def until(condition: object, what: str) -> None:
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"not in time: {what}")


@pytest.fixture
async def project(engine: Engine) -> str:
    return await engine.create("", ProjectOptions(sample="kanban-board"))


@pytest.fixture
async def dialog(qtbot: QtBot, theme: Theme, engine: Engine, project: str) -> VariablesDialog:
    async def keep(entry: VariableEntry) -> None:
        await engine.set_variable(
            project, entry.name, entry.value, secret=entry.secret, consent=entry.consent
        )

    actions = VariableActions(
        load=partial(engine.variables, project),
        keep=keep,
        remove=partial(engine.remove_variable, project),
        secrets=engine.secrets_state,
        unlock=engine.unlock_secrets,
    )
    parent = QWidget()
    qtbot.addWidget(parent)
    made = VariablesDialog(theme, parent, app="Board", actions=actions)
    made.parent_ = parent  # type: ignore[attr-defined]
    made.show()
    await until(lambda: made._secrets._view is not None, "it is filled")
    return made


async def add(dialog: VariablesDialog, name: str, value: str, *, secret: bool) -> None:
    dialog._new._name.setText(name)
    dialog._new._value.setText(value)
    dialog._new._secret.setChecked(secret)
    dialog._new._add.click()
    await until(lambda: name in dialog.names or dialog._said.text, "it is kept or refused")


async def named(engine: Engine, project: str, name: str) -> VariableView:
    return next(v for v in await engine.variables(project) if v.name == name)


async def test_a_plain_one_is_added_changed_given_and_removed(
    dialog: VariablesDialog, engine: Engine, project: str, qtbot: QtBot
) -> None:
    await add(dialog, "MAIL_FROM", "a@b.example", secret=False)
    assert dialog._new._name.text() == ""
    row = dialog.row("MAIL_FROM")
    assert row._value.text() == "a@b.example"
    assert row._state.text == "Kept, not given to the app"
    row._consent.click()
    await until(lambda: dialog.row("MAIL_FROM")._state.text == "The app has it", "it is given")
    assert (await named(engine, project, "MAIL_FROM")).consent
    row = dialog.row("MAIL_FROM")
    row._value.setText("c@d.example")
    qtbot.keyClick(row._value, Qt.Key.Key_Return)
    await until(lambda: not dialog.row("MAIL_FROM").typed, "it is changed")
    view = await named(engine, project, "MAIL_FROM")
    assert (view.value, view.consent) == ("c@d.example", True)
    remove = next(b for b in dialog.findChildren(QWidget) if b.accessibleName() == "Remove MAIL_FROM")  # fmt: skip
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    await until(lambda: not dialog.names, "it is gone")


async def test_a_secret_waits_for_the_passphrase_and_is_never_shown(
    dialog: VariablesDialog, engine: Engine, project: str
) -> None:
    await add(dialog, "STRIPE_KEY", "sk-live-secret", secret=True)
    assert "passphrase" in dialog._said.text
    assert dialog._new._value.text() == "sk-live-secret", "what was typed stays"
    dialog._secrets._field.setText("correct horse battery")
    dialog._secrets._button.click()
    await until(lambda: not dialog._secrets.locked, "it is opened")
    dialog._new._add.click()
    await until(lambda: "STRIPE_KEY" in dialog.names, "it is kept")
    row = dialog.row("STRIPE_KEY")
    assert row._value.text() == ""
    assert row._value.echoMode() == QLineEdit.EchoMode.Password
    row._consent.click()
    await until(lambda: dialog.row("STRIPE_KEY")._state.text == "The app has it", "it is given")
    assert (await named(engine, project, "STRIPE_KEY")).has_value


async def test_a_name_that_is_none_is_refused_in_words(dialog: VariablesDialog) -> None:
    await add(dialog, "PATH", "x", secret=False)
    assert "decides how programs run" in dialog._said.text
    assert dialog.names == []


def test_values_are_in_no_repr() -> None:
    entry = VariableEntry(name="A", value="topsecret", secret=True, consent=False)
    assert "topsecret" not in repr(entry)


async def test_everything_that_takes_the_keyboard_has_a_name(dialog: VariablesDialog) -> None:
    await add(dialog, "MAIL_FROM", "a", secret=False)
    nameless = [
        w
        for w in dialog.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.accessibleName()
    ]
    assert nameless == []
