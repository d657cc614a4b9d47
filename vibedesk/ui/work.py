"""What is under way in the open project: it decides what can be asked for, and what becomes of problems."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QCoreApplication

Work = Literal["rest", "building", "fixing", "checks", "security"]
"""Nothing, a run, a run that mends what is wrong, or a look that the person asked for."""


def wait_words(work: Work) -> str:
    """Return why nothing else can be asked for now; "" at rest."""
    return {
        "rest": "",
        "building": _tr("A run is under way. Wait until it is done, or stop it."),
        "fixing": _tr("A run is under way. It mends what is wrong."),
        "checks": _tr("The checks are under way."),
        "security": _tr("The security review is under way."),
    }[work]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Work", text)
