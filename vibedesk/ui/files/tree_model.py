"""The files of a project as a tree of folders, made from flat paths and changed piece by piece."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from vibedesk.ui.files.file_marks import (
    PERSON_MARKS,
    UNMARKED,
    FileMark,
    MarkKind,
    PersonMark,
    worst,
)

Index = QModelIndex | QPersistentModelIndex
_MANY = 200


class Role(IntEnum):
    """What the delegate asks for beyond the name."""

    PATH = Qt.ItemDataRole.UserRole + 1
    DEPTH = Qt.ItemDataRole.UserRole + 2
    IS_FOLDER = Qt.ItemDataRole.UserRole + 3
    MARK = Qt.ItemDataRole.UserRole + 4
    FOLDER_MARK = Qt.ItemDataRole.UserRole + 5


class _Node:
    """A file or a folder; folders first, then by name without regard to case."""

    __slots__ = ("children", "depth", "is_folder", "key", "mark", "name", "parent", "path", "tally")

    def __init__(self, path: str, parent: _Node | None, *, is_folder: bool) -> None:
        self.path = path
        self.name = path.rsplit("/", 1)[-1]
        self.parent = parent
        self.depth: int = -1 if parent is None else parent.depth + 1
        self.is_folder = is_folder
        self.key = (not is_folder, self.name.casefold(), self.name)
        self.children: list[_Node] = []
        self.mark = UNMARKED
        self.tally: Counter[MarkKind] = Counter()

    def place_of(self, child: _Node) -> int:
        return bisect_left(self.children, child.key, key=lambda node: node.key)


class FileTreeModel(QAbstractItemModel):
    """Rows by path. Renaming in a view asks by `rename_requested` and changes nothing itself."""

    rename_requested = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = _Node("", None, is_folder=True)
        self._nodes: dict[str, _Node] = {}

    # -- contents

    @property
    def paths(self) -> list[str]:
        return [path for path, node in self._nodes.items() if not node.is_folder]

    def set_files(self, marks: Mapping[str, FileMark]) -> None:
        """Become exactly these files; few differences are changed one by one, many by a reset."""
        present = set(self.paths)
        added = [path for path in marks if path not in present]
        removed = [path for path in present if path not in marks]
        if len(added) + len(removed) > _MANY:
            self._reset(marks)
            return
        for path in removed:
            self.remove(path)
        for path, mark in marks.items():
            self.set_mark(path, mark)

    def set_mark(self, path: str, mark: FileMark) -> None:
        """Add a file if it is new, and say something about it."""
        node = self._nodes.get(path)
        if node is None:
            self._insert(path, mark)
        elif not node.is_folder and node.mark != mark:
            self._count(node, node.mark, mark)
            node.mark = mark
            index = self.index_of(path)
            self.dataChanged.emit(index, index)

    def remove(self, path: str) -> None:
        """Take a file away, and the folders that are empty then."""
        node = self._nodes.get(path)
        if node is None or node.is_folder:
            return
        self._count(node, node.mark, UNMARKED)
        while (
            node.parent is not None
            and node.parent.parent is not None
            and len(node.parent.children) == 1
        ):
            node = node.parent
        parent = node.parent
        assert parent is not None  # the root is never in `_nodes`
        row = parent.place_of(node)
        self.beginRemoveRows(self._index(parent), row, row)
        del parent.children[row]
        self._forget(node)
        self.endRemoveRows()

    def index_of(self, path: str) -> QModelIndex:
        node = self._nodes.get(path)
        return QModelIndex() if node is None else self._index(node)

    def folders(self) -> Iterable[str]:
        return [path for path, node in self._nodes.items() if node.is_folder]

    def _reset(self, marks: Mapping[str, FileMark]) -> None:
        self.beginResetModel()
        self._root = _Node("", None, is_folder=True)
        self._nodes = {}
        for path, mark in marks.items():
            folder = self._root
            for end in _slashes(path):
                part = self._nodes.get(path[:end])
                if part is None:
                    part = self._nodes[path[:end]] = _Node(path[:end], folder, is_folder=True)
                    folder.children.append(part)
                folder = part
            node = self._nodes[path] = _Node(path, folder, is_folder=False)
            folder.children.append(node)
            node.mark = mark
            self._count(node, UNMARKED, mark, tell=False)
        for node in (self._root, *self._nodes.values()):
            node.children.sort(key=lambda child: child.key)
        self.endResetModel()

    def _insert(self, path: str, mark: FileMark) -> None:
        """Insert the topmost missing folder with all that is in it as one row."""
        parent = self._root
        missing: list[str] = []
        for end in (*_slashes(path), len(path)):
            known = self._nodes.get(path[:end])
            if known is None:
                missing.append(path[:end])
            else:
                parent = known
        top = _Node(missing[0], parent, is_folder=len(missing) > 1)
        below = {missing[0]: top}
        node = top
        for part in missing[1:]:
            child = below[part] = _Node(part, node, is_folder=part != path)
            node.children.append(child)
            node = child
        row = parent.place_of(top)
        self.beginInsertRows(self._index(parent), row, row)
        parent.children.insert(row, top)
        self._nodes.update(below)
        self.endInsertRows()
        node.mark = mark
        self._count(node, UNMARKED, mark)

    def _forget(self, node: _Node) -> None:
        del self._nodes[node.path]
        for child in node.children:
            self._forget(child)

    def _count(self, node: _Node, before: FileMark, after: FileMark, *, tell: bool = True) -> None:
        folder = node.parent
        while folder is not None and folder.parent is not None:
            shown = worst(folder.tally)
            folder.tally.subtract(before.kinds)
            folder.tally.update(after.kinds)
            if tell and worst(folder.tally) != shown:
                index = self._index(folder)
                self.dataChanged.emit(index, index)
            folder = folder.parent

    def _index(self, node: _Node) -> QModelIndex:
        if node.parent is None:
            return QModelIndex()
        return self.createIndex(node.parent.place_of(node), 0, node)

    def _node(self, index: Index) -> _Node:
        node = index.internalPointer() if index.isValid() else self._root
        assert isinstance(node, _Node)
        return node

    # -- what views ask

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        children = self._node(parent or QModelIndex()).children
        return (
            self.createIndex(row, column, children[row])
            if 0 <= row < len(children)
            else QModelIndex()
        )

    def parent(self, index: Index | None = None) -> Any:
        if index is None:
            return super().parent()
        node = self._node(index).parent
        return QModelIndex() if node is None else self._index(node)

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self._node(parent or QModelIndex()).children)

    def columnCount(self, parent: Index | None = None) -> int:
        return 1

    def hasChildren(self, parent: Index | None = None) -> bool:  # noqa: N802
        return bool(self._node(parent or QModelIndex()).children)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node = self._node(index)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return node.name
            case Qt.ItemDataRole.ToolTipRole:
                return self._told(node)
            case Role.PATH:
                return node.path
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(node)
            case Role.DEPTH:
                return node.depth
            case Role.IS_FOLDER:
                return node.is_folder
            case Role.MARK:
                return node.mark
            case Role.FOLDER_MARK:
                return worst(node.tally)
            case _:
                return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        node = self._node(index)
        name = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not name or name == node.name:
            return False
        folder = node.path[: -len(node.name)]
        self.rename_requested.emit(node.path, folder + name)
        return True

    def _spoken(self, node: _Node) -> str:
        if node.is_folder:
            return self.tr("{name}, folder").format(name=node.name)
        said = [word for mark, word in self._person_words().items() if mark in node.mark.person]
        if node.mark.proposed:
            said.append(self.tr("new version to review"))
        return ", ".join(
            [node.name, *(self._word(kind, node.mark) for kind in node.mark.kinds), *said]
        )

    def _told(self, node: _Node) -> str:
        """Return the path and what each of the person's marks means."""
        meanings: dict[PersonMark, str] = {
            "locked": self.tr("Locked: VibeDesk does not write it."),
            "pinned": self.tr("Pinned: VibeDesk always reads it."),
            "excluded": self.tr("Excluded: VibeDesk does not read it."),
        }
        lines = [node.path, *(meanings[mark] for mark in PERSON_MARKS if mark in node.mark.person)]
        if node.mark.proposed:
            lines.append(self.tr("A new version waits for your review."))
        return "\n".join(lines)

    def _person_words(self) -> dict[PersonMark, str]:
        return {
            "locked": self.tr("locked"),
            "pinned": self.tr("pinned"),
            "excluded": self.tr("excluded"),
        }

    def _word(self, kind: MarkKind, mark: FileMark) -> str:
        match kind:
            case "errors":
                return self.tr("{count} errors").format(count=mark.errors)
            case "warnings":
                return self.tr("{count} warnings").format(count=mark.warnings)
            case "fixing":
                return self.tr("being fixed")
            case "writing":
                return self.tr("being written")
            case "modified":
                return self.tr("modified")
            case "new":
                return self.tr("new")
            case "queued":
                return self.tr("queued")


def _slashes(path: str) -> Iterable[int]:
    at = path.find("/")
    while at >= 0:
        yield at
        at = path.find("/", at + 1)
