"""An entity of an app, as a table of fields, and the pieces of source text that follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_KEPT_OF_ALL = """
tags text Tags
archived flag Archived
createdBy text Created by
changedBy text Last changed by
oldNumber text Number in the old system"""
_SLOT = re.compile(r"@(\w+)@")


def fill(text: str, **values: str) -> str:
    """Replace every `@slot@`; one that stands alone on its line indents all its lines."""

    text = text.strip("\n")

    def put(match: re.Match[str]) -> str:
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        indent = line if not line.strip() else ""
        return values[match[1]].replace("\n", f"\n{indent}")

    return _SLOT.sub(put, text) + "\n"


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    """text, long, number, money, date, flag, or the choices with | between them."""
    label: str

    @property
    def choices(self) -> list[str]:
        return self.kind.split("|") if "|" in self.kind else []

    @property
    def type(self) -> str:
        if self.choices:
            return " | ".join(f"'{choice}'" for choice in self.choices)
        return {"number": "number", "money": "number", "flag": "boolean"}.get(self.kind, "string")

    @property
    def empty(self) -> str:
        if self.choices:
            return f"'{self.choices[0]}'"
        return {"number": "0", "money": "0", "flag": "false"}.get(self.kind, "''")

    @property
    def shown(self) -> str:
        if self.kind == "money":
            return f"formatMoney(item.{self.name})"
        if self.kind == "date":
            return f"formatDate(item.{self.name})"
        return f"item.{self.name} ? 'Yes' : 'No'" if self.kind == "flag" else f"item.{self.name}"


@dataclass(frozen=True)
class Entity:
    key: str
    """Plural, as folders and addresses name it."""
    one: str
    many: str
    title: str
    about: str
    nothing: str
    fields: tuple[Field, ...]

    def slots(self) -> dict[str, str]:
        low = self.one[0].lower() + self.one[1:]
        return {
            "key": self.key,
            "One": self.one,
            "one": low,
            "Many": self.many,
            "title": self.title,
            "about": self.about,
            "nothing": self.nothing,
            "what": re.sub(r"(?<!^)([A-Z])", r" \1", self.one).lower(),
            "first": self.fields[0].name,
            "types": self._lines(lambda f: f"/** {f.label}. */\n{f.name}: {f.type};"),
            "empty": self._lines(lambda f: f"{f.name}: {f.empty},"),
            "labels": self._lines(lambda f: f"{f.name}: '{f.label}',"),
            "checks": self._lines(_check),
            "inputs": self._lines(_input),
            "heads": self._lines(_head),
            "cells": self._lines(_cell),
            "facts": self._lines(_fact),
            "columns": self._lines(lambda f: f"{_snake(f.name)} {_sql(f)},"),
            "column_list": ", ".join(_snake(f.name) for f in self.fields),
            "marks": ", ".join("?" for _ in self.fields),
            "values": self._lines(
                lambda f: f"draft.{f.name}{' ? 1 : 0' if f.kind == 'flag' else ''},"
            ),
            "sets": ", ".join(f"{_snake(f.name)} = ?" for f in self.fields),
            "row": self._lines(_from_row),
            "parse": self._lines(_parse),
        }

    def _lines(self, line: Callable[[Field], str]) -> str:
        return "\n".join(text for f in self.fields if (text := line(f)))

    def formats(self, module: str) -> str:
        """Return the imports of the formatting functions that lists and cards need."""
        kinds = {f.kind for f in self.fields}
        lines = ["import { formatDate } from '@/lib/dates';"] if "date" in kinds else []
        lines += [f"import {{ formatMoney }} from '{module}';"] if "money" in kinds else []
        return "\n".join(lines)


def entity(
    key: str, one: str, many: str, title: str, about: str, nothing: str, fields: str
) -> Entity:
    """Read the fields from lines of `name kind Label`."""
    rows = [line.split(None, 2) for line in (fields.strip() + _KEPT_OF_ALL).splitlines()]
    return Entity(key, one, many, title, about, nothing, tuple(Field(*row) for row in rows))


def _head(f: Field) -> str:
    side = "right" if f.kind in ("number", "money") else "left"
    return (
        f'<th scope="col" className="px-3 py-2 text-{side} text-xs font-medium tracking-wide text-quiet">\n'
        f"  {f.label}\n</th>"
    )


def _cell(f: Field) -> str:
    side = "text-right tabular-nums" if f.kind in ("number", "money") else "text-left"
    return f'<td className="px-3 py-2 {side} align-top text-sm">{{{f.shown}}}</td>'


def _fact(f: Field) -> str:
    return (
        '<div className="grid grid-cols-[10rem_1fr] items-baseline gap-3 py-1">\n'
        f'  <dt className="text-sm text-quiet">{f.label}</dt>\n'
        f'  <dd className="m-0 break-words text-sm">{{{f.shown}}}</dd>\n</div>'
    )


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def _sql(f: Field) -> str:
    if f.choices:
        allowed = ", ".join(f"'{choice}'" for choice in f.choices)
        return f"TEXT NOT NULL DEFAULT '{f.choices[0]}' CHECK ({_snake(f.name)} IN ({allowed}))"
    integer = f.kind in ("number", "money", "flag")
    return "INTEGER NOT NULL DEFAULT 0" if integer else "TEXT NOT NULL DEFAULT ''"


def _from_row(f: Field) -> str:
    value = f"row.{_snake(f.name)}"
    kind = (
        f"{f.type}" if f.choices else {"number": "number", "money": "number"}.get(f.kind, "string")
    )
    return f"{f.name}: {value} === 1," if f.kind == "flag" else f"{f.name}: {value} as {kind},"


def _parse(f: Field) -> str:
    if f.choices:
        return f"{f.name}: oneOf(body.{f.name}, [{', '.join(repr(c) for c in f.choices)}], '{f.label}'),"
    reader = {"number": "number", "money": "cents", "flag": "flag", "date": "day"}.get(
        f.kind, "text"
    )
    return f"{f.name}: {reader}(body.{f.name}, '{f.label}'),"


def _check(f: Field) -> str:
    if f.kind == "text":
        return f"if (!draft.{f.name}.trim()) errors.{f.name} = 'Please fill in: {f.label}.';"
    if f.kind in ("number", "money"):
        return f"if (draft.{f.name} < 0) errors.{f.name} = '{f.label} must not be negative.';"
    if f.kind == "date":
        return f"if (Number.isNaN(Date.parse(draft.{f.name}))) errors.{f.name} = '{f.label} is not a date.';"
    return ""


def _input(f: Field) -> str:
    change = f"onChange={{(value) => set('{f.name}', value)}}"
    if f.choices:
        options = ", ".join(f"'{choice}'" for choice in f.choices)
        return (
            f'<Select\n  name="{f.name}"\n  label="{f.label}"\n  options={{[{options}]}}\n'
            f"  value={{draft.{f.name}}}\n  {change}\n/>"
        )
    if f.kind == "flag":
        return f'<Checkbox\n  name="{f.name}"\n  label="{f.label}"\n  checked={{draft.{f.name}}}\n  {change}\n/>'
    kind = {"number": "number", "money": "number", "date": "date", "long": "textarea"}.get(
        f.kind, "text"
    )
    change = (
        f"onChange={{(value) => set('{f.name}', Number(value))}}" if kind == "number" else change
    )
    value = f"String(draft.{f.name})" if kind == "number" else f"draft.{f.name}"
    return (
        f'<Field\n  name="{f.name}"\n  label="{f.label}"\n  kind="{kind}"\n'
        f"  value={{{value}}}\n  error={{errors.{f.name}}}\n  {change}\n/>"
    )
