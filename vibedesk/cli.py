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

DEFAULT_BUDGET = 5.0
_TEXTS = frozenset(
    {"prompt", "text", "project", "commit", "template", "provider", "model", "sample"}
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` has the rest."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    for name in _TEXTS & vars(options).keys():
        # Bytes of the command line that are no UTF-8 could neither be stored nor sent.
        setattr(options, name, whole_text(getattr(options, name)))
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
        # Loading makes many objects and drops few; the window collects again after its first picture.
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
    return asyncio.run(run_command(options))


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
    parser.set_defaults(home=None, verbose=False)
    parser.add_argument("--version", action="version", version=f"vibedesk {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    build = commands.add_parser("build", parents=[common], help="build an app from a sentence")
    build.add_argument("prompt", nargs="?", default="", metavar="PROMPT", help="what you want")
    build.add_argument("--template", default="react-vite", metavar="T", help="starter template")
    build.add_argument("--provider", default="", metavar="P", help="model provider")
    build.add_argument("--model", default="", metavar="M", help="model of the provider")
    build.add_argument("--sample", default="", metavar="NAME", help="watch a recorded example")
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
    restore = commands.add_parser("restore", parents=[common], help="bring a version back")
    _project(restore)
    restore.add_argument("commit", metavar="COMMIT")
    _json(restore)
    export = commands.add_parser("export", parents=[common], help="copy its files to a folder")
    _project(export)
    export.add_argument("destination", type=Path, metavar="DEST")
    delete = commands.add_parser("delete", parents=[common], help="move it to the trash")
    _project(delete)

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


def _sandbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sandbox", choices=("auto", "docker", "local"), default="auto")


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


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount above 0")
    return value
