"""What is in the way is said in a sentence, with the right exit status, and nothing is lost by it."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import model_faults as faults
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.program import Program, run
from tests.support.tiny_app import FIRST, PAGE, SAID, TINY_TEMPLATE, script_tiny_app
from vibedesk.base.paths import Home

pytestmark = pytest.mark.e2e

Finished = subprocess.CompletedProcess[str]
WISH = "Count things for me"
READING = ("projects", "show", "files", "history")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve_in_thread() as server:
        script_tiny_app(server)
        yield server


@pytest.fixture
def built(server: ModelServer, home: Home) -> str:
    """A finished project; its id."""
    done = build(server, home)
    assert done.returncode == 0, done.stderr
    return only_project(home)


def build(server: ModelServer, home: Home) -> Finished:
    return run(
        "build", WISH, "--template", TINY_TEMPLATE, "--home", home.root, env=server.environment()
    )


def resume(server: ModelServer, home: Home, project_id: str) -> Finished:
    return run("resume", project_id, "--home", home.root, env=server.environment())


def only_project(home: Home) -> str:
    listed = run("projects", "--json", "--home", home.root)
    assert listed.returncode == 0, listed.stderr
    [project] = json.loads(listed.stdout)
    return str(project["id"])


def show(home: Home, project_id: str) -> dict[str, object]:
    shown = run("show", project_id, "--json", "--home", home.root)
    assert shown.returncode == 0, shown.stderr
    return dict(json.loads(shown.stdout))


def assert_one_sentence(done: Finished, *words: str) -> None:
    """Exit status 1, one plain line that says what is wrong, and perhaps one that says how to go on."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert all(line.startswith("Go on with: vibedesk resume ") for line in lines[1:]), done.stderr
    assert len(lines) <= 2, done.stderr
    assert lines[0].startswith("vibedesk: ")
    assert "Traceback" not in done.stdout + done.stderr
    assert "unexpected" not in lines[0]
    for word in words:
        assert word in lines[0], lines[0]


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """A small disk of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no right to mount: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk up to `leave` bytes; what the program writes meanwhile may make it full before."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        while (left := shutil.disk_usage(folder).free - leave) > 0:
            try:
                file.write(b"\0" * min(left, 1 << 16))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                break
    return filler


def port_of(home: Home, project_id: str) -> int:
    with closing(sqlite3.connect(home.database)) as connection:
        [port] = connection.execute(
            "SELECT port FROM projects WHERE id = ?", [project_id]
        ).fetchone()
    return int(port)


def occupy(port: int, listener: socket.socket) -> None:
    """Listen on a project's port; as nothing runs, the server of another project may have drawn it for now."""
    deadline = time.monotonic() + 120
    while True:
        try:
            listener.bind(("127.0.0.1", port))
            return listener.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def database_bytes(home: Home) -> bytes:
    return home.database.read_bytes()


# -- the machine -------------------------------------------------------------------------------------------


def test_occupied_port(server: ModelServer, home: Home, built: str) -> None:
    port = port_of(home, built)
    before = show(home, built)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        occupy(port, listener)
        said = run("say", built, "Mark the style", "--home", home.root, env=server.environment())
        assert_one_sentence(said, str(port))
    blocked = show(home, built)
    assert blocked["state"] == "error"
    assert {f["path"] for f in blocked["files"]} > {f["path"] for f in before["files"]}  # type: ignore[attr-defined]
    done = resume(server, home, built)
    assert done.returncode == 0, done.stderr
    assert port_of(home, built) == port
    assert len(server.requests_for("converse")) == 1


def test_read_only_home(server: ModelServer, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "32m") as disk:
        home = Home(root=disk / "home", projects=disk / "home" / "projects")
        assert build(server, home).returncode == 0
        project_id = only_project(home)
        remount(disk, "ro")
        assert_one_sentence(build(server, home), str(home.root), "cannot be written")
        assert_one_sentence(resume(server, home, project_id), "cannot be written")
        for command in READING:
            arguments = [command] if command == "projects" else [command, project_id]
            shown = run(*arguments, "--home", home.root)
            assert shown.returncode == 0, (command, shown.stderr)
        examined = run("doctor", "--home", home.root)
        assert examined.returncode == 1
        assert "cannot be written" in examined.stdout
        remount(disk, "rw")
        said = run(
            "say", project_id, "Mark the style", "--home", home.root, env=server.environment()
        )
        assert said.returncode == 0, said.stderr


def test_read_only_place_for_a_new_home(server: ModelServer, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "1m") as disk:
        remount(disk, "ro")
        home = Home(root=disk / "home", projects=disk / "home" / "projects")
        assert_one_sentence(build(server, home), "cannot be written")
        assert run("projects", "--home", home.root).returncode == 0


@pytest.mark.parametrize("left", [0, 30_000, 150_000, 300_000, 500_000])
def test_full_disk(left: int, server: ModelServer, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "16m") as disk:
        home = Home(root=disk / "home", projects=disk / "home" / "projects")
        # What was answered but could not be stored is asked for again.
        script_tiny_app(server)
        server.answer("".join(FIRST), operation="continue")
        filler = fill(disk, left)
        assert_one_sentence(build(server, home), "no space left")
        filler.unlink()
        listed = json.loads(run("projects", "--json", "--home", home.root).stdout)
        done = resume(server, home, listed[0]["id"]) if listed else build(server, home)
        assert done.returncode == 0, done.stderr
        project = show(home, only_project(home))
        assert project["state"] == "complete"
        folder = Path(str(project["folder"]))
        assert (folder / "index.html").read_text() == PAGE


def test_disk_that_fills_up_during_a_run(server: ModelServer, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "16m") as disk:
        home = Home(root=disk / "home", projects=disk / "home" / "projects")
        inside = len("".join(FIRST[:2])) + 300
        server.fail(faults.stall(after_chars=inside), operation="implement_phase")
        program = Program(
            "build", WISH, "--template", TINY_TEMPLATE, "--home", home.root, "--json",
            env=server.environment(),
        )  # fmt: skip
        program.until(lambda e: e["type"] == "file_chunk" and e["data"]["path"] == "app.js")
        filler = fill(disk, 0)
        server.release()
        assert program.end() == 1
        assert "no space left" in program.stderr, program.stderr
        assert "Traceback" not in program.stderr
        filler.unlink()
        server.answer("".join(FIRST[2:]), operation="continue")
        done = resume(server, home, program.project_id)
        assert done.returncode == 0, done.stderr


def test_no_network_for_npm(home: Home, tmp_path: Path) -> None:
    """npm's own retries would take minutes, so the project's .npmrc turns them off."""
    person = tmp_path / "person"
    person.mkdir()
    template = shutil.copytree(TINY_TEMPLATE, tmp_path / "template")
    meta = json.loads((template / "template.json").read_text())
    meta["install_command"] = "npm install left-pad@1.3.0 --fetch-retries=0"
    (template / "template.json").write_text(json.dumps(meta))
    with socket.socket() as silent, serve_in_thread() as server:
        silent.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        registry = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        (person / ".npmrc").write_text(f"registry={registry}\n")
        script_tiny_app(server)
        environment = {**server.environment(), "HOME": str(person)}
        done = run("build", WISH, "--template", template, "--home", home.root, env=environment)
        assert_one_sentence(done, "registry", "cannot be reached")
        project_id = only_project(home)
        assert show(home, project_id)["blueprint"] is not None
        meta["install_command"] = "node install.mjs"
        (template / "template.json").write_text(json.dumps(meta))
        kept = run("templates", "--add", template, "--home", home.root)
        assert kept.returncode == 0, kept.stderr
        again = run("resume", project_id, "--home", home.root, env=environment)
        assert again.returncode == 0, again.stderr
        assert len(server.requests_for("blueprint")) == 1


# -- the home ----------------------------------------------------------------------------------------------


def test_second_process_on_the_same_home(server: ModelServer, home: Home) -> None:
    server.fail(faults.stall(after_chars=len("".join(FIRST[:2]))), operation="implement_phase")
    first = Program(
        "build", WISH, "--template", TINY_TEMPLATE, "--home", home.root, "--json",
        env=server.environment(),
    )  # fmt: skip
    first.until_state("implementing_phase")
    second = build(server, home)
    assert_one_sentence(second, "Another VibeDesk", str(first.pid), str(home.root))
    for arguments in (
        ["projects"],
        ["show", first.project_id],
        ["files", first.project_id],
        ["doctor"],
    ):
        read = run(*arguments, "--home", home.root)
        assert read.returncode == 0, read.stderr
    assert show(home, first.project_id)["state"] == "implementing_phase"
    server.release()
    assert first.end() == 0, first.stderr


def test_data_of_a_newer_version(server: ModelServer, home: Home, built: str) -> None:
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("PRAGMA user_version = 9999")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = database_bytes(home)
    for done in (
        build(server, home),
        run("projects", "--home", home.root),
        run("show", built, "--home", home.root),
    ):
        assert_one_sentence(done, "newer")
    assert database_bytes(home) == before


@pytest.mark.parametrize(
    "content", [b"not a database " * 400, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_damaged_database(content: bytes, server: ModelServer, home: Home) -> None:
    home.database.write_bytes(content)
    for done in (
        build(server, home),
        run("projects", "--home", home.root),
        run("doctor", "--home", home.root),
    ):
        assert_one_sentence(done, str(home.database), "damaged")
    assert database_bytes(home) == content


def test_missing_project_folder(server: ModelServer, home: Home, built: str) -> None:
    folder = Path(str(show(home, built)["folder"]))
    files = {f["path"] for f in show(home, built)["files"]}  # type: ignore[attr-defined]
    moved = folder.rename(folder.with_name("moved-away"))
    said = run("say", built, "Mark the style", "--home", home.root, env=server.environment())
    assert_one_sentence(said, str(folder))
    now = {f["path"] for f in show(home, built)["files"]}  # type: ignore[attr-defined]
    assert files <= now
    assert run("files", built, "--home", home.root).returncode == 0
    if folder.exists():
        shutil.rmtree(folder)
    moved.rename(folder)
    done = resume(server, home, built)
    assert done.returncode == 0, done.stderr
    assert (folder / "said.css").read_text() in SAID
    assert files <= {f["path"] for f in show(home, built)["files"]}  # type: ignore[attr-defined]


def test_home_that_is_a_file(server: ModelServer, tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.write_text("mine")
    home = Home(root=file, projects=file / "projects")
    assert_one_sentence(build(server, home), str(file))
    for command in ("projects", "doctor"):
        done = run(command, "--home", file)
        assert done.returncode == 1, (command, done.stdout)
        assert str(file) in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert file.read_text() == "mine"


# -- what the person types -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["build", "  "], ["build", "x", "--max-phases", "0"], ["nonsense"], ["show"]]
)
def test_wrong_usage(arguments: list[str], home: Home) -> None:
    done = run(*arguments, "--home", home.root)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(home.root.iterdir())


@pytest.mark.parametrize("command", ["resume", "show", "files", "history", "delete"])
def test_unknown_project(command: str, home: Home) -> None:
    assert_one_sentence(run(command, "nobody", "--home", home.root), "nobody")
