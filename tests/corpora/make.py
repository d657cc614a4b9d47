"""Makes the two projects that the choice of files is measured on: 200 files each, the same at every run.

`python tests/corpora/make.py FOLDER` writes them down, to be read.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.corpora import corner_shop, studio_planner

PROJECTS = {"studio-planner": studio_planner.files, "corner-shop": corner_shop.files}


def project(name: str) -> dict[str, str]:
    """Return path → text."""
    return dict(sorted(PROJECTS[name]().items()))


if __name__ == "__main__":
    for name in PROJECTS:
        for path, text in project(name).items():
            target = Path(sys.argv[1]) / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
