"""How much each file matters for what a request is about."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vibedesk.engine.builder.relevance.file_facts import FileFacts
from vibedesk.engine.builder.relevance.import_graph import ImportGraph
from vibedesk.engine.builder.relevance.word_index import WordIndex, wanted_words
from vibedesk.engine.models.protocol import Operation

_TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|__tests__)/|\.(?:test|spec)\.\w+$|(?:^|/)test_[^/]*\.py$"
)
_ABOUT_TESTS = re.compile(r"\b(?:tests?|spec|vitest|pytest)\b", re.I)
_PLACE = re.compile(r"https?://\S+|\S*\bnode_modules/\S*|:\d+(?::\d+)?\b")
"""Where something happened, in a tool's words: files are named by it, but it says nothing of what is wrong."""
_NAMED_PATH = re.compile(r"[\w@$./\[\]()-]*[\w\])]\.[A-Za-z]{1,6}\b")
_IDENTIFIER = re.compile(r"\b(?:[A-Za-z_$]+[a-z0-9][A-Z]\w*|[a-z]\w*(?=\())")

_DOWN, _UP, _SECOND_STEP, _BESIDE = 0.5, 0.3, 0.5, 0.3
"""What a file's score gives to those it imports, to those that import it, of that a step further, and to its folder."""
_PRIOR = 0.4
_MANY_USES, _MANY_USERS = 4, 3
_NAMED_FILE, _NAMED_IDENTIFIER, _BESIDE_NEW, _RECENT, _IMPORTANT = 1.5, 0.8, 0.4, 0.12, 0.08
"""In parts of the best score by words."""
_TEST, _BACKGROUND = 0.4, 0.3
_FEW = 12
"""Files in a folder that belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """What a request is about.

    Attributes:
        paths: Files that it is bound to touch; those that are there are always shown.
        words: What is wanted or wrong, in the person's, the plan's or a tool's words.
        background: Words that stand behind that, such as what was said before; they count less.
        budget: Tokens that the shown files may have together.
        operation: Whose model has to have room for them.
        can_ask: Whether the answer may ask for files that were not shown.
        closely: Whether what the files named in `words` import, and what imports them, comes before all else.
    """

    paths: tuple[str, ...] = ()
    words: str = ""
    background: str = ""
    budget: int = 4_000
    operation: Operation = "converse"
    can_ask: bool = False
    closely: bool = False


def file_scores(
    focus: Focus,
    facts: Mapping[str, FileFacts],
    graph: ImportGraph,
    *,
    purposes: Mapping[str, str],
    important: Collection[str],
    changed: Mapping[str, tuple[int, str]],
) -> dict[str, float]:
    """Return path → how much it matters, of the files that do at all.

    Args:
        focus: What the request is about.
        facts: The files.
        graph: How they belong together.
        purposes: Path → what the plan said the file is for.
        important: The starter's main files.
        changed: Path → (phase that wrote it, time of its last change).
    """
    scores = _by_words(focus, facts, purposes)
    best = max(scores.values(), default=0.0) or 1.0

    def add(paths: Collection[str], part: float) -> None:
        for path in facts.keys() & set(paths):
            scores[path] = scores.get(path, 0.0) + part * best

    add(_defining(focus.words, facts), _NAMED_IDENTIFIER)
    add({*focus.paths, *named_paths(focus.words, facts)}, _NAMED_FILE)
    add(_beside_new(focus.paths, facts), _BESIDE_NEW)
    for given in (_by_folder(scores, facts), _by_graph(scores, graph)):
        for path, share in given.items():
            scores[path] = scores.get(path, 0.0) + share
    add(important, _IMPORTANT)
    add(_changed_last(changed), _RECENT)
    return scores


def _by_words(
    focus: Focus, facts: Mapping[str, FileFacts], purposes: Mapping[str, str]
) -> dict[str, float]:
    wanted = wanted_words(focus.background, _BACKGROUND)
    for word, weight in wanted_words(_PLACE.sub(" ", focus.words)).items():
        wanted[word] = wanted.get(word, 0.0) + weight
    scores = WordIndex(facts, purposes).scores(wanted)
    if not _ABOUT_TESTS.search(focus.words):
        for path in scores:
            if _TEST_FILE.search(path):
                scores[path] *= _TEST
    return scores


def _by_graph(scores: Mapping[str, float], graph: ImportGraph) -> dict[str, float]:
    """Return what files get from those they belong to; what everything imports gets little of each."""
    total: dict[str, float] = {}
    frontier, share = scores, 1.0
    for _ in range(2):
        given: dict[str, float] = {}
        for path, score in frontier.items():
            uses, users = graph.uses[path], graph.used_by[path]
            down = share * score * _DOWN / _crowd(len(uses), _MANY_USES, 0.5)
            up = share * score * _UP / _crowd(len(users), _MANY_USERS, 0.5)
            for target, closeness in uses.items():
                part = down * closeness / _crowd(len(graph.used_by[target]), _MANY_USERS, 0.25)
                given[target] = max(part, given.get(target, 0.0))
            for source, closeness in users.items():
                given[source] = max(up * closeness, given.get(source, 0.0))
        for path, part in given.items():
            total[path] = total.get(path, 0.0) + part
        frontier, share = given, _SECOND_STEP
    return total


def _by_folder(scores: Mapping[str, float], facts: Mapping[str, FileFacts]) -> dict[str, float]:
    """Return what files get from the best in their folder."""
    found: dict[str, float] = {}
    for inside in _folders(facts).values():
        best = sorted((scores.get(path, 0.0) for path in inside), reverse=True)[:3]
        share = _BESIDE * sum(best) / 3 / _crowd(len(inside), _FEW, 0.5)
        found.update(dict.fromkeys(inside, share))
    return found


def _folders(paths: Collection[str]) -> dict[str, list[str]]:
    """Return folder → the files in it, without the project's own folder."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder:
            found.setdefault(folder, []).append(path)
    return found


def _crowd(files: int, many: int, power: float) -> float:
    return math.pow(max(1.0, files / many), power)


def _defining(words: str, facts: Mapping[str, FileFacts]) -> set[str]:
    """Return the files that export an identifier which the words name as code does."""
    named = set(_IDENTIFIER.findall(words))
    return {path for path, of in facts.items() if named and not named.isdisjoint(of.exports)}


def _beside_new(paths: Collection[str], facts: Mapping[str, FileFacts]) -> set[str]:
    """Return the files in the folders that new ones come into, unless those are large."""
    folders = _folders(facts)
    new = {path.rpartition("/")[0] for path in paths if path not in facts}
    return {
        path
        for folder in new
        if len(folders.get(folder, ())) <= _FEW
        for path in folders.get(folder, ())
    }


def _changed_last(changed: Mapping[str, tuple[int, str]]) -> set[str]:
    """Return the files of the last phase, and those that anybody, the person too, changed since it began."""
    last = max((phase for phase, _ in changed.values()), default=0)
    if not last:
        return set()
    began = min(time for phase, time in changed.values() if phase == last)
    return {path for path, (phase, time) in changed.items() if phase == last or time >= began}


def named_paths(words: str, paths: Collection[str]) -> set[str]:
    """Return the files whose path, or end of it, stands in the words; also in an address or a stack trace."""
    found: set[str] = set()
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)
    for match in _NAMED_PATH.finditer(words):
        said = match[0].lstrip("./(")
        same_name = by_name.get(said.rsplit("/", 1)[-1], [])
        fits = [
            p for p in same_name if f"/{p}".endswith(f"/{said}") or f"/{said}".endswith(f"/{p}")
        ]
        found.update([p for p in fits if p == said] or fits)
    return found
