"""What each command of the terminal does with the engine."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TextIO

from vibedesk.base.errors import (
    ConsentRequiredError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    VibeDeskError,
)
from vibedesk.base.paths import Home, existing_place, resolve_home
from vibedesk.base.text import whole_text
from vibedesk.engine.engine import Engine
from vibedesk.engine.export import check_destination
from vibedesk.engine.models.samples import get_sample
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.progress import ProgressPrinter

Command = Callable[[Engine, argparse.Namespace], Awaitable[int]]


async def run_command(options: argparse.Namespace) -> int:
    """Run the command named in `options`; return the exit status."""
    command, write = _COMMANDS[options.command]
    if wrong := await asyncio.to_thread(_wrong_use, options):
        _complain(f"vibedesk {options.command}: {wrong}")
        return 2
    home = resolve_home(options.home)
    if options.command != "build" and not home.database.exists():
        return await _without_data(options, home)
    engine = Engine(home, write=write)
    engine.start()
    try:
        return await command(engine, options)
    finally:
        await engine.shutdown()


def _wrong_use(options: argparse.Namespace) -> str:
    """Return what is wrong with the words that were given; empty if nothing is."""
    if options.command == "build" and not options.prompt.strip() and not options.sample:
        return "the prompt is empty. Describe the app you want in a sentence or two."
    if options.command == "build" and options.sample and _asks_for_more(options):
        return (
            f"the recorded example {options.sample} shows only its own app. "
            "Leave out the prompt, or leave out --sample to build your own."
        )
    if options.command == "say" and not options.text.strip():
        return "the message is empty. Write what should change."
    return ""


def _asks_for_more(options: argparse.Namespace) -> bool:
    """Tell whether a wish was given that the recorded example does not show."""
    if not options.prompt.strip():
        return False
    try:
        recorded = get_sample(options.sample).prompt
    except (NotFoundError, InvalidInputError):
        return False  # told when the project is created
    return bool(recorded.split() != options.prompt.split())


async def _without_data(options: argparse.Namespace, home: Home) -> int:
    """Answer commands where nothing was ever stored, without making anything."""
    if options.command == "doctor":
        engine = Engine(home, write=False)
        engine.start()
        try:
            return await _doctor(engine, options)
        finally:
            await engine.shutdown()
    if existing_place(home.root).is_file():
        raise StorageError(
            f"{home.root} is not a folder.", remedy="Choose another data folder with --home."
        )
    if options.command == "projects":
        _say("[]" if options.json else "There are no projects yet.")
        return 0
    raise VibeDeskError(
        f"There is no project {options.project!r}.",
        remedy="`vibedesk projects` lists what there is.",
        code="not_found",
    )


# -- building -------------------------------------------------------------------------------------------
async def _build(engine: Engine, options: argparse.Namespace) -> int:
    if options.out is not None:
        check_destination(options.out)
    wanted = ProjectOptions(
        template=options.template,
        provider=options.provider,
        model=options.model,
        sample=options.sample,
        sandbox=options.sandbox,
        max_phases=options.max_phases,
        budget=options.budget,
    )
    project_id = await _create(engine, options.prompt, wanted)

    async def copy_out() -> None:
        if options.out is not None:
            count = await engine.export(project_id, options.out)
            _complain_unless_json(options, f"{count} files copied to {options.out}")

    return await _follow(
        engine,
        project_id,
        lambda: engine.generate(project_id),
        options,
        needs_complete=True,
        when_done=copy_out,
    )


async def _create(engine: Engine, prompt: str, wanted: ProjectOptions) -> str:
    try:
        return await engine.create(prompt, wanted)
    except ConsentRequiredError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        _complain(error.message)
        answer = await asyncio.to_thread(_ask, "Run it all the same? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            raise
        await engine.grant_consent()
        return await engine.create(prompt, wanted)


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()


async def _resume(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    return await _follow(
        engine,
        project_id,
        lambda: engine.resume(project_id, budget=options.budget),
        options,
        needs_complete=True,
    )


async def _say_to(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)

    async def begin() -> None:
        await engine.say(project_id, options.text)

    return await _follow(engine, project_id, begin, options, needs_complete=False)


async def _follow(
    engine: Engine,
    project_id: str,
    begin: Callable[[], Awaitable[None]],
    options: argparse.Namespace,
    *,
    needs_complete: bool,
    when_done: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Start something, show what happens until it is over, and return the exit status.

    Args:
        engine: Does it.
        project_id: Whose events are shown.
        begin: Starts it.
        options: Of the command: `json`, `serve`.
        needs_complete: Only a complete app is a success; else also one where nothing was to be built.
        when_done: What follows success, before the app is served.
    """
    printer = ProgressPrinter(sys.stdout, as_json=options.json)
    subscription = await engine.subscribe(project_id)

    async def show() -> None:
        async for event in subscription:
            printer.show(event)

    showing = asyncio.create_task(show())
    interrupted = _on_interrupt()
    try:
        await begin()
        waiting = asyncio.ensure_future(engine.wait(project_id))
        done, _ = await asyncio.wait({waiting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        if interrupted in done:
            waiting.cancel()
            await engine.cancel(project_id)
            return 130
        await waiting
        view = await engine.project(project_id)
        failed = printer.failure
        # A message that needed no change leaves a stopped project as it was, and that is a success.
        untouched = (
            not needs_complete
            and not printer.state
            and view.state != "error"
            and not view.open_wishes
        )
        ok = failed is None and (view.state == "complete" or untouched)
        if ok and when_done is not None:
            await when_done()
        if ok and options.serve:
            await _serve(engine, project_id, interrupted, options)
        if not ok and failed is None:
            _complain(f"vibedesk: the run ended before the app was complete: {view.reason}.")
        elif not ok and failed is not None:
            _complain(f"vibedesk: {failed}")
        if view.can_continue and not ok:
            _complain(f"Go on with: vibedesk resume {project_id}")
        return 0 if ok else 1
    finally:
        await engine.unsubscribe(subscription)
        await showing
        printer.close()
        interrupted.cancel()


async def _serve(
    engine: Engine,
    project_id: str,
    interrupted: asyncio.Future[None],
    options: argparse.Namespace,
) -> None:
    url = await engine.start_preview(project_id)
    _complain_unless_json(options, f"Serving {url} until Ctrl-C.")
    await asyncio.wait({interrupted})


def _on_interrupt() -> asyncio.Future[None]:
    """Return a future that is done when the person presses Ctrl-C or the system asks us to end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def interrupt() -> None:
        if not future.done():
            future.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            break
    return future


# -- the library -----------------------------------------------------------------------------------------
async def _projects(engine: Engine, options: argparse.Namespace) -> int:
    projects = await engine.projects()
    if options.json:
        _print_json([p.to_dict() for p in projects])
        return 0
    if not projects:
        _say("There are no projects yet.")
    for p in projects:
        mark = " (recorded example)" if p.sample else ""
        _say(f"{p.id}  {p.state:<18}  {p.name}  {_short(p.title)}{mark}")
    return 0


async def _show(engine: Engine, options: argparse.Namespace) -> int:
    project = await engine.project(await engine.resolve(options.project))
    if options.json:
        _print_json(project.to_dict())
        return 0
    rows = [
        ("id", project.id),
        ("name", project.name),
        ("title", project.title),
        ("wish", project.wish),
        ("state", f"{project.state} ({project.reason})" if project.reason else project.state),
        ("folder", project.folder),
        ("preview", project.preview_url or "-"),
        ("files", str(len(project.files))),
        ("version", str(project.version)),
        ("cost", f"{project.cost:.4f} USD, {project.input_tokens + project.output_tokens} tokens"),
    ]
    if project.sample:
        rows.insert(2, ("example", f"recorded example {project.sample}; no model was asked"))
    rows.extend(
        (f"phase {phase.number}", f"{phase.name}: {'done' if phase.completed else 'open'}")
        for phase in project.phases
    )
    rows.extend(("open wish", wish) for wish in project.open_wishes)
    if project.can_continue:
        rows.append(("next", f"vibedesk resume {project.id}"))
    for name, value in rows:
        _say(f"{name:<9} {value}")
    return 0


async def _files(engine: Engine, options: argparse.Namespace) -> int:
    files = await engine.files(await engine.resolve(options.project))
    if options.json:
        _print_json([f.to_dict() for f in files])
        return 0
    for file in files:
        _say(f"{file.size:>9}  {file.path}")
    return 0


async def _history(engine: Engine, options: argparse.Namespace) -> int:
    versions = await engine.history(await engine.resolve(options.project))
    if options.json:
        _print_json([v.to_dict() for v in versions])
        return 0
    if not versions:
        _say("No versions yet. VibeDesk saves one after every phase.")
    for v in versions:
        _say(f"{v.commit[:12]}  {v.at}  {v.author:<6}  {v.label}")
    return 0


async def _restore(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    version = await engine.restore(project_id, options.commit)
    if options.json:
        _print_json(version.to_dict())
    else:
        _say(f"Restored. The new version is {version.commit[:12]}; nothing was lost.")
    return 0


async def _export(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    count = await engine.export(project_id, options.destination)
    _say(f"{count} files copied to {options.destination}")
    return 0


async def _delete(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    where = await engine.delete_project(project_id)
    _say(f"Deleted. Its folder is in the {where}." if where == "trash" else f"Deleted. {where}")
    return 0


async def _doctor(engine: Engine, options: argparse.Namespace) -> int:
    report = await engine.doctor()
    if options.json:
        _print_json(report.to_dict())
        return 0 if report.can_build else 1
    marks = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}
    for check in report.checks:
        _say(f"{marks[check.status]}  {check.name}: {check.message}")
        if check.remedy:
            _say(f"         {check.remedy}")
    if not report.can_build:
        _complain("vibedesk: the main job cannot run here; see what is missing above.")
    return 0 if report.can_build else 1


# -- output -------------------------------------------------------------------------------------------------
def _say(text: str, out: TextIO | None = None) -> None:
    stream = out or sys.stdout
    stream.write(f"{whole_text(text)}\n")
    stream.flush()


def _complain(text: str) -> None:
    _say(text, sys.stderr)


def _complain_unless_json(options: argparse.Namespace, text: str) -> None:
    if options.json:
        _complain(text)
    else:
        _say(text)


def _print_json(value: Any) -> None:
    _say(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


_COMMANDS: dict[str, tuple[Command, bool]] = {
    "build": (_build, True),
    "resume": (_resume, True),
    "say": (_say_to, True),
    "projects": (_projects, False),
    "show": (_show, False),
    "files": (_files, False),
    "history": (_history, False),
    "restore": (_restore, True),
    "export": (_export, False),
    "delete": (_delete, True),
    "doctor": (_doctor, False),
}
"""Command → (what it does, whether it takes the home for writing)."""
