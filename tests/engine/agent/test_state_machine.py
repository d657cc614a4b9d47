"""The state machine goes exactly where the contract says, and a refused move changes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import product

import pytest

from vibedesk.base.errors import StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import Notice
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.models.project_router import ProjectRouter
from vibedesk.engine.models.router import ModelRouter
from vibedesk.engine.states import AgentState, InvalidTransition
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore

# engine.md §2, word for word.
CONTRACT = {
    "idle": "blueprinting planning_phase implementing_phase installing_deps starting_server reviewing fixing finalizing",
    "blueprinting": "awaiting_approval planning_phase installing_deps implementing_phase idle error",
    "awaiting_approval": "planning_phase installing_deps implementing_phase blueprinting idle error",
    "planning_phase": "installing_deps implementing_phase complete idle error",
    "implementing_phase": "installing_deps starting_server reviewing idle error",
    "installing_deps": "implementing_phase starting_server reviewing idle error",
    "starting_server": "reviewing idle error",
    "reviewing": "fixing starting_server finalizing idle error",
    "fixing": "reviewing installing_deps starting_server idle error",
    "finalizing": "planning_phase implementing_phase complete idle error",
    "complete": "blueprinting planning_phase implementing_phase installing_deps starting_server reviewing fixing idle",
    "error": "idle",
}


@pytest.fixture
async def access(home: Home) -> AsyncIterator[ProjectAccess]:
    database = Database.open(home, write=True)
    store = ProjectStore()
    bus = EventBus(database, store)
    record = await database.run(
        lambda: store.create({"name": "a", "wish": "a", "folder": "a", "template": "react-vite"})
    )
    files = ProjectFiles(database, record.id)

    async def no_models() -> ModelRouter:
        return ModelRouter([])

    yield ProjectAccess(
        project_id=record.id,
        database=database,
        store=store,
        bus=bus,
        files=files,
        drafts=Drafts(database, record.id, files),
        router=ProjectRouter(no_models),
        template=load_template("react-vite"),
    )
    bus.close()
    database.close()


async def machine_in(access: ProjectAccess, state: str, failed: str | None = None) -> StateMachine:
    def put() -> StateMachine:
        access.store.update(
            access.project_id,
            state=AgentState(state),
            failed_state=AgentState(failed) if failed else None,
        )
        return StateMachine(access.store.get(access.project_id), access)

    return await access.read(put)


def everything_stored(home: Home) -> list[str]:
    with closing(sqlite3.connect(home.database)) as connection:
        return list(connection.iterdump())


async def test_every_pair_of_states(access: ProjectAccess, home: Home) -> None:
    assert set(CONTRACT) == {state.value for state in AgentState}
    for source, target in product(CONTRACT, CONTRACT):
        machine = await machine_in(access, source)
        before = everything_stored(home)

        def work(emit: Emit) -> None:
            access.store.update(access.project_id, title="changed")
            emit(Notice("changed", "changed"))

        if target in CONTRACT[source].split():
            await machine.move(AgentState(target), "because", work)
            record = await access.read(lambda: access.store.get(access.project_id))
            assert machine.state == record.state == target
            assert record.state_reason == "because"
            assert record.failed_state == (source if target == "error" else None)
        else:
            with pytest.raises(InvalidTransition):
                await machine.move(AgentState(target), "because", work)
            assert machine.state == source
            assert everything_stored(home) == before


@pytest.mark.parametrize("failed", [s for s in CONTRACT if "error" in CONTRACT[s].split()])
async def test_error_leads_back_to_the_state_that_failed_and_no_other(
    failed: str, access: ProjectAccess
) -> None:
    for target in CONTRACT:
        machine = await machine_in(access, "error", failed)
        if target in ("idle", failed):
            await machine.move(AgentState(target), "again")
            assert machine.failed is None
        else:
            with pytest.raises(InvalidTransition):
                await machine.move(AgentState(target), "again")


async def test_a_cancelled_move_is_known_to_the_machine(access: ProjectAccess) -> None:
    machine = await machine_in(access, "reviewing")
    moving = asyncio.create_task(machine.move(AgentState.FINALIZING, "the page answers"))
    await asyncio.sleep(0)
    moving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await moving
    record = await access.read(lambda: access.store.get(access.project_id))
    assert machine.state == record.state


async def test_a_failed_move_leaves_state_and_machine_as_they_were(
    access: ProjectAccess, home: Home
) -> None:
    machine = await machine_in(access, "reviewing")
    before = everything_stored(home)

    def fail(emit: Emit) -> None:
        emit(Notice("never told", "x"))
        raise StorageError("full")

    with pytest.raises(StorageError):
        await machine.move(AgentState.FINALIZING, "no", fail)
    assert machine.state is AgentState.REVIEWING
    assert everything_stored(home) == before


async def test_two_machines_of_one_project_cannot_both_make_a_move(access: ProjectAccess) -> None:
    first, second = await machine_in(access, "idle"), await machine_in(access, "idle")
    await first.move(AgentState.BLUEPRINTING, "a wish")
    with pytest.raises(InvalidTransition):
        await second.move(AgentState.BLUEPRINTING, "a wish")


async def test_what_the_run_remembers_is_stored_with_the_move(access: ProjectAccess) -> None:
    machine = await machine_in(access, "implementing_phase")
    machine.memory.packages = ["left-pad@1"]
    machine.memory.after_install = "starting_server"
    await machine.move(AgentState.INSTALLING_DEPS, "the files are written")
    record = await access.read(lambda: access.store.get(access.project_id))
    assert StateMachine(record, access).memory == machine.memory
