"""Keys by the names that web pages know them by (`Enter`, `Control+A`), as Qt's key events."""

from __future__ import annotations

import sys
from typing import Final, NamedTuple

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

_Key = Qt.Key
_MODIFIERS: Final = {
    "Control": (_Key.Key_Control, Qt.KeyboardModifier.ControlModifier),
    "ControlOrMeta": (_Key.Key_Control, Qt.KeyboardModifier.ControlModifier),
    "Shift": (_Key.Key_Shift, Qt.KeyboardModifier.ShiftModifier),
    "Alt": (_Key.Key_Alt, Qt.KeyboardModifier.AltModifier),
    "Meta": (_Key.Key_Meta, Qt.KeyboardModifier.MetaModifier),
}
# Name → Qt's key, its text, and the code of the key on a keyboard under Linux, by which pages get `event.code`.
_NAMED: Final = {
    "Enter": (_Key.Key_Return, "\r", 36), "Tab": (_Key.Key_Tab, "\t", 23), "Escape": (_Key.Key_Escape, "\x1b", 9),
    "Backspace": (_Key.Key_Backspace, "\b", 22), "Delete": (_Key.Key_Delete, "\x7f", 119),
    "Insert": (_Key.Key_Insert, "", 118), "Space": (_Key.Key_Space, " ", 65), "Home": (_Key.Key_Home, "", 110),
    "End": (_Key.Key_End, "", 115), "PageUp": (_Key.Key_PageUp, "", 112), "PageDown": (_Key.Key_PageDown, "", 117),
    "ArrowUp": (_Key.Key_Up, "", 111), "ArrowDown": (_Key.Key_Down, "", 116), "ArrowLeft": (_Key.Key_Left, "", 113),
    "ArrowRight": (_Key.Key_Right, "", 114),
    **{f"F{n}": (_Key(_Key.Key_F1.value + n - 1), "", 66 + n if n < 11 else 84 + n) for n in range(1, 13)},
}  # fmt: skip
_OTHER_NAMES: Final = {"Esc": "Escape", "Return": "Enter", " ": "Space", "Up": "ArrowUp", "Down": "ArrowDown",
                       "Left": "ArrowLeft", "Right": "ArrowRight", "Del": "Delete", "Spacebar": "Space"}  # fmt: skip
_ROWS: Final = (
    ("1234567890-=", 10),
    ("qwertyuiop[]", 24),
    ("asdfghjkl;'`", 38),
    ("zxcvbnm,./", 52),
)
_CODES: Final = {letter: first + i for row, first in _ROWS for i, letter in enumerate(row)}


class KeyStroke(NamedTuple):
    """One key with those held meanwhile."""

    key: int
    text: str
    code: int
    held: tuple[str, ...]


def key_stroke(name: str) -> KeyStroke:
    """Return what `Control+Shift+K`, `Enter` or a single character stands for.

    Raises:
        ValueError: there is no key of that name.
    """
    *held, last = name.split("+") if len(name) > 1 and not name.endswith("+") else [name]
    if name.endswith("++"):
        held, last = name[:-2].split("+"), "+"
    if unknown := [modifier for modifier in held if modifier not in _MODIFIERS]:
        raise ValueError(f"there is no key {unknown[0]!r} to hold")
    last = _OTHER_NAMES.get(last, last)
    if last in _NAMED:
        key, text, code = _NAMED[last]
        return KeyStroke(key.value, text, code, tuple(held))
    if last.startswith("Key") and len(last) == 4:
        last = last[3].lower()
    if last.startswith("Digit") and len(last) == 6:
        last = last[5]
    if len(last) != 1:
        raise ValueError(f"there is no key {last!r}")
    text = last.upper() if "Shift" in held else last
    if {"Control", "ControlOrMeta", "Alt", "Meta"} & set(held):
        text = ""
    return KeyStroke(ord(last.upper()), text, _CODES.get(last.lower(), 0), tuple(held))


def key_events(stroke: KeyStroke) -> list[QKeyEvent]:
    """Return the events of a stroke: held keys down, the key down and up, held keys up."""
    down, up = QEvent.Type.KeyPress, QEvent.Type.KeyRelease
    events: list[QKeyEvent] = []
    held = Qt.KeyboardModifier.NoModifier
    for name in stroke.held:
        key, modifier = _MODIFIERS[name]
        held |= modifier
        events.append(QKeyEvent(down, key, held))
    events += [_event(kind, stroke, held) for kind in (down, up)]
    for name in reversed(stroke.held):
        key, modifier = _MODIFIERS[name]
        held &= ~modifier
        events.append(QKeyEvent(up, key, held))
    return events


def _event(kind: QEvent.Type, stroke: KeyStroke, held: Qt.KeyboardModifier) -> QKeyEvent:
    if sys.platform != "linux":
        return QKeyEvent(kind, stroke.key, held, stroke.text)
    return QKeyEvent(kind, stroke.key, held, stroke.code, 0, 0, stroke.text)
