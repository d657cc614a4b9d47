"""What an agent waits for is told, stored, found again, and over when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.processes import Leftovers
from tests.support.tiny_app import FIRST, INSIDE_FIRST_FILE, script_tiny_app
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.agent.waits import ordinal, take_place, wait_until
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.engine import Engine
from vibedesk.engine.event_bus import EventBus
from vibedesk.engine.events import Event, Resumed, StateChange, Waiting
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.models.project_router import ProjectRouter
from vibedesk.engine.models.router import ModelRouter
from vibedesk.engine.sandboxes.driver import SandboxEngineDownError
from vibedesk.engine.slots import Slots
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.waiting import Wait

DOWN = SandboxEngineDownError("Docker does not answer.", remedy="Start it.")
DOCKER = "Docker does not answer. The build goes on by itself when it is back."


class Scene:
    """One stored project, and what was told about its waits."""

    def __init__(self, access: ProjectAccess) -> None:
        self.access = access
        self.subscription = Subscription(access.project_id)
        access.bus._subscriptions[access.project_id] = [self.subscription]

    async def machine(self, state: AgentState) -> StateMachine:
        access = self.access

        def put() -> StateMachine:
            access.store.update(access.project_id, state=state)
            return StateMachine(access.store.get(access.project_id), access)

        return await access.read(put)

    async def shown(self) -> str:
        """What is stored as waited for, if anything."""
        access = self.access
        record = await access.read(lambda: access.store.get(access.project_id))
        return record.waiting["reason"] if record.waiting else ""

    def wait(self, reason: str) -> Wait:
        return Wait(self.access.bus, self.access.store, self.access.project_id, reason)

    @property
    def told(self) -> list[str]:
        """The waits that were told since the last look: `+reason` and `-reason`."""
        return [sign for event in self.subscription.drain() if (sign := _sign(event))]


def _sign(event: Event) -> str:
    match event.payload:
        case Waiting(reason=reason):
            return f"+{reason}"
        case Resumed(reason):
            return f"-{reason}"
        case StateChange(state=state):
            return state
    return ""


@pytest.fixture
async def scene(home: Home) -> AsyncIterator[Scene]:
    database = Database.open(home, write=True)
    store = ProjectStore()
    bus = EventBus(database, store)
    record = await database.run(
        lambda: store.create({"name": "a", "wish": "a", "folder": "a", "template": "react-vite"})
    )
    files = ProjectFiles(database, record.id)

    async def no_models() -> ModelRouter:
        return ModelRouter([])

    yield Scene(
        ProjectAccess(
            project_id=record.id,
            database=database,
            store=store,
            bus=bus,
            files=files,
            drafts=Drafts(database, record.id, files),
            router=ProjectRouter(no_models),
            template=load_template("react-vite"),
        )
    )
    bus.close()
    database.close()


class TestWaits:
    async def test_a_wait_is_stored_and_over(self, scene: Scene) -> None:
        await scene.machine(AgentState.INSTALLING_DEPS)
        async with scene.wait("sandbox") as wait:
            assert await scene.shown() == ""
            await wait.tell("Docker is away.")
            assert await scene.shown() == "sandbox"
            await wait.tell("Docker is still away.")
        assert await scene.shown() == ""
        assert scene.told == ["+sandbox", "+sandbox", "-sandbox"]

    async def test_a_wait_that_never_began_is_not_told(self, scene: Scene) -> None:
        async with scene.wait("slot"):
            pass
        assert scene.told == []

    async def test_of_two_waits_the_one_that_is_left_is_shown_again(self, scene: Scene) -> None:
        await scene.machine(AgentState.BLUEPRINTING)
        model, docker = scene.wait("rate_limit"), scene.wait("sandbox")
        await model.tell("The model wants a break.")
        await docker.tell(DOCKER)
        assert await scene.shown() == "sandbox"
        await docker.end()
        await docker.end()
        assert await scene.shown() == "rate_limit"
        await model.end()
        assert await scene.shown() == ""
        assert scene.told == ["+rate_limit", "+sandbox", "-sandbox", "+rate_limit", "-rate_limit"]

    async def test_a_move_ends_what_the_state_waited_for_and_not_what_goes_on(
        self, scene: Scene
    ) -> None:
        machine = await scene.machine(AgentState.BLUEPRINTING)
        docker = scene.wait("sandbox")
        await docker.tell(DOCKER)
        approval = Waiting("approval", None, "The plan waits for your approval.")
        await machine.move(AgentState.AWAITING_APPROVAL, "ready", waiting=approval)
        assert await scene.shown() == "approval"
        await machine.move(AgentState.INSTALLING_DEPS, "approved")
        assert await scene.shown() == "sandbox"
        await docker.end()
        assert await scene.shown() == ""
        assert scene.told == [
            "+sandbox",
            "+approval",
            "awaiting_approval",
            "-approval",
            "installing_deps",
            "-sandbox",
        ]

    @pytest.mark.parametrize("state", [AgentState.COMPLETE, AgentState.IDLE, AgentState.ERROR])
    async def test_without_a_run_it_is_told_and_not_stored(
        self, state: AgentState, scene: Scene
    ) -> None:
        await scene.machine(state)
        entered = asyncio.Event()

        async def preview() -> None:
            async with scene.wait("sandbox") as wait:
                await wait.tell(DOCKER)
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(preview())
        await entered.wait()
        assert await scene.shown() == ""
        task.cancel()
        await asyncio.wait({task})
        assert scene.told == ["+sandbox", "-sandbox"]

    async def test_the_approval_is_shown_again_after_a_wait_beside_it(self, scene: Scene) -> None:
        machine = await scene.machine(AgentState.BLUEPRINTING)
        approval = Waiting("approval", None, "The plan waits for your approval.")
        await machine.move(AgentState.AWAITING_APPROVAL, "ready", waiting=approval)
        async with scene.wait("sandbox") as wait:
            await wait.tell(DOCKER)
            assert await scene.shown() == "approval"
        assert scene.told[2:] == ["+sandbox", "-sandbox", "+approval"]

    async def test_a_cancelled_wait_is_found_again_until_the_run_goes_on(
        self, scene: Scene
    ) -> None:
        machine = await scene.machine(AgentState.INSTALLING_DEPS)
        entered = asyncio.Event()

        async def install() -> None:
            async with scene.wait("sandbox") as wait:
                await wait.tell(DOCKER)
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(install())
        await entered.wait()
        task.cancel()
        await asyncio.wait({task})
        assert await scene.shown() == "sandbox"
        await machine.end_waiting()
        await machine.end_waiting()
        assert await scene.shown() == ""
        assert scene.told == ["+sandbox", "-sandbox"]


class TestWaitUntil:
    async def test_it_goes_on_when_it_is_so(self, scene: Scene) -> None:
        await scene.machine(AgentState.INSTALLING_DEPS)
        looks = iter([False, DOWN, False, True])

        async def ready() -> bool:
            look = next(looks)
            if isinstance(look, VibeDeskError):
                raise look
            return look

        await wait_until(
            scene.access, ready, DOWN, reason="sandbox", message=DOCKER, every=0.001, at_most=60
        )
        assert next(looks, None) is None
        assert await scene.shown() == ""
        assert scene.told == ["+sandbox", "-sandbox"]

    async def test_patience_ends_with_what_went_wrong(self, scene: Scene) -> None:
        await scene.machine(AgentState.INSTALLING_DEPS)

        async def ready() -> bool:
            return False

        with pytest.raises(SandboxEngineDownError) as raised:
            await wait_until(
                scene.access,
                ready,
                DOWN,
                reason="sandbox",
                message=DOCKER,
                every=0.001,
                at_most=0.02,
            )
        assert raised.value is DOWN
        assert await scene.shown() == ""
        assert scene.told == ["+sandbox", "-sandbox"]


class TestTakePlace:
    async def test_where_there_is_room_nothing_is_told(self, scene: Scene) -> None:
        slots = Slots(1)
        place = await take_place(scene.access, slots)
        assert slots.holders == (scene.access.project_id,)
        place.release()
        assert scene.told == []

    async def test_the_place_in_line_is_told_in_words(self, scene: Scene) -> None:
        await scene.machine(AgentState.BLUEPRINTING)
        slots = Slots(1)
        working = await slots.acquire("working")
        first = asyncio.create_task(slots.acquire("first"))
        taking = asyncio.create_task(take_place(scene.access, slots, "sandbox"))
        messages = []
        async for event in scene.subscription:
            match event.payload:
                case Waiting(message=message) if not messages:
                    messages.append(message)
                    working.release()
                case Waiting(message=message):
                    messages.append(message)
                    (await first).release()
                case Resumed():
                    break
        assert messages == [
            "Waiting for a free sandbox: 2nd in line.",
            "Waiting for a free sandbox: 1st in line.",
        ]
        assert (await taking).key == scene.access.project_id


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (22, "22nd"), (113, "113th")],
)  # fmt: skip
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word


# -- agents in line ------------------------------------------------------------------------------------------


async def start_two(desk: Desk, server: ModelServer) -> tuple[str, str]:
    """Begin two builds where one may run; return them, the first writing a file and the second in line."""
    desk.services.agents.places.limit = 1
    script_tiny_app(server)
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    first, second = await desk.create(), await desk.create()
    await desk.engine.generate(first)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.generate(second)
    await desk.until(lambda e: e.type == "waiting")
    return first, second


def of_project(desk: Desk, project_id: str, *kinds: str) -> list[str]:
    return [e.type for e in desk.events if e.project_id == project_id and e.type in kinds]


async def test_the_next_build_begins_when_one_is_done(desk: Desk, server: ModelServer) -> None:
    first, second = await start_two(desk, server)
    view = await desk.engine.project(second)
    assert view.state == "blueprinting"
    assert view.running
    assert view.waiting is not None
    assert (view.waiting.reason, view.waiting.until) == ("slot", None)
    assert view.waiting.message == "Waiting for a free place: 1st in line."
    assert len(server.requests_for("blueprint")) == 1
    server.release()
    await desk.engine.wait(first)
    await desk.engine.wait(second)
    for project_id in (first, second):
        view = await desk.engine.project(project_id)
        assert view.state == "complete", view.reason
        assert view.waiting is None
    assert of_project(desk, first, "waiting", "resumed") == []
    assert of_project(desk, second, "waiting", "resumed", "blueprint_ready") == [
        "waiting",
        "resumed",
        "blueprint_ready",
    ]


async def test_a_higher_limit_lets_the_next_one_begin_at_once(
    desk: Desk, server: ModelServer
) -> None:
    first, second = await start_two(desk, server)

    async def raise_limit() -> None:
        desk.services.agents.places.limit = 2

    await desk.engine._call(raise_limit())
    await desk.until(lambda e: e.project_id == second and e.type == "blueprint_ready")
    assert await desk.state(first) == "implementing_phase"
    server.release()
    await desk.engine.wait(first)
    await desk.engine.wait(second)


async def test_who_is_stopped_in_line_leaves_it(desk: Desk, server: ModelServer) -> None:
    first, second = await start_two(desk, server)
    await desk.engine.cancel(second)
    view = await desk.engine.project(second)
    assert (view.state, view.waiting) == ("idle", None)
    assert of_project(desk, second, "waiting", "resumed") == ["waiting", "resumed"]
    assert desk.services.agents.places.line == ()
    server.release()
    await desk.engine.wait(first)
    await desk.engine.resume(second)
    await desk.engine.wait(second)
    assert await desk.state(second) == "complete"


async def test_who_was_in_line_when_the_program_ended_is_shown_so_and_resumed(
    leftovers: Leftovers, desk: Desk, server: ModelServer, home: Home
) -> None:
    first, second = await start_two(desk, server)
    await desk.engine.shutdown()
    assert not leftovers()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        view = await engine.project(second)
        assert view.state == "blueprinting"
        assert view.can_continue
        assert view.waiting is not None
        assert view.waiting.reason == "slot"
        subscription = await engine.subscribe(second)
        await engine.resume(second)
        await engine.wait(second)
        assert "resumed" in [event.type for event in subscription.drain()]
        view = await engine.project(second)
        assert view.state == "complete", view.reason
        assert view.waiting is None
        server.answer("".join(FIRST), operation="continue")
        await engine.resume(first)
        await engine.wait(first)
        view = await engine.project(first)
        assert view.state == "complete", view.reason
    finally:
        await engine.shutdown()


async def test_the_app_is_needed_during_a_run_and_not_after_it(desk: Desk) -> None:
    told: list[bool] = []
    desk.services.agents._on_work = lambda _project_id, busy: told.append(busy)
    project_id = await desk.build()
    assert told == [True, False]
    await desk.engine.stop_all()
    await desk.engine.start_preview(project_id)
    assert told == [True, False, True, False]
