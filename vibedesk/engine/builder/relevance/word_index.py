"""How well files answer to words, as BM25 reckons: rare words count more, long files less.

A path, with what the plan said the file is for, is scored apart from the text: a word may be in every text and still
tell paths apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from vibedesk.engine.builder.relevance.file_facts import FileFacts
from vibedesk.engine.builder.relevance.words import known_words, relatives, synonyms, words_in

_SATURATION = 1.2
_LENGTH = 0.75
_SHARPNESS = 1.5
_IN_PATH = 0.9
_RELATIVE = 0.7
_SYNONYM = 0.55


class WordIndex:
    """The words of a project's files, their paths and purposes."""

    def __init__(self, facts: Mapping[str, FileFacts], purposes: Mapping[str, str]) -> None:
        self._facts = facts
        self._paths = {path: _words_of(f"{path} {purposes.get(path, '')}") for path in facts}
        self._vocabulary = _by_beginning(
            set().union(*(of.words for of in facts.values()), *self._paths.values())
        )
        lengths = [of.length for of in facts.values()]
        self._average = max(1.0, sum(lengths) / max(1, len(lengths)))

    def scores(self, wanted: Mapping[str, float]) -> dict[str, float]:
        """Return path → score, of the files that have any of the wanted words (word → weight)."""
        found: dict[str, float] = {}
        for word, weight in wanted.items():
            for path, score in self._of_meaning(word).items():
                found[path] = found.get(path, 0.0) + weight * score
        return found

    def _of_meaning(self, word: str) -> dict[str, float]:
        """Score one word and what means the same: a file counts by the best of them."""
        best: dict[str, float] = {}
        for other, closeness in self._meanings(word).items():
            for path, score in self._of_word(other).items():
                if closeness * score > best.get(path, 0.0):
                    best[path] = closeness * score
        return best

    def _meanings(self, word: str) -> dict[str, float]:
        found = {word: 1.0}
        for other in self._relatives(word):
            found[other] = _RELATIVE
        for other in sorted(synonyms(word)):
            found.setdefault(other, _SYNONYM)
        if len(found) == 1:
            # An inflected form of a word of another language: its root may be known.
            for other in _known_relatives(word):
                found.setdefault(other, _SYNONYM)
        return found

    def _relatives(self, word: str) -> list[str]:
        return relatives(word, self._vocabulary.get(word[:3], ()))

    def _of_word(self, word: str) -> dict[str, float]:
        counts = {path: n for path, of in self._facts.items() if (n := of.words.get(word, 0.0))}
        rarity = self._rarity(len(counts))
        found = {
            path: rarity * count * (_SATURATION + 1) / (count + self._weight(path))
            for path, count in counts.items()
        }
        named = [path for path, words in self._paths.items() if word in words]
        rarity = self._rarity(len(named))
        for path in named:
            found[path] = found.get(path, 0.0) + _IN_PATH * rarity
        return found

    def _rarity(self, files: int) -> float:
        rarity = math.log(1 + (len(self._facts) - files + 0.5) / (files + 0.5))
        return math.pow(rarity, _SHARPNESS)

    def _weight(self, path: str) -> float:
        longer = self._facts[path].length / self._average
        return _SATURATION * (1 - _LENGTH + _LENGTH * longer)


def wanted_words(text: str, weight: float = 1.0) -> dict[str, float]:
    """Return word → weight of a text that says what is wanted; said twice counts a little more."""
    counts: dict[str, int] = {}
    for word in words_in(text):
        counts[word] = counts.get(word, 0) + 1
    return {word: weight * (1 + math.log(count)) for word, count in counts.items()}


def _by_beginning(words: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(word[:3], []).append(word)
    return found


@lru_cache(maxsize=20_000)
def _words_of(name: str) -> frozenset[str]:
    return frozenset(words_in(name))


@lru_cache(maxsize=4096)
def _known_relatives(word: str) -> tuple[str, ...]:
    return tuple(
        sorted({other for known in relatives(word, known_words()) for other in synonyms(known)})
    )
