"""One project's agent: walks the state machine from a wish to a running app.

The stored state says what is being done, `RunMemory` what that needs; a step does the work of one state and
moves to the next in one transaction. A run that was cut off anywhere therefore goes on by taking the step of
the stored state again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vibedesk.base.aio import TaskScope, finish
from vibedesk.base.errors import (
    InvalidInputError,
    NotAllowedNowError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.conversation import Conversation
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.project_setup import ProjectSetup
from vibedesk.engine.agent.run_memory import RunMemory
from vibedesk.engine.agent.snapshots import Snapshots
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
    ErrorReported,
    GenerationComplete,
    PhaseComplete,
    PhaseDesigned,
    PhaseDesigning,
    ProjectChanged,
    Resumed,
    ServerStarted,
    StateChange,
    WishQueued,
)
from vibedesk.engine.states import RESTING, AgentState, check_transition
from vibedesk.engine.store.records import PhaseRecord, ProjectRecord
from vibedesk.engine.views import VersionView

_log = logging.getLogger(__name__)
_S = AgentState
_MAX_FIX_TRIES = 3
_ASKS_A_MODEL = frozenset({_S.BLUEPRINTING, _S.PLANNING_PHASE, _S.IMPLEMENTING_PHASE, _S.FIXING})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimits:
    """What the person allowed: phases, dollars, and whether the blueprint waits for approval."""

    max_phases: int = 12
    budget: float | None = None
    approval: bool = False


class CodeGeneratorAgent:
    """Builds one project. All methods run on the engine's loop."""

    def __init__(
        self,
        record: ProjectRecord,
        access: ProjectAccess,
        runtime: AppRuntime,
        snapshots: Snapshots,
        limits: AgentLimits,
    ) -> None:
        self.project_id = record.id
        self.access = access
        self.runtime = runtime
        self.limits = limits
        self._state = record.state
        self._failed = record.failed_state
        self._memory = RunMemory.from_dict(record.run)
        self.snapshots = snapshots
        self._setup = ProjectSetup(access, runtime)
        self._scope = TaskScope(f"agent {record.id}")
        self._run_task: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._commands = asyncio.Lock()
        self._open = OpenWork(access)
        self._unstored_failure: VibeDeskError | None = None
        self.conversation = Conversation(self, access)
        self._steps: dict[AgentState, Callable[[], Awaitable[None]]] = {
            _S.BLUEPRINTING: self._blueprint,
            _S.PLANNING_PHASE: self._plan,
            _S.INSTALLING_DEPS: self._install,
            _S.IMPLEMENTING_PHASE: self._implement,
            _S.STARTING_SERVER: self._start_server,
            _S.REVIEWING: self._review,
            _S.FIXING: self._fix,
            _S.FINALIZING: self._finalize,
        }

    # -- what others ask --------------------------------------------------------------------------
    @property
    def state(self) -> AgentState:
        return self._state

    @property
    def running(self) -> bool:
        return self._run_task is not None and not self._run_task.done()

    @property
    def busy(self) -> bool:
        """Whether a run or an answer is under way."""
        return self.running or self.conversation.answering

    async def generate(self) -> None:
        """Start the build of a fresh project."""
        async with self._commands:
            self._refuse_while_running()
            if self._state is not _S.IDLE or self._memory.phase:
                raise NotAllowedNowError(
                    "This project was begun already.",
                    remedy="Continue it, or say what should change.",
                )
            await self._move(_S.BLUEPRINTING, "a new wish")
            self._run()

    async def approve(self, blueprint: dict[str, Any] | None = None) -> None:
        """Accept the blueprint, with the person's edits, and build it."""
        async with self._commands:
            edited = await self._edited_blueprint(blueprint or {})
            await self._begin_first_phase(edited, "approved")
            self._run()

    async def edit_blueprint(self, changes: dict[str, Any]) -> None:
        """Change fields of the blueprint that waits for approval."""
        async with self._commands:
            data = (await self._edited_blueprint(changes)).model_dump()

            def store(emit: Emit) -> None:
                self.access.store.update(self.project_id, blueprint=data, title=data["title"])
                emit(BlueprintReady(data))

            await self.access.commit(store, durable=True)

    async def _edited_blueprint(self, changes: dict[str, Any]) -> Blueprint:
        self._refuse_while_running()
        if self._state is not _S.AWAITING_APPROVAL:
            raise NotAllowedNowError("No blueprint is waiting for your approval.")
        stored = (await self._open.record()).blueprint or {}
        try:
            return Blueprint.model_validate({**stored, **changes})
        except ValueError as error:
            raise InvalidInputError(
                "The blueprint cannot be changed like this.",
                remedy="Undo the last edit and try again.",
                details={"reason": str(error)},
            ) from error

    async def revise_blueprint(self, wanted: str) -> None:
        """Make the blueprint that waits for approval anew, with what the person wants changed."""
        async with self._commands:
            record = await self._open.record()
            wish = f"{record.wish}\n\nOn seeing the first plan they added: {wanted}"

            def store(_: Emit) -> None:
                self.access.store.update(self.project_id, wish=wish)

            self._memory.has_blueprint = False
            await self._move(_S.BLUEPRINTING, "you asked for changes", store)
            self._run()

    async def resume(self) -> None:
        """Go on where a run was cut off, failed, or was stopped, and answer what was left unanswered."""
        async with self._commands:
            if self.running:
                return
            if self._state is _S.AWAITING_APPROVAL:
                raise NotAllowedNowError(
                    "The blueprint waits for your approval.",
                    remedy="Approve it, or ask for changes.",
                )
            if self._state is _S.ERROR:
                await self._move(self._failed or _S.IDLE, "trying again")
            if self._state in (_S.IDLE, _S.COMPLETE):
                await self._take_up_open_work()
            if self._state in self._steps:
                self._run()
            await self.conversation.answer_open_messages()

    async def cancel(self) -> None:
        """Stop the run now; everything finished stays and the state becomes `idle`."""
        async with self._commands:
            await self.conversation.cancel()
            if self._run_task is not None:
                self._run_task.cancel()
                await asyncio.gather(self._run_task, return_exceptions=True)
            try:
                if self._state not in RESTING:
                    await self._move(_S.IDLE, "stopped by you")
            finally:
                await self._setup.cancel()
                await self.runtime.stop()

    async def start_phase_for_wishes(self) -> None:
        """Begin a phase for queued wishes if nothing runs."""
        async with self._commands:
            if not self.running and self._state in (_S.COMPLETE, _S.IDLE):
                await self._open_wish_phase()
                self._run()

    async def start_phase_for_reply(self) -> None:
        """Begin the phase that writes a reply's change if nothing runs; else it follows the present one."""
        async with self._commands:
            if not self.running and self._state in (_S.COMPLETE, _S.IDLE):
                reply = await self._open.next_reply()
                if reply is not None:
                    await self._open_reply_phase(*reply)
                    self._run()

    def follow_folder(self) -> None:
        """Take in outside edits as they happen, while somebody looks at the project."""
        if self._following is None or self._following.done():
            self._following = self._scope.start(self.runtime.follow_folder(), name="follow folder")

    def unfollow_folder(self) -> None:
        if self._following is not None:
            self._following.cancel()

    async def start_preview(self) -> str:
        """Start the app of a project that is at rest, without touching the agent's state."""
        await self._setup.prepare_folder()
        await self.runtime.materialise()
        if not self.runtime.packages_present:
            await self.runtime.install(self.access.template.install_argv())
        url = await self.runtime.start_server()
        await self._tell_server(url)
        return url

    async def restore(self, commit: str) -> VersionView:
        """Bring a version back as a new one, and show it in the running app."""
        self._refuse_while_running()
        await self.runtime.take_in()
        version = await self.snapshots.restore(commit)
        await self.runtime.materialise()
        return version

    async def wait(self) -> None:
        """Wait until no run and no answer is under way.

        Raises:
            VibeDeskError: the run failed in a way that could not even be stored (the disk is full).
        """
        while self.busy:
            if self.running and self._run_task is not None:
                await asyncio.wait({self._run_task})
            await self.conversation.wait()
        if self._unstored_failure is not None:
            raise self._unstored_failure

    async def aclose(self) -> None:
        """End everything as the program's end does: the stored state stays, so a run can be resumed."""
        await self.conversation.aclose()
        await self._scope.aclose()
        await self._setup.cancel()
        await self.runtime.stop()
        await self.access.router.aclose()

    # -- the run -------------------------------------------------------------------------------------
    def _refuse_while_running(self) -> None:
        if self.running:
            raise NotAllowedNowError(
                "A run is under way.", remedy="Wait until it is done, or stop it."
            )

    def _run(self) -> None:
        if not self.running:
            self._unstored_failure = None
            self._run_task = self._scope.start(self._walk(), name="run")

    async def _walk(self) -> None:
        try:
            if self._memory.phase == 0 or not self.runtime.serving:
                self._setup.start(self._scope)
            while self._state in self._steps or await self._more_has_come():
                if await self._budget_is_spent():
                    return
                await self._steps[self._state]()
        except Exception as error:  # noqa: BLE001 - every failure becomes a state and a sentence
            await self._fail(as_vibedesk_error(error))

    async def _budget_is_spent(self) -> bool:
        budget = self.limits.budget
        if budget is None or self._state not in _ASKS_A_MODEL:
            return False
        totals = await self.access.read(lambda: self.access.store.usage_totals(self.project_id))
        if totals.cost < budget:
            return False
        await self._move(_S.IDLE, f"the budget of {budget:.2f} USD is used up")
        return True

    async def _fail(self, error: VibeDeskError) -> None:
        failed = self._state

        def work(emit: Emit) -> None:
            self.access.store.update(self.project_id, error=error.to_dict())
            emit(ErrorReported(error.message, error.remedy, error.code))

        _log.info("run of %s failed in %s: %s", self.project_id, failed, error.code)
        try:
            await self._move(_S.ERROR, error.message, work)
        except VibeDeskError:
            # The store itself fails (full disk): the state stays as stored, so that the run can be resumed.
            _log.exception("could not store the failure of %s", self.project_id)
            self._unstored_failure = error

    async def _move(
        self,
        target: AgentState,
        reason: str,
        work: Callable[[Emit], None] | None = None,
    ) -> None:
        """Go to `target`; the transition, what it rests on and its event are one transaction.

        A cancel that comes meanwhile waits for it, so that the agent never believes another state than the stored.
        """
        await finish(self._commit_move(target, reason, work))

    async def _commit_move(
        self, target: AgentState, reason: str, work: Callable[[Emit], None] | None
    ) -> None:
        store, project_id = self.access.store, self.project_id

        def transaction(emit: Emit) -> AgentState | None:
            record = store.get(project_id)
            check_transition(record.state, target, failed=record.failed_state)
            if work is not None:
                work(emit)
            if record.waiting is not None:
                emit(Resumed(record.waiting["reason"]))
            failed = record.state if target is _S.ERROR else None
            store.update(
                project_id,
                state=target,
                state_reason=reason,
                run=self._memory.to_dict(),
                failed_state=failed,
                waiting=None,
                **({} if target is _S.ERROR else {"error": None}),
            )
            emit(StateChange(target.value, record.state.value, reason))
            return failed

        self._failed = await self.access.commit(transaction, durable=True)
        self._state = target

    async def _remember(self) -> None:
        memory = self._memory.to_dict()
        await self.access.read(lambda: self.access.store.update(self.project_id, run=memory))

    # -- the steps --------------------------------------------------------------------------------------
    async def _blueprint(self) -> None:
        if self._memory.has_blueprint:
            blueprint = Blueprint.model_validate((await self._open.record()).blueprint)
        else:
            blueprint = await self._make_blueprint()
        await self._name_project(blueprint)
        if self.limits.approval:
            await self._move(_S.AWAITING_APPROVAL, "the blueprint is ready")
        else:
            await self._begin_first_phase(blueprint, "the blueprint is ready")

    async def _make_blueprint(self) -> Blueprint:
        blueprint = await make_blueprint(self.access)
        data = blueprint.model_dump()
        self._memory.has_blueprint = True
        memory = self._memory.to_dict()

        def store(emit: Emit) -> None:
            self.access.store.update(
                self.project_id,
                run=memory,
                blueprint=data,
                title=blueprint.title,
                description=blueprint.description,
            )
            emit(BlueprintReady(data))

        await self.access.commit(store, durable=True)
        return blueprint

    async def _name_project(self, blueprint: Blueprint) -> None:
        record = await self._setup.adopt_name(blueprint.slug())
        await self.access.bus.emit(
            self.project_id,
            ProjectChanged({"name": record.name, "title": record.title, "folder": record.folder}),
        )

    async def _begin_first_phase(self, blueprint: Blueprint, reason: str) -> None:
        phase = blueprint.initial_phase
        data = blueprint.model_dump()

        def store(emit: Emit) -> None:
            self.access.store.update(self.project_id, blueprint=data)
            self._put_phase(1, phase, "blueprint", emit)

        self._memory.open_phase(1, package_specs(phase.install_commands))
        await self._move(self._after_plan(), reason, store)

    def _put_phase(self, number: int, phase: Phase, source: str, emit: Emit) -> None:
        record = PhaseRecord(
            number=number,
            name=phase.name,
            description=phase.description,
            plan=phase.model_dump(),
            source=source,
            completed=False,
        )
        self.access.store.put_phase(self.project_id, record)
        emit(PhaseDesigned({"number": number, "source": source, **phase.model_dump()}))

    def _after_plan(self) -> AgentState:
        return _S.INSTALLING_DEPS if self._memory.packages else _S.IMPLEMENTING_PHASE

    async def _plan(self) -> None:
        phases = await self._open.phases()
        number = max((p.number for p in phases if p.completed), default=0) + 1
        used = self._used_allowance(phases)
        await self.access.bus.emit(self.project_id, PhaseDesigning(number))
        phase = await plan_phase(self.access, number, final=used + 1 >= self.limits.max_phases)
        if not phase.files and not phase.install_commands:
            await self._move(_S.COMPLETE, "nothing is left to do", self._complete)
            return

        def store(emit: Emit) -> None:
            self._put_phase(number, phase, "plan", emit)
            for wish in self.access.store.wishes(self.project_id, "open"):
                self.access.store.set_wish(wish.id, "planned", number)
                emit(WishQueued(wish.id, wish.text, "planned"))

        self._memory.open_phase(number, package_specs(phase.install_commands))
        await self._move(self._after_plan(), f"phase {number} is planned", store)

    async def _install(self) -> None:
        await self._setup.ready()
        await self.runtime.take_in()
        implemented = self._memory.after_install != _S.IMPLEMENTING_PHASE.value
        if implemented:
            # Only the manifest: a running server must not see an import whose package is not there yet.
            await self.runtime.materialise(["package.json"])
        packages = list(self._memory.packages)
        template = self.access.template
        argv = template.add_argv(packages) if packages else template.sync_argv()
        seconds = await self.runtime.install(argv)
        self._memory.packages = []
        done = DepsInstalled(packages, round(seconds, 3))
        await self.access.bus.emit(self.project_id, done)
        if implemented:
            await self._show_files()
        else:
            await self._move(_S.IMPLEMENTING_PHASE, "packages are installed")

    async def _implement(self) -> None:
        number = self._memory.phase
        if not self._memory.wrote_all:
            record = next(p for p in await self._open.phases() if p.number == number)
            written = await self._write_phase(record)
            await self._open.drop_drafts()
            packages = [p for p in written.packages if p not in self._installed_with_plan(record)]
            self._memory.packages = packages
            self._memory.wrote_all = True
            self._memory.finished = list(written.finished)
            await self._remember()
        if self._memory.packages or await self._manifest_changed():
            self._memory.after_install = _S.STARTING_SERVER.value
            await self._move(_S.INSTALLING_DEPS, "the files are written")
        else:
            await self._setup.ready()
            await self._show_files()

    async def _write_phase(self, record: PhaseRecord) -> WrittenFiles:
        already = await self._open.interrupted(record)
        if record.source == "converse":
            message = await self.access.read(
                lambda: self.access.store.message(record.plan["message"])
            )
            return await write_reply(self.access, record.number, message.data["scof"])
        phase = Phase.model_validate(record.plan)
        return await implement_phase(self.access, record.number, phase, already=already)

    def _installed_with_plan(self, record: PhaseRecord) -> set[str]:
        if record.source == "converse":
            return set()
        return set(package_specs(record.plan.get("install_commands", [])))

    async def _manifest_changed(self) -> bool:
        return "package.json" in await self.access.read(self.runtime.work_folder.changed_paths)

    async def _show_files(self) -> None:
        """Put the phase's files into the work folder and go where the page can be looked at."""
        await self.runtime.take_in()
        await self.runtime.materialise()
        if self.runtime.serving:
            await self._move(_S.REVIEWING, "the files are in place")
        else:
            await self._move(_S.STARTING_SERVER, "the files are in place")

    async def _start_server(self) -> None:
        await self._setup.ready()
        await self.runtime.materialise()
        url = await self.runtime.start_server()
        await self._tell_server(url)
        await self._move(_S.REVIEWING, "the app answers")

    async def _tell_server(self, url: str) -> None:
        self._memory.started_once = True
        memory = self._memory.to_dict()

        def work(emit: Emit) -> None:
            self.access.store.update(self.project_id, preview_url=url, run=memory)
            emit(ServerStarted(url))

        await self.access.commit(work)

    async def _review(self) -> None:
        if not self.runtime.serving:
            await self._move(_S.STARTING_SERVER, "the app is not running")
            return
        status = await self.runtime.page_status()
        if status == 200:
            await self._move(_S.FINALIZING, "the page answers")
            return
        answer = f"answers {status}" if status else "does not answer"
        self._memory.problems = [f"The page {answer} instead of 200.", *self.runtime.last_lines]
        if self._memory.fix_tries >= _MAX_FIX_TRIES:
            await self._move(_S.IDLE, f"needs you: the page {answer} after {_MAX_FIX_TRIES} tries")
            return
        await self._move(_S.FIXING, f"the page {answer}")

    async def _fix(self) -> None:
        self._memory.fix_tries += 1
        await self._remember()
        written = await fix_problems(self.access, self._memory.phase, self._memory.problems)
        await self._open.drop_drafts()
        self._memory.packages = written.packages
        if written.packages or await self._manifest_changed():
            self._memory.after_install = _S.STARTING_SERVER.value
            await self._move(_S.INSTALLING_DEPS, "a fix is written")
            return
        await self._show_files()

    async def _finalize(self) -> None:
        number = self._memory.phase
        await self.runtime.take_in()
        record = await self._open.phase(number)
        if record is None or not record.completed:
            await self._close_phase(number, f"Phase {number}: {record.name}" if record else "Build")
        await self._choose_next()

    async def _close_phase(self, number: int, label: str) -> None:
        await self.snapshots.take(label, author="agent", advance_main=True)

        def close(emit: Emit) -> None:
            self.access.store.complete_phase(self.project_id, number)
            for wish in self.access.store.wishes(self.project_id, "planned"):
                if wish.phase == number:
                    self.access.store.set_wish(wish.id, "done", number)
                    emit(WishQueued(wish.id, wish.text, "done"))
            emit(PhaseComplete(number))

        await self.access.commit(close, durable=True)

    # -- what comes next -----------------------------------------------------------------------------------
    async def _choose_next(self) -> None:
        reply = await self._open.next_reply()
        if reply is not None:
            await self._open_reply_phase(*reply)
            return
        phases = await self._open.phases()
        wishes = await self._open.wishes()
        planned = [p for p in phases if p.source != "converse"]
        last = bool(planned) and bool(planned[-1].plan.get("is_last_phase"))
        if self._used_allowance(phases) >= self.limits.max_phases:
            if wishes:
                reason = f"the limit of {self.limits.max_phases} phases is reached with open wishes"
                await self._move(_S.IDLE, reason)
                return
            last = True
        if last and not wishes:
            await self._move(_S.COMPLETE, "everything planned is built", self._complete)
        else:
            await self._move(_S.PLANNING_PHASE, "the next phase")

    def _complete(self, emit: Emit) -> None:
        phases = self.access.store.phases(self.project_id)
        self._memory.allowance_from = sum(p.completed for p in phases)
        emit(GenerationComplete(len(self.access.files.list()), self._memory.allowance_from))

    def _renew_allowance(self, _: Emit) -> None:
        phases = self.access.store.phases(self.project_id)
        self._memory.allowance_from = sum(p.completed for p in phases)

    def _used_allowance(self, phases: list[PhaseRecord]) -> int:
        completed = sum(p.completed and p.source != "converse" for p in phases)
        return max(0, completed - self._memory.allowance_from)

    async def _more_has_come(self) -> bool:
        """Take up what was said while the run came to its end; return whether there was anything."""
        if self._state is not _S.COMPLETE:
            return False
        reply = await self._open.next_reply()
        if reply is not None:
            await self._open_reply_phase(*reply)
        elif await self._open.wishes():
            await self._open_wish_phase()
        return self._state is not _S.COMPLETE

    async def _take_up_open_work(self) -> None:
        """Go where a project at rest goes on; stay where nothing is open."""
        phases = await self._open.phases()
        open_phase = next((p for p in phases if not p.completed), None)
        if not phases:
            await self._move(_S.BLUEPRINTING, "going on")
        elif open_phase is not None:
            await self._reopen(open_phase)
        elif (reply := await self._open.next_reply()) is not None:
            await self._open_reply_phase(*reply)
        elif self._state is _S.IDLE or await self._open.wishes():
            await self._move(_S.PLANNING_PHASE, "going on")

    async def _reopen(self, phase: PhaseRecord) -> None:
        if self._memory.phase != phase.number:
            packages = package_specs(phase.plan.get("install_commands", []))
            self._memory.open_phase(phase.number, packages)
        self._memory.fix_tries = 0
        install = self._memory.packages and not self._memory.wrote_all
        await self._move(_S.INSTALLING_DEPS if install else _S.IMPLEMENTING_PHASE, "going on")

    async def _open_wish_phase(self) -> None:
        await self._move(_S.PLANNING_PHASE, "a wish of the person", self._renew_allowance)

    async def _open_reply_phase(self, number: int, message_id: str) -> None:
        def store(emit: Emit) -> None:
            message = self.access.store.message(message_id)
            asked = message.data.get("asked", "")
            name = asked if len(asked) <= 60 else asked[:59].rstrip() + "…"
            record = PhaseRecord(
                number=number,
                name=name or "A change",
                description=asked,
                plan={"message": message_id, "files": [], "is_last_phase": True},
                source="converse",
                completed=False,
            )
            self.access.store.put_phase(self.project_id, record)
            emit(
                PhaseDesigned(
                    {"number": number, "source": "converse", "name": record.name, "files": []}
                )
            )

        self._memory.open_phase(number, [])
        await self._move(_S.IMPLEMENTING_PHASE, "a change from the conversation", store)
