"""Makes code editors: Scintilla where it loads, else a plain one."""

from __future__ import annotations

import logging

from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.editor.plain import PlainEditor
from vibedesk.ui.theme.theme import Theme

_log = logging.getLogger(__name__)


def create_editor(theme: Theme) -> CodeEditor:
    """Return a new editor without text."""
    try:
        # PyQt6 is loaded with the first file, not with the window.
        from vibedesk.ui.editor.scintilla import ScintillaEditor
    except (ImportError, RuntimeError) as error:
        _log.warning("QScintilla cannot be loaded, files open without colours: %s", error)
        return PlainEditor(theme)
    return ScintillaEditor(theme)
