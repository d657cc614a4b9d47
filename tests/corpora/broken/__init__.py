"""Broken projects: a corpus that was written and labelled without sight of what mends them.

`corpus()` gives all entries; each is a starter, the files to lay over it, what is wrong and what must hold once
it is mended. `python -m tests.corpora.broken.validate` shows that the labels are true.
"""

from tests.corpora.broken.entry import Entry, app_files
from tests.corpora.broken.families import corpus

__all__ = ["Entry", "app_files", "corpus"]
