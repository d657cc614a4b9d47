"""Every way in which Docker can be there or not is told apart, for real where that can be had on one machine."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.docker_answers import (
    INFO,
    VERSION,
    TcpEngine,
    UnixEngine,
    engine_on_socket,
    engine_on_tcp,
    serving,
)
from vibedesk.engine.sandboxes.docker import probe
from vibedesk.engine.sandboxes.docker.diagnosis import (
    DockerEndpoint,
    DockerHealth,
    DockerState,
    diagnose,
    find_endpoint,
    judge,
)
from vibedesk.engine.sandboxes.docker.explanations import explain
from vibedesk.engine.sandboxes.docker.this_system import System, find_system

DEBIAN = System(
    distributions=("debian",), label="Debian GNU/Linux", systemd=True, engine=True, client=True
)
LOCAL = DockerEndpoint(name="default", host="unix:///var/run/docker.sock")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that everybody may look into, as that of a real socket."""
    path = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def named(host: str, **environ: str) -> DockerEndpoint:
    return find_endpoint({"DOCKER_HOST": host, **environ})


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do without root's rights, whom permissions do not bind."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


class TestForReal:
    def test_an_engine_that_works(self, docker_host: str) -> None:
        endpoint = named(docker_host)
        health = diagnose(endpoint)
        assert health.usable, health
        assert health.engine.startswith("Docker ")
        assert health.message.endswith("works.")
        assert (health.remedy, health.commands) == ("", ())
        assert health.cpus > 0
        assert health.memory > 0
        assert Path(health.data_root).is_dir()
        assert health.architecture
        assert not health.missing_limits
        assert probe.has_image(endpoint, "vibedesk-no-such-image:1", 5) is False

    def test_a_socket_that_nobody_serves(self, folder: Path) -> None:
        path = folder / "docker.sock"
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(str(path))
        health = diagnose(named(f"unix://{path}"))
        assert health.state is DockerState.NOT_RUNNING
        assert str(path) in health.message
        assert "unset DOCKER_HOST" in health.remedy
        usual = DockerEndpoint(name="default", host=f"unix://{path}")
        health = diagnose(usual, System(systemd=True, engine=False))
        assert health.state is DockerState.NOT_RUNNING, "a socket is there, so Docker was"
        assert health.commands == ("sudo systemctl start docker",)

    def test_a_socket_that_is_not_there(self, folder: Path) -> None:
        health = diagnose(named(f"unix://{folder}/none.sock"))
        assert health.state is DockerState.NOT_RUNNING
        assert "none.sock" in health.message

    def test_a_socket_without_permission(self, folder: Path) -> None:
        path = folder / "docker.sock"
        with engine_on_socket(path) as host:
            path.chmod(0o600 if os.geteuid() == 0 else 0)
            with as_nobody():
                health = diagnose(named(host), DEBIAN)
        assert health.state is DockerState.NO_PERMISSION
        assert str(path) in health.message
        assert health.commands == ("sudo usermod -aG docker $USER",)
        assert "log out and in again" in health.remedy
        assert "what root can" in health.remedy

    def test_a_socket_behind_which_nothing_moves(self, folder: Path) -> None:
        path = folder / "docker.sock"
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(path))
            deaf.listen()
            started = time.monotonic()
            health = diagnose(
                DockerEndpoint(name="default", host=f"unix://{path}"), DEBIAN, seconds=0.3
            )
            assert time.monotonic() - started < 2
        assert health.state is DockerState.NOT_ANSWERING
        assert "0.3 s" in health.message
        assert health.commands == ("sudo systemctl restart docker",)

    def test_an_engine_that_drops_the_connection(self, folder: Path) -> None:
        class Dropping(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(100)

        path = folder / "docker.sock"
        with serving(UnixEngine(str(path), Dropping), {}):
            health = diagnose(DockerEndpoint(name="default", host=f"unix://{path}"), DEBIAN)
        assert health.state is DockerState.NOT_ANSWERING
        assert "broke off" in health.message

    def test_an_old_engine(self) -> None:
        old = {"Version": "17.06.2-ce", "ApiVersion": "1.30", "Os": "linux"}
        with engine_on_tcp({"/version": (200, old)}) as host:
            health = diagnose(named(host))
        assert health.state is DockerState.TOO_OLD
        for word in ("17.06.2-ce", "20.10", "1.41", "1.30", host):
            assert word in health.message
        assert health.api_version == "1.30"

    def test_an_engine_over_tcp(self) -> None:
        with engine_on_tcp() as host:
            health = diagnose(named(host))
        assert health.usable
        assert health.is_remote
        assert health.engine == f"Docker 27.3.1 at {host}"
        assert (health.cpus, health.memory) == (8, 16 * 1024**3)
        assert health.data_root == "", "it may be on another machine"

    def test_a_port_where_nobody_listens(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            host = f"tcp://127.0.0.1:{free.getsockname()[1]}"
            health = diagnose(named(host))
        assert health.state is DockerState.UNREACHABLE
        assert host in health.message
        assert "DOCKER_HOST" in health.message
        assert "unset DOCKER_HOST" in health.remedy

    def test_a_machine_that_does_not_answer(self) -> None:
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            health = diagnose(named(f"tcp://127.0.0.1:{deaf.getsockname()[1]}"), seconds=0.3)
        assert health.state is DockerState.UNREACHABLE
        assert "0.3 s" in health.message

    @pytest.mark.parametrize(
        "paths",
        [
            {},
            {"/version": (200, "hello")},
            {"/version": (200, {"nginx": 1})},
            {"/version": (200, VERSION), "/info": (403, "forbidden")},
        ],
    )
    def test_something_else_at_the_address(self, paths: dict[str, Any]) -> None:
        with engine_on_tcp(paths) as host:
            health = diagnose(named(host))
        assert health.state is DockerState.NOT_DOCKER
        assert host in health.message

    def test_something_that_speaks_no_http(self) -> None:
        class Banner(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(1000)
                self.request.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        server = TcpEngine(("127.0.0.1", 0), Banner)
        with serving(server, {}):
            health = diagnose(named(f"tcp://127.0.0.1:{server.server_address[1]}"))
        assert health.state is DockerState.NOT_DOCKER
        assert "no HTTP" in health.message


# -- TLS -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority's own certificate as ca.pem; server and client show it, too."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    return folder


@pytest.fixture
def tls_server(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    return context


class TestTls:
    def test_it_works(self, certificates: Path, tls_server: ssl.SSLContext) -> None:
        tls_server.verify_mode = ssl.CERT_REQUIRED
        tls_server.load_verify_locations(certificates / "ca.pem")
        with engine_on_tcp(context=tls_server) as host:
            health = diagnose(
                named(host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates))
            )
        assert health.usable, health

    def test_unverified_it_works_with_any_certificate(
        self, tmp_path: Path, tls_server: ssl.SSLContext
    ) -> None:
        with engine_on_tcp(context=tls_server) as host:
            health = diagnose(named(host, DOCKER_TLS="1", DOCKER_CERT_PATH=str(tmp_path)))
        assert health.usable, health

    def test_a_certificate_that_nobody_trusts(
        self, tmp_path: Path, tls_server: ssl.SSLContext
    ) -> None:
        with engine_on_tcp(context=tls_server) as host:
            health = diagnose(named(host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path)))
        assert health.state is DockerState.TLS
        assert "not trusted" in health.message
        assert "ca.pem" in health.remedy

    def test_a_client_that_it_does_not_know(
        self, certificates: Path, tmp_path: Path, tls_server: ssl.SSLContext
    ) -> None:
        tls_server.verify_mode = ssl.CERT_REQUIRED
        tls_server.load_verify_locations(certificates / "ca.pem")
        shutil.copy(certificates / "ca.pem", tmp_path)
        with engine_on_tcp(context=tls_server) as host:
            health = diagnose(named(host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path)))
        assert health.state is DockerState.TLS
        assert "cert.pem" in health.remedy

    def test_an_engine_that_speaks_no_tls(self, certificates: Path) -> None:
        with engine_on_tcp() as host:
            health = diagnose(
                named(host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates))
            )
        assert health.state is DockerState.TLS
        assert "does not speak TLS" in health.message
        assert "DOCKER_TLS_VERIFY" in health.remedy

    def test_an_engine_that_wants_tls(self) -> None:
        words = "Client sent an HTTP request to an HTTPS server.\n"  # as dockerd says it
        with engine_on_tcp({"/version": (400, words)}) as host:
            health = diagnose(named(host))
        assert health.state is DockerState.TLS
        assert "wants a TLS connection" in health.message

    def test_files_that_are_missing(self, certificates: Path, tmp_path: Path) -> None:
        shutil.copy(certificates / "cert.pem", tmp_path)
        health = diagnose(
            named("tcp://127.0.0.1:1", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path))
        )
        assert not health.usable
        assert str(tmp_path / "key.pem") in health.message
        assert "DOCKER_CERT_PATH" in health.remedy


# -- ssh -----------------------------------------------------------------------------------------------------
_FORWARDER = """#!{python}
import socket, sys, threading
ours, theirs = sys.argv[sys.argv.index("-L") + 1].split(":")
target = {target!r} or theirs
listener = socket.socket(socket.AF_UNIX)
listener.bind(ours)
listener.listen()

def pump(source, sink):
    while piece := source.recv(65536):
        sink.sendall(piece)
    sink.shutdown(socket.SHUT_WR)

while True:
    near, _ = listener.accept()
    far = socket.socket(socket.AF_UNIX)
    try:
        far.connect(target)
    except OSError:
        print("channel 1: open failed: connect failed: open failed", file=sys.stderr, flush=True)
        near.close()
        continue
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@pytest.fixture
def ssh_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of `ssh` that fails with these words."""

    def put(program: str) -> None:
        path = tmp_path / "bin" / "ssh"
        path.parent.mkdir()
        path.write_text(program)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)

    return put


class TestSsh:
    @pytest.mark.parametrize(
        ("words", "remedy"),
        [
            ("me@far: Permission denied (publickey,password).", "ssh-copy-id me@far"),
            ("Host key verification failed.", "ssh -p 2222 me@far"),
            ("ssh: Could not resolve hostname far: Name or service not known", "in a terminal"),
            ("ssh: connect to host far port 22: Connection refused", "in a terminal"),
        ],
    )
    def test_its_words_are_handed_on(
        self, words: str, remedy: str, ssh_says: Callable[[str], None]
    ) -> None:
        ssh_says(f"#!/bin/sh\necho 'debug noise' >&2\necho '{words}' >&2\nexit 255\n")
        health = diagnose(named("ssh://me@far:2222"))
        assert health.state is DockerState.SSH
        assert words.rstrip(".") in health.message
        assert "ssh://me@far:2222" in health.message
        assert remedy in health.remedy
        assert health.is_remote

    def test_it_reaches_the_engine(self, folder: Path, ssh_says: Callable[[str], None]) -> None:
        with engine_on_socket(folder / "docker.sock"):
            ssh_says(_FORWARDER.format(python=sys.executable, target=str(folder / "docker.sock")))
            health = diagnose(named("ssh://me@far"))
        assert health.usable, health
        assert health.engine == "Docker 27.3.1 at ssh://me@far"

    def test_there_is_no_engine_at_the_other_end(
        self, folder: Path, ssh_says: Callable[[str], None]
    ) -> None:
        ssh_says(_FORWARDER.format(python=sys.executable, target=str(folder / "none.sock")))
        health = diagnose(named("ssh://me@far"))
        assert health.state is DockerState.SSH
        assert "docker version" in health.remedy

    def test_it_asks_something_and_waits(self, ssh_says: Callable[[str], None]) -> None:
        ssh_says("#!/bin/sh\nexec sleep 60\n")
        health = diagnose(named("ssh://me@far"), seconds=0.3)
        assert health.state in (DockerState.SSH, DockerState.UNREACHABLE)

    def test_there_is_no_ssh(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        health = diagnose(named("ssh://me@far"))
        assert health.state is DockerState.SSH
        assert "ssh client" in health.remedy


# -- on data -------------------------------------------------------------------------------------------------
def failed(
    error: Exception, system: System = DEBIAN, endpoint: DockerEndpoint = LOCAL
) -> DockerHealth:
    return explain(endpoint, error, system, seconds=5)


class TestWhereItIsNot:
    def test_not_installed(self) -> None:
        system = System(distributions=("debian",), label="Debian GNU/Linux", systemd=True)
        health = failed(FileNotFoundError(), system)
        assert health.state is DockerState.NOT_INSTALLED
        assert health.commands == ("sudo apt install docker.io", "sudo usermod -aG docker $USER")
        assert all(command in health.remedy for command in health.commands)
        assert "what root can" in health.remedy

    def test_only_the_command_is_installed(self) -> None:
        health = failed(FileNotFoundError(), System(client=True, podman=True))
        assert health.state is DockerState.NOT_INSTALLED
        assert "Only the docker command" in health.message
        assert "podman.socket" in health.remedy

    def test_root_is_told_no_sudo(self) -> None:
        system = System(distributions=("fedora",), label="Fedora", systemd=True, is_root=True)
        assert failed(FileNotFoundError(), system).commands == (
            "dnf install moby-engine",
            "systemctl enable --now docker",
        )

    @pytest.mark.parametrize(
        ("system", "start"),
        [
            (System(engine=True, systemd=True), "sudo systemctl start docker"),
            (System(engine=True, service=True), "sudo service docker start"),
            (System(engine=True), "sudo dockerd &"),
            (System(engine=True, is_root=True), "dockerd &"),
            (System(engine=True, distributions=("alpine",)), "sudo rc-service docker start"),
        ],
    )
    def test_installed_but_not_running(self, system: System, start: str) -> None:
        health = failed(FileNotFoundError(), system)
        assert health.state is DockerState.NOT_RUNNING
        assert health.commands == (start,)

    @pytest.mark.parametrize(
        ("path", "word"),
        [
            ("/run/user/1000/docker.sock", "systemctl --user start docker"),
            ("/run/user/1000/podman/podman.sock", "systemctl --user start podman.socket"),
            ("/run/podman/podman.sock", "sudo systemctl start podman.socket"),
            ("/home/me/.docker/desktop/docker.sock", "systemctl --user start docker-desktop"),
            ("/home/me/.colima/default/docker.sock", "colima start"),
            ("/home/me/.orbstack/run/docker.sock", "Start OrbStack"),
        ],
    )
    def test_whose_socket_it_is_decides_how_to_start_it(self, path: str, word: str) -> None:
        endpoint = DockerEndpoint(name="mine", host=f"unix://{path}", source="context")
        health = failed(ConnectionRefusedError(), endpoint=endpoint)
        assert health.state is DockerState.NOT_RUNNING
        assert word in health.remedy

    @pytest.mark.parametrize("platform", ["macos", "windows"])
    @pytest.mark.parametrize("client", [True, False])
    def test_where_it_is_a_program_with_a_window_there_is_no_shell(
        self, platform: Any, client: bool
    ) -> None:
        health = failed(FileNotFoundError(), System(platform=platform, client=client))
        assert health.state is (DockerState.NOT_RUNNING if client else DockerState.NOT_INSTALLED)
        assert "Docker Desktop" in health.remedy
        assert "sudo" not in health.remedy
        assert health.commands == ()

    def test_a_name_that_nobody_knows(self) -> None:
        endpoint = DockerEndpoint(name="team", host="tcp://build.example:2376", source="context")
        health = failed(socket.gaierror(-2, "Name or service not known"), endpoint=endpoint)
        assert health.state is DockerState.UNREACHABLE
        assert "build.example" in health.message
        assert "the Docker context team" in health.message
        assert "docker context use default" in health.remedy

    def test_a_member_of_the_group_has_to_log_in_again(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = folder / "docker.sock"
        path.touch()
        me = pwd.getpwuid(os.geteuid()).pw_name
        joined = grp.struct_group(("docker", "x", 987654, [me]))
        monkeypatch.setattr(grp, "getgrgid", lambda _gid: joined)
        endpoint = DockerEndpoint(name="default", host=f"unix://{path}")
        health = failed(PermissionError(), endpoint=endpoint)
        assert health.state is DockerState.NO_PERMISSION
        assert "Log out and in again" in health.remedy
        assert health.commands == ()


class TestJudgement:
    def test_podman(self) -> None:
        version = {
            "Version": "5.2.3",
            "ApiVersion": "1.41",
            "Components": [{"Name": "Podman Engine"}],
        }
        health = judge(LOCAL, version, INFO, DEBIAN)
        assert health.usable
        assert health.is_podman
        assert health.engine == "Podman 5.2.3 on this machine"
        assert health.message == "Podman 5.2.3 on this machine works."

    def test_podman_without_root_on_old_cgroups_limits_nothing(self) -> None:
        version = {
            "Version": "4.3.1",
            "ApiVersion": "1.41",
            "Components": [{"Name": "Podman Engine"}],
        }
        health = judge(LOCAL, version, {**INFO, "Rootless": True, "CgroupVersion": "1"}, DEBIAN)
        assert health.usable
        assert health.is_rootless
        assert health.missing_limits == ("memory", "CPU", "processes")
        assert "works, rootless, but cannot limit memory and CPU and processes" in health.message

    def test_old_podman(self) -> None:
        version = {
            "Version": "3.4.4",
            "ApiVersion": "1.40",
            "Components": [{"Name": "Podman Engine"}],
        }
        health = judge(LOCAL, version, {}, DEBIAN)
        assert health.state is DockerState.TOO_OLD
        assert "Podman 4.0" in health.message

    def test_an_old_engine_is_updated_with_this_systems_command(self) -> None:
        health = judge(LOCAL, {"Version": "19.03", "ApiVersion": "1.40"}, {}, DEBIAN)
        assert health.state is DockerState.TOO_OLD
        assert health.commands == ("sudo apt install docker.io",)

    def test_rootless_without_cgroups(self) -> None:
        info = {
            **INFO,
            "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"],
            "MemoryLimit": False,
            "CpuCfsQuota": False,
        }
        health = judge(LOCAL, VERSION, info, DEBIAN)
        assert health.usable
        assert health.is_rootless
        assert health.missing_limits == ("memory", "CPU")
        assert "rootless, but cannot limit memory and CPU" in health.message
        assert "cgroups" in health.remedy
        assert health.shortcoming == "It cannot limit memory and CPU."

    @pytest.mark.parametrize(
        "options", [None, [], ["name=apparmor"], ["name=seccomp,profile=unconfined"]]
    )
    def test_an_engine_without_a_profile_of_system_calls(self, options: object) -> None:
        health = judge(LOCAL, VERSION, {**INFO, "SecurityOptions": options}, DEBIAN)
        assert health.usable
        assert health.missing_limits == ("system calls",)
        assert health.message.endswith("works, but cannot limit system calls.")
        assert "seccomp" in health.remedy
        assert "cgroups" not in health.remedy

    @pytest.mark.parametrize("profile", ["builtin", "default", "/etc/docker/own.json"])
    def test_a_profile_of_system_calls_by_any_name(self, profile: str) -> None:
        options = ["name=apparmor", f"name=seccomp,profile={profile}"]
        health = judge(LOCAL, VERSION, {**INFO, "SecurityOptions": options}, DEBIAN)
        assert (health.missing_limits, health.remedy, health.shortcoming) == ((), "", "")

    def test_windows_containers(self) -> None:
        health = judge(LOCAL, VERSION, {**INFO, "OSType": "windows"}, DEBIAN)
        assert health.state is DockerState.WRONG_KIND
        assert "Linux containers" in health.remedy

    def test_the_distributions_mark_is_no_part_of_the_version(self) -> None:
        version = {**VERSION, "Version": "20.10.24+dfsg1"}
        assert judge(LOCAL, version, INFO, DEBIAN).version == "20.10.24"

    def test_strange_answers_are_no_bug_of_ours(self) -> None:
        strange = {"ApiVersion": "1.45", "Version": None, "Components": 7}
        info = {"NCPU": "many", "MemTotal": None, "SecurityOptions": None, "DockerRootDir": None}
        health = judge(LOCAL, strange, info, DEBIAN)
        assert (health.cpus, health.memory, health.data_root) == (0, 0, "")
        assert judge(LOCAL, {"ApiVersion": "new"}, {}, DEBIAN).state is DockerState.TOO_OLD


# -- where to look -----------------------------------------------------------------------------------------------
@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / ".docker"


def add_context(config: Path, name: str, endpoint: dict[str, Any]) -> Path:
    """Store a context as the docker command does; return the folder of its certificates."""
    import hashlib

    key = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / key / "meta.json"
    meta.parent.mkdir(parents=True)
    stored = {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}
    meta.write_text(json.dumps(stored))
    return config / "contexts" / "tls" / key / "docker"


class TestEndpoints:
    def test_docker_host_goes_first(self, config: Path, tmp_path: Path) -> None:
        add_context(config, "team", {"Host": "tcp://127.0.0.1:1"})
        endpoint = find_endpoint(
            {"HOME": str(tmp_path), "DOCKER_HOST": "tcp://127.0.0.1:2", "DOCKER_CONTEXT": "team"}
        )
        assert endpoint.host == "tcp://127.0.0.1:2"
        assert endpoint.source == endpoint.named_by == "DOCKER_HOST"

    def test_a_host_without_scheme_is_tcp(self) -> None:
        assert named("127.0.0.1:2375").host == "tcp://127.0.0.1:2375"

    @pytest.mark.parametrize(
        ("host", "used", "secure"),
        [
            ("tcp://build.example", "tcp://build.example:2375", False),
            ("build.example", "tcp://build.example:2375", False),
            ("http://build.example:80/", "tcp://build.example:80", False),
            ("https://build.example", "tcp://build.example:2376", True),
            ("https://[fd00::1]:4243", "tcp://[fd00::1]:4243", True),
        ],
    )
    def test_an_address_is_brought_into_the_form_that_all_parts_use(
        self, host: str, used: str, secure: bool, tmp_path: Path, config: Path
    ) -> None:
        add_context(config, "team", {"Host": host if "://" in host else f"tcp://{host}"})
        environ = {"HOME": str(tmp_path)}
        for chosen in ({"DOCKER_HOST": host}, {"DOCKER_CONTEXT": "team"}):
            endpoint = find_endpoint({**environ, **chosen})
            assert endpoint.problem == ""
            assert (endpoint.host, endpoint.tls is not None) == (used, secure)

    @pytest.mark.parametrize("by", ["variable", "config"])
    def test_a_context(self, by: str, config: Path, tmp_path: Path) -> None:
        add_context(config, "team", {"Host": "ssh://me@build.example", "SkipTLSVerify": False})
        environ = {"HOME": str(tmp_path)}
        if by == "variable":
            environ["DOCKER_CONTEXT"] = "team"
        else:
            (config / "config.json").write_text('{"currentContext": "team"}')
        endpoint = find_endpoint(environ)
        assert (endpoint.name, endpoint.host) == ("team", "ssh://me@build.example")
        assert endpoint.source == "context"
        assert endpoint.tls is None
        assert endpoint.where == "at ssh://me@build.example"

    def test_a_context_with_certificates(
        self, config: Path, certificates: Path, tls_server: ssl.SSLContext
    ) -> None:
        tls_server.verify_mode = ssl.CERT_REQUIRED
        tls_server.load_verify_locations(certificates / "ca.pem")
        with engine_on_tcp(context=tls_server) as host:
            folder = add_context(config, "team", {"Host": host, "SkipTLSVerify": False})
            shutil.copytree(certificates, folder)
            environ = {"DOCKER_CONFIG": str(config), "DOCKER_CONTEXT": "team"}
            endpoint = find_endpoint(environ)
            assert endpoint.tls is not None
            assert diagnose(endpoint).usable

    @pytest.mark.parametrize(
        ("context", "word"), [(None, "does not exist"), ({"Host": ""}, "has no Docker engine")]
    )
    def test_a_context_that_leads_nowhere(
        self, context: dict[str, Any] | None, word: str, config: Path, tmp_path: Path
    ) -> None:
        if context is not None:
            add_context(config, "gone", context)
        endpoint = find_endpoint({"HOME": str(tmp_path), "DOCKER_CONTEXT": "gone"})
        health = diagnose(endpoint)
        assert health.state is DockerState.UNREACHABLE
        assert f"context gone {word}" in health.message
        assert "docker context ls" in health.remedy

    @pytest.mark.parametrize(
        "host", ["tcp://127.0.0.1:many", "tcp://:2375", "gopher://a", "tcp://[::1", "tcp://a:99999"]
    )
    def test_an_address_that_is_none(self, host: str) -> None:
        health = diagnose(named(host))
        assert health.state is DockerState.UNREACHABLE
        assert host in health.message
        assert "ssh://user@host" in health.remedy

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"currentContext": 3}', "\xff"])
    def test_a_config_that_cannot_be_read_names_nothing(
        self, content: str, config: Path, tmp_path: Path
    ) -> None:
        config.mkdir()
        (config / "config.json").write_text(content)
        endpoint = find_endpoint({"HOME": str(tmp_path)})
        assert (endpoint.source, endpoint.name) == ("default", "default")
        assert not endpoint.is_remote

    def test_contexts_are_not_taken_from_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_context(tmp_path, "evil", {"Host": "tcp://127.0.0.1:1"})
        monkeypatch.chdir(tmp_path)
        endpoint = find_endpoint({"HOME": str(tmp_path / "home"), "DOCKER_CONTEXT": "evil"})
        assert endpoint.problem


OS_RELEASES = [
    ("ID=debian\nNAME='Debian GNU/Linux'\n", "sudo apt install docker.io"),
    ('ID=ubuntu\nID_LIKE=debian\nNAME="Ubuntu"\n', "sudo apt install docker.io"),
    ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt install docker.io"),
    ("ID=fedora\n", "sudo dnf install moby-engine"),
    ("ID=arch\n", "sudo pacman -S docker"),
    ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S docker"),
    ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "sudo zypper install docker"),
    ("ID=alpine\n", "sudo apk add docker"),
    ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', ""),
    ("ID=nixos\n", ""),
    ("# nothing\n", ""),
]


class TestSystem:
    @pytest.mark.parametrize(("release", "command"), OS_RELEASES)
    @pytest.mark.parametrize("place", ["etc", "usr/lib"])
    def test_the_command_that_installs_docker(
        self, release: str, command: str, place: str, tmp_path: Path
    ) -> None:
        path = tmp_path / place / "os-release"
        path.parent.mkdir(parents=True)
        path.write_text(release)
        system = find_system(tmp_path)
        wanted = command if os.geteuid() else command.removeprefix("sudo ")
        assert [*system.install, ""][0] == wanted
        health = failed(FileNotFoundError(), system)
        assert wanted in health.remedy
        assert command or "docs.docker.com" in health.remedy

    def test_what_is_installed(self, tmp_path: Path) -> None:
        assert not find_system(tmp_path).engine
        for name in ("usr/sbin/dockerd", "usr/bin/podman", "etc/init.d/docker"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        (tmp_path / "run/systemd/system").mkdir(parents=True)
        system = find_system(tmp_path)
        assert system.engine
        assert system.podman
        assert system.service
        assert system.systemd
        assert not system.client
