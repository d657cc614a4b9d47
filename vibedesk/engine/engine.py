"""The engine's public face: everything a window or a terminal may ask.

The engine runs on an event loop of its own in a background thread. Its methods may be awaited from any
event loop; they answer with acceptance or a `VibeDeskError`, and what follows comes as events to
subscribers. `Engine` only hands over to `EngineServices`, which lives on the engine's loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from vibedesk.base.paths import Home
from vibedesk.engine.inspector import write_bug_report
from vibedesk.engine.project_options import ImageFile, ProjectOptions
from vibedesk.engine.services import EngineServices
from vibedesk.engine.store.file_marks import FileMark
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.views import (
    BugReportView,
    ConnectionView,
    DeletedView,
    DiscoveredServerView,
    DoctorView,
    EstimateView,
    FileView,
    ModelView,
    ProjectCardView,
    ProjectView,
    ProposalView,
    ProviderView,
    ReadinessView,
    RouteStepView,
    RoutesView,
    SampleView,
    SandboxView,
    SecretsView,
    StoredView,
    TemplateView,
    UsageReport,
    VariableView,
    VersionBase,
    VersionDiffView,
    VersionView,
)

T = TypeVar("T")


class Engine:
    """One running engine on one home.

    Args:
        home: Where the data lives.
        write: Take the home for this process; without it only what reads works, and no lock is needed.
        attended: A person looks on: a run that needs them (questions, the budget) waits; else it ends idle.
    """

    def __init__(self, home: Home, *, write: bool = True, attended: bool = False) -> None:
        self.home = home
        self._write = write
        self._attended = attended
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
                EngineServices.open(self.home, write=self._write, attended=self._attended),
                self._loop,
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

    async def templates(self) -> list[TemplateView]:
        """Return the starters: the bundled ones, the default one first, then the person's own."""
        return await self._call(self._ours.library.views())

    async def add_template(self, source: str) -> TemplateView:
        """Keep a starter of the person's own: a folder (absolute or `~`), or a git address, `address@branch`.

        Its template.json describes it; without one its package.json or pyproject.toml has to say enough. The same
        source again replaces what was kept of it.

        Raises:
            InvalidInputError: it cannot be used, or the address is none or holds a password.
            NotFoundError: there is no such folder, repository or branch.
        """
        return await self._call(self._ours.library.add(source))

    async def remove_template(self, name: str) -> None:
        """Forget a starter of the person's own.

        Raises:
            NotFoundError: there is none of their own with that name.
            NotAllowedNowError: projects use it.
        """
        await self._call(self._ours.library.remove(name))

    async def create(
        self,
        wish: str,
        options: ProjectOptions | None = None,
        images: Sequence[ImageFile] = (),
    ) -> str:
        """Make a project for `wish`, with images of what is meant, and return its id; nothing is built yet.

        Raises:
            InvalidInputError: the wish is empty, its mode is none that there is, or an image cannot be used.
            NoModelError: no model is set up.
            ConsentRequiredError: the app's code would run with the person's own rights, and nobody agreed yet.
        """
        return await self._call(self._ours.create(wish, options or ProjectOptions(), images))

    async def open(self, project_id: str) -> None:
        """Begin to show a project: load its agent, and start the preview of one that is at rest."""
        await self._call(self._ours.open_project(project_id))

    async def close(self, project_id: str) -> None:
        """Stop showing a project; an agent without run and view goes with the next sweep."""
        await self._call(self._ours.close_project(project_id))

    async def delete_project(self, project_id: str) -> DeletedView:
        """Move the project's folder to the trash and forget the project; return what became of it."""
        return await self._call(self._ours.delete_project(project_id))

    async def export(self, project_id: str, destination: Path) -> int:
        """Copy the project's files to a new or empty folder; return how many."""
        return await self._call(self._ours.export(project_id, destination))

    # -- the run ------------------------------------------------------------------------------------
    async def generate(self, project_id: str) -> None:
        """Start the build of a fresh project."""
        await self._complete(self._ours.generate(project_id))

    async def approve(self, project_id: str, blueprint: dict[str, Any] | None = None) -> None:
        """Accept the blueprint (with edits) and build it."""
        await self._complete(self._ours.approve(project_id, blueprint))

    async def edit_blueprint(self, project_id: str, changes: dict[str, Any]) -> None:
        """Change fields of the blueprint: any while it waits for approval, later what counts for phases to come.

        Objects in `changes` are merged into the present ones, lists and texts replace them. Another `template` lays
        out that starter. While the app is built, `acceptance_checks` and the part of `implementation_roadmap` that no
        phase was begun for may be changed; the next plan heeds it.

        Raises:
            InvalidInputError: a change cannot be made; `details` has its `field` and the `reason`.
            NotAllowedNowError: it is too late for this field, or there is no blueprint.
        """
        await self._complete(self._ours.edit_blueprint(project_id, changes))

    async def replan(self, project_id: str) -> None:
        """Have the blueprint that waits for approval made anew around the person's edits, which stay word for word."""
        await self._complete(self._ours.replan(project_id))

    async def answer(self, project_id: str, answers: Sequence[str | None] | None) -> None:
        """Answer what was asked before the plan, in order; None or empty skips a question, None alone all of them.

        Raises:
            NotAllowedNowError: nothing is asked.
            InvalidInputError: there are more answers than questions.
        """
        await self._complete(self._ours.answer(project_id, answers))

    async def check_images(self, images: Sequence[ImageFile], *, beside: int = 0) -> None:
        """Look whether these images can go with a message that has `beside` others; nothing is kept.

        Raises:
            InvalidInputError: there would be too many, or one cannot be used.
        """
        await self._call(self._ours.attachments.check(images, beside))

    async def attachment(self, project_id: str, attachment_id: str) -> bytes:
        """Return the bytes of an image that came with the wish or a message, as it is kept (PNG or JPEG)."""
        return await self._call(self._ours.attachment(project_id, attachment_id))

    async def grant_host(self, project_id: str, host: str) -> list[str]:
        """Let the previewed app reach `host` (or host:port) from now on; return every granted host."""
        return await self._call(self._ours.hosts.grant(project_id, host))

    async def say(self, project_id: str, text: str, images: Sequence[ImageFile] = ()) -> str:
        """Say something to the project, with images; return the message's id. The answer comes as events.

        Raises:
            InvalidInputError: it is empty, or an image cannot be used.
        """
        return await self._complete(self._ours.say(project_id, text, images))

    async def pause(self, project_id: str) -> None:
        """Have the project's run wait as soon as its present step is done, until `resume`; nothing is lost.

        Raises:
            NotAllowedNowError: no run is under way.
        """
        await self._complete(self._ours.pause(project_id))

    async def resume(self, project_id: str, *, budget: float | None = None) -> None:
        """Go on where a run was cut off, paused, stopped or failed; `budget` (USD in all) replaces the old one."""
        await self._complete(self._ours.resume(project_id, budget))

    async def set_budget(self, project_id: str, budget: float | None) -> None:
        """Replace the most that may be spent, in USD in all (None: no limit); a run that waits for it goes on."""
        await self._complete(self._ours.set_budget(project_id, budget))

    async def usage(self, project_id: str | None = None, days: int | None = None) -> UsageReport:
        """Return the model calls of a project, or of all, in the last `days` days with today, or ever."""
        return await self._call(self._ours.usage.report(project_id, days))

    async def estimate(self, wish: str, options: ProjectOptions | None = None) -> EstimateView:
        """Return what building `wish` will cost; nothing is asked or stored for that."""
        return await self._call(self._ours.estimates.estimate(wish, options or ProjectOptions()))

    async def cancel(self, project_id: str) -> None:
        """Stop the project's run now; everything finished is kept."""
        await self._complete(self._ours.cancel(project_id))

    async def stop_all(self) -> None:
        """Stop every run and every sandbox; what does not stop within seconds is given up.

        Raises:
            VibeDeskError: one could not be stopped in order, after all the others were.
        """
        await self._call(self._ours.stop_all())

    async def running(self) -> list[str]:
        """Return the projects that are being built right now."""
        return await self._call(self._ours.running())

    async def wait(self, project_id: str) -> None:
        """Wait until nothing runs for the project and no message is unanswered."""
        await self._call(self._ours.wait(project_id))

    async def start_preview(self, project_id: str) -> str:
        """Start the app of a project at rest, or whose run is paused; return its URL."""
        return await self._call(self._ours.start_preview(project_id))

    # -- the sandbox ----------------------------------------------------------------------------------
    async def keep_sandboxes_warm(self) -> None:
        """Have a sandbox ready in the background for the next new project; for programs that stay up."""
        await self._call(self._ours.keep_sandboxes_warm())

    async def sandbox(self, project_id: str) -> SandboxView:
        """Return the project's sandbox with what it uses now; takes some milliseconds to a second."""
        return await self._call(self._ours.sandbox(project_id))

    async def restart_sandbox(self, project_id: str) -> str:
        """End everything inside and start the app again; return its URL. Files and packages stay."""
        return await self._call(self._ours.restart_sandbox(project_id))

    async def stop_sandbox(self, project_id: str) -> None:
        """End everything inside. A run that is under way is not stopped by this and starts it again."""
        await self._call(self._ours.stop_sandbox(project_id))

    async def rebuild_sandbox(self, project_id: str) -> str:
        """Remove the sandbox and make it anew from the project's files; return the app's URL.

        What the app itself stored inside (its database) is gone with it.
        """
        return await self._call(self._ours.rebuild_sandbox(project_id))

    async def sandbox_shell(self, project_id: str) -> list[str]:
        """Return the command that opens a shell in the project's running sandbox.

        Raises:
            NotAllowedNowError: it does not run.
        """
        return await self._call(self._ours.sandbox_shell(project_id))

    async def set_sandbox_options(
        self,
        project_id: str,
        *,
        sandbox: str | None = None,
        size: str | None = None,
        network: str | None = None,
    ) -> None:
        """Change the kind (auto, docker, local), the size or the network (registries, none) of a project's sandbox.

        The network counts at once, kind and size with the next start. What the app stored stays in the kind of sandbox
        that it leaves, and is there again when it comes back.

        Raises:
            ConsentRequiredError: its code would run with the person's own rights here, and they did not agree to that.
        """
        await self._call(
            self._ours.set_sandbox_options(project_id, sandbox=sandbox, size=size, network=network)
        )

    async def refuse_host(self, project_id: str, host: str) -> None:
        """Remember that the person does not want the app to reach `host`: it is not asked for again."""
        await self._call(self._ours.hosts.refuse(project_id, host))

    async def kept_for_sandboxes(self) -> list[StoredView]:
        """Return what is kept for sandboxes on disk, with sizes."""
        return await self._call(self._ours.kept_for_sandboxes())

    async def clean_sandboxes(self, *, older_than_days: int) -> int:
        """Remove what no sandbox used for so many days, never a project; return the bytes that became free."""
        return await self._call(self._ours.clean_sandboxes(older_than_days))

    # -- looking inside -------------------------------------------------------------------------------
    async def inspect(self, project_id: str) -> dict[str, Any]:
        """Return the project's view and everything else that is stored and known of it, without secrets, as JSON."""
        return await self._call(self._ours.inspector.inspect(project_id))

    async def bug_report(self, project_id: str | None = None) -> BugReportView:
        """Return what a bug report would have, to be looked at; nothing is written."""
        return await self._call(self._ours.inspector.bug_report(project_id))

    async def write_bug_report(self, report: BugReportView, destination: Path) -> None:
        """Write a report as a ZIP file.

        Raises:
            InvalidInputError: there is a file already.
        """
        await asyncio.to_thread(write_bug_report, report, destination)

    async def stored(self) -> list[StoredView]:
        """Return what is kept on disk beside the projects, with sizes: for sandboxes, logs, database, caches."""
        return await self._call(self._ours.housekeeping.stored())

    async def clean(self, *, older_than_days: int) -> int:
        """Let go what was not used for so many days, never a project; return the bytes that became free."""
        return await self._call(self._ours.housekeeping.clean(older_than_days))

    # -- variables and secrets ------------------------------------------------------------------------
    async def variables(self, project_id: str) -> list[VariableView]:
        """Return the app's own variables by name, those that were asked for included."""
        return await self._call(self._ours.variables.views(project_id))

    async def set_variable(
        self,
        project_id: str,
        name: str,
        value: str | None,
        *,
        secret: bool = True,
        consent: bool = False,
    ) -> None:
        """Add or change a variable; `value` None leaves the one it has. With `consent` the app's server gets it.

        Raises:
            InvalidInputError: the name is none or not for apps, or the value cannot be one.
            SecretsLockedError: there is no keychain and no passphrase was given yet (`unlock_secrets`).
        """
        await self._call(
            self._ours.set_variable(project_id, name, value, secret=secret, consent=consent)
        )

    async def remove_variable(self, project_id: str, name: str) -> None:
        """Forget a variable and its value."""
        await self._call(self._ours.remove_variable(project_id, name))

    async def secrets_state(self) -> SecretsView:
        """Return where keys and the apps' secrets are kept, and whether a passphrase is needed."""
        return await self._call(self._ours.secrets_state())

    async def unlock_secrets(self, passphrase: str) -> SecretsView:
        """Open the encrypted file that keeps secrets where there is no keychain; the first time it is made.

        Raises:
            WrongPassphraseError: it does not open the file.
            InvalidInputError: it is too short for a new file.
        """
        return await self._call(self._ours.unlock_secrets(passphrase))

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

    async def mark_file(self, project_id: str, path: str, mark: FileMark, on: bool) -> None:
        """Say that a file is locked (no model writes it), pinned (every request has it) or excluded, or take it back.

        Raises:
            NotFoundError: there is no such file.
            NotAllowedNowError: a new file that is still being written cannot be locked.
        """
        await self._call(self._ours.mark_file(project_id, path, mark, on=on))

    async def lock_file(self, project_id: str, path: str, locked: bool) -> None:
        """As `mark_file` with `locked`."""
        await self.mark_file(project_id, path, "locked", locked)

    async def edit_queue(self, project_id: str, wish_id: str, text: str | None) -> None:
        """Give a queued wish another text, or take it back (None).

        Raises:
            NotFoundError: it is not in the queue any more.
            NotAllowedNowError: a phase is at work on it.
        """
        await self._call(self._ours.edit_queue(project_id, wish_id, text))

    async def regenerate_file(self, project_id: str, path: str, instructions: str) -> str:
        """Have a file written anew, also beside a run, and return the proposal's id.

        `proposal_ready` tells that it can be looked at; nothing of it is in the file before it is taken over.

        Raises:
            NotFoundError: there is no such file.
            NotAllowedNowError: the file is locked or being written.
        """
        return await self._call(self._ours.regenerate_file(project_id, path, instructions))

    async def proposal(self, project_id: str, proposal_id: str) -> ProposalView:
        return await self._call(self._ours.proposal(project_id, proposal_id))

    async def take_proposal(
        self, project_id: str, proposal_id: str, hunks: Sequence[int] | None = None
    ) -> int:
        """Merge chosen hunks (None: all) of a proposal into the file as it is now; return the new version.

        Raises:
            HunkConflictError (code `hunk_conflict`): the person changed the lines of one of them meanwhile
                (`details['hunk']`: its index); nothing was changed.
            NotAllowedNowError: it is not ready, or the file is locked or being written.
        """
        return await self._call(self._ours.take_proposal(project_id, proposal_id, hunks))

    async def drop_proposal(self, project_id: str, proposal_id: str) -> None:
        """Forget a proposal; one that is being written is stopped."""
        await self._call(self._ours.drop_proposal(project_id, proposal_id))

    async def version_diff(
        self, project_id: str, commit: str, against: VersionBase = "parent"
    ) -> VersionDiffView:
        """Return what a version changed (`parent`), or what has changed since it (`now`)."""
        return await self._call(self._ours.version_diff(project_id, commit, against))

    async def restore_file(self, project_id: str, commit: str, path: str) -> VersionView:
        """Bring one file of a version back; as with `restore`, what came after stays in the history."""
        return await self._call(self._ours.restore_file(project_id, commit, path))

    async def history(self, project_id: str) -> list[VersionView]:
        """Return the kept versions, newest first."""
        return await self._call(self._ours.history(project_id))

    async def snapshot(self, project_id: str, label: str) -> VersionView:
        """Keep a version of the person's now, with a name of theirs or without one."""
        return await self._call(self._ours.snapshot(project_id, label))

    async def restore(self, project_id: str, commit: str) -> VersionView:
        """Bring a version back; what came after stays in the history."""
        return await self._call(self._ours.restore(project_id, commit))

    # -- what is wrong, and mending it ------------------------------------------------------------------
    async def review(self, project_id: str) -> None:
        """Look at an app at rest: tools, page, acceptance checks; what is wrong is mended as after a phase.

        Raises:
            NotAllowedNowError: a run is under way, or nothing is built yet.
        """
        await self._complete(self._ours.mending.review(project_id))

    async def run_checks(self, project_id: str, names: Collection[str] | None = None) -> None:
        """Run the acceptance checks (None: all) on the running app; each one's outcome comes as an event."""
        await self._call(self._ours.mending.run_checks(project_id, names))

    async def stop_checks(self, project_id: str) -> None:
        """Stop checks, build or security review that run on an app at rest; who asked for them is told."""
        await self._call(self._ours.mending.stop_checks(project_id))

    async def check(self, project_id: str, *, security: bool = False) -> ReadinessView:
        """Start the app if it is not up, run all acceptance checks and, with `security`, the security review.

        What a deploy asks first. What is wrong joins the issues; nothing is mended.

        Raises:
            NotAllowedNowError: nothing is built yet, a run is under way, or the browser is switched off.
        """
        return await self._call(self._ours.mending.check(project_id, security=security))

    async def check_picture(self, project_id: str, picture: str) -> bytes:
        """Return the PNG that a check took of the page."""
        return await self._call(self._ours.mending.picture(project_id, picture))

    async def report_runtime_error(
        self, project_id: str, message: str, stack: str = "", source: str = ""
    ) -> None:
        """Tell of an error that the app threw while the person used it in the preview."""
        await self._call(self._ours.mending.report_error(project_id, message, stack, source))

    async def fix(self, project_id: str, signatures: Collection[str] = ()) -> None:
        """Mend issues (none named: all) of an app at rest, also those that were given up or skipped.

        Raises:
            NotAllowedNowError: a run is under way, or there is nothing to mend.
        """
        await self._complete(self._ours.mending.fix(project_id, signatures))

    async def skip_issues(self, project_id: str, signatures: Collection[str] = ()) -> None:
        """Leave issues (none named: all) for later: they lead the next phase; a run that waits for it goes on."""
        await self._complete(self._ours.mending.skip(project_id, signatures))

    async def security_review(self, project_id: str) -> tuple[dict[str, Any], ...]:
        """Look for secrets, dangerous code and vulnerable packages; return the findings, which join the issues.

        They are as in the event `diagnostics`, the gravest first; those that the person skipped are among them.
        """
        return await self._call(self._ours.mending.security(project_id))

    async def debug_transcript(self, project_id: str, session_id: str) -> list[dict[str, Any]]:
        """Return the turns of a debugging session, {turn, role, text} each."""
        return await self._call(self._ours.mending.transcript(project_id, session_id))

    # -- events and settings --------------------------------------------------------------------------
    async def subscribe(
        self, project_id: str, on_ready: Callable[[], None] | None = None
    ) -> Subscription:
        """Listen to a project: first a snapshot, then every event after it, in order."""
        subscription = Subscription(project_id, on_ready)
        try:
            await self._call(self._ours.subscribe(subscription))
        except asyncio.CancelledError:
            # The answer may have been on its way: nobody else could end it.
            subscription.close()
            raise
        return subscription

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
        self, name: str, *, key: str = "", base_url: str = "", model: str = "", use: bool = True
    ) -> None:
        """Keep a provider's key in the OS keychain, its address in the settings; with `use` it is the first to be asked.

        `model` is what it is asked for where a preset names no other. What is not given stays as it is (more:
        `ModelChoices.set_up`).
        """
        await self._call(
            self._ours.model_setup.set_up(name, key=key, base_url=base_url, model=model, use=use)
        )

    async def remove_provider(self, name: str) -> None:
        """Forget a provider's stored key and address; one that the person added goes altogether.

        Raises:
            NotFoundError: there is no such provider.
        """
        await self._call(self._ours.model_setup.remove(name))

    async def model_facts(self, provider: str, models: Sequence[str]) -> list[ModelView]:
        """Return what is known of a provider's models, in order, without asking it."""
        return await self._call(self._ours.model_setup.model_facts(provider, models))

    async def list_models(self, provider: str) -> list[ModelView]:
        """Return the models that a provider offers now; raises what keeps it from telling."""
        return await self._call(self._ours.model_setup.list_models(provider))

    async def test_connection(
        self, provider: str, *, key: str = "", base_url: str = "", model: str = ""
    ) -> ConnectionView:
        """Try a provider, with what is given instead of what is set, and say exactly what is wrong. Keeps nothing.

        It costs a few tokens.
        """
        return await self._call(
            self._ours.model_setup.test_connection(
                provider, key=key, base_url=base_url, model=model
            )
        )

    async def discover_local(
        self, ports: Mapping[str, int] | None = None
    ) -> list[DiscoveredServerView]:
        """Return the model servers on this machine; `ports` by provider replaces the usual ones."""
        return await self._call(self._ours.model_setup.discover_local(ports))

    async def routes(self) -> RoutesView:
        """Return which models answer which operation, in order, and what is missing."""
        return await self._call(self._ours.model_setup.routes())

    async def set_preset(self, name: str) -> None:
        """Answer every operation as a preset (best, balanced, cheap, local, custom) says."""
        await self._call(self._ours.model_setup.set_preset(name))

    async def set_route(self, operation: str, steps: Sequence[RouteStepView]) -> None:
        """Answer an operation by these steps in order; the preset becomes custom. No steps: the usual ones."""
        await self._call(self._ours.model_setup.set_route(operation, steps))

    async def grant_consent(self) -> None:
        """The person agrees that apps run with their own rights where nothing better is there."""
        await self._call(self._ours.grant_consent())

    async def doctor(self, *, browser: bool = True) -> DoctorView:
        """Return what is there, what is missing, and how to get it.

        Args:
            browser: Also start the browser that looks at apps, which takes seconds.
        """
        return await self._call(self._ours.doctor(browser=browser))

    # -- the hand-over ------------------------------------------------------------------------------
    @property
    def _ours(self) -> EngineServices:
        if self._services is None:
            raise RuntimeError("the engine is not started")
        return self._services

    async def _call(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await asyncio.wrap_future(future)

    async def _complete(self, work: Coroutine[Any, Any, T]) -> T:
        """As `_call`, but what was asked is done to its end also when the caller leaves in the same moment."""
        return await asyncio.shield(self._call(work))

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
