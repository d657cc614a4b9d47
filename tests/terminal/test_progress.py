"""What a run looks like on a terminal, in a pipe, and as JSON."""

from __future__ import annotations

import io
import json
from typing import Any

from vibedesk.engine.events import (
    Event,
    FixApplied,
    HostRefused,
    Notice,
    Payload,
    Resumed,
    SandboxLog,
    SandboxState,
    StateChange,
    Waiting,
)
from vibedesk.progress import ProgressPrinter

PROJECT = "01JD0000000000000000000000"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(*payloads: Payload, out: Any = None, as_json: bool = False) -> list[str]:
    out = out or io.StringIO()
    printer = ProgressPrinter(out, as_json=as_json)
    for number, payload in enumerate(payloads, start=1):
        printer.show(Event(PROJECT, number, "2026-01-01T00:00:00Z", payload))
    printer.close()
    return out.getvalue().splitlines()


def test_a_wait_in_line_and_its_end() -> None:
    assert shown(
        Waiting("slot", None, "Waiting for a free place: 2nd in line."),
        Waiting("slot", None, "Waiting for a free place: 1st in line."),
        Resumed("slot"),
    ) == [
        "  waiting: Waiting for a free place: 2nd in line.",
        "  waiting: Waiting for a free place: 1st in line.",
        "  the wait is over",
    ]


def test_an_approval_ends_with_the_state_that_follows() -> None:
    assert shown(
        Resumed("approval"), StateChange("implementing_phase", "awaiting_approval", "approved")
    ) == ["[0:00] Writing files (approved)"]


def test_the_kind_of_sandbox_is_said_with_the_reason() -> None:
    assert shown(Notice("Docker answers.", "sandbox_kind"), Notice("Look.", "other")) == [
        "  sandbox: Docker answers.",
        "  note: Look.",
    ]


PREPARING = (
    SandboxState("building", "The sandbox is being prepared."),
    SandboxState("building", "The sandbox is being prepared."),
    SandboxLog("vibedesk", "Getting Debian's packages… 1 of 2"),
    SandboxLog("vibedesk", "Getting Debian's packages… 2 of 2"),
    SandboxLog("vibedesk", "Packing the image…"),
    SandboxLog("vibedesk", "Docker has no room. Free some."),
    SandboxState("stopped", "The sandbox is ready."),
    SandboxState("starting", "The dev server is starting."),
    SandboxLog("server", "ready in 300 ms"),
    SandboxState("running", "The app answers at http://127.0.0.1:5173."),
    SandboxState("paused", "Nobody looks at the app."),
    SandboxState("failed", "The app needed too much memory."),
)


def test_in_a_pipe_every_step_of_preparing_a_sandbox_is_said_once() -> None:
    assert shown(*PREPARING) == [
        "  sandbox: The sandbox is being prepared.",
        "  sandbox: Getting Debian's packages…",
        "  sandbox: Packing the image…",
        "  sandbox: Docker has no room. Free some.",
        "  sandbox: Nobody looks at the app.",
        "  sandbox: The app needed too much memory.",
    ]


def test_on_a_terminal_progress_moves_in_one_line() -> None:
    out = Terminal()
    shown(*PREPARING, out=out)
    text = out.getvalue()
    assert "\r\x1b[K  sandbox: Getting Debian's packages… 2 of 2\r" in text
    assert "\r\x1b[K  sandbox: Docker has no room. Free some.\n" in text


def test_a_host_that_the_app_wanted_comes_with_the_command_that_allows_it() -> None:
    [line] = shown(HostRefused("api.example.org:8443"))
    assert "api.example.org:8443" in line
    assert line.endswith(f"vibedesk allow {PROJECT} api.example.org:8443")


def test_a_fix_says_what_looking_again_showed() -> None:
    assert shown(
        FixApplied("src/a.ts", "Cannot find name 'x'.\nmore", "deterministic", True),
        FixApplied("src/b.ts", "Zero is not shown.", "model", None),
        FixApplied("src/c.ts", "", "debug", False),
    ) == [
        "  fix of src/a.ts without a model (Cannot find name 'x'.): checked",
        "  fix of src/b.ts (Zero is not shown.): could not be checked again",
        "  fix of src/c.ts: did not help",
    ]


def test_a_file_that_the_chat_cannot_have_written_anew_is_a_failure() -> None:
    printer = ProgressPrinter(io.StringIO(), as_json=False)
    words = "There is no file no.js in the project."
    printer.show(Event(PROJECT, 1, "2026-01-01T00:00:00Z", Notice(words, "not_regenerated")))
    assert str(printer.failure) == words


def test_json_has_every_event_as_it_is() -> None:
    events = [json.loads(line) for line in shown(*PREPARING, Resumed("slot"), as_json=True)]
    assert [event["type"] for event in events] == [p.type for p in (*PREPARING, Resumed("slot"))]
    assert events[-1]["data"] == {"reason": "slot"}
