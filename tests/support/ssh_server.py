"""An SSH server for tests, on loopback, with a key, settings and (in a namespace of its own) users of its own.

It is installed nowhere: where the machine has no `sshd`, the package is fetched and unpacked aside, since an installed
one would listen to the whole network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.places import KEPT
from vibedesk.engine.sandboxes.ports import pick_port

_KEPT = KEPT / "sshd"
_PACKAGES = ("openssh-server", "libwrap0")
_START_SECONDS = 20.0
_USER = "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin"


@dataclass
class SshServer:
    """A server that lets root in with the key in `folder`; `start` and `stop` may be called again and again."""

    folder: Path
    docker_socket: Path
    """What its users find as /var/run/docker.sock."""
    port: int
    program: Path
    libraries: Path | None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def commands(self) -> Path:
        """A folder for PATH: its `ssh` is the system's with settings as in a person's ~/.ssh/config."""
        return self.folder / "bin"

    def start(self) -> None:
        environment = dict(os.environ)
        if self.libraries is not None:
            environment["LD_LIBRARY_PATH"] = str(self.libraries)
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-e", str(self.folder / "start.sh")],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(self.port):
            assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.05)  # nothing says when it does

    def stop(self) -> None:
        """End it with the connections that it has."""
        process, self._process = self._process, None
        if process is None:
            return
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        for child in children.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), 9)
        process.kill()
        process.wait()


@contextlib.contextmanager
def ssh_server(folder: Path, docker_socket: Path) -> Iterator[SshServer]:
    """Run a server for the time of the block. Needs root; skips the test where there is no sshd to be had."""
    program, libraries = _find_sshd()
    server = SshServer(folder, docker_socket, pick_port(), program, libraries)
    _write_files(server)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _write_files(server: SshServer) -> None:
    folder = server.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "key", "other_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    shutil.copy(folder / "key.pub", folder / "authorized_keys")
    host_key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {host_key}")
    (folder / "sshd_config").write_text(
        textwrap.dedent(f"""\
        ListenAddress 127.0.0.1:{server.port}
        HostKey {folder}/host_key
        AuthorizedKeysFile {folder}/authorized_keys
        AuthenticationMethods publickey
        PermitRootLogin prohibit-password
        AllowStreamLocalForwarding yes
        PidFile none
        StrictModes no
        UsePAM no
        UseDNS no
        """)
    )
    (folder / "ssh_config").write_text(
        textwrap.dedent(f"""\
        Host 127.0.0.1
          IdentityFile {folder}/key
          IdentitiesOnly yes
          UserKnownHostsFile {folder}/known_hosts
          GlobalKnownHostsFile /dev/null
        """)
    )
    # Users, Docker's socket and /run of its own, for it alone.
    users = Path("/etc/passwd").read_text().splitlines()
    kept = [line for line in users if not line.startswith("sshd:")]
    (folder / "passwd").write_text("\n".join([*kept, _USER, ""]))
    (folder / "shadow").write_text("root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n")
    (folder / "start.sh").write_text(
        textwrap.dedent(f"""\
        mount --make-rprivate /
        mount --bind {folder}/passwd /etc/passwd
        mount --bind {folder}/shadow /etc/shadow
        mount -t tmpfs none /run
        mkdir -m 755 /run/sshd
        ln -s {server.docker_socket} /run/docker.sock
        exec {server.program} -D -e -f {folder}/sshd_config
        """)
    )
    (folder / "bin").mkdir(exist_ok=True)
    client = folder / "bin" / "ssh"
    client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    client.chmod(0o755)


def _find_sshd() -> tuple[Path, Path | None]:
    installed = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if installed:
        return Path(installed), None
    program = _KEPT / "usr/sbin/sshd"
    if not program.exists() and shutil.which("apt-get") is not None:
        _KEPT.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *_PACKAGES],
            cwd=_KEPT,
            check=False,
            capture_output=True,
        )
        for package in _KEPT.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, _KEPT], check=True)
    if not program.exists():
        pytest.skip("there is no sshd, and its package could not be fetched")
    library = next(_KEPT.rglob("libwrap.so.0"), None)
    return program, library.parent if library else None


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
