"""The steps of a run: each does the work of one state and moves to the next.

A step that was cut off is simply taken again: what it had finished is stored and not done twice.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from vibedesk.base.errors import NotAllowedNowError
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.blueprint_step import ROADMAP_OPEN, BlueprintStep
from vibedesk.engine.agent.install_errors import NO_SUCH_PACKAGE, InstallFailedError
from vibedesk.engine.agent.mending_steps import Mending, MendingSteps
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.project_setup import ProjectSetup
from vibedesk.engine.agent.review_depth import DepthSource
from vibedesk.engine.agent.snapshots import Snapshots
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.agent.variable_requests import ask_for_variables
from vibedesk.engine.agent.wanted_packages import correct_manifest, manifest_changed, resolve_wanted
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.builder.operations import (
    implement_phase,
    plan_phase,
    write_reply,
)
from vibedesk.engine.builder.package_versions import ResolvedPackages
from vibedesk.engine.builder.plan_check import checked_plan, without_packages
from vibedesk.engine.builder.planned_packages import package_specs
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import Blueprint, Phase
from vibedesk.engine.builder.scof_writer import WrittenFiles
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    DepsInstalled,
    GenerationComplete,
    Notice,
    PhaseComplete,
    PhaseDesigned,
    PhaseDesigning,
    ServerStarted,
    WishQueued,
)
from vibedesk.engine.sandboxes.driver import ServerNotReadyError
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.records import Json, PhaseRecord, WishRecord

_S = AgentState
_OPERATIONS = {
    _S.BLUEPRINTING: "blueprint",
    _S.PLANNING_PHASE: "plan_phase",
    _S.INSTALLING_DEPS: "install",
    _S.IMPLEMENTING_PHASE: "implement_phase",
    _S.STARTING_SERVER: "start_server",
    _S.REVIEWING: "review",
    _S.FIXING: "fix",
    _S.FINALIZING: "finalize",
}
_ON_A_PHASE = frozenset(
    {
        _S.INSTALLING_DEPS,
        _S.IMPLEMENTING_PHASE,
        _S.STARTING_SERVER,
        _S.REVIEWING,
        _S.FIXING,
        _S.FINALIZING,
    }
)
_VERSION = re.compile(r"[\[<>=!~ ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimits:
    """What the person allowed: phases, whether the blueprint waits for approval, and whether they look on."""

    max_phases: int = 12
    approval: bool = False
    attended: bool = False
    """A run that needs the person waits for them; else it ends idle with the reason."""
    review: DepthSource = lambda: "full"


class BuildSteps:
    """The work behind the states of one project's agent."""

    def __init__(
        self,
        machine: StateMachine,
        access: ProjectAccess,
        runtime: AppRuntime,
        snapshots: Snapshots,
        limits: AgentLimits,
        browser: BrowserProcess | None,
    ) -> None:
        self._machine = machine
        self._access = access
        self._runtime = runtime
        self.setup = ProjectSetup(access, runtime, self._look_up_manifest)
        self._snapshots = snapshots
        self._limits = limits
        self._open = OpenWork(access)
        self.blueprint = BlueprintStep(
            machine,
            access,
            self.setup,
            approval=limits.approval,
            attended=limits.attended,
            begin=self.begin_first_phase,
        )
        self.mending = MendingSteps(
            machine,
            access,
            runtime,
            snapshots,
            Mending(
                attended=limits.attended,
                depth=limits.review,
                browser=browser,
                show_files=self._show_files,
                manifest_changed=self._manifest_changed,
            ),
        )
        self._of_state: dict[AgentState, Callable[[], Awaitable[None]]] = {
            _S.BLUEPRINTING: self.blueprint.take,
            _S.PLANNING_PHASE: self._plan,
            _S.INSTALLING_DEPS: self._install,
            _S.IMPLEMENTING_PHASE: self._implement,
            _S.STARTING_SERVER: self._start_server,
            _S.REVIEWING: self.mending.review,
            _S.FIXING: self.mending.fix,
            _S.FINALIZING: self._finalize,
        }

    @property
    def due(self) -> bool:
        """Whether the present state has work to do, and not the person."""
        return self._machine.state in self._of_state and not self.waits_for_person

    @property
    def waits_for_person(self) -> bool:
        """Whether the person has to answer or to decide before anything is done."""
        state, memory = self._machine.state, self._machine.memory
        asked = state is _S.BLUEPRINTING and memory.awaits_answers
        return asked or (state in (_S.REVIEWING, _S.FIXING) and memory.awaits_person)

    @property
    def all_is_built(self) -> bool:
        """Whether the app rests complete, or would but for what is known not to work."""
        state = self._machine.state
        return state is _S.COMPLETE or (state is _S.IDLE and self._machine.memory.ended)

    async def take(self) -> None:
        """Do the work of the present state and move on."""
        state = self._machine.state
        with timed(self._access, _OPERATIONS[state], self._machine.memory.phase):
            await self._of_state[state]()

    async def begin_first_phase(self, blueprint: Blueprint, reason: str) -> None:
        phase = await self._checked(blueprint.initial_phase)
        phase.is_last_phase = phase.is_last_phase or self._limits.max_phases == 1
        data = blueprint.model_dump()

        def store(emit: Emit) -> None:
            self._access.store.update(self._access.project_id, blueprint=data)
            self._put_phase(1, phase, "blueprint", emit)

        self._machine.memory.open_phase(
            1, package_specs(phase.install_commands, self._access.template.packages)
        )
        await self._machine.move(self._after_plan(), reason, store)

    async def _checked(self, plan: Phase) -> Phase:
        """Take out of a plan what may not be done, and say so."""
        access = self._access
        phase, notices = checked_plan(plan, access.template, locked=await self._locked())
        for notice in notices:
            await access.bus.emit(access.project_id, Notice(notice, "plan_checked"))
        return phase

    async def _locked(self) -> set[str]:
        marks = await self._access.read(self._access.files.marks)
        return {path for path, said in marks.items() if "locked" in said}

    def _taken_over(self, phases: list[PhaseRecord]) -> Json:
        """Return what a new plan takes over from a phase that the person left unfinished by wishing something else."""
        unfinished = [p.number for p in phases if not p.completed]
        if not unfinished:
            return {}
        return {
            "takes_over": unfinished[-1],
            "left_packages": list(self._machine.memory.packages),
        }

    def _put_phase(
        self, number: int, phase: Phase, source: str, emit: Emit, taken: Json | None = None
    ) -> None:
        record = PhaseRecord(
            number=number,
            name=phase.name,
            description=phase.description,
            plan={**phase.model_dump(), **(taken or {})},
            source=source,
            completed=False,
        )
        self._access.store.put_phase(self._access.project_id, record)
        emit(PhaseDesigned({"number": number, "source": source, **phase.model_dump()}))

    def _after_plan(self) -> AgentState:
        return _S.INSTALLING_DEPS if self._machine.memory.packages else _S.IMPLEMENTING_PHASE

    async def _plan(self) -> None:
        phases = await self._open.phases()
        number = max((p.number for p in phases), default=0) + 1
        used = self._used_allowance(phases)
        mends = await self.mending.wishes_to_mend()
        asked = sorted(await self._open.wishes(), key=lambda wish: wish.text not in mends)
        await self._access.bus.emit(self._access.project_id, PhaseDesigning(number))
        late, self._machine.memory.roadmap_open = self._machine.memory.roadmap_open, False
        final = used + 1 >= self._limits.max_phases
        try:
            plan = await plan_phase(self._access, number, asked, final=final)
            phase = await self._checked(plan)
        except BaseException:
            self._machine.memory.roadmap_open |= late
            raise
        # A plan that names none is for all of them.
        named = [wish for place, wish in enumerate(asked, start=1) if place in plan.answers]
        answered = named or asked
        left = [wish for wish in asked if wish not in answered]
        phase.is_last_phase = final or (phase.is_last_phase and not left)
        if not phase.files and not phase.install_commands:
            if self._machine.memory.roadmap_open:
                # The person changed the roadmap while a model planned: it is asked again, with what they want now.
                return
            if left:
                # Every plan answers some, so this has an end.
                self._machine.memory.roadmap_open = late
                await self._access.commit(lambda emit: self._settle(answered, mends, emit))
                return
            if late:
                words = "The plan needs nothing more for the roadmap as you changed it. Say what is missing, if something is."
                await self._access.bus.emit(
                    self._access.project_id, Notice(words, "nothing_planned")
                )
            taken = self._taken_over(phases)
            await self._end_plan(number, taken, lambda emit: self._settle(answered, mends, emit))
            return
        skipped = await self.mending.skipped_for([wish.text for wish in answered])
        taken = self._taken_over(phases)

        def store(emit: Emit) -> None:
            self._put_phase(number, phase, "plan", emit, taken)
            self._set_wishes(answered, "planned", number, emit)
            # One that a phase before was to answer waits for none now.
            self._set_wishes([wish for wish in left if wish.phase], "open", None, emit)
            self.mending.issues.reopen(skipped, emit)

        self._machine.memory.open_phase(
            number, package_specs(phase.install_commands, self._access.template.packages)
        )
        await self._machine.move(self._after_plan(), f"phase {number} is planned", store)

    async def _end_plan(self, number: int, taken: Json, settle: Callable[[Emit], None]) -> None:
        """End with an app to which nothing is to be added; not before all that it promises was looked at."""
        if not taken and not await self.mending.checks_to_come(number - 1):
            await self._end("nothing is left to do", settle)
            return
        phase = Phase(
            name="The last checks",
            description="Nothing is left to be built; what the app promises is checked as a whole.",
            files=[],
            is_last_phase=True,
        )

        def store(emit: Emit) -> None:
            settle(emit)
            self._put_phase(number, phase, "plan", emit, taken)

        memory = self._machine.memory
        memory.open_phase(number, [])
        memory.wrote_all = True
        await self._machine.move(_S.IMPLEMENTING_PHASE, "nothing is left to be built", store)

    def _settle(self, wishes: list[WishRecord], mends: Collection[str], emit: Emit) -> None:
        """Answer wishes with what the plan has for them, nothing: else they would be planned for ever."""
        self._set_wishes(wishes, "done", None, emit)
        for wish in wishes:
            then = "Say what is missing, if something is."
            if wish.text in mends:
                then = "The problem stays in the list."
            words = f"The plan needs nothing for “{wish.text}”. {then}"
            emit(Notice(words, "nothing_planned"))

    def _set_wishes(
        self, wishes: list[WishRecord], status: str, number: int | None, emit: Emit
    ) -> None:
        queued = {w.id: w.text for w in self._access.store.wishes(self._access.project_id)}
        for wish in wishes:
            # The person may have changed or removed it while the phase was planned without that.
            if queued.get(wish.id) == wish.text:
                self._access.store.set_wish(wish.id, status, number)
                emit(WishQueued(wish.id, wish.text, status, number))

    async def _install(self) -> None:
        if not await self._set_up():
            return
        await self._runtime.take_in()
        implemented = self._machine.memory.after_install != _S.IMPLEMENTING_PHASE.value
        if implemented:
            await self._look_up_manifest()
            # Only the manifest: a running server must not see an import whose package is not there yet.
            await self._runtime.materialise([self._manifest])
        wanted = await self._allowed(list(self._machine.memory.packages))
        found = await resolve_wanted(self._access, self._runtime, wanted)
        await self._take_resolved(found)
        installed = bool(found.specs or not wanted) and await self._install_packages(
            found.specs, found.open
        )
        if implemented and not installed and wanted and not self._machine.memory.refused_install:
            # None of them exists, but the manifest may list others that do.
            await self._install_packages([])
        self._machine.memory.packages = []
        if implemented and self._machine.memory.refused_install:
            await self._review_refused()
        elif implemented:
            await self._show_files()
        else:
            await self._machine.move(_S.IMPLEMENTING_PHASE, "packages are installed")

    async def _look_up_manifest(self) -> None:
        """Have the manifest list only what exists, before it takes the place of the one in the folder."""
        if self._manifest not in await self._locked():
            await self._take_resolved(await correct_manifest(self._access, self._runtime))
            # An install follows, and the manifest does not name any more what a fix is to be told of.
            await self._machine.remember()

    async def _set_up(self) -> bool:
        """Wait for folder and packages; where the app's own manifest is refused, have that reviewed and return False."""
        try:
            await self.setup.ready()
        except InstallFailedError as error:
            if error.code != NO_SUCH_PACKAGE or not self._machine.memory.wrote_all:
                raise
            await self._note_refused(error)
            await self._review_refused()
            return False
        return True

    async def _note_refused(self, error: InstallFailedError) -> None:
        self._machine.memory.refused_install = str(error.details.get("log", "")) or error.message
        self._machine.memory.refused_manifest = await self._access.manifest()
        words = f"{self._manifest} names a package or version that does not exist."
        await self._access.bus.emit(self._access.project_id, Notice(words, error.code))

    async def _review_refused(self) -> None:
        # The server may not even start; the review hands the registry's words to a fix.
        await self._machine.move(_S.REVIEWING, f"{self._manifest} names what does not exist")

    async def _allowed(self, wanted: list[str]) -> list[str]:
        """Return the wanted packages, none where the person locked the manifest, which an install would write."""
        if not wanted or self._manifest not in await self._locked():
            return wanted
        words = without_packages(wanted, self._manifest)
        await self._access.bus.emit(self._access.project_id, Notice(words, "manifest_locked"))
        return []

    async def _take_resolved(self, found: ResolvedPackages) -> None:
        """Tell which wanted packages are not to be had as they were wanted; those that do not exist are left to a fix."""
        access, memory = self._access, self._machine.memory
        # An answer that is gone on with writes a manifest again that was corrected meanwhile.
        missing = [p for p in found.missing if p not in memory.missing_packages]
        memory.missing_packages += missing
        notices = [
            (f"There is no package {p}; going on without it.", NO_SUCH_PACKAGE) for p in missing
        ]
        notices += [
            (f"There is no {spec} to be had; taking {taken}.", "version_replaced")
            for spec, taken in found.replaced.items()
        ]
        for words, code in notices:
            await access.bus.emit(access.project_id, Notice(words, code))

    async def _install_packages(self, packages: list[str], left_open: Sequence[str] = ()) -> bool:
        """Install `packages`, or what the manifest lists now if there are none; return whether any was installed.

        Where they do not go together, `left_open` is tried instead: the same, with versions for the tool to choose.
        A package that the registry does not know is remembered for a fix, also where the manifest names it: a
        name that a model made up must not keep the others away, nor stop the run for good.
        """
        template, bus = self._access.template, self._access.bus
        argv = template.add_argv(packages) if packages else template.sync_argv()
        try:
            seconds = await self._runtime.install(argv)
        except InstallFailedError as error:
            refused = (InstallFailedError.code, NO_SUCH_PACKAGE)
            if error.code in refused and left_open and list(left_open) != packages:
                tried, instead = ", ".join(packages), ", ".join(left_open)
                words = f"{tried} could not be installed; trying {instead}."
                await bus.emit(self._access.project_id, Notice(words, "version_replaced"))
                return await self._install_packages(list(left_open))
            if error.code != NO_SUCH_PACKAGE:
                raise
            if len(packages) > 1:
                return any([await self._install_packages([package]) for package in packages])
            if packages and _name_of(packages[0]) in str(error.details.get("log", "")):
                self._machine.memory.missing_packages.append(packages[0])
                words = f"There is no package {packages[0]}; going on without it."
                await bus.emit(self._access.project_id, Notice(words, error.code))
            else:
                await self._note_refused(error)
            return False
        self._machine.memory.refused_install = self._machine.memory.refused_manifest = ""
        self._machine.memory.packages_changed = True
        await bus.emit(self._access.project_id, DepsInstalled(packages, round(seconds, 3)))
        return True

    async def _implement(self) -> None:
        number = self._machine.memory.phase
        if self._machine.memory.packages and not self._machine.memory.wrote_all:
            # It was left before they were installed.
            await self._machine.move(_S.INSTALLING_DEPS, "its packages come first")
            return
        if not self._machine.memory.wrote_all:
            record = next(p for p in await self._open.phases() if p.number == number)
            async with self.mending.files_checked():
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
        elif await self._set_up():
            await self._show_files()

    async def _has_to_install(self) -> bool:
        record = await self._open.phase(self._machine.memory.phase)
        unfinished = record is not None and "takes_over" in record.plan
        return bool(self._machine.memory.packages) or unfinished or await self._manifest_changed()

    async def _write_phase(self, record: PhaseRecord) -> WrittenFiles:
        # A half file of a phase that was left is nothing that this one goes on with.
        await self._open.drop_drafts(but=record.number)
        if record.source == "converse":
            message = await self._access.read(
                lambda: self._access.store.message(record.plan["message"])
            )
            return await write_reply(
                self._access,
                record.number,
                record.description,
                message.data["scof"],
                version=message.data.get("version", 0),
                already=await self._open.reply_under_way(record),
                note=lambda written: self._open.note_reply(record.number, written),
            )
        phase = Phase.model_validate(record.plan)
        already = await self._open.interrupted(record)
        missing = self._machine.memory.missing_packages
        return await implement_phase(
            self._access, record.number, phase, missing=missing, already=already
        )

    def _installed_with_plan(self, record: PhaseRecord) -> set[str]:
        if record.source == "converse":
            return set()
        return set(
            package_specs(record.plan.get("install_commands", []), self._access.template.packages)
        )

    async def _manifest_changed(self) -> bool:
        changed = await self._access.read(self._runtime.work_folder.changed_paths)
        if self._manifest in changed or self._manifest in await self._locked():
            return self._manifest in changed
        if await self._access.manifest() == self._machine.memory.refused_manifest:
            return False
        # It may have come to the folder where the app was opened between two runs.
        return await manifest_changed(self._access, self._runtime)

    @property
    def _manifest(self) -> str:
        return self._access.template.packages.manifest

    async def _show_files(self) -> None:
        """Put the phase's files into the work folder and go where the page can be looked at."""
        await self._runtime.take_in()
        await self._runtime.materialise()
        await ask_for_variables(self._access)
        await self._runtime.use_new_variables()
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
        if not await self._set_up():
            return
        await self._runtime.materialise()
        memory = self._machine.memory
        try:
            url = await self._runtime.start_server()
        except ServerNotReadyError as error:
            if not memory.wrote_all:
                raise
            # The app's own doing, most of the time: the review hands the server's words to a fix.
            memory.server_failed = error.message
            await self._machine.move(_S.REVIEWING, "the app does not start")
            return
        memory.server_failed = ""
        await self.tell_server(url)
        await self._machine.move(_S.REVIEWING, "the app answers")

    async def tell_server(self, url: str) -> None:
        self._machine.memory.started_once = True
        memory = self._machine.memory.to_dict()

        def work(emit: Emit) -> None:
            self._access.store.update(self._access.project_id, preview_url=url, run=memory)
            emit(ServerStarted(url))

        await self._access.commit(work)

    async def _finalize(self) -> None:
        number = self._machine.memory.phase
        await self._runtime.take_in()
        # What the person typed since the files were written; what comes from now on is shown at once.
        await self._runtime.materialise()
        record = await self._open.phase(number)
        if record is None or not record.completed:
            await self._close_phase(number, f"Phase {number}: {record.name}" if record else "Build")
        elif self._machine.memory.rest_in:
            await self._snapshots.take("After mending", author="fix", advance_main=True)
        rest_in, self._machine.memory.rest_in = self._machine.memory.rest_in, ""
        if rest_in == _S.IDLE.value:
            await self._machine.move(_S.IDLE, "what you asked for is done")
            return
        await self._choose_next(was_complete=rest_in == _S.COMPLETE.value)
        if self._machine.state is _S.COMPLETE and self._machine.memory.roadmap_open:
            # A mend took the person's offer away; the roadmap is still theirs to have planned.
            await self._access.bus.emit(self._access.project_id, ROADMAP_OPEN)

    async def _close_phase(self, number: int, label: str) -> None:
        await self._snapshots.take(label, author="agent", advance_main=True, named=True)

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
    async def _choose_next(self, *, was_complete: bool) -> None:
        """Go where a phase or a mend leads; what `was_complete` before a mend is again, unless more was asked for."""
        reply = await self._open.next_reply()
        if reply is not None:
            await self.open_reply_phase(*reply)
            return
        phases = await self._open.phases()
        left = next((p for p in phases if not p.completed), None)
        if left is not None:
            await self._reopen(left)
            return
        wishes = await self._open.wishes()
        planned = [p for p in phases if p.source != "converse"]
        last = bool(planned) and bool(planned[-1].plan.get("is_last_phase"))
        last = was_complete or (last and not self._machine.memory.roadmap_open)
        if self._used_allowance(phases) >= self._limits.max_phases:
            grown = self._machine.memory.roadmap_open
            unplanned = "open wishes" if wishes else "steps of the roadmap left" if grown else ""
            if unplanned:
                limit = self._limits.max_phases
                reason = f"the limit of {limit} phases is reached with {unplanned}"
                await self._machine.move(_S.IDLE, reason)
                return
            last = True
        if last and not wishes:
            await self._end("everything planned is built", _nothing_else)
        else:
            await self._machine.move(_S.PLANNING_PHASE, "the next phase")

    async def _end(self, reason: str, also: Callable[[Emit], None]) -> None:
        """End a run with nothing left to build: the app is complete, unless something is known not to work."""
        broken = await self.mending.still_wrong()

        def rest(emit: Emit) -> None:
            also(emit)
            self._renew_allowance(emit)

        def complete(emit: Emit) -> None:
            rest(emit)
            phases = self._access.store.phases(self._access.project_id)
            files = self._access.files.list()
            emit(GenerationComplete(len(files), sum(p.completed for p in phases)))

        if broken:
            # To go on, or to have it mended, is to make the app complete.
            memory = self._machine.memory
            memory.rest_in, memory.ended = _S.COMPLETE.value, True
            await self._machine.move(_S.IDLE, f"not all of it works: {broken}", rest)
        else:
            await self._machine.move(_S.COMPLETE, reason, complete)

    def _renew_allowance(self, _: Emit) -> None:
        phases = self._access.store.phases(self._access.project_id)
        self._machine.memory.allowance_from = _planned_and_built(phases)

    def _used_allowance(self, phases: list[PhaseRecord]) -> int:
        return _planned_and_built(phases) - self._machine.memory.allowance_from

    async def more_has_come(self) -> bool:
        """Take up what was said while the run came to its end; return whether there was anything."""
        if not self.all_is_built:
            return False
        reply = await self._open.next_reply()
        if reply is not None:
            await self.open_reply_phase(*reply)
        elif await self._open.wishes():
            await self.open_wish_phase()
        return not self.all_is_built

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
        elif self._machine.memory.ended and (
            await self._open.wishes() or self._machine.memory.roadmap_open
        ):
            await self.mending.take_up_skipped()
            await self.open_wish_phase("going on")
        elif self._machine.memory.rest_in == _S.COMPLETE.value:
            # A mend of a finished app was stopped, or given up; or something in it does not work.
            await self._make_whole()
        elif self._machine.state is _S.IDLE or await self._open.wishes():
            await self._plan_unless_at_limit(phases)
        elif self._machine.memory.roadmap_open:
            await self.open_wish_phase("the roadmap goes on")

    async def _plan_unless_at_limit(self, phases: list[PhaseRecord]) -> None:
        limit = self._limits.max_phases
        if self._machine.state is not _S.IDLE or self._used_allowance(phases) < limit:
            await self._machine.move(_S.PLANNING_PHASE, "going on")
        elif self._machine.memory.rest_in or await self.mending.is_left():
            # A mend was stopped, or something has gone wrong since; it needs no phase.
            await self._make_whole()
        elif await self._open.wishes():
            raise NotAllowedNowError(
                f"The limit of {limit} phases is reached with open wishes.",
                remedy="Say what to build next: as many phases again may follow.",
            )
        elif self._machine.memory.roadmap_open:
            await self.open_wish_phase("the roadmap goes on")
        else:
            await self._machine.move(_S.FINALIZING, "everything allowed is built")

    async def _make_whole(self) -> None:
        """Have mended what does not work in an app to which nothing is to be added."""
        memory = self._machine.memory
        memory.rest_in, memory.ended = _S.COMPLETE.value, False
        await self.mending.try_again()
        await self.mending.take_up_skipped()
        await self._machine.move(_S.REVIEWING, "going on")

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
            self._open_phase(phase)
        self._machine.memory.rest_in = ""
        await self.mending.try_again()
        await self._machine.move(_S.IMPLEMENTING_PHASE, "going on")

    def _open_phase(self, phase: PhaseRecord) -> None:
        memory, commands = self._machine.memory, phase.plan.get("install_commands", [])
        memory.open_phase(phase.number, package_specs(commands, self._access.template.packages))
        # The last checks write nothing.
        planned = phase.source != "converse"
        memory.wrote_all = planned and not phase.plan.get("files") and not commands

    async def come_to_rest(self, reason: str) -> None:
        """Go to `idle` where work on a phase waits for the person, has failed, or was cut off."""
        await self.mending.hand_over(reason)
        if (self._machine.failed or self._machine.state) in _ON_A_PHASE:
            await self._machine.move(_S.IDLE, reason)
        await self._open.give_back_wishes()

    def go_back(self, changed: Collection[str]) -> None:
        """Have what open phases wrote written again, on the store's thread: an earlier version has `changed` it."""
        phase = self._open.begin_anew(changed) if changed else None
        if phase is not None:
            self._open_phase(phase)
            memory = self._machine.memory.to_dict()
            self._access.store.update(self._access.project_id, run=memory)

    async def open_wish_phase(self, reason: str = "a wish of the person") -> None:
        memory = self._machine.memory
        memory.rest_in, memory.ended = "", False
        await self._machine.move(_S.PLANNING_PHASE, reason, self._renew_allowance)

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


def _nothing_else(_: Emit) -> None:
    """The end of the run is all there is to store."""


def _planned_and_built(phases: list[PhaseRecord]) -> int:
    """Return how many phases count against the limit; a change from the conversation does not."""
    return sum(p.completed and p.source != "converse" for p in phases)


def _name_of(spec: str) -> str:
    """Return the package's name in a registry spec like `@scope/name@1` or `name[extra]>=1`."""
    at = spec.rfind("@")
    return _VERSION.split(spec[:at] if at > 0 else spec, maxsplit=1)[0]
