"""Dangers in pages and components that are no scripts: HTML, Vue, Svelte, Jinja."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.security.script import Script
from vibedesk.engine.review.security.script_sinks import XSS_ADVICE, markup_danger
from vibedesk.engine.review.security.source_text import SourceText

_SCRIPT = re.compile(r"<script\b[^>]{0,500}>", re.I)
_COMMENT_ENDS = {"<!--": "-->", "{#": "#}"}
_V_HTML = re.compile(r"\bv-html\s*=\s*(\"[^\"]{0,500}\"|'[^']{0,500}')")
_AT_HTML = re.compile(r"\{@html\s+([^}]{1,500})\}")
_SAFE_FILTER = re.compile(r"\{\{[^}]{0,300}\|\s*safe\b[^}]{0,100}\}\}")
_AUTOESCAPE_OFF = re.compile(r"\{%-?\s*autoescape\s+false\b", re.I)
_TAG = re.compile(r"<(a|area|form)\b", re.I)
_BLANK = re.compile(r"\btarget\s*=\s*(?:\{\s*)?['\"]_blank['\"]")
_REL = re.compile(r"\brel\s*=")
_HTTP = re.compile(
    r"<(?:script|link|img|iframe|audio|video|source|form)\b[^>]{0,400}?\b(?:src|href|action)\s*=\s*['\"](http://[^'\"]{1,200})",
    re.I,
)
_LOCAL = re.compile(r"http://(?:localhost|127\.|0\.0\.0\.0|www\.w3\.org)")
_LONGEST_TAG = 2000


def scripts_of(text: str) -> str:
    """Return a page's scripts, all else blank, so that offsets stay."""
    kept: list[str] = []
    at = 0
    while opened := _SCRIPT.search(text, at):
        end = text.find("</script", opened.end())
        end = end if end >= 0 else len(text)
        kept.append(_blank(text[at : opened.end()]))
        kept.append(text[opened.end() : end])
        at = end
    return "".join([*kept, _blank(text[at:])])


def markup_of(text: str, *, jinja: bool) -> str:
    """Return a page without comments and scripts, which are blank."""
    scripts = scripts_of(text)
    rest = "".join(
        " " if s.strip() else c for c, s in zip(text, scripts, strict=True)
    )  # fmt: skip
    for mark, ending in _COMMENT_ENDS.items():
        if mark == "{#" and not jinja:
            continue
        pieces, at = [], 0
        while (start := rest.find(mark, at)) >= 0:
            end = rest.find(ending, start)
            end = end + len(ending) if end >= 0 else len(rest)
            pieces += [rest[at:start], _blank(rest[start:end])]
            at = end
        rest = "".join([*pieces, rest[at:]])
    return rest


def markup_issues(source: SourceText, script: Script) -> list[Issue]:
    """Return what a page or component does with values and links.

    Args:
        source: The file.
        script: What its scripts say, for the names in its markup.
    """
    jinja = source.path.endswith((".html", ".htm", ".jinja", ".j2"))
    text = markup_of(source.text, jinja=jinja)
    found = list(_unescaped(source, text, script))
    if jinja:
        found.extend(_jinja(source, text))
    return [*found, *tag_issues(source, text)]


def tag_issues(source: SourceText, text: str) -> list[Issue]:
    """Return what single tags do, in pages and in JSX; `text` is the file's without comments."""
    return [*_blank_targets(source, text), *_plain_loads(source, text)]


def _plain_loads(source: SourceText, text: str) -> Iterator[Issue]:
    for match in _HTTP.finditer(text):
        if not _LOCAL.match(match[1]):
            yield source.issue(
                match.start(1),
                "plain_http",
                "warning",
                f"{match[1][:60]} is loaded without encryption: anyone on the way can change it, and browsers "
                "refuse it on an https page. Use https.",
            )


def _blank_targets(source: SourceText, text: str) -> Iterator[Issue]:
    """Yield the links that open a window which can steer this one."""
    if "_blank" not in text:
        return
    for match in _TAG.finditer(text):
        tag = _tag(text, match.start())
        if _BLANK.search(tag) and not _REL.search(tag) and "{..." not in tag:
            where = re.search(r"(?:href|action|:href|to)\s*=\s*(.{1,40}?)[\s>]", tag)
            yield source.issue(
                match.start(),
                "target_blank",
                "warning",
                f"The link {where[1] if where else ''} opens a new window that may steer this one in older browsers. "
                'Add rel="noopener noreferrer".',
            )


def _tag(text: str, start: int) -> str:
    """Return a tag up to its end; `>` in braces and quotes does not end it."""
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + _LONGEST_TAG)):
        mark = text[at]
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"":
            quote = mark
        elif mark == "<" and at > start and depth <= 0:
            return ""
        elif mark == "{":
            depth += 1
        elif mark == "}":
            depth -= 1
        elif mark == ">" and depth <= 0:
            return text[start : at + 1]
    return ""


def _unescaped(source: SourceText, text: str, script: Script) -> Iterator[Issue]:
    for sink, pattern in (("v-html", _V_HTML), ("{@html}", _AT_HTML)):
        for match in pattern.finditer(text):
            value = match[1].strip("\"' ")
            within = Script(SourceText(source.path, value, in_browser=True))
            span = (0, len(within.tokens))
            known = len(within.tokens) == 1 and value in script.values
            severity = (
                max(
                    (markup_danger(script, v, unknown="blocking") for v in script.values[value]),
                    key=lambda s: ("", "warning", "blocking").index(s or ""),
                )
                if known
                else markup_danger(within, span, unknown="blocking")
            )
            if severity:
                yield source.issue(
                    match.start(),
                    "html_injection",
                    severity,
                    f"`{sink}` puts `{value[:50]}` into the page as markup. {XSS_ADVICE}",
                )


def _jinja(source: SourceText, text: str) -> Iterator[Issue]:
    for match in _SAFE_FILTER.finditer(text):
        said = match.group()
        if re.search(r"\|\s*(?:tojson|escape|e|forceescape|bleach|sanitize\w*)\b", said):
            continue
        yield source.issue(
            match.start(),
            "unescaped_template",
            "blocking",
            f"`{said[:60]}` is shown without escaping. If people typed it, it can run code in every visitor's page. "
            "Leave the filter `safe` away.",
        )
    for match in _AUTOESCAPE_OFF.finditer(text):
        yield source.issue(
            match.start(),
            "unescaped_template",
            "blocking",
            "Escaping is switched off for this part of the page: what people typed can run code there. "
            "Leave `autoescape false` away.",
        )


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
