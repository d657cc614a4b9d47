"""What each command of the terminal does with the engine."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from vibedesk.base.errors import (
    ConsentRequiredError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    VibeDeskError,
)
from vibedesk.base.paths import Home, existing_place, resolve_home
from vibedesk.base.text import readable_bytes, whole_text
from vibedesk.check_lines import finding_line, outcome_lines, readiness_lines
from vibedesk.engine.check_words import check_words
from vibedesk.engine.engine import Engine
from vibedesk.engine.export import check_destination
from vibedesk.engine.models.samples import get_sample
from vibedesk.engine.project_options import ImageFile, ProjectOptions
from vibedesk.engine.views import StoredView, TemplateView
from vibedesk.progress import ProgressPrinter
from vibedesk.usage_tables import estimate_line, usage_lines

Command = Callable[[Engine, argparse.Namespace], Awaitable[int]]
_INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


async def run_command(options: argparse.Namespace) -> int:
    """Run the command named in `options`; return the exit status."""
    command, write = _COMMANDS[options.command]
    if wrong := await asyncio.to_thread(_wrong_use, options):
        _complain(f"vibedesk {options.command}: {wrong}")
        return 2
    home = resolve_home(options.home)
    if options.command == "templates":
        write = bool(options.template_source or options.template_name)
    elif options.command != "build" and not home.database.exists():
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
    if options.command == "regenerate" and not options.instructions.strip():
        return "the instructions are empty. Write what should be different in the file."
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
    looks = {"doctor": _doctor, "bug-report": _bug_report, "usage": _usage}.get(options.command)
    if looks is not None and not getattr(options, "project", ""):
        engine = Engine(home, write=False)
        engine.start()
        try:
            return await looks(engine, options)
        finally:
            await engine.shutdown()
    if existing_place(home.root).is_file():
        raise StorageError(
            f"{home.root} is not a folder.", remedy="Choose another data folder with --home."
        )
    if options.command == "projects":
        _say("[]" if options.json else "There are no projects yet.")
        return 0
    if options.command == "sandboxes":
        _say_kept([], options, 0 if options.clean is not None else None)
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
        size=options.size,
        network=options.network,
        max_phases=options.max_phases,
        budget=options.budget,
    )
    if sys.stdout.isatty() and not options.json:
        _say(estimate_line(await engine.estimate(options.prompt, wanted)))
    images = await asyncio.to_thread(_read_images, options.image)
    project_id = await _create(engine, options.prompt, wanted, images)

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


def _read_images(paths: list[Path]) -> list[ImageFile]:
    """Read what `--image` names; whether they are pictures is the engine's business."""
    images = []
    for path in paths:
        try:
            images.append(ImageFile(path.name, path.read_bytes()))
        except OSError as error:
            raise InvalidInputError(
                f"The image {path} cannot be read: {error.strerror or error}.",
                remedy="Give the path of a PNG, JPEG, WebP or GIF file.",
            ) from error
    return images


async def _create(
    engine: Engine, prompt: str, wanted: ProjectOptions, images: Sequence[ImageFile]
) -> str:
    try:
        return await engine.create(prompt, wanted, images)
    except ConsentRequiredError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        _complain(error.message)
        answer = await asyncio.to_thread(_ask, "Run it all the same? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            raise
        await engine.grant_consent()
        return await engine.create(prompt, wanted, images)


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

    images = await asyncio.to_thread(_read_images, options.image)

    async def begin() -> None:
        await engine.say(project_id, options.text, images)

    async def tell_proposals() -> None:
        for proposal in (await engine.project(project_id)).proposals:
            if proposal.status == "ready":
                words = f"The new {proposal.path} waits in the window (`vibedesk`): look at it there and take it over."
                _complain_unless_json(options, words)

    return await _follow(
        engine, project_id, begin, options, needs_complete=False, when_done=tell_proposals
    )


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
            if not options.json:
                _say("Stopping; what is finished is kept. Ctrl-C again leaves at once.")
            await engine.cancel(project_id)
            return _INTERRUPTED
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
        if ok and printer.state and not options.json:
            printer.close()
            for line in outcome_lines(view):
                _say(line)
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
    """Return a future that is done when the person presses Ctrl-C or the system asks us to end.

    Asked a second time, the program ends at once: what is stored can be resumed, and sandboxes end with it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def interrupt() -> None:
        if not future.done():
            future.set_result(None)
        elif not future.cancelled():
            os._exit(_INTERRUPTED)

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
    project_id = await engine.resolve(options.project)
    if options.json:
        _print_json(await engine.inspect(project_id))
        return 0
    project = await engine.project(project_id)
    rows = [
        ("id", project.id),
        ("name", project.name),
        ("title", project.title),
        ("wish", project.wish),
        ("state", f"{project.state} ({project.reason})" if project.reason else project.state),
        ("folder", project.folder),
        ("preview", project.preview_url or "-"),
        ("sandbox", project.sandbox_kind or "-"),
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
    rows.extend(
        ("check", f"{check['name']}: {'; '.join(check_words(check['steps']))}")
        for check in (project.blueprint or {}).get("acceptance_checks", ())
    )
    rows.extend(("problem", finding_line(issue)) for issue in project.issues)
    rows.extend(("open wish", wish) for wish in project.open_wishes)
    rows.extend(("may reach", host) for host in project.granted_hosts)
    if project.waiting is not None:
        rows.append(("waiting", project.waiting.message))
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


async def _regenerate(engine: Engine, options: argparse.Namespace) -> int:
    """Have a file written anew and take all of it over, as far as it fits what was edited meanwhile."""
    project_id = await engine.resolve(options.project)
    printer = ProgressPrinter(sys.stdout, as_json=options.json)
    subscription = await engine.subscribe(project_id)

    async def show() -> None:
        async for event in subscription:
            printer.show(event)

    showing = asyncio.create_task(show())
    interrupted = _on_interrupt()
    try:
        proposal_id = await engine.regenerate_file(project_id, options.path, options.instructions)
        waiting = asyncio.ensure_future(engine.wait(project_id))
        done, _ = await asyncio.wait({waiting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        if interrupted in done:
            waiting.cancel()
            await engine.drop_proposal(project_id, proposal_id)
            return _INTERRUPTED
        await waiting
        if (await engine.proposal(project_id, proposal_id)).status == "ready":
            await engine.take_proposal(project_id, proposal_id)
            return 0
        _complain(f"vibedesk: {printer.failure or 'the file was not written anew.'}")
        return 1
    finally:
        await engine.unsubscribe(subscription)
        await showing
        printer.close()
        interrupted.cancel()


async def _check(engine: Engine, options: argparse.Namespace) -> int:
    """Run the acceptance checks, and the security review where it is asked for."""
    project_id = await engine.resolve(options.project)
    interrupted = _on_interrupt()
    checking = asyncio.ensure_future(engine.check(project_id, security=options.security))
    either: tuple[asyncio.Future[Any], ...] = (checking, interrupted)
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if interrupted.done():
        checking.cancel()
        return _INTERRUPTED
    interrupted.cancel()
    report = await checking
    if options.json:
        _print_json(report.to_dict())
    else:
        for line in readiness_lines(report, security=options.security):
            _say(line)
    return 0 if report.ready else 1


async def _snapshot(engine: Engine, options: argparse.Namespace) -> int:
    version = await engine.snapshot(await engine.resolve(options.project), options.label)
    if options.json:
        _print_json(version.to_dict())
    else:
        _say(f"{version.commit[:12]}  {version.at}  {version.author:<6}  {version.label}")
    return 0


async def _restore(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    if options.file:
        version = await engine.restore_file(project_id, options.commit, options.file)
    else:
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
    deleted = await engine.delete_project(project_id)
    where = "Its folder is in the trash." if deleted.folder == "trash" else deleted.folder
    _say(" ".join(filter(None, ("Deleted.", where, deleted.left))))
    return 0


async def _allow(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    host = options.host.strip()
    if options.never:
        await engine.refuse_host(project_id, host)
        granted = list((await engine.project(project_id)).granted_hosts)
    else:
        granted = await engine.grant_host(project_id, host)
    if options.json:
        _print_json({"granted_hosts": granted})
    elif options.never:
        _say(f"The app may not reach {host}, and it is not asked for any more.")
    else:
        _say(f"The app may reach {host} from now on.")
    return 0


async def _variables(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project)
    if options.assignment is not None:
        name, value = await asyncio.to_thread(_assigned, options.assignment)
        await engine.set_variable(
            project_id, name, value, secret=not options.plain, consent=options.allow
        )
    if options.unset:
        await engine.remove_variable(project_id, options.unset)
    found = await engine.variables(project_id)
    if options.json:
        _print_json([variable.to_dict() for variable in found])
        return 0
    if not found:
        _say("The app has no variables.")
    for variable in found:
        value = ("(secret)" if variable.secret else variable.value) if variable.has_value else "-"
        given = "given to the app" if variable.consent else "kept from the app"
        purpose = f"  {_short(variable.purpose)}" if variable.purpose else ""
        _say(f"{variable.name:<30} {value:<20} {given}{purpose}")
    return 0


def _assigned(words: list[str]) -> tuple[str, str | None]:
    """Return the name and value that were given; `NAME -` reads the value from standard input."""
    name, found, value = words[0].partition("=")
    match words:
        case [_] if found:
            return name, value
        case [_, "-"] if not found:
            return name, sys.stdin.read().removesuffix("\n")
        case [_] if not found:
            return name, None
    raise InvalidInputError(
        "This sets no variable.",
        remedy="Write --set NAME=VALUE, or --set NAME - to read the value.",
    )


async def _usage(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project) if options.project else None
    report = await engine.usage(project_id, options.days)
    if options.json:
        _print_json(report.to_dict())
        return 0
    for line in usage_lines(report, of_project=project_id is not None):
        _say(line)
    return 0


# -- sandboxes ---------------------------------------------------------------------------------------------
async def _sandboxes(engine: Engine, options: argparse.Namespace) -> int:
    freed: int | None = None
    if options.clean is not None:
        freed = await engine.clean_sandboxes(older_than_days=options.clean)
    _say_kept(await engine.kept_for_sandboxes(), options, freed)
    return 0


def _say_kept(kept: list[StoredView], options: argparse.Namespace, freed: int | None) -> None:
    """Print what is kept for sandboxes, the largest of a kind first, and what cleaning set free."""
    if options.json:
        answer: dict[str, Any] = {"kept": [stored.to_dict() for stored in kept]}
        _print_json(answer if freed is None else {"freed": freed, **answer})
        return
    if freed is not None:
        _say(f"{readable_bytes(freed)} became free.")
    if not kept:
        _say("Nothing is kept for sandboxes.")
        return
    for stored in sorted(kept, key=lambda stored: (stored.kind, -stored.bytes)):
        used = "in use" if stored.in_use else f"last used {stored.last_used[:10] or '-'}"
        owner = f"  of {stored.project_id}" if stored.project_id else ""
        _say(
            f"{readable_bytes(stored.bytes):>9}  {stored.kind:<9} {used:<21}  {stored.name}{owner}"
        )
    _say(f"{readable_bytes(sum(stored.bytes for stored in kept)):>9}  in all")


# -- templates ---------------------------------------------------------------------------------------------
async def _templates(engine: Engine, options: argparse.Namespace) -> int:
    if options.template_source:
        added = await engine.add_template(options.template_source)
        _complain_unless_json(options, f"Added {added.name}: {added.description}")
    elif options.template_name:
        await engine.remove_template(options.template_name)
        _complain_unless_json(options, f"Removed {options.template_name}.")
    else:
        _say_templates(await engine.templates(), options)
        return 0
    if options.json:
        _say_templates(await engine.templates(), options)
    return 0


def _say_templates(templates: list[TemplateView], options: argparse.Namespace) -> None:
    if options.json:
        _print_json([template.to_dict() for template in templates])
        return
    width = max(len(template.name) for template in templates)
    for template in templates:
        own = " (yours)" if template.own else ""
        _say(f"{template.name:<{width}}  {template.description}{own}")


async def _bug_report(engine: Engine, options: argparse.Namespace) -> int:
    project_id = await engine.resolve(options.project) if options.project else None
    report = await engine.bug_report(project_id)
    _say("The report has:")
    for file in report.files:
        _say(f"{readable_bytes(len(file.text.encode())):>9}  {file.name}")
    destination = options.out or Path("vibedesk-bug-report.zip")
    if sys.stdin.isatty() and sys.stdout.isatty():
        while True:
            question = f"Write it to {destination}? [y/N, s to see it first] "
            answer = (await asyncio.to_thread(_ask, question)).strip().lower()
            if answer != "s":
                break
            for file in report.files:
                _say(f"--- {file.name}\n{file.text}")
        if answer not in ("y", "yes"):
            return 0
    elif options.out is None:
        _say("Nothing was written. Say where with --out FILE.")
        return 0
    await engine.write_bug_report(report, destination)
    _say(f"Written to {destination}.")
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
    "regenerate": (_regenerate, True),
    "check": (_check, True),
    "snapshot": (_snapshot, True),
    "restore": (_restore, True),
    "export": (_export, False),
    "delete": (_delete, True),
    "allow": (_allow, True),
    "variables": (_variables, True),
    "usage": (_usage, False),
    "bug-report": (_bug_report, False),
    # Also to list: what Docker keeps is asked for by the one process that may change it.
    "sandboxes": (_sandboxes, True),
    "templates": (_templates, False),
    "doctor": (_doctor, False),
}
"""Command → (what it does, whether it takes the home for writing)."""
