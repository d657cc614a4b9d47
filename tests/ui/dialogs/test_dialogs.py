from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from vibedesk.base.errors import InvalidInputError, StorageError
from vibedesk.engine.views import DiscoveredServerView, SecretsView
from vibedesk.ui.dialogs.ask import AskDialog, Choice, choose, confirm
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.dialogs.consent import ConsentDialog, ask_consent
from vibedesk.ui.dialogs.model_setup import KeyPlace, ModelChoice, ModelSetupDialog, ask_model
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.prose import Prose

Kind = TypeVar("Kind", bound=QWidget)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


async def opened(window: QWidget, kind: type[Kind]) -> Kind:
    for _ in range(50):
        await asyncio.sleep(0)
        found = [d for d in window.findChildren(kind) if d.isVisible()]
        if found:
            return found[0]
    pytest.fail("no dialog was opened")


def press(qtbot: QtBot, dialog: QWidget, name: str) -> None:
    for kind in (QPushButton, QToolButton):
        for button in dialog.findChildren(kind):
            if button.accessibleName() == name:
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
                return
    pytest.fail(f"no button {name}")


def field(dialog: QWidget, name: str) -> QLineEdit:
    return next(f for f in dialog.findChildren(QLineEdit) if f.accessibleName() == name)


def said(dialog: QWidget) -> str:
    words = [prose.text() for prose in dialog.findChildren(Prose)]
    return " ".join(words + [label.text() for label in dialog.findChildren(QLabel)])


async def answered(task: Awaitable[Kind]) -> Kind:
    return await asyncio.wait_for(task, timeout=5)


async def test_confirm_is_true_only_for_the_act(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    async def ask() -> bool:
        return await confirm(
            theme, window, title="Delete?", text="Gone.", action="Delete Fernwood", danger=True
        )

    task = asyncio.create_task(ask())
    press(qtbot, await opened(window, AskDialog), "Delete Fernwood")
    assert await answered(task) is True
    task = asyncio.create_task(ask())
    press(qtbot, await opened(window, AskDialog), "Cancel")
    assert await answered(task) is False
    task = asyncio.create_task(ask())
    qtbot.keyClick(await opened(window, AskDialog), Qt.Key.Key_Escape)
    assert await answered(task) is False


async def test_risky_questions_begin_on_cancel(theme: Theme, window: QWidget) -> None:
    choices = [Choice(key="x", text="Delete", danger=True)]
    dialog = AskDialog(theme, window, title="Delete?", text="", choices=choices)
    default = next(b for b in dialog.findChildren(QPushButton) if b.isDefault())
    assert default.accessibleName() == "Cancel"
    dialog.deleteLater()


async def test_choose_gives_the_key(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    choices = [
        Choice(key="tray", text="Keep running"),
        Choice(key="stop", text="Stop after this file"),
    ]
    task = asyncio.create_task(
        choose(theme, window, title="A build is running", text="", choices=choices)
    )
    press(qtbot, await opened(window, AskDialog), "Keep running")
    assert await answered(task) == "tray"


async def test_cancelled_question_takes_its_dialog_away(theme: Theme, window: QWidget) -> None:
    task = asyncio.create_task(confirm(theme, window, title="Sure?", text=""))
    dialog = await opened(window, AskDialog)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not dialog.isVisible()


async def test_focus_returns_to_where_it_was(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    button = QPushButton("x", window)
    button.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    button.setFocus()
    task = asyncio.create_task(confirm(theme, window, title="Sure?", text=""))
    press(qtbot, await opened(window, AskDialog), "Cancel")
    await answered(task)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is button)


async def test_answered_dialogs_are_deleted(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    for _ in range(3):
        task = asyncio.create_task(confirm(theme, window, title="Sure?", text=""))
        press(qtbot, await opened(window, AskDialog), "Cancel")
        await answered(task)
    qtbot.waitUntil(lambda: window.findChildren(AwaitableDialog) == [])


async def test_consent_says_it_plainly_and_begins_on_no(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    task = asyncio.create_task(ask_consent(theme, window))
    dialog = await opened(window, ConsentDialog)
    assert "This app's code will run with your own rights" in said(dialog)
    assert "can do what you can do" in said(dialog)
    default = next(b for b in dialog.findChildren(QPushButton) if b.isDefault())
    assert default.accessibleName() == "Don't run it"
    press(qtbot, dialog, "Run with my rights")
    assert await answered(task) is True


async def test_what_had_the_focus_may_go_meanwhile(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    opener = QLineEdit(window)
    opener.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    opener.setFocus()
    task = asyncio.create_task(ask_consent(theme, window))
    dialog = await opened(window, ConsentDialog)
    delete(opener)
    dialog.close()
    assert await answered(task) is False


async def test_consent_closed_is_no(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    task = asyncio.create_task(ask_consent(theme, window))
    (await opened(window, ConsentDialog)).close()
    assert await answered(task) is False


def setup(theme: Theme, window: QWidget, **options: object) -> asyncio.Task[object]:
    models = {"anthropic": "claude-sonnet-4-5"}
    return asyncio.create_task(ask_model(theme, window, models=models, **options))  # type: ignore[arg-type]


async def test_model_with_key(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    task = setup(theme, window)
    dialog = await opened(window, ModelSetupDialog)
    use = next(
        b for b in dialog.findChildren(QPushButton) if b.accessibleName() == "Use this model"
    )
    assert not use.isEnabled()
    assert use.toolTip() == "Enter the key first."
    assert field(dialog, "Key").echoMode() == QLineEdit.EchoMode.Password
    assert "never in a file" in said(dialog)
    qtbot.keyClicks(field(dialog, "Key"), "sk-ant-secret")
    qtbot.keyClick(field(dialog, "Key"), Qt.Key.Key_Return)
    choice = await answered(task)
    assert choice == ModelChoice(
        provider="anthropic", model="claude-sonnet-4-5", key="sk-ant-secret"
    )
    assert "sk-ant-secret" not in repr(choice)


async def test_own_server_needs_no_key(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    task = setup(theme, window, provider="openai_compatible")
    dialog = await opened(window, ModelSetupDialog)
    use = next(
        b for b in dialog.findChildren(QPushButton) if b.accessibleName() == "Use this model"
    )
    qtbot.keyClicks(field(dialog, "Model"), "qwen3")
    for address in ("localhost:11434", "file:///etc", "http://"):
        field(dialog, "Address").setText(address)
        assert not use.isEnabled()
    field(dialog, "Address").setText("http://localhost:11434/v1/")
    press(qtbot, dialog, "Use this model")
    assert await answered(task) == ModelChoice(
        provider="openai_compatible", model="qwen3", base_url="http://localhost:11434/v1"
    )


async def test_keys_do_not_travel_in_the_clear(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    task = setup(theme, window, provider="openai_compatible")
    dialog = await opened(window, ModelSetupDialog)
    field(dialog, "Model").setText("m")
    field(dialog, "Key").setText("k")
    use = next(
        b for b in dialog.findChildren(QPushButton) if b.accessibleName() == "Use this model"
    )
    field(dialog, "Address").setText("http://gateway.example/v1")
    assert not use.isEnabled()
    assert "https" in use.toolTip()
    field(dialog, "Address").setText("https://gateway.example/v1")
    assert use.isEnabled()
    press(qtbot, dialog, "Not now")
    assert await answered(task) is None


async def test_example_instead(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    task = setup(theme, window)
    press(qtbot, await opened(window, ModelSetupDialog), "Watch an example instead")
    assert await answered(task) == "sample"


async def test_a_rejected_key_keeps_the_dialog_and_says_why(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    problems: list[str | None] = ["The key was rejected (401).", None]

    async def check(choice: ModelChoice) -> str | None:
        return problems.pop(0)

    task = setup(theme, window, check=check)
    dialog = await opened(window, ModelSetupDialog)
    field(dialog, "Key").setText("bad")
    press(qtbot, dialog, "Use this model")
    for _ in range(5):
        await asyncio.sleep(0)
    assert dialog.isVisible()
    assert "The key was rejected (401)." in said(dialog)
    assert field(dialog, "Key").accessibleDescription() == "The key was rejected (401)."
    field(dialog, "Key").setText("good")
    assert "The key was rejected (401)." not in said(dialog)
    press(qtbot, dialog, "Use this model")
    choice = await answered(task)
    assert isinstance(choice, ModelChoice)
    assert choice.key == "good"


@pytest.mark.parametrize(
    ("way", "answer"),
    [("Not now", None), ("More providers", "more"), ("Watch an example instead", "sample")],
)
async def test_leaving_stops_the_check(
    qtbot: QtBot, theme: Theme, window: QWidget, way: str, answer: str | None
) -> None:
    ended = asyncio.Event()

    async def check(choice: ModelChoice) -> str | None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return None

    task = setup(theme, window, check=check)
    dialog = await opened(window, ModelSetupDialog)
    field(dialog, "Key").setText("k")
    press(qtbot, dialog, "Use this model")
    await asyncio.sleep(0)
    press(qtbot, dialog, way)
    assert await answered(task) == answer
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_check_that_breaks_off_says_why(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    async def check(choice: ModelChoice) -> str | None:
        raise StorageError("The keychain does not answer.")

    task = setup(theme, window, check=check)
    dialog = await opened(window, ModelSetupDialog)
    field(dialog, "Key").setText("k")
    press(qtbot, dialog, "Use this model")
    for _ in range(5):
        await asyncio.sleep(0)
    assert "The keychain does not answer." in said(dialog)
    press(qtbot, dialog, "Not now")
    assert await answered(task) is None


async def test_key_can_be_shown_and_hidden(qtbot: QtBot, theme: Theme, window: QWidget) -> None:
    task = setup(theme, window)
    dialog = await opened(window, ModelSetupDialog)
    press(qtbot, dialog, "Show the key")
    assert field(dialog, "Key").echoMode() == QLineEdit.EchoMode.Normal
    press(qtbot, dialog, "Hide the key")
    assert field(dialog, "Key").echoMode() == QLineEdit.EchoMode.Password
    dialog.reject()
    await answered(task)


async def test_a_server_on_this_computer_is_offered(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    address = "http://127.0.0.1:11434/v1"

    async def look() -> list[DiscoveredServerView]:
        return [
            DiscoveredServerView("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", ()),
            DiscoveredServerView("ollama", "Ollama", address, ("qwen3:8b",)),
        ]

    task = setup(theme, window, look=look)
    dialog = await opened(window, ModelSetupDialog)
    for _ in range(5):
        await asyncio.sleep(0)
    assert "LM Studio" not in said(dialog), "it has no model"
    press(qtbot, dialog, "Use Ollama")
    assert await answered(task) == ModelChoice(
        provider="ollama", model="qwen3:8b", base_url=address
    )


async def test_a_key_without_a_keychain_needs_a_passphrase_first(
    qtbot: QtBot, theme: Theme, window: QWidget
) -> None:
    async def state() -> SecretsView:
        return SecretsView("none", True, "Choose a passphrase.")

    async def unlock(passphrase: str) -> SecretsView:
        if passphrase != "right":
            raise InvalidInputError("It is too short.")
        return SecretsView("file", False, "Kept encrypted.")

    task = setup(theme, window, keys=KeyPlace(state=state, unlock=unlock))
    dialog = await opened(window, ModelSetupDialog)
    for _ in range(5):
        await asyncio.sleep(0)
    for passphrase, expected in (("wrong", "It is too short."), ("right", "Kept encrypted.")):
        field(dialog, "Passphrase for your keys").setText(passphrase)
        press(qtbot, dialog, "Keep keys here")
        for _ in range(5):
            await asyncio.sleep(0)
        assert expected in said(dialog)
    press(qtbot, dialog, "More providers")
    assert await answered(task) == "more"


async def test_everything_that_takes_focus_has_a_name(theme: Theme, window: QWidget) -> None:
    choices = [Choice(key="x", text="Do it")]
    for dialog in (
        AskDialog(theme, window, title="Sure?", text="", choices=choices),
        ConsentDialog(theme, window),
        ModelSetupDialog(theme, window),
    ):
        dialog.show()
        nameless = [
            w
            for w in dialog.findChildren(QWidget)
            if w.isVisible()
            and w.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not w.accessibleName()
        ]
        assert nameless == []
        dialog.close()
