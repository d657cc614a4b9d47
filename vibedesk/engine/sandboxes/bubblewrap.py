"""bubblewrap: whether it works on this machine, and the command line that puts a command inside.

What is inside: the system's programs and the toolchain, read-only; a handful of files of /etc; the project's
folder; the sandbox's private home and /tmp. What is not: home folders, other projects, VibeDesk's data, /run,
/var, session buses, the project's `.git`. Processes, users, IPC and host name are the sandbox's own; the network
is the machine's, since the dev server is reached through it and packages come through it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vibedesk.engine.sandboxes.layout import SandboxLayout

_PROBE_SECONDS = 20.0
_USER_ID = "1000"

# (`--disable-userns` came with bubblewrap 0.8; without user namespaces a set-uid or root's bubblewrap works.)
_PRIVILEGE_VARIANTS: tuple[tuple[str, ...], ...] = (
    ("--unshare-user", "--uid", _USER_ID, "--gid", _USER_ID, "--disable-userns"),
    ("--unshare-user", "--uid", _USER_ID, "--gid", _USER_ID),
    (),
)

_SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# npm's machine-wide configuration, which may hold a token, lies in these.
_HIDDEN_FOLDERS = ("/usr/etc", "/usr/local/etc")
_ETC = (
    "resolv.conf",
    "hosts",
    "localtime",
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "ca-certificates",
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "services",
    "protocols",
    "mime.types",
)
_ETC_OF_OUR_OWN = {
    "passwd": (
        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
        f"app:x:{_USER_ID}:{_USER_ID}:app:/home/app:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "group": f"root:x:0:\napp:x:{_USER_ID}:\nnogroup:x:65534:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """A bubblewrap that was tried and works here."""

    program: Path
    privilege: tuple[str, ...]
    """Which of the ways to drop privileges works on this machine."""

    def wrap(
        self, layout: SandboxLayout, command: Sequence[str], *, terminal: bool = False
    ) -> list[str]:
        """Return the command line that runs `command` in the project's folder inside.

        With `terminal` it may keep the terminal that it is started in: for a person's shell, which needs its keys.

        The environment is not touched: give exactly what the command may see.
        """
        return [
            str(self.program),
            *self.privilege,
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
            *("--hostname", "sandbox", "--die-with-parent", "--cap-drop", "ALL"),
            *(() if terminal else ("--new-session",)),
            *_system_mounts(),
            *_etc_mounts(layout),
            *("--proc", "/proc", "--dev", "/dev"),
            *_own_mounts(layout),
            *("--chdir", str(layout.app.inside), "--"),
            *command,
        ]


def find_bubblewrap(layout: SandboxLayout) -> tuple[Bubblewrap | None, str]:
    """Return a bubblewrap in which Node runs, or None and why in a sentence. Blocking: it is really run.

    `layout` is one that was created for the trial.
    """
    program = shutil.which("bwrap")
    if program is None:
        return None, "bubblewrap is not installed."
    reason = ""
    for privilege in _PRIVILEGE_VARIANTS:
        candidate = Bubblewrap(program=Path(program), privilege=privilege)
        reason = _try(candidate, layout)
        if not reason:
            return candidate, ""
    return None, f"bubblewrap is installed but does not work here ({reason})."


def prepare(layout: SandboxLayout) -> None:
    """Write the files of /etc that are the sandbox's own. Blocking; after `SandboxLayout.create`."""
    for name, text in _ETC_OF_OUR_OWN.items():
        (layout.config.outside / name).write_text(text)
    (layout.config.outside / "empty").touch()


def _try(candidate: Bubblewrap, layout: SandboxLayout) -> str:
    try:
        done = subprocess.run(
            candidate.wrap(layout, ["node", "--version"]),
            env={"PATH": f"{layout.bin.inside}:/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def _system_mounts() -> list[str]:
    mounts = ["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/nix/store", "/nix/store"]
    for name in _SYSTEM_FOLDERS:
        path = Path("/", name)
        if path.is_symlink():  # merged /usr
            mounts += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            mounts += ["--ro-bind", str(path), str(path)]
    for folder in _HIDDEN_FOLDERS:
        if Path(folder).is_dir():
            mounts += ["--tmpfs", folder, "--remount-ro", folder]
    return mounts


def _etc_mounts(layout: SandboxLayout) -> list[str]:
    existing = [f"/etc/{name}" for name in _ETC if Path("/etc", name).exists()]
    shared = itertools.chain.from_iterable(("--ro-bind", path, path) for path in existing)
    own = itertools.chain.from_iterable(
        ("--ro-bind", str(layout.config.outside / name), f"/etc/{name}") for name in _ETC_OF_OUR_OWN
    )
    return [*shared, *own]


def _own_mounts(layout: SandboxLayout) -> list[str]:
    mounts: list[str] = []
    for place in (layout.app, layout.home, layout.tmp):
        mounts += ["--bind", str(place.outside), str(place.inside)]
    for place in (layout.config, layout.bin, *layout.toolchain):
        if not place.inside.is_relative_to("/usr"):
            mounts += ["--ro-bind", str(place.outside), str(place.inside)]
    return [*mounts, *_git_mask(layout)]


def _git_mask(layout: SandboxLayout) -> list[str]:
    # Also where there is none yet: bubblewrap makes an empty folder as the mount point, and a repository that is
    # made there while the dev server runs stays out of sight.
    inside = str(layout.app.inside / ".git")
    if os.path.lexists(git := layout.app.outside / ".git") and not git.is_dir():
        return ["--ro-bind", str(layout.config.outside / "empty"), inside]
    return ["--tmpfs", inside, "--remount-ro", inside]
