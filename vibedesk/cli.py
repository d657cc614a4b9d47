"""The command line: the engine without a window.

Exit status: 0 done (for `build` only when the app is complete), 1 failed with a sentence on stderr, 2 wrong
usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from vibedesk import __version__
from vibedesk.base.errors import as_vibedesk_error
from vibedesk.base.text import whole_text
from vibedesk.engine.project_options import DEFAULT_BUDGET
from vibedesk.engine.sandboxes.sizes import AUTOMATIC, SIZES

_TEXTS = frozenset(
    {
        "prompt",
        "text",
        "project",
        "commit",
        "template",
        "provider",
        "model",
        "sample",
        "host",
        "template_source",
        "template_name",
        "instructions",
        "label",
        "path",
        "file",
    }
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` has the rest."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    # Said before the command or after it; a default of the parser's would undo the one before.
    options = _parser().parse_args(arguments, argparse.Namespace(home=None, verbose=False))
    for name in _TEXTS & vars(options).keys():
        # Bytes of the command line that are no UTF-8 could neither be stored nor sent.
        setattr(options, name, whole_text(getattr(options, name) or ""))
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output went away; nothing more can be said.
        sys.stderr.close()
        return 1
    except Exception as caught:  # noqa: BLE001 - the last place that can turn it into a sentence
        print(f"vibedesk: {as_vibedesk_error(caught)}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command is None:
        # Loading makes many objects and drops few. The window collects by itself after its first picture.
        gc.disable()
        from vibedesk.app import run_window

        return run_window(options.home)
    if options.command == "scof":
        from vibedesk.engine.scof.command_line import run

        return run(
            sys.stdin.buffer,
            chunk_size=options.chunk_size,
            as_json=options.json,
            apply_to=options.apply,
            out=sys.stdout,
        )
    import asyncio

    from vibedesk.base.logs import start_logging
    from vibedesk.base.paths import resolve_home
    from vibedesk.commands import run_command

    start_logging(resolve_home(options.home).logs, to_stderr=options.verbose)
    try:
        return asyncio.run(run_command(options))
    finally:
        # The end frees everything anyway; going through all that the SDKs define first takes most of a second.
        gc.freeze()


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument(
        "--home",
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="where the data lives (also VIBEDESK_HOME)",
    )
    common.add_argument(
        "--verbose", action="store_true", default=argparse.SUPPRESS, help="log to stderr"
    )
    parser = _Parser(
        prog="vibedesk",
        parents=[common],
        description="Describe an app and watch it being built on your own machine. "
        "Without a command the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"vibedesk {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    build = commands.add_parser("build", parents=[common], help="build an app from a sentence")
    build.add_argument("prompt", nargs="?", default="", metavar="PROMPT", help="what you want")
    build.add_argument(
        "--template",
        default="",
        metavar="T",
        help="starter: a name, a folder's path or a git address (default: the model chooses)",
    )
    build.add_argument("--provider", default="", metavar="P", help="model provider")
    build.add_argument("--model", default="", metavar="M", help="model of the provider")
    build.add_argument("--sample", default="", metavar="NAME", help="watch a recorded example")
    _images(build)
    _sandbox(build)
    build.add_argument("--max-phases", type=_positive, default=12, metavar="N")
    build.add_argument(
        "--budget", type=_dollars, default=DEFAULT_BUDGET, metavar="USD", help="most to spend"
    )
    build.add_argument("--out", type=Path, metavar="DIR", help="copy the result there")
    _output(build)

    resume = commands.add_parser("resume", parents=[common], help="go on with a project")
    _project(resume)
    resume.add_argument(
        "--budget", type=_dollars, metavar="USD", help="most to spend in all, from now on"
    )
    _output(resume)
    say = commands.add_parser("say", parents=[common], help="say something to a project")
    _project(say)
    say.add_argument("text", metavar="TEXT")
    _images(say)
    _output(say)

    listing = commands.add_parser("projects", parents=[common], help="list the projects")
    _json(listing)
    for name, text in (
        ("show", "show a project"),
        ("files", "list its files"),
        ("history", "list its versions"),
    ):
        sub = commands.add_parser(name, parents=[common], help=text)
        _project(sub)
        _json(sub)
    regenerate = commands.add_parser(
        "regenerate", parents=[common], help="have one file written anew"
    )
    _project(regenerate)
    regenerate.add_argument("path", metavar="PATH", help="the file, from the project's folder on")
    regenerate.add_argument(
        "--instructions", required=True, metavar="TEXT", help="what should be different"
    )
    regenerate.add_argument(
        "--json", action="store_true", help="print events, one JSON object a line"
    )
    check = commands.add_parser(
        "check", parents=[common], help="run its acceptance checks, in a browser"
    )
    _project(check)
    check.add_argument(
        "--security", action="store_true", help="also look for what would be unsafe to publish"
    )
    _json(check)
    snapshot = commands.add_parser("snapshot", parents=[common], help="keep a version now")
    _project(snapshot)
    snapshot.add_argument("label", nargs="?", default="", metavar="LABEL", help="what to call it")
    _json(snapshot)
    restore = commands.add_parser("restore", parents=[common], help="bring a version back")
    _project(restore)
    restore.add_argument("commit", metavar="COMMIT")
    restore.add_argument("--file", default="", metavar="PATH", help="only this file of it")
    _json(restore)
    export = commands.add_parser("export", parents=[common], help="copy its files to a folder")
    _project(export)
    export.add_argument("destination", type=Path, metavar="DEST")
    delete = commands.add_parser("delete", parents=[common], help="move it to the trash")
    _project(delete)
    allow = commands.add_parser("allow", parents=[common], help="let its app reach a host")
    _project(allow)
    allow.add_argument("host", metavar="HOST", help="like api.example.org, or with :port")
    allow.add_argument("--never", action="store_true", help="refuse it, and ask no more")
    _json(allow)

    variables = commands.add_parser(
        "variables", parents=[common], help="the app's own variables: list, set, remove"
    )
    _project(variables)
    variables.add_argument(
        "--set",
        dest="assignment",
        nargs="+",
        metavar="NAME=VALUE",
        help="NAME=VALUE; or NAME - to read the value from standard input",
    )
    variables.add_argument("--unset", default="", metavar="NAME", help="forget one")
    variables.add_argument(
        "--plain", action="store_true", help="the value is no secret: it is shown and stored openly"
    )
    variables.add_argument(
        "--allow", action="store_true", help="let the app have it: its server gets it"
    )
    _json(variables)
    usage = commands.add_parser("usage", parents=[common], help="what models cost so far")
    usage.add_argument(
        "project", nargs="?", default="", metavar="ID", help="of one project: id, prefix or name"
    )
    usage.add_argument(
        "--days", type=_positive, metavar="N", help="only the last N days, today included"
    )
    _json(usage)

    sandboxes = commands.add_parser(
        "sandboxes", parents=[common], help="what is kept for sandboxes, and clean it"
    )
    sandboxes.add_argument(
        "--clean",
        type=_days,
        metavar="DAYS",
        help="remove what was not used for so many days; never a project",
    )
    _json(sandboxes)

    templates = commands.add_parser(
        "templates", parents=[common], help="list the starters; add and remove your own"
    )
    change = templates.add_mutually_exclusive_group()
    change.add_argument(
        "--add",
        dest="template_source",
        metavar="SOURCE",
        help="keep a folder (/path or ~/path) or git repository (address, address@branch) as a starter",
    )
    change.add_argument(
        "--remove", dest="template_name", metavar="NAME", help="forget one of yours"
    )
    _json(templates)

    report = commands.add_parser(
        "bug-report", parents=[common], help="what helps to find a fault, without secrets"
    )
    report.add_argument(
        "project", nargs="?", default="", metavar="ID", help="with the state of this project"
    )
    report.add_argument("--out", type=Path, metavar="FILE", help="write it there, as a ZIP file")

    scof = commands.add_parser("scof", parents=[common], help="read a SCOF stream from stdin")
    scof.add_argument("--chunk-size", type=_positive, metavar="N", help="characters per piece")
    scof.add_argument("--json", action="store_true", help="print the result as JSON")
    scof.add_argument("--apply", type=Path, metavar="DIR", help="write the files into DIR")
    doctor = commands.add_parser("doctor", parents=[common], help="what is there, what is missing")
    _json(doctor)
    return parser


def _project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="ID", help="id, unique prefix of it, or name")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="F",
        help="picture of what you mean: PNG, JPEG, WebP or GIF",
    )


def _sandbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sandbox", choices=("auto", "docker", "local"), default="auto", help="where the app runs"
    )
    parser.add_argument(
        "--size",
        choices=(AUTOMATIC, *SIZES),
        default="",
        help="how much of the machine it may use (default: what Settings say)",
    )
    parser.add_argument(
        "--network",
        choices=("registries", "none"),
        default="",
        help="what it may reach: package registries and what you allow, or nothing",
    )


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print events, one JSON object a line")
    parser.add_argument(
        "--serve", action="store_true", help="stay up with the preview until Ctrl-C"
    )


def _positive(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return value


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount above 0")
    return value
