"""Opens the system's own terminal on a command."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from PySide6.QtCore import QProcess

_LINUX: tuple[tuple[str, tuple[str, ...]], ...] = (
    # What the person or the system chose comes first.
    ("xdg-terminal-exec", ()),
    ("x-terminal-emulator", ("-e",)),
    ("gnome-terminal", ("--",)),
    ("kgx", ("--",)),
    ("konsole", ("-e",)),
    ("xfce4-terminal", ("-x",)),
    ("mate-terminal", ("-x",)),
    ("kitty", ()),
    ("alacritty", ("-e",)),
    ("wezterm", ("start", "--")),
    ("foot", ()),
    ("xterm", ("-e",)),
)
"""Terminals, and what they want before a command whose words stay apart."""


def terminal_command(command: Sequence[str], platform: str = sys.platform) -> list[str] | None:
    """Return what opens a terminal that runs `command`; None where there is no terminal."""
    if platform == "darwin":
        script = shlex.join(command).replace("\\", "\\\\").replace('"', '\\"')
        told = f'tell application "Terminal" to do script "{script}"'
        return ["osascript", "-e", told, "-e", 'tell application "Terminal" to activate']
    if platform == "win32":
        windows_terminal = shutil.which("wt")
        # Windows Terminal ends a command at each semicolon that is not escaped.
        words = [word.replace(";", "\\;") for word in command]
        return [windows_terminal, "new-tab", *words] if windows_terminal else list(command)
    for name, before in _LINUX:
        found = shutil.which(name)
        if found is not None:
            return [found, *before, *command]
    return None


def open_terminal(command: Sequence[str]) -> bool:
    """Open a terminal that runs `command` and outlives VibeDesk; return whether one could be started."""
    wanted = terminal_command(command)
    if wanted is None:
        return False
    if sys.platform == "win32":
        try:
            subprocess.Popen(wanted, creationflags=subprocess.CREATE_NEW_CONSOLE)
        except OSError:
            return False
        return True
    started, _ = QProcess.startDetached(wanted[0], wanted[1:])
    return bool(started)
