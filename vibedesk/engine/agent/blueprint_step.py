"""The step that makes the blueprint: questions before it, the starter while it comes, the wait for approval after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from vibedesk.base.errors import InvalidInputError, NotAllowedNowError
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.project_setup import ProjectSetup
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.builder.blueprint_answer import make_blueprint
from vibedesk.engine.builder.plan_check import checked_plan
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import (
    Blueprint,
    Phase,
    Question,
    edited_blueprint,
    field_words,
)
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    BlueprintReady,
    Notice,
    ProjectChanged,
    QuestionsAnswered,
    QuestionsAsked,
    Waiting,
)
from vibedesk.engine.models.protocol import BadAnswerError
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.records import Json, ProjectRecord

_S = AgentState
_LATER_FIELDS = frozenset({"acceptance_checks", "implementation_roadmap"})
"""What of the blueprint still says what happens when the app is being built."""

ROADMAP_OPEN = Notice(
    "The roadmap has what no phase was planned for. Continue, and it is planned.", "roadmap_open"
)

Begin = Callable[[Blueprint, str], Awaitable[None]]


class BlueprintStep:
    """Makes, stores and changes one project's blueprint.

    Args:
        machine: The agent's state.
        access: The project.
        setup: Lays out the starter.
        approval: Whether the blueprint waits for the person.
        attended: Whether there is a person to ask.
        begin: Begins the first phase of a blueprint, for a reason.
    """

    def __init__(
        self,
        machine: StateMachine,
        access: ProjectAccess,
        setup: ProjectSetup,
        *,
        approval: bool,
        attended: bool,
        begin: Begin,
    ) -> None:
        self._machine = machine
        self._access = access
        self._setup = setup
        self._approval = approval
        self._attended = attended
        self._begin = begin
        self._open = OpenWork(access)

    async def take(self) -> None:
        """Do the work of `blueprinting`: move on, or stay and wait for answers."""
        record = await self._open.record()
        if self._machine.memory.has_blueprint:
            blueprint = Blueprint.model_validate(record.blueprint)
        else:
            made = await make_blueprint(
                self._access,
                may_ask=self._attended and not record.sample and record.questions is None,
                edited=self._machine.memory.edited if record.blueprint else (),
                refused=self._machine.memory.refused_plan,
                on_template=self._setup.choose_template,
            )
            if isinstance(made, list):
                await self._ask(made)
                return
            blueprint = await self._take_in(made, record)
        await self._name_project(blueprint)
        await self._go_on(blueprint)

    async def _go_on(self, blueprint: Blueprint) -> None:
        objection = blueprint.not_a_web_app
        if self._approval or (objection and self._attended):
            words = f"{objection} " if objection else ""
            await self._machine.move(
                _S.AWAITING_APPROVAL,
                "the blueprint is ready",
                waiting=Waiting("approval", None, f"{words}The plan waits for your approval."),
            )
            return
        if objection and not self._machine.memory.objected:
            self._machine.memory.objected = True
            words = objection.rstrip().removesuffix(".")
            await self._machine.move(_S.IDLE, f"{words}. Continue, and that is built")
            return
        await self._begin(blueprint, "the blueprint is ready")

    async def _take_in(self, made: Blueprint, record: ProjectRecord) -> Blueprint:
        memory = self._machine.memory
        blueprint = made
        if memory.edited and record.blueprint:
            kept = {name: record.blueprint[name] for name in memory.edited}
            blueprint = Blueprint.model_validate({**made.model_dump(), **kept})
        template = await self._setup.choose_template(blueprint.template)
        blueprint.template = template.name
        if "acceptance_checks" not in memory.edited:
            memory.own_checks = []
        if "initial_phase" not in memory.edited:
            await self._refuse_unwritable(blueprint.initial_phase)
        memory.has_blueprint, memory.refused_plan = True, ""

        def tell(emit: Emit) -> None:
            if made.left_out:
                emit(Notice(_left_out(made.left_out), "check_steps_left_out"))

        await self._store(blueprint, tell)
        return blueprint

    async def _refuse_unwritable(self, phase: Phase) -> None:
        """Let a first phase pass of which anything can be written.

        Raises:
            BadAnswerError: nothing can; the next blueprint is asked for with the reason.
        """
        marks = await self._access.read(self._access.files.marks)
        locked = {path for path, said in marks.items() if "locked" in said}
        try:
            checked_plan(phase, self._access.template, locked=locked)
        except BadAnswerError as error:
            self._machine.memory.refused_plan = str(error.details.get("reason", ""))
            await self._machine.remember()
            raise

    async def _store(self, blueprint: Blueprint, also: Callable[[Emit], None]) -> None:
        data, memory = blueprint.model_dump(), self._machine.memory.to_dict()

        def store(emit: Emit) -> None:
            self._access.store.update(
                self._access.project_id,
                run=memory,
                blueprint=data,
                title=blueprint.title,
                description=blueprint.description,
            )
            emit(BlueprintReady(data))
            also(emit)

        await self._access.commit(store, durable=True)

    async def _name_project(self, blueprint: Blueprint) -> None:
        record = await self._setup.adopt_name(blueprint.slug())
        await self._access.bus.emit(
            self._access.project_id,
            ProjectChanged({"name": record.name, "title": record.title, "folder": record.folder}),
        )

    # -- questions -----------------------------------------------------------------------------------------
    async def _ask(self, questions: list[Question]) -> None:
        asked = [{**question.model_dump(), "answer": None} for question in questions]

        def store(emit: Emit) -> None:
            self._access.store.update(self._access.project_id, questions=asked, blueprint_text="")
            emit(QuestionsAsked(asked))

        self._machine.memory.awaits_answers = True
        words = (
            "Before the plan is made: a question."
            if len(asked) == 1
            else ("Before the plan is made: a few questions.")
        )
        await self._machine.await_person(Waiting("answers", None, words), store)

    async def take_answers(
        self, answers: Sequence[str | None] | None, also: Callable[[Emit], None] | None = None
    ) -> None:
        """Store what the person answered (None or empty: skipped) and what `also` does; the plan can be made then.

        Raises:
            NotAllowedNowError: nothing was asked.
            InvalidInputError: there are more answers than questions.
        """
        memory = self._machine.memory
        asked = (await self._open.record()).questions
        if not memory.awaits_answers or not asked:
            raise NotAllowedNowError("There is no open question.")
        given = list(answers or ())
        if len(given) > len(asked):
            raise InvalidInputError(
                f"There are {len(given)} answers to {len(asked)} questions.",
                remedy="Give one answer to each, an empty one to skip it.",
            )
        given += [None] * (len(asked) - len(given))
        answered: list[Json] = [
            {**question, "answer": (answer or "").strip()}
            for question, answer in zip(asked, given, strict=True)
        ]

        def store(emit: Emit) -> None:
            self._access.store.update(self._access.project_id, questions=answered)
            emit(QuestionsAnswered(answered))
            if also is not None:
                also(emit)

        memory.awaits_answers = False
        try:
            await self._machine.go_on(store)
        except BaseException:
            memory.awaits_answers = (await self._open.record()).run.get("awaits_answers", False)
            raise

    # -- a person's changes ---------------------------------------------------------------------------------
    async def edit(self, changes: dict[str, Any]) -> Blueprint:
        """Change the blueprint that waits for approval, and return it.

        Raises:
            InvalidInputError, NotFoundError: a change cannot be made; nothing is changed.
        """
        memory = self._machine.memory
        stored = (await self._open.record()).blueprint or {}
        blueprint = edited_blueprint(stored, changes)
        data = blueprint.model_dump()
        edited = [name for name in data if data[name] != stored.get(name)]
        if not edited:
            return blueprint
        if "template" in edited:
            template = await self._setup.choose_template(blueprint.template, by_person=True)
            blueprint.template = template.name
        memory.edited = list(dict.fromkeys([*memory.edited, *edited]))
        memory.own_checks = _own_checks(memory.own_checks, stored, blueprint)
        await self._store(blueprint, lambda _: None)
        return blueprint

    async def edit_later(self, changes: dict[str, Any]) -> None:
        """Change what of the blueprint of an app that is being built counts for the phases to come.

        Raises:
            NotAllowedNowError: another field is built on already, or a phase of the roadmap is.
            InvalidInputError: a change cannot be made.
        """
        store, project_id = self._access.store, self._access.project_id

        def work(emit: Emit) -> dict[str, Any]:
            record = store.get(project_id)
            stored = record.blueprint or {}
            begun = sum(p.source != "converse" for p in store.phases(project_id))
            blueprint = edited_blueprint(stored, changes)
            data = blueprint.model_dump()
            for name in changes:
                if name not in _LATER_FIELDS and data[name] != stored.get(name):
                    raise _built(name)
            before = stored.get("implementation_roadmap", [])[:begun]
            after = data["implementation_roadmap"][:begun]
            if before != after:
                raise _built("implementation_roadmap")
            # A run may go on meanwhile: of what it remembers only this is changed.
            steps = data["implementation_roadmap"]
            changed = {
                "own_checks": _own_checks(record.run.get("own_checks", []), stored, blueprint),
                "roadmap_open": bool(record.run.get("roadmap_open"))
                or (len(steps) > begun and steps != stored.get("implementation_roadmap")),
            }
            store.update(project_id, blueprint=data, run={**record.run, **changed})
            emit(BlueprintReady(data))
            if changed["roadmap_open"] and record.state is _S.COMPLETE:
                emit(ROADMAP_OPEN)
            return changed

        for name, value in (await self._access.commit(work, durable=True)).items():
            setattr(self._machine.memory, name, value)


def _own_checks(known: Sequence[str], stored: Json, edited: Blueprint) -> list[str]:
    """Return the names of the checks that the person wrote or edited, the `known` ones and those that are so now."""
    before = Blueprint.model_validate(stored).acceptance_checks if stored else []
    own = [check.name for check in edited.acceptance_checks if check not in before]
    return list(dict.fromkeys([*known, *own]))


def _built(field: str) -> NotAllowedNowError:
    return NotAllowedNowError(
        f"“{field_words(field)}” cannot be changed like this any more: the app is being built on it.",
        remedy="Say what should change instead.",
        details={"field": field},
    )


def _left_out(steps: Sequence[str]) -> str:
    count = "A step" if len(steps) == 1 else f"{len(steps)} steps"
    were = "was" if len(steps) == 1 else "were"
    return f"{count} of the acceptance checks could not be understood and {were} left out: {'; '.join(steps[:3])}"
