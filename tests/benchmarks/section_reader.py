"""Reading an answer of ten times the length, in pieces of 20 characters: about ten times the cost.

One answer has ten times the fields, the other ten times the text in its only field. CPU time, medians of alternating
rounds; exits 1 over the limit.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping

from tests.benchmarks._in_turn import cpu_seconds, exit_status, within_limit
from vibedesk.engine.builder.section_reader import SectionReader

_TIMES = 10
_LIMIT = 15.0
_ROUNDS = 9
_PIECE = 20
_WORDS = "word " * 400


def of_fields(size: int) -> dict[str, str]:
    return {f"field{number}": _WORDS for number in range(size)}


def of_one_field(size: int) -> dict[str, str]:
    return {"field": _WORDS * size}


def reading(answer: Mapping[str, str]) -> Callable[[], float]:
    text = json.dumps(answer)
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]

    def read() -> None:
        reader = SectionReader()
        found = [section for piece in pieces for section in reader.feed(piece)]
        if dict(found) != answer:
            raise SystemExit("the fields that were read are not those of the answer")

    return lambda: cpu_seconds(read)


def main() -> int:
    good = []
    for name, answer, size in (
        ("an answer of many fields", of_fields, 50),
        ("an answer of one field", of_one_field, 20),
    ):
        small, large = reading(answer(size)), reading(answer(size * _TIMES))
        characters = f"{len(_WORDS) * size:,} / {len(_WORDS) * size * _TIMES:,} characters"
        good.append(
            within_limit(f"{name}, {characters}", small, large, limit=_LIMIT, rounds=_ROUNDS)
        )
    return exit_status(good)


if __name__ == "__main__":
    sys.exit(main())
