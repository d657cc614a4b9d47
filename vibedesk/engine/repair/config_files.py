"""Files that no compiler reads: package.json that is no JSON, a page that starts a script that is not there, Tailwind's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])')
_MODULE_SCRIPT = re.compile(r'(<script\b[^>]*\bsrc=["\'])/?(?P<path>src/[^"\']+)(["\'])', re.I)
_ENTRIES = ("src/main.tsx", "src/main.ts", "src/main.jsx", "src/main.js")
_ANY_SCRIPT = re.compile(r"<script\b", re.I)
_BODY_END = re.compile(r"^(?P<indent>[ \t]*)</body>", re.M | re.I)
_ROOT = re.compile(r"""(?:getElementById\(|querySelector(?:<\w+>)?\()['"]#?([\w-]+)['"]""")
_EMPTY = re.compile(r'<div id="([\w-]+)"></div>')
_NAMING = (".css", ".ts", ".tsx", ".js", ".jsx", ".vue", ".svelte")
# Texts and comments are passed over; a comma before a closing bracket is no SQL.
_SQL_COMMA = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|(?P<comma>,)(?=(?:\s|--[^\n]*\n)*\))", re.S
)
_POSTCSS = re.compile(r"postcss\.config\.[cm]?[jt]s")
_POSTCSS_PLUGIN = re.compile(r"""^[ \t]*(['"]?)tailwindcss\1:\s*\{\s*\},?[ \t]*\r?\n""", re.M)
_DIRECTIVE = re.compile(
    r"^[ \t]*@tailwind[ \t]+(?P<layer>base|components|utilities);?[ \t]*\r?\n?", re.M
)
_TAILWIND_IMPORT = re.compile(r"""@import\s+['"]tailwindcss['"]""")
_MAJOR = re.compile(r"\d+")
_TAILWIND_OF_NOW = 4
_SCRIPT_ENDINGS = (".tsx", ".ts", ".jsx", ".js")


def mended_config(texts: Mapping[str, str]) -> dict[str, str]:
    """Return path → new text of what could be mended; each is checked by reading it again."""
    edits: dict[str, str] = {}
    package = texts.get("package.json")
    if package is not None and not _is_json(package):
        mended = _STRING_OR_COMMA.sub(lambda m: "" if m[0] == "," else m[0], package)
        if _is_json(mended):
            edits["package.json"] = mended
    packages = _packages(edits.get("package.json", package or ""))
    page = texts.get("index.html")
    if page is not None and "vite" in packages:
        mended = _page(page, texts)
        if mended != page:
            edits["index.html"] = mended
    for path, text in texts.items():
        if path.endswith(".sql") and (mended := _SQL_COMMA.sub(_without_comma, text)) != text:
            edits[path] = mended
    if int((_MAJOR.search(packages.get("tailwindcss", "")) or "0")[0]) >= _TAILWIND_OF_NOW:
        edits |= _tailwind(texts, packages)
    return edits


def _packages(package: str) -> dict[str, str]:
    """Return what package.json asks for, with its versions."""
    content = json.loads(package) if _is_json(package) else {}
    found: dict[str, object] = {}
    for kind in ("dependencies", "devDependencies"):
        members = content.get(kind)
        found |= members if isinstance(members, dict) else {}
    return {name: version for name, version in found.items() if isinstance(version, str)}


def _tailwind(texts: Mapping[str, str], packages: Mapping[str, str]) -> dict[str, str]:
    """Return what was written for Tailwind 3, as 4 wants it."""
    edits = {}
    for path, text in texts.items():
        mended = text
        if _POSTCSS.fullmatch(path) and "@tailwindcss/vite" in packages:
            mended = _POSTCSS_PLUGIN.sub("", text)  # Vite's plugin does its work
        elif path.endswith(".css"):
            mended = _imported(text)
        if mended != text:
            edits[path] = mended
    return edits


def _imported(style: str) -> str:
    """Return a style sheet that imports Tailwind in place of its directives."""
    directives = list(_DIRECTIVE.finditer(style))
    if not {"base", "utilities"} <= {match["layer"] for match in directives}:
        return style
    without = _DIRECTIVE.sub("", style)
    if _TAILWIND_IMPORT.search(without):
        return without
    end = "\r\n" if "\r\n" in style else "\n"
    at = directives[0].start()
    before = re.sub(r"/\*.*?\*/", "", style[:at], flags=re.S)
    # Imports come before all rules.
    at = at if not re.sub(r"@(?:import|charset)[^;]*;", "", before).strip() else 0
    return f"{without[:at]}@import 'tailwindcss';{end}{without[at:]}"


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _page(page: str, texts: Mapping[str, str]) -> str:
    """Return the page with the script that is there, and with the element that this looks for."""
    entries = [path for path in _ENTRIES if path in texts]
    mended = _MODULE_SCRIPT.sub(lambda m: _script(m, texts), page)
    if len(entries) != 1:
        return mended
    if _ANY_SCRIPT.search(mended) is None and (end := _BODY_END.search(mended)):
        line = f'{end["indent"]}  <script type="module" src="/{entries[0]}"></script>\n'
        mended = f"{mended[: end.start()]}{line}{mended[end.start() :]}"
    wanted = _ROOT.findall(texts[entries[0]])
    empty = _EMPTY.findall(mended)
    if len(wanted) == 1 and len(empty) == 1 and f'id="{wanted[0]}"' not in mended:
        others = (text for path, text in texts.items() if path.endswith(_NAMING))
        if not any(f"#{empty[0]}" in text or f"'{empty[0]}'" in text for text in others):
            mended = mended.replace(f'<div id="{empty[0]}">', f'<div id="{wanted[0]}">')
    return mended


def _without_comma(match: re.Match[str]) -> str:
    return match[0] if match["comma"] is None else match[0].replace(match["comma"], "", 1)


def _script(match: re.Match[str], texts: Mapping[str, str]) -> str:
    path = PurePosixPath(match["path"])
    if str(path) in texts:
        return match[0]
    same = [
        other
        for other in texts
        if other.startswith("src/")
        and other.endswith(_SCRIPT_ENDINGS)
        and PurePosixPath(other).stem.lower() == path.stem.lower()
    ]
    same = same or [entry for entry in _ENTRIES if entry in texts]
    return f"{match[1]}/{same[0]}{match[3]}" if len(same) == 1 else match[0]
