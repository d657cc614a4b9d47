"""The local sandbox, in bubblewrap and without."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.engine.sandboxes.conftest import Place, living, until
from tests.engine.sandboxes.contract import ESCAPE, SERVER, SandboxContract, run, texts
from vibedesk.base.resources import resource
from vibedesk.engine.review.native_typescript import native_types
from vibedesk.engine.sandboxes.driver import Exited, SandboxError, SandboxSpec, SandboxStatus
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed"
)

ALLOWED_VARIABLES = {
    "PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "NO_COLOR", "BROWSER", "TZ", "PWD",
    "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "npm_config_userconfig", "npm_config_globalconfig", "npm_config_cache", "npm_config_audit", "npm_config_fund",
    "npm_config_fetch_retry_mintimeout", "npm_config_fetch_retry_maxtimeout",
    "npm_config_update_notifier", "npm_config_progress", "npm_config_logs_max", "npm_config_omit_lockfile_registry_resolved",
    "UV_CACHE_DIR", "UV_LINK_MODE", "UV_NO_PROGRESS", "UV_PYTHON_DOWNLOADS", "UV_PYTHON_PREFERENCE",
    "UV_INDEX_URL", "PYTHONUNBUFFERED", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT",
    "APP_GREETING",
}  # fmt: skip

# A program that opens a sandbox, starts a command and a server in it, says so, and waits to be killed.
OWNER = """
import asyncio, sys
from pathlib import Path
from vibedesk.engine.sandboxes.driver import SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver

async def main(state, folder, port, token, use_bubblewrap):
    driver = LocalDriver(Path(state), use_bubblewrap=use_bubblewrap == "1")
    spec = SandboxSpec(project_id="owned", folder=Path(folder), port=int(port))
    sandbox = await driver.open(spec, on_line=lambda line: None, on_status=lambda *_: None)
    await sandbox.start_server(["node", "server.mjs", port, token, "escape stubborn"])
    async for output in sandbox.exec(["node", "escape.mjs", token]):
        print("ready", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class TestInBubblewrap(SandboxContract):
    pytestmark = needs_bubblewrap

    @pytest.fixture
    async def driver(self, tmp_path: Path) -> LocalDriver:
        driver = LocalDriver(tmp_path / "state")
        assert (await driver.isolation()).kind == "bubblewrap", (await driver.isolation()).sentence
        return driver

    async def test_only_the_own_folder_is_there(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "projects" / "other-app").mkdir()
        (tmp_path / "projects" / "other-app" / "secret.txt").write_text("of another project")
        (tmp_path / "vibedesk.db").write_text("data")
        hidden = [tmp_path, tmp_path / "state", Path.home(), Path.home() / ".ssh", Path("/run"), Path("/var/lib"),
                  Path("/etc/shadow"), Path("/etc/ssl/private"), Path("/sys"), Path("/tmp/.X11-unix")]  # fmt: skip
        script = (
            "for (const p of process.argv.slice(1)) if (require('fs').existsSync(p)) console.log(p)"
        )
        assert texts(await run(place.sandbox, "node", "-e", script, *map(str, hidden))) == []
        listed = texts(
            await run(place.sandbox, "ls", "-A", "/", "/home", "/home/app", "/tmp", "/app")
        )
        assert "other-app" not in " ".join(listed)
        assert texts(await run(place.sandbox, "pwd")) == ["/app"]
        found = texts(
            await run(place.sandbox, "sh", "-c", "find / -xdev -name secret.txt 2>/dev/null; true")
        )
        assert found == []

    async def test_git_is_never_visible(self, place: Place) -> None:
        look = ["node", "-p", "JSON.stringify(require('fs').readdirSync('.git'))"]
        assert texts(await run(place.sandbox, *look)) == ["[]"]
        watching = asyncio.create_task(
            run(place.sandbox, "node", "-e", "const fs = require('fs'); console.log('up'); const t = setInterval(() => {"
                " if (fs.existsSync('go')) { console.log(fs.readdirSync('.git').length); clearInterval(t) } }, 10)")
        )  # fmt: skip
        await until((place.folder / ".git").is_dir, "the mount point is made")
        (place.folder / ".git" / "config").write_text("[remote] url = https://user:token@host")
        (place.folder / "go").touch()
        assert texts(await watching) == ["up", "0"]
        assert texts(await run(place.sandbox, *look)) == ["[]"]
        plant = await run(
            place.sandbox, "sh", "-c", "echo x > .git/hook || rm -rf .git || mv .git x; ls .git"
        )
        assert texts(plant) == []
        assert [path.name for path in (place.folder / ".git").iterdir()] == ["config"]

    async def test_a_git_file_of_a_worktree_is_masked(self, place: Place) -> None:
        (place.folder / ".git").write_text("gitdir: /home/someone/repository/.git/worktrees/x")
        assert texts(await run(place.sandbox, "cat", ".git")) == []
        await place.sandbox.stop()
        assert (place.folder / ".git").read_text().startswith("gitdir:")

    async def test_an_empty_git_folder_made_for_the_mask_is_removed(self, place: Place) -> None:
        await run(place.sandbox, "node", "--version")
        await place.sandbox.stop()
        assert list(place.folder.iterdir()) == []

    async def test_processes_and_rights_are_its_own(self, place: Place) -> None:
        outputs = texts(
            await run(
                place.sandbox,
                "sh",
                "-c",
                "ls -d /proc/[0-9]* | wc -l; id -u; grep CapEff /proc/self/status",
            )
        )
        assert int(outputs[0]) < 10
        assert outputs[1] != "0" or os.geteuid() != 0
        assert outputs[2].split()[-1] == "0" * 16
        denied = await run(
            place.sandbox,
            "sh",
            "-c",
            "touch /usr/x /etc/x /opt/vibedesk/bin/node; unshare -Ur true",
        )
        assert denied[-1] != Exited(0)
        assert len(texts(denied, "stderr")) >= 3


class TestWithoutBubblewrap(SandboxContract):
    @pytest.fixture
    async def driver(self, tmp_path: Path) -> LocalDriver:
        driver = LocalDriver(tmp_path / "state", use_bubblewrap=False)
        isolation = await driver.isolation()
        assert isolation.kind == "none"
        assert "your own rights" in isolation.sentence
        return driver


@pytest.fixture(
    params=[pytest.param(True, marks=needs_bubblewrap, id="bwrap"), pytest.param(False, id="plain")]
)
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> LocalDriver:
    return LocalDriver(tmp_path / "state", use_bubblewrap=request.param)


async def test_the_environment_is_the_allow_list(
    driver: LocalDriver, spec: SandboxSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    )
    (tmp_path / "npmrc").write_text(
        "registry=https://me:secret@npm.example/all/\n//npm.example/all/:_authToken=secret\n"
        "@mine:registry=https://npm.example/mine/\n_password=secret\nusername=me\nemail=me@example\n"
        "https-proxy=http://me:secret@proxy\n"
    )
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "npmrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://me:secret@python.example/simple")
    monkeypatch.setenv("SOMETHING_ELSE", "secret")
    sandbox = await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
    try:
        script = (
            "const fs = require('fs'), e = process.env; console.log(JSON.stringify({env: e,"
            " npmrc: fs.readFileSync(e.npm_config_userconfig, 'utf8'), ca: fs.readFileSync(e.NODE_EXTRA_CA_CERTS, 'utf8')}))"
        )
        outputs = await run(sandbox, "node", "-e", script)
        registry = texts(await run(sandbox, "npm", "config", "get", "registry"))
    finally:
        await driver.aclose()
    inside = json.loads(texts(outputs)[0])
    assert set(inside["env"]) <= ALLOWED_VARIABLES
    assert (
        inside["env"]["HTTPS_PROXY"] == inside["env"]["https_proxy"] == "http://proxy.example:3128"
    )
    assert (
        inside["npmrc"]
        == "registry=https://npm.example/all/\n@mine:registry=https://npm.example/mine/\n"
    )
    assert inside["ca"] == "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    assert "secret" not in json.dumps(inside)
    assert registry == ["https://npm.example/all/"]
    assert inside["env"]["UV_INDEX_URL"].rstrip("/") == "https://python.example/simple"


@pytest.mark.parametrize(
    "use_bubblewrap",
    [pytest.param("1", marks=needs_bubblewrap, id="bwrap"), pytest.param("0", id="plain")],
)
async def test_nothing_outlives_a_killed_owner(
    spec: SandboxSpec, tmp_path: Path, token: str, use_bubblewrap: str
) -> None:
    (spec.folder / "server.mjs").write_text(SERVER)
    (spec.folder / "escape.mjs").write_text(ESCAPE)
    port = str(pick_port())
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(tmp_path / "state"), str(spec.folder), port, token, use_bubblewrap,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert owner.stdout
    assert await asyncio.wait_for(owner.stdout.readline(), 30) == b"ready\n"
    await until(lambda: any("-grandchild" in p for p in living(token)), "the whole tree runs")
    owner.send_signal(signal.SIGKILL)
    await owner.communicate()

    # The next VibeDesk starts while the old server is being ended, gets the port, and tidies up.
    driver = LocalDriver(tmp_path / "state", use_bubblewrap=use_bubblewrap == "1")
    sandbox = await driver.open(
        SandboxSpec(project_id="owned", folder=spec.folder, port=int(port)),
        on_line=lambda _: None,
        on_status=lambda *_: None,
    )
    await sandbox.start_server(["node", "server.mjs", port, "the-next-one", ""])
    await until(lambda: not living(token), "every process is gone")
    await driver.aclose()
    another = LocalDriver(tmp_path / "state", use_bubblewrap=use_bubblewrap == "1")
    await another.open(sandbox.spec, on_line=lambda _: None, on_status=lambda *_: None)
    assert len(list((tmp_path / "state").iterdir())) == 1
    await another.aclose()
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_loop_on_a_thread_of_its_own_is_fine(
    driver: LocalDriver, spec: SandboxSpec, token: str
) -> None:
    async def open_and_serve() -> SandboxStatus:
        (spec.folder / "server.mjs").write_text(SERVER)
        sandbox = await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
        await sandbox.start_server(["node", "server.mjs", str(spec.port), token, "escape"])
        assert (await run(sandbox, "node", "-p", "6 * 7"))[-1] == Exited(0)
        status = sandbox.status
        await driver.aclose()
        return status

    status = await asyncio.to_thread(asyncio.run, open_and_serve())
    assert status is SandboxStatus.RUNNING
    assert living(token) == []


async def test_a_missing_folder_is_said(driver: LocalDriver, spec: SandboxSpec) -> None:
    spec.folder.rmdir()
    with pytest.raises(SandboxError, match="does not exist"):
        await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)


@pytest.mark.e2e
async def test_the_starter_template_installs_and_runs(
    driver: LocalDriver, spec: SandboxSpec, token: str
) -> None:
    shutil.copytree(resource("templates", "react-vite"), spec.folder, dirs_exist_ok=True)
    template = json.loads((spec.folder / "template.json").read_text())
    lines: list[str] = []
    sandbox = await driver.open(
        spec, on_line=lambda line: lines.append(line.text), on_status=lambda *_: None
    )
    try:
        installed = await run(sandbox, *template["install_command"].split(), timeout=240)
        assert installed[-1] == Exited(0), installed
        assert (spec.folder / "node_modules" / "vite").is_dir()
        command = template["dev_command"].format(host=sandbox.host, port=spec.port).split()
        await sandbox.start_server(command)
        assert sandbox.status is SandboxStatus.RUNNING
        assert any("ready in" in line for line in lines)
        assert not any("\x1b" in line for line in lines)
        built = await run(sandbox, *template["build_command"].split(), timeout=120)
        assert built[-1] == Exited(0), built
        checked = await run(sandbox, *template["typecheck_command"].split(), timeout=120)
        assert checked[-1] == Exited(0), checked
    finally:
        await driver.aclose()
    assert (spec.folder / "dist" / "index.html").is_file()
    assert not (spec.folder / ".git").exists()


async def test_the_native_typescript_is_nowhere_here(tmp_path: Path, spec: SandboxSpec) -> None:
    driver = LocalDriver(tmp_path / "state", use_bubblewrap=False)
    sandbox = await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    assert await native_types(sandbox) is None
    await driver.aclose()
