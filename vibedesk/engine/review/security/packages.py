"""What is known against the packages of an app, by its package manager's own audit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from vibedesk.engine.builder.manifest import line_of_package
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.review.checkers import Run
from vibedesk.engine.review.issues import Issue, Severity
from vibedesk.engine.sandboxes.egress.registries import NOT_ASKED

Json = dict[str, Any]

VULNERABLE: Final = "vulnerable_package"
"""The code of a package with known holes."""
UNAVAILABLE: Final = "audit_unavailable"
"""The code of what says that no audit answered."""
INCOMPLETE: Final = "audit_incomplete"
"""The code of what names the packages that an audit did not look at."""
_COMMANDS: Final = {
    "npm": ("npm", "audit", "--omit=dev", "--json"),
    "uv": (
        "uv", "audit", "--frozen", "--no-dev", "--output-format", "json",
        "--preview-features", "audit-command,json-output",
    ),
}  # fmt: skip
_NPM_SEVERITIES: Final[dict[str, Severity]] = {"critical": "critical", "high": "blocking"}
_TOLD_BY_TOOL = re.compile(r"(?:npm (?:warn|WARN|error|ERR!|notice)|warning:|error:)")
_MOST_TITLES = 3


async def audit_packages(run: Run, template: Template, texts: Mapping[str, str]) -> list[Issue]:
    """Return the packages with known holes. Where that cannot be asked of all, one warning says so.

    One that the app itself asks for is found at its line of the manifest.

    Args:
        run: Runs a command where the app's packages are.
        template: The starter, whose package manager is asked. npm and uv can be.
        texts: What the project's files hold, by path.
    """
    tool = (template.add_command.split() or ["The package manager"])[0]
    if tool not in _COMMANDS:
        return [_unknown(template, f"{tool} is not asked for known holes; only npm and uv are.")]
    _, lines = await run(list(_COMMANDS[tool]))
    report = read_json(lines)
    manifest = template.packages.manifest
    unasked = [_unasked(manifest, names) for line in lines if (names := unasked_packages(line))][:1]
    if report is None or ("vulnerabilities" not in report):
        return unasked or [_unknown(template, _reason(report))]
    parse = parse_npm_audit if tool == "npm" else parse_uv_audit
    text = texts.get(manifest, "")
    found = parse(report, manifest)
    placed = [
        replace(i, line=line_of_package(manifest, text, i.evidence["package"])) for i in found
    ]
    return [*placed, *unasked]


def unasked_packages(line: str) -> str:
    """Return the packages that an audit's notice says were not looked at, as words; empty if it is no such notice."""
    said, begins, names = line.partition(NOT_ASKED)
    return names.strip() if begins and _TOLD_BY_TOOL.match(said) else ""


def read_json(lines: list[str]) -> Json | None:
    """Return the object in a tool's output, between its notices."""
    kept = [line for line in lines if not _TOLD_BY_TOOL.match(line)]
    for i, line in enumerate(kept):
        if line.lstrip().startswith("{"):
            try:
                found, _ = json.JSONDecoder().raw_decode("\n".join(kept[i:]).lstrip())
            except (ValueError, RecursionError):
                return None
            return found if isinstance(found, dict) else None
    return None


def parse_npm_audit(report: Json, manifest: str) -> list[Issue]:
    """Return the issues in what `npm audit --json` says: one a package, where the hole itself is."""
    found = []
    packages = report.get("vulnerabilities")
    for name, entry in sorted(packages.items()) if isinstance(packages, dict) else ():
        via = entry.get("via") if isinstance(entry, dict) else None
        holes = [hole for hole in via if isinstance(hole, dict)] if isinstance(via, list) else []
        if not holes:  # only through another one of the list
            continue
        said = str(entry.get("severity", ""))
        found.append(
            _vulnerable(
                manifest,
                str(name),
                str(entry.get("range", "")),
                [str(hole.get("title", "")) for hole in holes],
                [str(hole.get("url", "")) for hole in holes],
                _NPM_SEVERITIES.get(said, "warning"),
                _npm_advice(
                    str(name), entry.get("fixAvailable"), direct=bool(entry.get("isDirect"))
                ),
            )
        )
    return found


def _npm_advice(name: str, fix: object, *, direct: bool) -> str:
    if isinstance(fix, dict):
        major = (
            " It is a new major version, so look what changed." if fix.get("isSemVerMajor") else ""
        )
        return f"Install {fix.get('name', name)}@{fix.get('version', 'latest')}.{major}"
    if fix is True:
        return f"Update {name}." if direct else f"`npm update {name}` brings a version without it."
    return "There is no version without it yet; use another package, or keep what people send away from it."


def parse_uv_audit(report: Json, manifest: str) -> list[Issue]:
    """Return the issues in what `uv audit` says as JSON: one a package."""
    entries = report.get("vulnerabilities")
    by_package: dict[tuple[str, str], list[Json]] = {}
    for entry in entries if isinstance(entries, list) else []:
        package = entry.get("dependency") if isinstance(entry, dict) else None
        if isinstance(package, dict):
            key = str(package.get("name", "")), str(package.get("version", ""))
            by_package.setdefault(key, []).append(entry)
    found = []
    for (name, version), holes in sorted(by_package.items()):
        fixes = holes[-1].get("fix_versions")
        fixed = str(fixes[0]) if isinstance(fixes, list) and fixes else ""
        advice = (
            f"Add {name}=={fixed} or newer."
            if fixed
            else "There is no version without it yet; use another package."
        )
        found.append(
            _vulnerable(
                manifest,
                name,
                version,
                [str(hole.get("summary") or hole.get("id") or "") for hole in holes],
                [str(hole.get("link") or "") for hole in holes],
                "blocking",  # uv tells no severity
                advice,
            )
        )
    return found


def _vulnerable(
    manifest: str,
    name: str,
    versions: str,
    titles: list[str],
    links: list[str],
    severity: Severity,
    advice: str,
) -> Issue:
    told = "; ".join(dict.fromkeys(title for title in titles if title).keys() or ["a known hole"])
    more = len(titles) - _MOST_TITLES
    if more > 0:
        told = "; ".join(titles[:_MOST_TITLES]) + f"; and {more} more"
    return Issue(
        source="security",
        kind="dependency",
        code=VULNERABLE,
        file=manifest,
        message=f"{name} {versions} has a known hole: {told}. {advice}",
        severity=severity,
        evidence={"package": name, "links": [link for link in links if link]},
    )


def _reason(report: Json | None) -> str:
    said = report.get("message") if report else None
    if not isinstance(said, str) and report and isinstance(report.get("error"), dict):
        said = report["error"].get("summary")
    reason = re.sub(r"https?://\S+", "the registry", said)[:200] if isinstance(said, str) else ""
    return f"The list of known holes could not be reached{f' ({reason})' if reason else ''}."


def _unasked(manifest: str, names: str) -> Issue:
    return Issue(
        source="security",
        kind="dependency",
        code=INCOMPLETE,
        file=manifest,
        message=f"These packages were not looked at: {names}. They come from a registry of their own, and nobody was "
        "asked what is known against them; ask whoever publishes them.",
        severity="warning",
    )


def _unknown(template: Template, why: str) -> Issue:
    return Issue(
        source="security",
        kind="dependency",
        code=UNAVAILABLE,
        file=template.packages.manifest,
        message=f"{why} The app's packages were not checked; try again with a connection before you deploy.",
        severity="warning",
    )
