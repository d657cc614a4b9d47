"""SCOF, the streamed code format: files, patches and commands out of a model's text."""

from __future__ import annotations

from vibedesk.engine.scof.edits import apply_edits
from vibedesk.engine.scof.errors import PatchError
from vibedesk.engine.scof.events import ScofEvent
from vibedesk.engine.scof.parser import ScofParser
from vibedesk.engine.scof.patches import apply_patch
from vibedesk.engine.scof.result import ScofResult, parse_scof

__all__ = [
    "PatchError",
    "ScofEvent",
    "ScofParser",
    "ScofResult",
    "apply_edits",
    "apply_patch",
    "parse_scof",
]
