"""Which Debian and Ubuntu packages VibeDesk's window and its tests need, and how they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class SystemPackagesError(Exception):
    """Packages are missing and could not be installed; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Met by any one of `packages` (their names differ between releases) or by `command` on PATH."""

    packages: tuple[str, ...]
    command: str | None = None

    def is_met(self, installed: frozenset[str]) -> bool:
        if self.command is not None and shutil.which(self.command) is not None:
            return True
        return not installed.isdisjoint(self.packages)


def _libraries(*names: str) -> tuple[Requirement, ...]:
    # Ubuntu 24.04 and Debian 13 renamed some libraries for the 64-bit time_t transition.
    return tuple(Requirement((name, f"{name}t64")) for name in names)


# What Qt's xcb platform plug-in, its network library and QtWebEngine link to.
WINDOW: tuple[Requirement, ...] = (
    *_libraries(
        "libasound2", "libdbus-1-3", "libegl1", "libexpat1", "libfontconfig1", "libfreetype6",
        "libgbm1", "libgl1", "libgssapi-krb5-2", "libglib2.0-0", "libnspr4", "libnss3", "libopengl0", "libudev1",
        "libx11-6", "libx11-xcb1", "libxcb-cursor0", "libxcb-dri3-0", "libxcb-icccm4",
        "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0",
        "libxcb-render0", "libxcb-shape0", "libxcb-shm0", "libxcb-sync1", "libxcb-util1",
        "libxcb-xfixes0", "libxcb-xinerama0", "libxcb-xkb1", "libxcomposite1", "libxdamage1",
        "libxext6", "libxfixes3", "libxkbcommon-x11-0", "libxkbcommon0", "libxkbfile1",
        "libxrandr2", "libxtst6",
    ),
    Requirement(("fonts-dejavu-core", "fonts-liberation", "fonts-liberation2", "fonts-noto-core")),
)  # fmt: skip

# Puts a wall around the apps that VibeDesk runs; without it they run with the person's own rights.
SANDBOX: tuple[Requirement, ...] = (Requirement(("bubblewrap",), command="bwrap"),)

TESTS: tuple[Requirement, ...] = (
    *WINDOW,
    *SANDBOX,
    # Tests start Docker engines of their own, for which they assemble the sandbox image.
    Requirement(("docker.io",), command="dockerd"),
    Requirement(("debootstrap",), command="debootstrap"),
    # Other engines than Docker on this machine: reached over ssh, and Podman.
    Requirement(("openssh-client",), command="ssh"),
    Requirement(("podman",), command="podman"),
    Requirement(("xvfb",), command="Xvfb"),
    Requirement(("xauth",), command="xauth"),
    # On Ubuntu `chromium-browser` installs the snap.
    Requirement(("chromium", "chromium-browser"), command="chromium"),
)


def venv_module(version: tuple[int, int]) -> Requirement:
    """Return the package in which Debian keeps `ensurepip`, which `python -m venv` needs."""
    return Requirement((f"python{version[0]}.{version[1]}-venv", "python3-venv"))


def missing(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return what is not met here; nothing on systems without dpkg, where nobody can tell."""
    installed = _installed_packages()
    if installed is None:
        return []
    return [requirement for requirement in requirements if not requirement.is_met(installed)]


def ensure(requirements: Iterable[Requirement]) -> None:
    """Install what is missing, with the rights at hand.

    Raises:
        SystemPackagesError: naming the packages, when there are no rights or apt failed.
    """
    lacking = missing(requirements)
    if not lacking:
        return
    names = [requirement.packages[0] for requirement in lacking]
    prefix = _root_prefix()
    if prefix is None:
        raise SystemPackagesError(
            f"These system packages are missing: {' '.join(names)}.\n"
            f"Install them, then run the same command again:\n"
            f"  sudo apt-get install {' '.join(names)}"
        )
    print(f"Installing system packages with apt-get: {' '.join(names)}", flush=True)
    _apt_install(lacking, prefix)
    still = [" or ".join(requirement.packages) for requirement in missing(lacking)]
    if still:
        raise SystemPackagesError(
            f"apt-get could not install: {', '.join(still)}. Its own message is above.\n"
            "Check the network and the package sources (/etc/apt), then run the same command again."
        )


def _installed_packages() -> frozenset[str] | None:
    if shutil.which("dpkg-query") is None:
        return None
    listing = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = (line.split() for line in listing.splitlines())
    return frozenset(row[0] for row in rows if row[1:] == ["installed"])


def _root_prefix() -> tuple[str, ...] | None:
    """Return what to put before a command to run it as root, None when that is not possible."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ()
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
    return ("sudo", "-n") if allowed.returncode == 0 else None


def _apt_install(lacking: Sequence[Requirement], prefix: Sequence[str]) -> None:
    """Install one candidate of each requirement; the lists are fetched only when they turn out too old."""
    chosen = _candidates(lacking)
    if len(chosen) == len(lacking) and _apt_get(prefix, "install", *chosen):
        return
    print("Fetching fresh package lists first.", flush=True)
    _apt_get(prefix, "update")
    _apt_get(prefix, "install", *_candidates(lacking))


def _apt_get(prefix: Sequence[str], verb: str, *packages: str) -> bool:
    options = ["--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    command = [*prefix, *environment, "apt-get", verb, *options, *packages]
    return subprocess.run(command, check=False).returncode == 0


def _candidates(lacking: Sequence[Requirement]) -> list[str]:
    """Return, for each requirement that the package lists can meet, the first package that exists."""
    known = _packages_with_candidate({name for item in lacking for name in item.packages})
    first = (next((name for name in item.packages if name in known), None) for item in lacking)
    return [name for name in first if name is not None]


def _packages_with_candidate(names: Iterable[str]) -> frozenset[str]:
    policy = subprocess.run(
        ["apt-cache", "policy", *sorted(names)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout
    known: set[str] = set()
    package = ""
    for line in policy.splitlines():
        if not line.startswith(" "):
            package = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and "(none)" not in line:
            known.add(package)
    return frozenset(known)
