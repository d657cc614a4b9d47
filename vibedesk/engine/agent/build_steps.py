"""The steps of a run: each does the work of one state and moves to the next.

A step that was cut off is simply taken again: what it had finished is stored and not done twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vibedesk.base.errors import NotAllowedNowError
from vibedesk.engine.agent.app_runtime import (
    NO_SUCH_PACKAGE,
    AppRuntime,
    InstallFailedError,
)
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.project_setup import ProjectSetup
from vibedesk.engine.agent.snapshots import Snapshots
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.builder.operations import (
    fix_problems,
    implement_phase,
    make_blueprint,
    plan_phase,
    write_reply,
)
from vibedesk.engine.builder.planned_packages import package_specs
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import Blueprint, Phase
from vibedesk.engine.builder.scof_writer import WrittenFiles
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    BlueprintReady,
    DepsInstalled,
    FixApplied,
    GenerationComplete,
    Notice,
    PhaseComplete,
    PhaseDesigned,
    PhaseDesigning,
    ProjectChanged,
    ServerStarted,
    Waiting,
    WishQueued,
)
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.records import PhaseRecord, WishRecord

_S = AgentState
_MAX_FIX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimits:
    """What the person allowed: phases, dollars, and whether the blueprint waits for approval."""

    max_phases: int = 12
    budget: float | None = None
    approval: bool = False


class BuildSteps:
    """The work behind the states of one project's agent."""

    def __init__(
        self,
        machine: StateMachine,
        access: ProjectAccess,
        runtime: AppRuntime,
        setup: ProjectSetup,
        snapshots: Snapshots,
        limits: AgentLimits,
    ) -> None:
        self._machine = machine
        self._access = access
        self._runtime = runtime
        self._setup = setup
        self._snapshots = snapshots
        self._limits = limits
        self._open = OpenWork(access)
        self._of_state: dict[AgentState, Callable[[], Awaitable[None]]] = {
            _S.BLUEPRINTING: self._blueprint,
            _S.PLANNING_PHASE: self._plan,
            _S.INSTALLING_DEPS: self._install,
            _S.IMPLEMENTING_PHASE: self._implement,
            _S.STARTING_SERVER: self._start_server,
            _S.REVIEWING: self._review,
            _S.FIXING: self._fix,
            _S.FINALIZING: self._finalize,
        }

    @property
    def due(self) -> bool:
        """Whether the present state has work to do."""
        return self._machine.state in self._of_state

    async def take(self) -> None:
        """Do the work of the present state and move on."""
        await self._of_state[self._machine.state]()

    async def _blueprint(self) -> None:
        if self._machine.memory.has_blueprint:
            blueprint = Blueprint.model_validate((await self._open.record()).blueprint)
        else:
            blueprint = await self._make_blueprint()
        await self._name_project(blueprint)
        if self._limits.approval:
            await self._machine.move(
                _S.AWAITING_APPROVAL,
                "the blueprint is ready",
                waiting=Waiting("approval", None, "The plan waits for your approval."),
            )
        else:
            await self.begin_first_phase(blueprint, "the blueprint is ready")

    async def _make_blueprint(self) -> Blueprint:
        blueprint = await make_blueprint(self._access)
        data = blueprint.model_dump()
        self._machine.memory.has_blueprint = True
        memory = self._machine.memory.to_dict()

        def store(emit: Emit) -> None:
            self._access.store.update(
                self._access.project_id,
                run=memory,
                blueprint=data,
                title=blueprint.title,
                description=blueprint.description,
            )
            emit(BlueprintReady(data))

        await self._access.commit(store, durable=True)
        return blueprint

    async def _name_project(self, blueprint: Blueprint) -> None:
        record = await self._setup.adopt_name(blueprint.slug())
        await self._access.bus.emit(
            self._access.project_id,
            ProjectChanged({"name": record.name, "title": record.title, "folder": record.folder}),
        )

    async def begin_first_phase(self, blueprint: Blueprint, reason: str) -> None:
        phase = blueprint.initial_phase
        data = blueprint.model_dump()

        def store(emit: Emit) -> None:
            self._access.store.update(self._access.project_id, blueprint=data)
            self._put_phase(1, phase, "blueprint", emit)

        self._machine.memory.open_phase(1, package_specs(phase.install_commands))
        await self._machine.move(self._after_plan(), reason, store)

    def _put_phase(self, number: int, phase: Phase, source: str, emit: Emit) -> None:
        record = PhaseRecord(
            number=number,
            name=phase.name,
            description=phase.description,
            plan=phase.model_dump(),
            source=source,
            completed=False,
        )
        self._access.store.put_phase(self._access.project_id, record)
        emit(PhaseDesigned({"number": number, "source": source, **phase.model_dump()}))

    def _after_plan(self) -> AgentState:
        return _S.INSTALLING_DEPS if self._machine.memory.packages else _S.IMPLEMENTING_PHASE

    async def _plan(self) -> None:
        phases = await self._open.phases()
        number = max((p.number for p in phases if p.completed), default=0) + 1
        used = self._used_allowance(phases)
        asked = await self._open.wishes()
        await self._access.bus.emit(self._access.project_id, PhaseDesigning(number))
        phase = await plan_phase(self._access, number, final=used + 1 >= self._limits.max_phases)
        if not phase.files and not phase.install_commands:

            def settle(emit: Emit) -> None:
                # A wish that needs nothing would else be planned for ever.
                self._set_wishes(asked, "done", None, emit)
                self._complete(emit)

            await self._machine.move(_S.COMPLETE, "nothing is left to do", settle)
            return

        def store(emit: Emit) -> None:
            self._put_phase(number, phase, "plan", emit)
            self._set_wishes(asked, "planned", number, emit)

        self._machine.memory.open_phase(number, package_specs(phase.install_commands))
        await self._machine.move(self._after_plan(), f"phase {number} is planned", store)

    def _set_wishes(
        self, wishes: list[WishRecord], status: str, number: int | None, emit: Emit
    ) -> None:
        for wish in wishes:
            self._access.store.set_wish(wish.id, status, number)
            emit(WishQueued(wish.id, wish.text, status))

    async def _install(self) -> None:
        await self._setup.ready()
        await self._runtime.take_in()
        implemented = self._machine.memory.after_install != _S.IMPLEMENTING_PHASE.value
        if implemented:
            # Only the manifest: a running server must not see an import whose package is not there yet.
            await self._runtime.materialise(["package.json"])
        await self._install_packages(list(self._machine.memory.packages))
        self._machine.memory.packages = []
        if self._machine.memory.refused_install:
            # The server may not even start; the review hands the registry's words to a fix.
            await self._machine.move(_S.REVIEWING, "package.json names what does not exist")
        elif implemented:
            await self._show_files()
        else:
            await self._machine.move(_S.IMPLEMENTING_PHASE, "packages are installed")

    async def _install_packages(self, packages: list[str]) -> None:
        """Install `packages`, or what package.json lists now if there are none.

        A package that the registry does not know is remembered for a fix, also where package.json names it: a
        name that a model made up must not keep the others away, nor stop the run for good.
        """
        template, bus = self._access.template, self._access.bus
        argv = template.add_argv(packages) if packages else template.sync_argv()
        try:
            seconds = await self._runtime.install(argv)
        except InstallFailedError as error:
            if error.code != NO_SUCH_PACKAGE:
                raise
            if len(packages) > 1:
                for package in packages:
                    await self._install_packages([package])
                return
            log = str(error.details.get("log", ""))
            if packages and _name_of(packages[0]) in log:
                self._machine.memory.missing_packages.append(packages[0])
                words = f"There is no package {packages[0]}; going on without it."
            else:
                self._machine.memory.refused_install = log or error.message
                words = "package.json names a package or version that does not exist."
            await bus.emit(self._access.project_id, Notice(words, error.code))
            return
        self._machine.memory.packages_changed = True
        await bus.emit(self._access.project_id, DepsInstalled(packages, round(seconds, 3)))

    async def _implement(self) -> None:
        number = self._machine.memory.phase
        if not self._machine.memory.wrote_all:
            record = next(p for p in await self._open.phases() if p.number == number)
            written = await self._write_phase(record)
            await self._open.drop_drafts()
            asked = [*record.plan.get("left_packages", ()), *written.packages]
            packages = [p for p in asked if p not in self._installed_with_plan(record)]
            self._machine.memory.packages = packages
            self._machine.memory.wrote_all = True
            self._machine.memory.finished = list(written.finished)
            await self._machine.remember()
        if await self._has_to_install():
            self._machine.memory.after_install = _S.STARTING_SERVER.value
            await self._machine.move(_S.INSTALLING_DEPS, "the files are written")
        else:
            await self._setup.ready()
            await self._show_files()

    async def _has_to_install(self) -> bool:
        record = await self._open.phase(self._machine.memory.phase)
        unfinished = record is not None and "takes_over" in record.plan
        return bool(self._machine.memory.packages) or unfinished or await self._manifest_changed()

    async def _write_phase(self, record: PhaseRecord) -> WrittenFiles:
        if record.source == "converse":
            message = await self._access.read(
                lambda: self._access.store.message(record.plan["message"])
            )
            return await write_reply(
                self._access,
                record.number,
                record.description,
                message.data["scof"],
                already=await self._open.reply_under_way(record),
                note=lambda written: self._open.note_reply(record.number, written),
            )
        phase = Phase.model_validate(record.plan)
        already = await self._open.interrupted(record)
        return await implement_phase(self._access, record.number, phase, already=already)

    def _installed_with_plan(self, record: PhaseRecord) -> set[str]:
        if record.source == "converse":
            return set()
        return set(package_specs(record.plan.get("install_commands", [])))

    async def _manifest_changed(self) -> bool:
        return "package.json" in await self._access.read(self._runtime.work_folder.changed_paths)

    async def _show_files(self) -> None:
        """Put the phase's files into the work folder and go where the page can be looked at."""
        await self._runtime.take_in()
        await self._runtime.materialise()
        if self._machine.memory.packages_changed:
            # A dev server that runs on finds new packages one by one and reloads the page for each; one that
            # starts prepares them all before the first page.
            await self._runtime.stop_server()
            self._machine.memory.packages_changed = False
        if self._runtime.serving:
            await self._machine.move(_S.REVIEWING, "the files are in place")
        else:
            await self._machine.move(_S.STARTING_SERVER, "the files are in place")

    async def _start_server(self) -> None:
        await self._setup.ready()
        await self._runtime.materialise()
        url = await self._runtime.start_server()
        await self.tell_server(url)
        await self._machine.move(_S.REVIEWING, "the app answers")

    async def tell_server(self, url: str) -> None:
        self._machine.memory.started_once = True
        memory = self._machine.memory.to_dict()

        def work(emit: Emit) -> None:
            self._access.store.update(self._access.project_id, preview_url=url, run=memory)
            emit(ServerStarted(url))

        await self._access.commit(work)

    async def _review(self) -> None:
        memory = self._machine.memory
        if not memory.refused_install and not self._runtime.serving:
            await self._machine.move(_S.STARTING_SERVER, "the app is not running")
            return
        found, log = await self._look()
        tell = self._tell_fixes(verified=not found)
        if not found:
            await self._machine.move(_S.FINALIZING, "the page answers", tell)
            return
        memory.problems = [*found, *log]
        if memory.fix_tries >= _MAX_FIX_TRIES:
            reason = f"needs you: {found[0]} after {_MAX_FIX_TRIES} tries"
            await self._machine.move(_S.IDLE, reason, tell)
            return
        await self._machine.move(_S.FIXING, "; ".join(found), tell)

    async def _look(self) -> tuple[list[str], list[str]]:
        """Return what is wrong with the app, and the lines that say more about it."""
        memory = self._machine.memory
        found: list[str] = []
        if memory.missing_packages:
            found.append(f"there is no package {', '.join(memory.missing_packages)}")
        if memory.refused_install:
            found.append("package.json names a package or version that does not exist")
            return found, memory.refused_install.splitlines()
        status = await self._runtime.page_status()
        if status == 200:
            return found, []
        found.append(f"the page answers {status}" if status else "the page does not answer")
        return found, self._runtime.last_lines

    def _tell_fixes(self, *, verified: bool) -> Callable[[Emit], None]:
        """Forget the fix that was reviewed; return what tells how it went."""
        memory = self._machine.memory
        paths, memory.fixed = memory.fixed, []
        issue = memory.problems[0] if memory.problems else ""

        def tell(emit: Emit) -> None:
            for path in paths:
                emit(FixApplied(path, issue, "model", verified))

        return tell

    async def _fix(self) -> None:
        memory = self._machine.memory
        written = await fix_problems(self._access, memory.phase, memory.problems)
        await self._open.drop_drafts()
        # Only an answer counts: a model that could not be asked has tried nothing.
        memory.fix_tries += 1
        memory.fixed = list(written.finished)
        install = bool(written.packages or memory.refused_install) or await self._manifest_changed()
        memory.missing_packages = []
        memory.refused_install = ""
        memory.packages = written.packages
        await self._machine.remember()
        if install:
            memory.after_install = _S.STARTING_SERVER.value
            await self._machine.move(_S.INSTALLING_DEPS, "a fix is written")
            return
        await self._show_files()

    async def _finalize(self) -> None:
        number = self._machine.memory.phase
        await self._runtime.take_in()
        record = await self._open.phase(number)
        if record is None or not record.completed:
            await self._close_phase(number, f"Phase {number}: {record.name}" if record else "Build")
        await self._choose_next()

    async def _close_phase(self, number: int, label: str) -> None:
        await self._snapshots.take(label, author="agent", advance_main=True)

        def close(emit: Emit) -> None:
            phases = {p.number: p for p in self._access.store.phases(self._access.project_id)}
            planned = self._access.store.wishes(self._access.project_id, "planned")
            closing: int | None = number
            while closing is not None:
                self._access.store.complete_phase(self._access.project_id, closing)
                built = [wish for wish in planned if wish.phase == closing]
                self._set_wishes(built, "done", closing, emit)
                emit(PhaseComplete(closing))
                record = phases.get(closing)
                closing = record.plan.get("takes_over") if record else None

        await self._access.commit(close, durable=True)

    # -- what comes next -----------------------------------------------------------------------------------
    async def _choose_next(self) -> None:
        reply = await self._open.next_reply()
        if reply is not None:
            await self.open_reply_phase(*reply)
            return
        phases = await self._open.phases()
        wishes = await self._open.wishes()
        planned = [p for p in phases if p.source != "converse"]
        last = bool(planned) and bool(planned[-1].plan.get("is_last_phase"))
        if self._used_allowance(phases) >= self._limits.max_phases:
            if wishes:
                reason = (
                    f"the limit of {self._limits.max_phases} phases is reached with open wishes"
                )
                await self._machine.move(_S.IDLE, reason)
                return
            last = True
        if last and not wishes:
            await self._machine.move(_S.COMPLETE, "everything planned is built", self._complete)
        else:
            await self._machine.move(_S.PLANNING_PHASE, "the next phase")

    def _complete(self, emit: Emit) -> None:
        self._renew_allowance(emit)
        phases = self._access.store.phases(self._access.project_id)
        files = self._access.files.list()
        emit(GenerationComplete(len(files), sum(p.completed for p in phases)))

    def _renew_allowance(self, _: Emit) -> None:
        phases = self._access.store.phases(self._access.project_id)
        self._machine.memory.allowance_from = _planned_and_built(phases)

    def _used_allowance(self, phases: list[PhaseRecord]) -> int:
        return _planned_and_built(phases) - self._machine.memory.allowance_from

    async def more_has_come(self) -> bool:
        """Take up what was said while the run came to its end; return whether there was anything."""
        if self._machine.state is not _S.COMPLETE:
            return False
        reply = await self._open.next_reply()
        if reply is not None:
            await self.open_reply_phase(*reply)
        elif await self._open.wishes():
            await self.open_wish_phase()
        return self._machine.state is not _S.COMPLETE

    async def take_up_open_work(self) -> None:
        """Go where a project at rest goes on; stay where nothing is open.

        Raises:
            NotAllowedNowError: only another phase could follow, and as many as are allowed are built.
        """
        phases = await self._open.phases()
        unfinished = [p for p in phases if not p.completed]
        current = self._machine.memory.phase
        open_phase = next(
            (p for p in unfinished if p.number == current), next(iter(unfinished), None)
        )
        if not phases:
            await self._machine.move(_S.BLUEPRINTING, "going on")
        elif open_phase is not None:
            await self._reopen(open_phase)
        elif (reply := await self._open.next_reply()) is not None:
            await self.open_reply_phase(*reply)
        elif self._machine.state is _S.IDLE or await self._open.wishes():
            await self._plan_unless_at_limit(phases)

    async def _plan_unless_at_limit(self, phases: list[PhaseRecord]) -> None:
        limit = self._limits.max_phases
        if self._machine.state is not _S.IDLE or self._used_allowance(phases) < limit:
            await self._machine.move(_S.PLANNING_PHASE, "going on")
        elif await self._open.wishes():
            raise NotAllowedNowError(
                f"The limit of {limit} phases is reached with open wishes.",
                remedy="Say what to build next: as many phases again may follow.",
            )
        else:
            await self._machine.move(_S.FINALIZING, "everything allowed is built")

    async def retry(self) -> None:
        """Go back from `error` to the state that failed, or on to the change that the person asked for meanwhile."""
        reply = await self._open.next_reply() if self._machine.memory.wrote_all else None
        if reply is None:
            await self._machine.move(self._machine.failed or _S.IDLE, "trying again")
            return
        await self._machine.move(_S.IDLE, "trying again")
        await self.open_reply_phase(*reply)

    async def _reopen(self, phase: PhaseRecord) -> None:
        if self._machine.memory.phase != phase.number:
            packages = package_specs(phase.plan.get("install_commands", []))
            self._machine.memory.open_phase(phase.number, packages)
        self._machine.memory.fix_tries = 0
        install = self._machine.memory.packages and not self._machine.memory.wrote_all
        await self._machine.move(
            _S.INSTALLING_DEPS if install else _S.IMPLEMENTING_PHASE, "going on"
        )

    async def open_wish_phase(self) -> None:
        await self._machine.move(_S.PLANNING_PHASE, "a wish of the person", self._renew_allowance)

    async def open_reply_phase(self, number: int, message_id: str) -> None:
        """Begin the phase of a reply's change; a phase that is written but failed after that closes with it."""
        memory = self._machine.memory
        before = await self._open.phase(memory.phase)
        taken: dict[str, Any] = {}
        if before is not None and not before.completed and memory.wrote_all:
            taken = {"takes_over": before.number, "left_packages": list(memory.packages)}

        def store(emit: Emit) -> None:
            message = self._access.store.message(message_id)
            asked = message.data.get("asked", "")
            name = asked if len(asked) <= 60 else asked[:59].rstrip() + "…"
            record = PhaseRecord(
                number=number,
                name=name or "A change",
                description=asked,
                plan={"message": message_id, "files": [], "is_last_phase": True, **taken},
                source="converse",
                completed=False,
            )
            self._access.store.put_phase(self._access.project_id, record)
            emit(
                PhaseDesigned(
                    {"number": number, "source": "converse", "name": record.name, "files": []}
                )
            )

        memory.open_phase(number, [])
        await self._machine.move(_S.IMPLEMENTING_PHASE, "a change from the conversation", store)


def _planned_and_built(phases: list[PhaseRecord]) -> int:
    """Return how many phases count against the limit; a change from the conversation does not."""
    return sum(p.completed and p.source != "converse" for p in phases)


def _name_of(spec: str) -> str:
    """Return the package's name in a registry spec like `@scope/name@1`."""
    at = spec.rfind("@")
    return spec[:at] if at > 0 else spec
