"""Prose that grows is written on from where it changed, and looks as if it had been written at once."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextCursor, QTextList, QTextTable
from PySide6.QtWidgets import QApplication

from vibedesk.ui.chat.markdown import MarkdownStream, ProseBlock
from vibedesk.ui.chat.rich_text import RichText
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui

_PIECES = st.sampled_from(
    [
        "# Heading\n\n",
        "A paragraph with **bold** words, ",
        "a [link](https://example.org) ",
        "and `code`.\n\n",
        "\n\n",
        "- first\n",
        "- second\n",
        "  - inner\n",
        "1. one\n",
        "2. two\n\n",
        "> quoted\n\n",
        "|a|b|\n|-|-|\n|1|2|\n\n",
        "|a|b|\n|-|-|\n|1|**2**|\n",
        "---\n\n",
        "***\n",
    ]
)


def prose(text: str) -> list[ProseBlock]:
    return [b for b in MarkdownStream().set_text(text) if isinstance(b, ProseBlock)]


def look(view: RichText) -> list[object]:
    """What is seen of each block: its words, its formats, its list, its table."""
    seen: list[object] = [view.focusPolicy(), view.accessibleName()]
    document = view.document()
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        around = block.textList()
        table = QTextCursor(block).currentTable()
        seen.append(
            (
                block.text(),
                (form.topMargin(), form.leftMargin(), form.indent(), form.lineHeight()),
                form.hasProperty(form.Property.BlockTrailingHorizontalRulerWidth),
                _list(around, block) if around is not None else None,
                _table(table) if table is not None else None,
                [(r.start, r.length, r.format.fontWeight(), r.format.isAnchor(), r.format.fontFixedPitch())
                 for r in block.textFormats()],
            )
        )  # fmt: skip
        block = block.next()
    return seen


def _list(around: QTextList, block: object) -> tuple[object, ...]:
    form = around.format()
    return (around.itemNumber(block), around.count(), form.style(), form.start(), form.indent())  # type: ignore[arg-type]


def _table(table: QTextTable) -> tuple[int, int]:
    return (table.rows(), table.columns())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(_PIECES, min_size=1, max_size=14), cuts=st.lists(st.integers(1, 60)))
def test_growing_prose_looks_like_prose_written_at_once(
    qapp: QApplication, theme: Theme, pieces: list[str], cuts: list[int]
) -> None:
    text = "".join(pieces)
    stream, grown = MarkdownStream(), RichText(theme)
    end = 0
    for cut in cuts:
        end += cut
        blocks = stream.set_text(text[:end])
        grown.set_blocks([b for b in blocks if isinstance(b, ProseBlock)])
    grown.set_blocks([b for b in stream.set_text(text) if isinstance(b, ProseBlock)])
    whole = RichText(theme)
    whole.set_blocks(prose(text))
    assert look(grown) == look(whole)
    grown.deleteLater()
    whole.deleteLater()


def test_what_is_finished_is_not_written_again(qapp: QApplication, theme: Theme) -> None:
    view = RichText(theme)
    text = "\n\n".join(f"Paragraph {number}" for number in range(200))
    stream = MarkdownStream()
    view.set_blocks([b for b in stream.set_text(text) if isinstance(b, ProseBlock)])
    changes: list[tuple[int, int, int]] = []
    view.document().contentsChange.connect(lambda *change: changes.append(change))
    view.set_blocks([b for b in stream.set_text(text + " more") if isinstance(b, ProseBlock)])
    assert changes
    assert min(position for position, _, _ in changes) > view.document().characterCount() - 60
    view.deleteLater()
