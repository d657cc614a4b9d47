"""Reads package lines (`npm install zod@4`) into registry specs.

The specs are handed to a package manager as separate arguments. Options, addresses, folders and anything
with shell characters never get through: what a model writes must not choose where code is fetched from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDING = {
    "npm": frozenset({"install", "i", "in", "add", "isntall"}),
    "pnpm": frozenset({"install", "i", "add"}),
    "yarn": frozenset({"add", "install"}),
    "bun": frozenset({"add", "install", "i", "a"}),
    "pip": frozenset({"install"}),
    "uv": frozenset({"add"}),
}
_ALIASES = {"pip3": "pip"}
_OPTIONS_WITH_VALUE = frozenset(
    {
        *(
            "--registry",
            "--prefix",
            "--workspace",
            "-w",
            "--tag",
            "--loglevel",
            "--cache",
            "-C",
            "--cwd",
        ),
        *(
            "--filter",
            "-F",
            "--dir",
            "--userconfig",
            "--omit",
            "--include",
            "--before",
            "--modules-folder",
        ),
        *(
            "-r",
            "--requirement",
            "-e",
            "--editable",
            "-c",
            "--constraint",
            "-i",
            "--index-url",
            "--index",
        ),
        *(
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--group",
            "--python",
            "--package",
        ),
        *("--default-index", "--optional", "--extra", "--otp", "--scope", "--timeout", "--retries"),
    }
)
_BOOLEAN_FOR_NODE = frozenset(
    {"-w", "-f", "-F", "-i", "-e", "-c", "-t", "-r", "--optional", "--index"}
)
_DEVELOPMENT = frozenset({"-D", "--save-dev", "--dev", "-d"})
_NPM_SPEC = re.compile(
    r"(?:@[a-z0-9~._-]+/)?[a-z0-9~_][a-z0-9~._-]*"
    r"(?:@(?:npm:(?:@[a-z0-9~._-]+/)?[a-z0-9~._-]+(?:@[\w.+~^*-]+)?|[\w.+~^*<>=| -]+))?",
    re.I,
)
_PYTHON_SPEC = re.compile(
    r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?:\[[a-z0-9., _-]*\])?(?:\s*(?:[<>=!~]=?|===)\s*[\w.*+!-]+,?)*",
    re.I,
)
_GLOBAL = frozenset({"-g", "--global"})
# A sentence that begins with a command ('npm install is what you need') must not install its words.
_SENTENCE_WORDS = frozenset(
    {
        *("an", "and", "any", "are", "as", "be", "before", "both", "but", "can", "command", "does"),
        *(
            "dependencies",
            "following",
            "for",
            "if",
            "in",
            "is",
            "it",
            "its",
            "need",
            "now",
            "of",
            "on",
        ),
        *(
            "or",
            "our",
            "packages",
            "should",
            "so",
            "that",
            "the",
            "then",
            "these",
            "this",
            "those",
            "to",
        ),
        *("we", "what", "which", "will", "with", "works", "you", "your"),
    }
)
_SENTENCE_WORDS_OF_A_SENTENCE = 2


@dataclass(frozen=True, slots=True)
class PackageLine:
    """The parts of one package line; `rejected` are words that are no registry specs."""

    manager: str
    packages: tuple[str, ...]
    development: bool
    rejected: tuple[str, ...]


def read_package_line(words: list[str]) -> PackageLine | None:
    """Return what `words` (a command without redirections) installs, or None for any other command."""
    if not words:
        return None
    manager = _ALIASES.get(words[0], words[0])
    arguments = words[1:]
    if manager == "uv" and arguments[:1] == ["pip"]:
        manager, arguments = "pip", arguments[1:]
    elif manager in ("python", "python3") and arguments[:2] == ["-m", "pip"]:
        manager, arguments = "pip", arguments[2:]
    subcommand = next((index for index, word in enumerate(arguments) if word[:1] != "-"), None)
    if subcommand is None or arguments[subcommand] not in _ADDING.get(manager, ()):
        return None
    rest = arguments[:subcommand] + arguments[subcommand + 1 :]
    if not _GLOBAL.isdisjoint(rest):  # not for the project
        return None
    operands = _operands(rest, python=manager in ("pip", "uv"))
    if not operands:
        return None
    pattern = _PYTHON_SPEC if manager in ("pip", "uv") else _NPM_SPEC
    packages = [word for word in operands if pattern.fullmatch(word)]
    rejected = [word for word in operands if not pattern.fullmatch(word)]
    sentence_words = sum(1 for word in operands if word in _SENTENCE_WORDS)
    if sentence_words >= _SENTENCE_WORDS_OF_A_SENTENCE:
        packages, rejected = [], operands
    return PackageLine(
        manager,
        tuple(packages),
        any(word in _DEVELOPMENT for word in rest),
        tuple(rejected),
    )


def _operands(arguments: list[str], *, python: bool) -> list[str]:
    operands: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument.startswith("-"):
            skip = argument in _OPTIONS_WITH_VALUE and (python or argument not in _BOOLEAN_FOR_NODE)
        elif argument:
            operands.append(argument)
    return operands
