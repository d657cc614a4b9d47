"""One message in Markdown: prose and code blocks below one another, growing while it is written."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vibedesk.ui.chat.code_block import CodeBlockView
from vibedesk.ui.chat.markdown import Block, CodeBlock, MarkdownStream, ProseBlock
from vibedesk.ui.chat.rich_text import RichText
from vibedesk.ui.theme.theme import Theme

_Run = CodeBlock | tuple[ProseBlock, ...]


class MarkdownView(QWidget):
    """Shows Markdown; what did not change is not laid out again."""

    link_activated = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._stream = MarkdownStream()
        self._runs: list[_Run] = []
        self._parts: list[RichText | CodeBlockView] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)

    @property
    def text(self) -> str:
        """The Markdown as it came."""
        return self._stream.text

    def set_markdown(self, text: str) -> None:
        runs = _runs(self._stream.set_text(text))
        for index, run in enumerate(runs):
            if index < len(self._runs) and self._runs[index] == run:
                continue
            self._show(index, run)
        for part in self._parts[len(runs) :]:
            self._column.removeWidget(part)
            part.deleteLater()
        del self._parts[len(runs) :]
        self._runs = runs
        self.updateGeometry()

    def _show(self, index: int, run: _Run) -> None:
        wanted = CodeBlockView if isinstance(run, CodeBlock) else RichText
        if index < len(self._parts) and not isinstance(self._parts[index], wanted):
            old = self._parts[index]
            self._column.removeWidget(old)
            old.deleteLater()
            self._parts[index] = self._insert(index, wanted)
        elif index >= len(self._parts):
            self._parts.append(self._insert(index, wanted))
        part = self._parts[index]
        if isinstance(part, CodeBlockView) and isinstance(run, CodeBlock):
            part.set_code(run.language, run.text)
        elif isinstance(part, RichText) and not isinstance(run, CodeBlock):
            part.set_blocks(run)

    def _insert(
        self, index: int, kind: type[RichText] | type[CodeBlockView]
    ) -> RichText | CodeBlockView:
        part = kind(self._theme)
        if isinstance(part, RichText):
            part.link_activated.connect(self.link_activated)
        self._column.insertWidget(index, part)
        return part


def _runs(blocks: list[Block]) -> list[_Run]:
    """Join neighbouring prose, so that it can be selected as one."""
    runs: list[_Run] = []
    for is_code, group in groupby(blocks, key=lambda block: isinstance(block, CodeBlock)):
        if is_code:
            runs += [block for block in group if isinstance(block, CodeBlock)]
        else:
            runs.append(tuple(block for block in group if isinstance(block, ProseBlock)))
    return runs
