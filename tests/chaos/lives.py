"""A life: the program does something, is killed with SIGKILL, and has to come to where an undisturbed life comes to."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos import scenario
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.program import Json, Program
from tests.support.shown import assert_nothing_shown_is_lost, stored
from tests.support.tiny_app import TINY_TEMPLATE
from vibedesk.base.paths import Home

_NOT_OURS: Final = {".git", "node_modules"}
_PAUSE_S: Final = 0.003
_PIECES: Final = (40, 3, 90, 1)
"""How the model talks: so slowly and unevenly that a file comes in several events."""
_LONGEST_DELAY_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Point:
    """When to kill: `after` events beyond the `visit`-th change of state of a command, or at the next change.

    Counted from the change of state, the place stays the same when a run has an event more or less before it.

    Attributes:
        act: What is being done, a name in `ACTS`.
        command: Which command of the act.
        state: The state there in the undisturbed life.
        visit: How many changes of state came before, from 0.
        after: How many events came after that change, from 0: right at the change. None: at the first of `kind`.
        kind: The type of the event there.
        delay_s: How long to let the program go on after that event was printed.
    """

    act: str
    command: int
    state: str
    visit: int
    after: int | None = 0
    kind: str = ""
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill: the state shown when it was decided, and the last one that was shown before it came.

    `reached` is false where the program had ended before its place came: then nothing was killed.
    """

    decided: str
    came: str
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left when an act is done: what has to be the same after a kill."""

    tree: str
    main: str
    texts: dict[str, str]
    folder: dict[str, str]

    def differs(self, other: Outcome) -> str:
        """Return in which way it is not like `other`; empty if it is."""
        said = [name for name in ("tree", "main") if getattr(self, name) != getattr(other, name)]
        for name in ("texts", "folder"):
            mine, theirs = getattr(self, name), getattr(other, name)
            paths = sorted(p for p in mine.keys() | theirs.keys() if mine.get(p) != theirs.get(p))
            said += [f"{name} of {path}" for path in paths]
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How an act goes without a kill: its outcome, its model calls, and the events of each command."""

    outcome: Outcome
    calls: int
    commands: list[list[Json]]


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person does with the program.

    Attributes:
        commands: One after the other, without a kill.
        again: What they do after a kill.
        tries: How often `again` may be needed: more than once only where the act itself is about failing.
        built: It begins with an app that is built.
        prepare: What the model server is told before.
        like: The act that comes to the same.
        more_calls: How many more model calls than that one it takes.
    """

    commands: tuple[Callable[[Life], Program], ...]
    again: Callable[[Life], Program]
    tries: int = 1
    built: bool = False
    prepare: Callable[[ModelServer], None] = lambda _: None
    like: str = ""
    more_calls: int = 0


class Life:
    """One home and one project, from before an act to after it.

    Args:
        place: A folder of its own; what was there goes.
        act: What is done.
    """

    def __init__(self, place: Path, act: Act, server: ModelServer, project_id: str = "") -> None:
        self.home = Home(root=place / "home", projects=place / "home" / "projects")
        self.project_id = project_id
        self.server = server
        self._act = act

    def vibedesk(self, *arguments: str | Path) -> Program:
        """Start the real program on this life's home."""
        return Program(
            *arguments, "--home", self.home.root, "--json", env=self.server.environment()
        )

    def module(self, name: str, *arguments: str | Path) -> Program:
        return Program(*arguments, module=name, env=self.server.environment())

    def run_undisturbed(self) -> list[list[Json]]:
        """Do the whole act; return the events of each command."""
        return [self.run(command) for command in self._act.commands]

    def run(self, command: Callable[[Life], Program]) -> list[Json]:
        program = command(self)
        program.end()
        self.project_id = program.project_id
        return program.events

    def killed_at(self, point: Point) -> Kill:
        """Do the act until `point`, and kill the program there."""
        for command in self._act.commands[: point.command]:
            self.run(command)
        program = self._act.commands[point.command](self)
        changes, after, reached = 0, -1, False
        while not reached and program.until_events(len(program.events) + 1):
            kind = program.events[-1]["type"]
            changed = kind == "state_change"
            changes += changed
            after = 0 if changed else after + 1
            if point.after is None:
                reached = changes == point.visit and kind == point.kind
            else:
                reached = (changes, after) == (point.visit, point.after) or changes > point.visit
        return self._kill(program, point.delay_s, reached=reached)

    def killed_again(self, chance: random.Random) -> Kill:
        """Go on, and kill the program again somewhere on the way."""
        program = self._act.again(self)
        program.until_events(chance.randint(1, 60))
        return self._kill(program, chance.uniform(0, _LONGEST_DELAY_S))

    def _kill(self, program: Program, delay_s: float, *, reached: bool = True) -> Kill:
        chosen = _state_shown(program)
        time.sleep(delay_s)
        program.kill()
        self.project_id = program.project_id
        assert_nothing_shown_is_lost(self.home, program)
        return Kill(chosen, _state_shown(program), reached)

    def go_on(self) -> None:
        """Do what a person does after a kill, until the act is done."""
        for left in reversed(range(self._act.tries)):
            program = self._act.again(self)
            if program.end() == 0:
                break
            assert left, f"going on failed: {program.stderr}"
        assert_nothing_shown_is_lost(self.home, program)

    def outcome(self) -> Outcome:
        view, texts = stored(self.home, self.project_id)
        assert view.state == "complete", f"{view.state}: {view.reason}"
        assert not view.drafts
        folder = Path(view.folder)
        return Outcome(
            tree=_git(folder, "rev-parse", "refs/vibedesk/history^{tree}"),
            main=_git(folder, "rev-parse", "refs/heads/main^{tree}"),
            texts=texts,
            folder={
                str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in folder.rglob("*")
                if path.is_file() and not _NOT_OURS & set(path.relative_to(folder).parts)
            },
        )


def _state_shown(program: Program) -> str:
    states = program.of("state_change")
    shown = states[-1]["data"] if states else program.events[0]["data"]["project"]
    return str(shown["state"])


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", f"safe.directory={folder}", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


# -- the acts ------------------------------------------------------------------------------------------
def _build(life: Life, *more: str) -> Program:
    return life.vibedesk("build", scenario.WISH, "--template", TINY_TEMPLATE, *more)


def _resume(life: Life, *more: str) -> Program:
    return life.vibedesk("resume", life.project_id, *more)


def _say(life: Life) -> Program:
    return life.vibedesk("say", life.project_id, scenario.SAYING)


def _say_again(life: Life) -> Program:
    said = [message.text for message in stored(life.home, life.project_id)[0].messages]
    return _resume(life) if scenario.SAYING in said else _say(life)


def _regenerate(life: Life) -> Program:
    return life.vibedesk(
        "regenerate", life.project_id, scenario.ANEW, "--instructions", scenario.INSTRUCTIONS
    )


def _regenerate_again(life: Life) -> Program:
    """Ask again unless the file is as it was asked for; then only its version may be missing."""
    written = stored(life.home, life.project_id)[1][scenario.ANEW] == scenario.WRITTEN_ANEW
    return _resume(life) if written else _regenerate(life)


def _approve(life: Life) -> Program:
    return life.module("tests.chaos.approving", life.home.root, scenario.WISH, str(TINY_TEMPLATE))


def _approve_again(life: Life) -> Program:
    return life.module("tests.chaos.approving", life.home.root, life.project_id)


def _refuse_a_plan(server: ModelServer) -> None:
    server.fail(faults.status(401), operation="plan_phase")


ACTS: Final[dict[str, Act]] = {
    "build": Act((_build,), _resume),
    "say": Act((_say,), _say_again, built=True),
    "regenerate": Act((_regenerate,), _regenerate_again, built=True),
    "approve": Act((_approve,), _approve_again, like="build"),
    "fail": Act(
        (_build, _resume), _resume, tries=2, prepare=_refuse_a_plan, like="build", more_calls=1
    ),
    "stop": Act(
        (
            lambda life: _build(life, "--budget", "0.000001"),
            lambda life: _resume(life, "--budget", "100"),
        ),
        lambda life: _resume(life, "--budget", "100"),
        like="build",
    ),
}


class Stage:
    """Where lives are lived one after the other: a folder, and an app that is built in it once.

    Args:
        place: The folder; it has to exist.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._home, self._built = place / "home", place / "built"
        self._project_id = ""
        self._known: dict[str, Undisturbed] = {}

    @contextmanager
    def life(self, act: Act) -> Iterator[Life]:
        if act.built:
            self.undisturbed("build")
        shutil.rmtree(self._home, ignore_errors=True)
        if act.built:
            shutil.copytree(self._built, self._home, symlinks=True)
        with serve_in_thread(delay_s=_PAUSE_S, text_sizes=_PIECES) as server:
            server.answer_with(scenario.model)
            act.prepare(server)
            yield Life(self._place, act, server, self._project_id if act.built else "")

    def undisturbed(self, name: str) -> Undisturbed:
        """Return how an act goes without a kill; it is done once."""
        if name not in self._known:
            with self.life(ACTS[name]) as life:
                events = life.run_undisturbed()
                self._known[name] = Undisturbed(life.outcome(), len(life.server.requests), events)
            if name == "build":
                self._project_id = life.project_id
                self._home.rename(self._built)
        return self._known[name]

    def survive(self, point: Point, again: random.Random | None = None) -> list[Kill]:
        """Kill the program at `point`, go on, and require what an undisturbed life has.

        Args:
            point: Where.
            again: Kill it once more on the way, at a place that this says.

        Returns:
            The kills.

        Raises:
            AssertionError: something was lost, torn, or asked more often than once more a kill.
        """
        act = ACTS[point.act]
        expected = self.undisturbed(act.like or point.act)
        with self.life(act) as life:
            kills = [life.killed_at(point)]
            if again is not None:
                kills.append(life.killed_again(again))
            life.go_on()
            differs = life.outcome().differs(expected.outcome)
            assert not differs, f"not as undisturbed: {differs}"
            asked = [request.operation for request in life.server.requests]
            most = expected.calls + act.more_calls + len(kills)
            assert len(asked) <= most, f"asked too often: {asked}"
        return kills
