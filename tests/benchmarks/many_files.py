"""The tree of 10,000 files against that of 100: one more file must cost the same, and taking them in what each costs.

CPU time of the model; in the tree of folders as projects have it, and with all files in one folder. Medians of
alternating rounds; exits 1 over a limit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.benchmarks._in_turn import cpu_seconds, exit_status, within_limit
from vibedesk.ui.files.file_marks import UNMARKED, FileMark
from vibedesk.ui.files.tree_model import FileTreeModel

_SMALL, _LARGE = 100, 10_000
_MOST_TAKING_IN, _MOST_INSERTION = 1.5, 2.5
_INSERTIONS = 100
_ROUNDS = 21

PathOf = Callable[[int], str]


def in_folders(number: int) -> str:
    return f"src/part{number % 100}/sub{number % 7}/File{number}.tsx"


def in_one_folder(number: int) -> str:
    return f"src/File{number}.tsx"


def taking_in(path_of: PathOf, count: int) -> Callable[[], float]:
    files = {path_of(number): UNMARKED for number in range(count)}
    return lambda: cpu_seconds(lambda: FileTreeModel().set_files(files)) / count


def inserting(path_of: PathOf, count: int) -> Callable[[], float]:
    files = {path_of(number): UNMARKED for number in range(count)}
    new = [path_of(number * count // _INSERTIONS) + "x" for number in range(_INSERTIONS)]

    def measure() -> float:
        model = FileTreeModel()
        model.set_files(files)

        def insert() -> None:
            for path in new:
                model.set_mark(path, FileMark("new"))

        return cpu_seconds(insert) / _INSERTIONS

    return measure


def main() -> int:
    print(f"{_SMALL} files / {_LARGE} files")
    good = []
    for where, path_of in (("in folders", in_folders), ("in one folder", in_one_folder)):
        for name, subject, limit in (
            (f"taking in a file {where}", taking_in, _MOST_TAKING_IN),
            (f"one more file {where}", inserting, _MOST_INSERTION),
        ):
            small, large = subject(path_of, _SMALL), subject(path_of, _LARGE)
            good.append(within_limit(name, small, large, limit=limit, rounds=_ROUNDS))
    return exit_status(good)


if __name__ == "__main__":
    sys.exit(main())
