"""Writes parsed Markdown into a text document, in the fonts and colours of the theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markdown_it.token import Token
from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTableFormat,
)

from vibedesk.ui.theme.theme import Theme

_PARAGRAPH_GAP = 8
_ITEM_GAP = 3
_QUOTE_INDENT = 14
_LINKED_SCHEMES = frozenset({"http", "https", "mailto", ""})


@dataclass(slots=True)
class _OpenList:
    form: QTextListFormat
    made: QTextList | None = None


@dataclass(frozen=True, slots=True)
class DocumentEnd:
    """Where a document ended after a whole block, and how."""

    position: int
    block_format: QTextBlockFormat
    char_format: QTextCharFormat
    first: bool
    has_link: bool


class DocumentWriter(QObject):
    """Appends blocks to one document. HTML arrives as text and pictures as their names."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        # Kept here: asked of a table or cursor, PySide hands out one that it deletes afterwards.
        self._document = document
        self._cursor = QTextCursor(document)
        self._first = True
        self._lists: list[_OpenList] = []
        self._list_item_open = False
        self._quotes = 0
        self.has_link = False
        """Whether anything that was written leads somewhere."""
        self._strong_block = False
        self._plain = QTextCharFormat()
        self._plain.setFont(theme.font("body"))
        self._plain.setForeground(theme.color("text.primary"))

    def end(self) -> DocumentEnd:
        """Return where the document ends now, between two blocks of the top level."""
        return DocumentEnd(
            self._cursor.position(),
            self._cursor.blockFormat(),
            self._cursor.blockCharFormat(),
            self._first,
            self.has_link,
        )

    def go_back(self, end: DocumentEnd) -> None:
        """Take away everything that was written after this end."""
        self._cursor.setPosition(end.position)
        self._cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        self._cursor.removeSelectedText()
        # What was removed may have left its format to the block before it.
        self._cursor.setBlockFormat(end.block_format)
        self._cursor.setBlockCharFormat(end.char_format)
        self._first, self.has_link = end.first, end.has_link

    def write(self, tokens: Sequence[Token]) -> None:
        """Append one or more whole blocks of the top level."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "table_open":
                end = next(
                    position
                    for position in range(index, len(tokens))
                    if tokens[position].type == "table_close"
                )
                self._write_table(tokens[index:end])
                index = end
            else:
                self._write_block_token(token)
            index += 1

    def _write_block_token(self, token: Token) -> None:
        match token.type:
            case "paragraph_open":
                self._begin_block()
            case "heading_open":
                self._begin_block(strong=True)
            case "inline":
                self._write_inline(token.children or ())
            case "bullet_list_open":
                self._open_list(QTextListFormat.Style.ListDisc, 1)
            case "ordered_list_open":
                self._open_list(QTextListFormat.Style.ListDecimal, int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._list_item_open = True
            case "blockquote_open":
                self._quotes += 1
            case "blockquote_close":
                self._quotes -= 1
            case "fence" | "code_block":
                self._begin_block()
                code = token.content.rstrip("\n").replace("\n", "\u2028")
                self._cursor.insertText(code, self._code_format())
            case "hr":
                self._write_rule()
            case _:
                pass

    def _open_list(self, style: QTextListFormat.Style, start: int) -> None:
        form = QTextListFormat()
        form.setStyle(style)
        form.setIndent(len(self._lists) + 1)
        form.setStart(start)
        self._lists.append(_OpenList(form))

    def _begin_block(self, *, strong: bool = False) -> None:
        form = QTextBlockFormat()
        form.setLineHeight(
            self._theme.line_height(), QTextBlockFormat.LineHeightTypes.FixedHeight.value
        )
        opens_item = bool(self._lists) and self._list_item_open
        follows_item = opens_item and (len(self._lists) > 1 or self._lists[-1].made is not None)
        gap = _ITEM_GAP if follows_item else _PARAGRAPH_GAP
        form.setTopMargin(0 if self._first else gap)
        form.setLeftMargin(_QUOTE_INDENT * self._quotes)
        if self._lists and not opens_item:
            form.setIndent(len(self._lists))
        if self._first:
            self._cursor.setBlockFormat(form)
            self._first = False
        else:
            self._cursor.insertBlock(form, self._plain)
        if opens_item:
            self._join_list()
        self._list_item_open = False
        self._strong_block = strong

    def _join_list(self) -> None:
        current = self._lists[-1]
        if current.made is None:
            current.made = self._cursor.createList(current.form)
        else:
            current.made.add(self._cursor.block())

    def _write_rule(self) -> None:
        self._begin_block()
        form = self._cursor.blockFormat()
        form.setProperty(
            QTextFormat.Property.BlockTrailingHorizontalRulerWidth,
            QTextLength(QTextLength.Type.PercentageLength, 100),
        )
        form.setLineHeight(8, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        self._cursor.setBlockFormat(form)

    def _write_table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[Token]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline" and rows:
                rows[-1].append(token)
        columns = len(rows[0])
        form = QTextTableFormat()
        form.setBorder(1)
        form.setBorderBrush(self._theme.color("border.default"))
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderCollapse(True)
        form.setCellPadding(5)
        form.setTopMargin(0 if self._first else _PARAGRAPH_GAP)
        table = self._cursor.insertTable(len(rows), columns, form)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells[:columns]):
                self._cursor = table.cellAt(row, column).firstCursorPosition()
                self._strong_block = row == 0
                self._write_inline(cell.children or ())
        self._cursor = QTextCursor(self._document)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._strong_block = False
        self._first = False

    def _write_inline(self, children: Iterable[Token]) -> None:
        form = QTextCharFormat(self._plain)
        if self._strong_block:
            form.setFontWeight(QFont.Weight.DemiBold)
        if self._quotes:
            form.setForeground(self._theme.color("text.secondary"))
        stack: list[QTextCharFormat] = []
        for child in children:
            if child.nesting == 1:
                stack.append(form)
                form = self._opened(form, child)
            elif child.nesting == -1:
                form = stack.pop()
            else:
                self._write_piece(child, form)

    def _opened(self, form: QTextCharFormat, token: Token) -> QTextCharFormat:
        inner = QTextCharFormat(form)
        match token.type:
            case "strong_open":
                inner.setFontWeight(QFont.Weight.DemiBold)
            case "em_open":
                inner.setFontItalic(True)
            case "s_open":
                inner.setFontStrikeOut(True)
            case "link_open":
                self._open_link(inner, str(token.attrs.get("href", "")))
            case _:
                pass
        return inner

    def _open_link(self, form: QTextCharFormat, href: str) -> None:
        if QUrl(href).scheme().lower() not in _LINKED_SCHEMES:
            return
        self.has_link = True
        form.setAnchor(True)
        form.setAnchorHref(href)
        form.setToolTip(href)
        form.setForeground(self._theme.color("text.link"))

    def _write_piece(self, token: Token, form: QTextCharFormat) -> None:
        match token.type:
            case "text" | "text_special":
                self._cursor.insertText(token.content, form)
            case "code_inline":
                self._cursor.insertText(token.content, self._code_format(form))
            case "softbreak":
                self._cursor.insertText(" ", form)
            case "hardbreak":
                self._cursor.insertText("\u2028", form)
            case "image":
                self._cursor.insertText(self._picture_words(token), form)
            case _:
                self._cursor.insertText(token.content, form)

    def _picture_words(self, token: Token) -> str:
        """Say what a picture is named; it is never fetched."""
        return self.tr("[Picture: {name}]").format(name=token.content or token.attrs.get("src", ""))

    def _code_format(self, around: QTextCharFormat | None = None) -> QTextCharFormat:
        code = self._theme.font("code_sm")
        form = QTextCharFormat(around if around is not None else self._plain)
        form.setFontFamilies([code.family()])
        form.setProperty(QTextFormat.Property.FontPixelSize, code.pixelSize())
        form.setFontFixedPitch(True)
        form.setBackground(self._theme.color("bg.hover"))
        return form
