"""Words as they are compared: parts of identifiers, without case, accents and the plural."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from vibedesk.base.resources import resource

_RUN = re.compile(r"[^\W\d_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[A-Z]")
_SHORTEST = 2
_LONGEST = 40


def words_in(text: str) -> list[str]:
    """Return the words of a text in order: `memberListPage` is member, list, page."""
    return [word for run in _RUN.findall(text) for word in _parts(run)]


@lru_cache(maxsize=100_000)
def _parts(run: str) -> tuple[str, ...]:
    plain = run if run.isascii() else _without_accents(run)
    parts = [plain] if plain.islower() else _PART.findall(plain)
    return tuple(
        word
        for part in parts
        if _SHORTEST <= len(part) <= _LONGEST
        and (word := singular(part.lower())) not in stopwords()
    )


def _without_accents(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(char for char in spread if not unicodedata.combining(char))


def singular(word: str) -> str:
    """Return a word without the plural's ending, good enough to compare by."""
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=1)
def stopwords() -> frozenset[str]:
    """Return the words that say nothing of a project, in code and in several languages."""
    text = resource("relevance", "stopwords.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(_without_accents(word) for line in lines for word in line.split())


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in resource("relevance", "synonyms.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        group = frozenset(singular(_without_accents(word).lower()) for word in line.split())
        for word in group:
            found[word] = found.get(word, frozenset()) | group
    return found


def synonyms(word: str) -> frozenset[str]:
    """Return what else a word may be called, in code or in another language; without itself."""
    return _groups().get(word, frozenset()) - {word}


def known_words() -> Iterable[str]:
    """Return every word that has synonyms."""
    return _groups().keys()


def relatives(word: str, vocabulary: Iterable[str]) -> list[str]:
    """Return the words that only end differently: cancel, cancelled, cancellation."""
    return [other for other in vocabulary if other != word and _same_root(word, other)]


def _same_root(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 4 or len(longer) - len(shorter) > 6:
        return False
    # expiry and expired, but not apply and apple
    return longer.startswith(shorter) or (len(shorter) > 5 and longer.startswith(shorter[:-1]))
