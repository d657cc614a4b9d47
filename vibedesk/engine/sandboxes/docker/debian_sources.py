"""Where this machine's apt gets its packages, so that the image's come from there, too."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_APT = Path("/etc/apt")
_ADDED = "vibedesk"
_ONE_LINE = re.compile(
    r"^deb\s+(?:\[[^]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$"
)
_PROXY = re.compile(r'^(Acquire::(?P<scheme>https?)::Proxy) "(?P<url>[^"]*)";$', re.MULTILINE)
_CONFIG_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianSources:
    """The sources of one Debian release.

    Args:
        mirror: Of the release itself; None: this machine's apt has none, debootstrap knows one.
        lines: Further lines for sources.list: updates and security updates.
        proxies: The proxies apt is told to use, as environment variables.
    """

    mirror: str | None
    lines: tuple[str, ...] = ()
    proxies: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path, *, bundle: Path) -> None:
        """Write what the new system's apt needs into a copy of /etc/apt. Blocking.

        `bundle` holds the certificates this machine trusts; a new system has none yet.
        """
        settings = [
            f'Acquire::{name.partition("_")[0]}::Proxy "{url}";'
            for name, url in self.proxies.items()
        ]
        (folder / "sources.list.d").mkdir(parents=True)
        (folder / "apt.conf.d").mkdir()
        (folder / "sources.list.d" / f"{_ADDED}.list").write_text(_text(self.lines))
        if bundle.exists():
            shutil.copyfile(bundle, folder / f"{_ADDED}.crt")
            settings.append(f'Acquire::https::CAInfo "{_APT}/{_ADDED}.crt";')
        (folder / "apt.conf.d" / f"90{_ADDED}").write_text(_text(settings))


def read_sources(suite: str, apt: Path = _APT) -> DebianSources:
    """Read the machine's sources for the Debian release `suite`. Blocking."""
    found = [entry for entry in _entries(apt) if "main" in entry[2]]
    mirror = next((uri for uri, name, _ in found if name == suite), None)
    further = {
        name: uri for uri, name, _ in found if name in (f"{suite}-updates", f"{suite}-security")
    }
    return DebianSources(
        mirror=mirror,
        lines=tuple(f"deb {uri} {name} main" for name, uri in sorted(further.items())),
        proxies=_proxies(),
    )


def _entries(apt: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (URI, suite, components) of every source of binary packages."""
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]:
        for line in _read(path).splitlines():
            if found := _ONE_LINE.match(line.strip()):
                yield found["uri"], found["suite"], found["components"].split()
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", _read(path)):
            fields = _fields(stanza)
            if "deb" in fields.get("types", []) and fields.get("enabled") != ["no"]:
                for uri in fields.get("uris", []):
                    for suite in fields.get("suites", []):
                        yield uri, suite, fields.get("components", [])


def _fields(stanza: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields.setdefault(name, []).extend(line.split())
        else:
            name, _, value = line.partition(":")
            name = name.lower()
            fields[name] = value.split()
    return fields


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _proxies() -> dict[str, str]:
    try:
        dump = subprocess.run(
            ["apt-config", "dump"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CONFIG_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {
        f"{found['scheme']}_proxy": found["url"]
        for found in _PROXY.finditer(dump)
        if found["url"] not in ("", "DIRECT")
    }


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
