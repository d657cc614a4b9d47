"""Reads the library's cards before the engine is up, with nothing but the standard library.

The window shows them with its first paint; the engine starts after it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from vibedesk.engine.card_view import ProjectCardView

_QUERY = """
SELECT id, name, title, description, wish, state, state_reason, sample,
       json_extract(blueprint, '$.color_palette'), folder, created_at, updated_at
FROM projects WHERE deleted_at IS NULL ORDER BY updated_at DESC, id DESC
"""


def peek_cards(database: Path) -> list[ProjectCardView]:
    """Return the projects, last changed first; nothing where there is no readable library."""
    if not database.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(_QUERY).fetchall()
    except sqlite3.Error:
        # The engine opens it next and says what is wrong.
        return []
    return [
        ProjectCardView(
            id=row[0],
            name=row[1],
            title=row[2] or row[4],
            description=row[3] or row[4],
            state=row[5],
            reason=row[6],
            sample=row[7],
            palette=tuple(str(color) for color in json.loads(row[8] or "[]")),
            folder=row[9],
            created_at=row[10],
            updated_at=row[11],
        )
        for row in rows
    ]
