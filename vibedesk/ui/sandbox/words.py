"""The words for sandboxes: states, kinds, sizes, amounts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from PySide6.QtCore import QCoreApplication

from vibedesk.engine.views import SandboxView
from vibedesk.ui.widgets.labels import ChipTone

AppPlace = Literal["auto", "docker", "local"]
"""Where apps run: the setting `PLACE_SETTING`, and a project's option."""

PLACE_SETTING = "sandbox.kind"
PLACE_ASKED_SETTING = "sandbox.asked"
"""Whether the person was told once where apps run."""

_KIB = 1024
_CURRENT_STATES = ("running", "paused")


def tr(text: str) -> str:
    return QCoreApplication.translate("Sandbox", text)


def app_place(stored: object) -> AppPlace:
    """Return a stored setting; what is not known counts as automatic."""
    match stored:
        case "docker":
            return "docker"
        case "local":
            return "local"
        case _:
            return "auto"


# -- amounts ---------------------------------------------------------------------------------------
def bytes_words(amount: int) -> str:
    """Return an amount as people say it: 812 KB, 412 MB, 1.2 GB."""
    value, unit = float(amount), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < _KIB or unit == "TB":
            break
        value /= _KIB
    if unit in ("B", "KB") or value >= 100:
        return f"{value:.0f} {unit}"
    if unit == "MB":
        return f"{value:.0f} {unit}"
    return f"{value:.1f} {unit}".replace(".0 ", " ")


def count_words(amount: float) -> str:
    """Return a number of cores without needless digits."""
    return f"{amount:.1f}".removesuffix(".0")


def machine_cores() -> int:
    return os.cpu_count() or 1


def cpu_share(view: SandboxView) -> float | None:
    """Return how much of the CPU it may use is in use, from 0 to 1; of the whole machine where nothing limits it."""
    if view.cpu is None:
        return None
    return min(1.0, view.cpu / (view.cpu_limit or machine_cores()))


def memory_share(view: SandboxView, most: int) -> float | None:
    """Return how much of the memory is in use; `most` is the measure where nothing limits it."""
    if view.memory is None:
        return None
    return min(1.0, view.memory / (view.memory_limit or max(1, most)))


def percent_words(share: float) -> str:
    return f"{round(share * 100)} %"


def cpu_measure(view: SandboxView) -> str:
    """Say of what the CPU's percentage is."""
    if view.cpu_limit is None:
        return tr("of this computer")
    if view.cpu_limit == 1:
        return tr("of 1 core")
    return tr("of {0} cores").format(count_words(view.cpu_limit))


def memory_measure(view: SandboxView) -> str:
    if view.memory_limit is None:
        return ""
    return tr("of {0}").format(bytes_words(view.memory_limit))


def seconds_words(seconds: float) -> str:
    if seconds < 10:
        return tr("{0} s").format(f"{seconds:.1f}")
    if seconds < 90:
        return tr("{0} s").format(f"{seconds:.0f}")
    return tr("{0} min").format(f"{seconds / 60:.0f}")


def last_used_words(at: str, today: date | None = None) -> str:
    """Say how long ago something was used; nothing where that is not known."""
    if not at:
        return ""
    try:
        moment = datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return ""
    days = ((today or datetime.now().astimezone().date()) - moment.date()).days
    if days <= 0:
        return tr("used today")
    if days == 1:
        return tr("used yesterday")
    if days < 60:
        return tr("used {0} days ago").format(days)
    return tr("used {0} months ago").format(days // 30)


# -- states ----------------------------------------------------------------------------------------
def is_up(state: str) -> bool:
    """Whether it is there to be measured: running, or paused until it is used."""
    return state in _CURRENT_STATES


def app_state_words(state: str) -> str:
    """Say how the app stands, for the status bar."""
    words = {
        "absent": tr("App not started"),
        "building": tr("Preparing the sandbox"),
        "starting": tr("App is starting"),
        "running": tr("App is running"),
        "paused": tr("App is paused"),
        "stopped": tr("App is stopped"),
        "failed": tr("App has stopped by itself"),
    }
    return words.get(state, state)


def app_state_tone(state: str) -> str:
    """Return the colour of the dot beside `app_state_words`."""
    tones = {
        "running": "success.text",
        "starting": "live.solid",
        "building": "live.solid",
        "failed": "danger.text",
    }
    return tones.get(state, "text.muted")


@dataclass(frozen=True, slots=True)
class StateChip:
    """How a state is shown as a chip."""

    text: str
    tone: ChipTone
    icon: str


def state_chip(state: str) -> StateChip:
    chips = {
        "absent": StateChip(tr("Not started"), "plain", "circle-dashed"),
        "building": StateChip(tr("Being prepared"), "live", "hourglass"),
        "starting": StateChip(tr("Starting"), "live", "hourglass"),
        "running": StateChip(tr("Running"), "success", "play-fill"),
        "paused": StateChip(tr("Paused"), "plain", "pause-fill"),
        "stopped": StateChip(tr("Stopped"), "plain", "stop-fill"),
        "failed": StateChip(tr("Stopped by itself"), "danger", "x-circle-fill"),
    }
    return chips.get(state, StateChip(state, "plain", "circle-dashed"))


# -- kinds -----------------------------------------------------------------------------------------
def is_docker(kind: str) -> bool:
    return kind.startswith("docker")


def moves(view: SandboxView) -> bool:
    """Whether the next start is in another kind of sandbox than the one that there is, as asked for."""
    asked = view.sandbox in ("docker", "local")
    return asked and bool(view.kind) and is_docker(view.kind) != (view.sandbox == "docker")


def kind_title(kind: str) -> str:
    if is_docker(kind):
        return tr("Docker sandbox")
    if kind.startswith("local"):
        return tr("Local sandbox")
    return tr("Sandbox")


def kind_place(kind: str) -> str:
    """Say in a few words where that is."""
    if is_docker(kind):
        return tr("In a container")
    match kind:
        case "local+bwrap":
            return tr("On this computer, fenced off")
        case "local":
            return tr("On this computer, with your rights")
        case _:
            return tr("Made when the app first runs")


def kind_words(kind: str) -> str:
    """Say in a sentence what a kind of sandbox means."""
    if is_docker(kind):
        return tr("In a Docker sandbox: it sees its own files only.")
    match kind:
        case "local+bwrap":
            return tr("In the local sandbox: it sees its own folder only.")
        case "local":
            return tr("On this computer, with your own rights.")
        case _:
            return ""


# -- choices ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SizeWords:
    """A size that can be chosen, and what it means."""

    key: str
    name: str
    cores: int
    memory_gb: int
    disk_gb: int

    @property
    def meaning(self) -> str:
        cores = tr("1 core") if self.cores == 1 else tr("{0} cores").format(self.cores)
        return tr("{0}, {1} GB memory, {2} GB disk").format(cores, self.memory_gb, self.disk_gb)


def sizes() -> list[SizeWords]:
    """Return the sizes below automatic, smallest first. A test holds them against the engine's."""
    return [
        SizeWords("lite", tr("Lite"), 1, 1, 2),
        SizeWords("standard-1", tr("Standard 1"), 1, 2, 4),
        SizeWords("standard-2", tr("Standard 2"), 2, 4, 8),
        SizeWords("standard-3", tr("Standard 3"), 4, 8, 16),
        SizeWords("standard-4", tr("Standard 4"), 8, 16, 32),
    ]
