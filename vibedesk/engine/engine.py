"""The engine's public face: everything a window or a terminal may ask.

The engine runs on an event loop of its own in a background thread. Its methods may be awaited from any
event loop; they answer with acceptance or a `VibeDeskError`, and what follows comes as events to
subscribers. `Engine` only hands over to `EngineServices`, which lives on the engine's loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from vibedesk.base.paths import Home
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.services import EngineServices
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.views import (
    DoctorView,
    FileView,
    ProjectCardView,
    ProjectView,
    ProviderView,
    SampleView,
    VersionView,
)

T = TypeVar("T")


class Engine:
    """One running engine on one home.

    Args:
        home: Where the data lives.
        write: Take the home for this process; without it only what reads works, and no lock is needed.
    """

    def __init__(self, home: Home, *, write: bool = True) -> None:
        self.home = home
        self._write = write
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._own, name="engine", daemon=True)
        self._services: EngineServices | None = None
        self._stopped = False

    # -- life -------------------------------------------------------------------------------------
    def start(self) -> None:
        """Open the home and begin to work; blocks until it is open.

        Raises:
            HomeLockedError, SchemaTooNewError, StorageError: the home cannot be used; nothing was changed.
        """
        self._thread.start()
        try:
            future = asyncio.run_coroutine_threadsafe(
                EngineServices.open(self.home, write=self._write), self._loop
            )
            self._services = future.result()
        except BaseException:
            self._end_loop()
            raise

    async def shutdown(self) -> None:
        """Stop every run and process, save, release the home. Runs can be resumed later. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        if self._services is not None:
            await self._call(self._services.aclose())
        await asyncio.to_thread(self._end_loop)

    def shutdown_blocking(self) -> None:
        """As `shutdown`, for a thread without an event loop."""
        if self._stopped:
            return
        self._stopped = True
        if self._services is not None:
            asyncio.run_coroutine_threadsafe(self._services.aclose(), self._loop).result()
        self._end_loop()

    # -- the library --------------------------------------------------------------------------------
    async def projects(self) -> list[ProjectCardView]:
        """Return every project, last changed first."""
        return await self._call(self._ours.projects())

    async def resolve(self, reference: str) -> str:
        """Return the id of the project that an id, a unique prefix of one, or a name means."""
        return await self._call(self._ours.resolve(reference))

    async def project(self, project_id: str) -> ProjectView:
        """Return the project as it stands now."""
        return await self._call(self._ours.project(project_id))

    async def files(self, project_id: str) -> list[FileView]:
        return await self._call(self._ours.files(project_id))

    async def read_file(self, project_id: str, path: str) -> str:
        return await self._call(self._ours.read_file(project_id, path))

    async def samples(self) -> list[SampleView]:
        """Return the recorded examples that ship with VibeDesk."""
        return await self._call(self._ours.samples())

    async def create(self, wish: str, options: ProjectOptions | None = None) -> str:
        """Make a project for `wish` and return its id; nothing is built yet.

        Raises:
            InvalidInputError: the wish is empty.
            NoModelError: no model is set up.
            ConsentRequiredError: the app's code would run with the person's own rights, and nobody agreed yet.
        """
        return await self._call(self._ours.create(wish, options or ProjectOptions()))

    async def open(self, project_id: str) -> None:
        """Begin to show a project: load its agent, and start the preview of one that is at rest."""
        await self._call(self._ours.open_project(project_id))

    async def close(self, project_id: str) -> None:
        """Stop showing a project; an agent without run and view goes with the next sweep."""
        await self._call(self._ours.close_project(project_id))

    async def delete_project(self, project_id: str) -> str:
        """Move the project's folder to the trash and forget the project; return what became of the folder."""
        return await self._call(self._ours.delete_project(project_id))

    async def export(self, project_id: str, destination: Path) -> int:
        """Copy the project's files to a new or empty folder; return how many."""
        return await self._call(self._ours.export(project_id, destination))

    # -- the run ------------------------------------------------------------------------------------
    async def generate(self, project_id: str) -> None:
        """Start the build of a fresh project."""
        await self._call(self._ours.generate(project_id))

    async def approve(self, project_id: str, blueprint: dict[str, Any] | None = None) -> None:
        """Accept the blueprint (with edits) and build it."""
        await self._call(self._ours.approve(project_id, blueprint))

    async def edit_blueprint(self, project_id: str, changes: dict[str, Any]) -> None:
        """Change fields of the blueprint that waits for approval."""
        await self._call(self._ours.edit_blueprint(project_id, changes))

    async def grant_host(self, project_id: str, host: str) -> list[str]:
        """Let the previewed app reach `host` (or host:port) from now on; return every granted host."""
        return await self._call(self._ours.grant_host(project_id, host))

    async def say(self, project_id: str, text: str) -> str:
        """Say something to the project; return the message's id. The answer comes as events."""
        # Leaving the project in the same moment must not cut off what was said before it is stored.
        return await asyncio.shield(self._call(self._ours.say(project_id, text)))

    async def resume(self, project_id: str, *, budget: float | None = None) -> None:
        """Go on where a run was cut off, stopped or failed; `budget` (USD in all) replaces the old one."""
        await self._call(self._ours.resume(project_id, budget))

    async def cancel(self, project_id: str) -> None:
        """Stop the project's run now; everything finished is kept."""
        await self._call(self._ours.cancel(project_id))

    async def stop_all(self) -> None:
        """Stop every run and every sandbox."""
        await self._call(self._ours.stop_all())

    async def running(self) -> list[str]:
        """Return the projects that are being built right now."""
        return await self._call(self._ours.running())

    async def wait(self, project_id: str) -> None:
        """Wait until nothing runs for the project and no message is unanswered."""
        await self._call(self._ours.wait(project_id))

    async def start_preview(self, project_id: str) -> str:
        """Start the app of a project at rest; return its URL."""
        return await self._call(self._ours.start_preview(project_id))

    # -- files and versions -------------------------------------------------------------------------
    async def updates_since(self, project_id: str, version: int) -> tuple[int, list[bytes]]:
        """Return (version now, document updates after `version`) for a replica."""
        return await self._call(self._ours.updates_since(project_id, version))

    async def apply_update(self, project_id: str, update: bytes) -> int:
        """Take in an edit that the person made in a replica; return the new version."""
        return await self._call(self._ours.apply_update(project_id, update))

    async def create_file(self, project_id: str, path: str, text: str = "") -> int:
        return await self._call(self._ours.create_file(project_id, path, text))

    async def rename_file(self, project_id: str, path: str, new_path: str) -> int:
        """Give a file, or a folder with all files in it, another path; return the new version."""
        return await self._call(self._ours.rename_file(project_id, path, new_path))

    async def delete_file(self, project_id: str, path: str) -> int:
        """Delete a file, or a folder with all files in it; return the new version."""
        return await self._call(self._ours.delete_file(project_id, path))

    async def history(self, project_id: str) -> list[VersionView]:
        """Return the kept versions, newest first."""
        return await self._call(self._ours.history(project_id))

    async def snapshot(self, project_id: str, label: str) -> VersionView:
        """Keep a version now; where nothing changed, the newest one is returned."""
        return await self._call(self._ours.snapshot(project_id, label))

    async def restore(self, project_id: str, commit: str) -> VersionView:
        """Bring a version back; what came after stays in the history."""
        return await self._call(self._ours.restore(project_id, commit))

    # -- events and settings --------------------------------------------------------------------------
    async def subscribe(
        self, project_id: str, on_ready: Callable[[], None] | None = None
    ) -> Subscription:
        """Listen to a project: first a snapshot, then every event after it, in order."""
        return await self._call(self._ours.subscribe(project_id, on_ready))

    async def unsubscribe(self, subscription: Subscription) -> None:
        await self._call(self._ours.unsubscribe(subscription))

    async def setting(self, key: str, default: Any = None) -> Any:
        return await self._call(self._ours.setting(key, default))

    async def set_setting(self, key: str, value: Any) -> None:
        await self._call(self._ours.set_setting(key, value))

    async def providers(self) -> list[ProviderView]:
        """Return the model providers with what is there and what is missing."""
        return await self._call(self._ours.providers())

    async def set_up_provider(
        self, name: str, *, key: str = "", base_url: str = "", model: str = ""
    ) -> None:
        """Keep a provider's key in the OS keychain, its address and model in the settings, and use it."""
        await self._call(self._ours.set_up_provider(name, key=key, base_url=base_url, model=model))

    async def grant_consent(self) -> None:
        """The person agrees that apps run with their own rights where nothing better is there."""
        await self._call(self._ours.grant_consent())

    async def doctor(self) -> DoctorView:
        """Return what is there, what is missing, and how to get it."""
        return await self._call(self._ours.doctor())

    # -- the hand-over ------------------------------------------------------------------------------
    @property
    def _ours(self) -> EngineServices:
        if self._services is None:
            raise RuntimeError("the engine is not started")
        return self._services

    async def _call(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await asyncio.wrap_future(future)

    def _own(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _end_loop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
