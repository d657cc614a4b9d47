"""Which terminal is opened, with real programs on a PATH of the test's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from vibedesk.ui.sandbox.terminal import open_terminal, terminal_command

COMMAND = ["docker", "exec", "-it", "vibedesk-1", "sh", "-c", 'echo "a; b"']
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="terminals of Linux")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str = "exit 0") -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@linux_only
def test_the_terminal_gets_the_command_word_by_word(
    qtbot: QtBot, programs: Path, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    install(
        programs,
        "xterm",
        f'for word in "$@"; do echo "[$word]"; done > "{told}.part"; '
        f'/bin/mv "{told}.part" "{told}"',
    )
    assert open_terminal(COMMAND)
    qtbot.waitUntil(told.exists, timeout=30_000)
    assert told.read_text().splitlines() == ["[-e]", *(f"[{word}]" for word in COMMAND)]


@linux_only
def test_what_the_system_chose_comes_before_what_happens_to_be_there(programs: Path) -> None:
    install(programs, "xterm")
    install(programs, "gnome-terminal")
    chosen = install(programs, "x-terminal-emulator")
    assert terminal_command(COMMAND) == [str(chosen), "-e", *COMMAND]


@linux_only
def test_without_a_terminal_nothing_is_opened(programs: Path) -> None:
    assert terminal_command(COMMAND) is None
    assert not open_terminal(COMMAND)


def test_on_macos_quotes_survive_both_languages(programs: Path) -> None:
    command = terminal_command(COMMAND, "darwin")
    assert command is not None
    assert command[:2] == ["osascript", "-e"]
    assert "docker exec -it vibedesk-1 sh -c 'echo \\\"a; b\\\"'" in command[2]


def test_on_windows_a_semicolon_does_not_end_the_command(programs: Path) -> None:
    assert terminal_command(COMMAND, "win32") == COMMAND, "a console window of its own does"
    terminal = install(programs, "wt")
    assert terminal_command(COMMAND, "win32") == [
        str(terminal),
        "new-tab",
        *COMMAND[:-1],
        'echo "a\\; b"',
    ]
