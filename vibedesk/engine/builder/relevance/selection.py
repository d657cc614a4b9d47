"""Chooses the files that a request shows whole, within a budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vibedesk.engine.builder.file_choice import ChosenFile, FileChoice
from vibedesk.engine.builder.relevance.file_facts import file_facts
from vibedesk.engine.builder.relevance.import_graph import ImportGraph, import_graph
from vibedesk.engine.builder.relevance.project_map import project_map
from vibedesk.engine.builder.relevance.scores import Focus, file_scores, named_paths
from vibedesk.engine.files.ignore_rules import holds_secrets

CHARACTERS_PER_TOKEN = 4
"""What English and code come to with most tokenisers, roughly; dense code has fewer."""
_WHOLE_PROJECT = 24_000
"""Tokens: a project up to that goes whole, which costs less than a second round for a file that was missing."""
MOST_TOKENS = 100_000
"""More is shown to no model, whatever its window and whatever is pinned."""
_LARGEST = 50_000
"""Tokens that a single file may have to be shown."""
MAP_TOKENS = 2_000
_FAINT = 0.04
"""In parts of the best score: a file that adds less is left to the map."""
_COSTLY = 0.4
_SMALL = 100
"""Tokens that any file costs: how it is named and that it has to be read."""
_LOCK_FILES = frozenset({"package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "uv.lock"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFiles:
    """The files of a project and what is known of them.

    Attributes:
        texts: Path → text.
        changed: Path → (phase that wrote it, 0 is the starter; time of the last change).
        purposes: Path → what the plan said the file is for.
        marks: Path → what the person said of it: pinned, excluded, locked.
        important: The starter's main files.
        hidden: Paths that are only named.
    """

    texts: Mapping[str, str]
    changed: Mapping[str, tuple[int, str]]
    purposes: Mapping[str, str]
    marks: Mapping[str, frozenset[str]]
    important: Collection[str] = ()
    hidden: Collection[str] = ()

    def marked(self, mark: str) -> set[str]:
        return {path for path, of in self.marks.items() if mark in of}


def choose_files(
    project: KnownFiles, focus: Focus, *, whole: int = _WHOLE_PROJECT, most: int = MOST_TOKENS
) -> FileChoice:
    """Return what a request about `focus` shows of a project.

    Pinned files and those of `focus.paths` are in as long as there is room, whatever the focus's budget; excluded ones,
    lock files and secrets are not, whatever asks for them. Others are in by how much they matter for what they cost,
    until the budget is used up. The order is that of the last change, so that a request begins like the one before it.

    Args:
        project: The files.
        focus: What it is about.
        whole: Tokens; a project up to that is shown whole.
        most: Tokens that there is room for.
    """
    most = min(most, MOST_TOKENS)
    excluded = project.marked("excluded")
    named_only = {path for path in project.texts if path in excluded or never_shown(path)}
    allowed = project.texts.keys() - named_only
    always = allowed & (project.marked("pinned") | set(focus.paths))
    sizes = {
        path: tokens(project.texts[path])
        for path in sorted(allowed - (set(project.hidden) - always))
    }
    wanted, too_large = _with_room(always, focus.paths, sizes, most)
    sizes = {path: size for path, size in sizes.items() if path not in too_large}
    if sum(sizes.values()) <= min(whole, most):
        return FileChoice(
            _in_order(project, sizes), _map(project, sizes, named_only), too_large=too_large
        )
    facts = {path: file_facts(path, project.texts[path]) for path in sizes}
    graph = import_graph(facts, project.texts)
    scores = file_scores(
        focus,
        facts,
        graph,
        purposes=project.purposes,
        important=project.important,
        changed=project.changed,
    )
    chosen = set(wanted)
    left = min(focus.budget, most) - sum(sizes[path] for path in chosen)
    near = _near(focus, graph, scores) if focus.closely else []
    for path in [*near, *_by_worth(scores, sizes)]:
        if path not in chosen and sizes[path] <= left:
            chosen.add(path)
            left -= sizes[path]
    exports = {path: of.exports for path, of in facts.items()}
    return FileChoice(
        _in_order(project, chosen),
        _map(project, chosen, named_only, exports, scores),
        can_ask=focus.can_ask,
        too_large=too_large,
    )


def _with_room(
    always: Collection[str], touched: Collection[str], sizes: Mapping[str, int], most: int
) -> tuple[set[str], tuple[str, ...]]:
    """Return which files that ought to be shown can be, and which cannot: first those touched, then the small ones."""
    fitting: set[str] = set()
    for path in sorted(always, key=lambda path: (path not in touched, sizes[path], path)):
        if sizes[path] <= min(_LARGEST, most):
            fitting.add(path)
            most -= sizes[path]
    return fitting, tuple(sorted(set(always) - fitting))


def _near(focus: Focus, graph: ImportGraph, scores: Mapping[str, float]) -> list[str]:
    """Return the files that the words name, then what these import and what imports them, each best first."""
    named = named_paths(focus.words, graph.uses)
    beside = {other for path in named for other in (*graph.uses[path], *graph.used_by[path])}

    def worth(path: str) -> tuple[float, str]:
        return (-scores.get(path, 0.0), path)

    return [*sorted(named, key=worth), *sorted(beside - named, key=worth)]


def _by_worth(scores: Mapping[str, float], sizes: Mapping[str, int]) -> list[str]:
    """Return the files that matter, best first: of two that matter alike the cheaper one."""
    faint = _FAINT * max(scores.values(), default=0.0)

    def worth(path: str) -> tuple[float, str]:
        return (-scores[path] / (_SMALL + sizes[path]) ** _COSTLY, path)

    return sorted((path for path in scores if scores[path] > faint), key=worth)


def never_shown(path: str) -> bool:
    """Whether a file goes to no model: it holds secrets, or tells only what was installed."""
    return path.rsplit("/", 1)[-1] in _LOCK_FILES or holds_secrets(path)


def tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _in_order(project: KnownFiles, chosen: Collection[str]) -> tuple[ChosenFile, ...]:
    def age(path: str) -> tuple[int, str, str]:
        # The starter's files come in the same order in every project.
        phase, time = project.changed.get(path, (0, ""))
        return (phase, time if phase else "", path)

    return tuple(
        ChosenFile(path, project.texts[path], age(path)[0]) for path in sorted(chosen, key=age)
    )


def _map(
    project: KnownFiles,
    chosen: Collection[str],
    named_only: Collection[str],
    exports: Mapping[str, tuple[str, ...]] | None = None,
    scores: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    rest = project.texts.keys() - set(chosen)
    return tuple(
        project_map(
            rest,
            {path: words for path, words in project.purposes.items() if path not in named_only},
            exports or {},
            scores or {},
            characters=MAP_TOKENS * CHARACTERS_PER_TOKEN,
        )
    )
