"""Small questions: yes or no, or one of a few choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from vibedesk.ui.dialogs.awaitable import AwaitableDialog, DialogTone
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.buttons import Variant, text_button


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to answer: a verb with its object, and a key for the program."""

    key: str
    text: str
    danger: bool = False


class AskDialog(AwaitableDialog[str]):
    """A title, a few sentences, the choices. Cancel comes first and has the focus if it is risky."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        title: str,
        text: str,
        choices: Sequence[Choice],
        cancel: str = "",
    ) -> None:
        super().__init__(theme, parent, title)
        risky = any(choice.danger for choice in choices)
        tone: DialogTone = "danger" if risky else "accent"
        self.add_heading(title, "warning-fill" if risky else "", tone)
        if text:
            self.add_text(text)
        keep = text_button(theme, cancel or self.tr("Cancel"))
        keep.clicked.connect(self.reject)
        keep.setAutoDefault(False)
        buttons = [keep]
        for index, choice in enumerate(choices):
            variant: Variant = "default"
            if choice.danger:
                variant = "danger"
            elif index == len(choices) - 1:
                variant = "primary"
            button = text_button(theme, choice.text, variant=variant)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, key=choice.key: self.give(key))
            buttons.append(button)
        self.add_buttons(*buttons)
        (keep if risky else buttons[-1]).setDefault(True)
        (keep if risky else buttons[-1]).setFocus()
        self.setAccessibleDescription(text)
        self.fit(theme.size("dialog_sm"))


async def choose(
    theme: Theme,
    parent: QWidget | None,
    *,
    title: str,
    text: str,
    choices: Sequence[Choice],
    cancel: str = "",
) -> str | None:
    """Ask, and return the key of the choice, or `None` if there was none. The last is the main one."""
    dialog = AskDialog(theme, parent, title=title, text=text, choices=choices, cancel=cancel)
    return await dialog.answer()


async def confirm(
    theme: Theme,
    parent: QWidget | None,
    *,
    title: str,
    text: str,
    action: str = "",
    danger: bool = False,
) -> bool:
    """Ask whether to do it; `action` names the act, for example "Delete 214 rows"."""
    words = action or QCoreApplication.translate("AskDialog", "Yes")
    choices = [Choice(key="yes", text=words, danger=danger)]
    return await choose(theme, parent, title=title, text=text, choices=choices) == "yes"
