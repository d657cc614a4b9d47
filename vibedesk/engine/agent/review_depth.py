"""How thoroughly an app is looked at after a phase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

ReviewDepth = Literal["full", "tools", "page"]
"""full: tools, page in a browser, acceptance checks, a model's look; tools: that without a browser; page: only that it answers."""

DepthSource = Callable[[], ReviewDepth]
"""Asked anew at every review: the person may change it meanwhile."""

DEPTH_SETTING: Final = "review.depth"
DEPTH_VARIABLE: Final = "VIBEDESK_REVIEW"
"""In the environment it wins over the setting."""


def depth_from(said: object) -> ReviewDepth:
    """Return the depth that somebody set; what is none of them means the usual one, full."""
    return next((depth for depth in get_args(ReviewDepth) if depth == said), "full")
