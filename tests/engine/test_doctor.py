"""The doctor says what is there, what is missing, and whether the main job can run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.docker_answers import INFO, VERSION, engine_on_tcp
from tests.support.docker_engines import docker_host  # noqa: F401
from vibedesk.base.paths import Home
from vibedesk.engine import doctor
from vibedesk.engine.browser.diagnosis import debian_package
from vibedesk.engine.doctor import examine
from vibedesk.engine.sandboxes import local_driver
from vibedesk.engine.sandboxes.docker.image import image_tag
from vibedesk.engine.sandboxes.driver import SandboxUnavailableError
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.views import CheckView, DoctorView, ProviderView

KEYED = ProviderView(
    name="anthropic",
    label="Anthropic",
    base_url="https://api.example",
    default_model="claude",
    ready=True,
    key_source="environment",
    problem="",
)


@pytest.fixture
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise SandboxUnavailableError("There is no Node.js.", remedy="Install it.")

    monkeypatch.setattr(local_driver, "find_toolchains", none)


async def examined(home: Home, *providers: ProviderView, browser: bool = False) -> DoctorView:
    driver = LocalDriver(home.cache / "sandboxes")
    return await examine(home, driver, list(providers), browser=browser)


def check(report: DoctorView, name: str) -> CheckView:
    [found] = [c for c in report.checks if c.name == name]
    return found


async def test_a_fit_machine_can_build_also_without_a_key(home: Home) -> None:
    report = await examined(home)
    assert report.can_build
    assert check(report, "Node.js").status == "ok"
    assert check(report, "Data folder").status == "ok"
    model = check(report, "Model")
    assert model.status == "warning"
    assert "ANTHROPIC_API_KEY" in model.remedy


async def test_a_key_is_named_by_where_it_is_and_never_shown(home: Home) -> None:
    model = check(await examined(home, KEYED), "Model")
    assert model.status == "ok"
    assert "environment" in model.message


async def test_looking_makes_nothing(tmp_path: Path) -> None:
    home = Home(root=tmp_path / "new" / "home", projects=tmp_path / "new" / "home" / "projects")
    report = await examined(home)
    assert report.can_build
    assert not home.root.parent.exists()


@pytest.mark.parametrize("below", [".", "inside"])
async def test_a_file_where_the_home_should_be(below: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    root = file / below
    report = await examined(Home(root=root, projects=root / "projects"))
    assert not report.can_build
    folder = check(report, "Data folder")
    assert folder.status == "missing"
    assert str(file) in folder.message
    assert "--home" in folder.remedy


async def test_too_little_space(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_NEEDED_BYTES", 1 << 60)
    report = await examined(home)
    assert not report.can_build
    assert check(report, "Disk").status == "missing"


async def test_no_display(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    report = await examined(home)
    assert report.can_build
    assert check(report, "Display").status == "warning"


async def test_the_browser_shows_a_page(home: Home) -> None:
    browser = check(await examined(home, browser=True), "Browser")
    assert (browser.status, browser.remedy) == ("ok", "")


async def test_a_library_that_the_browser_lacks_is_named_with_its_package(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = tmp_path / "lacking" / "PySide6"
    lacking.mkdir(parents=True)
    words = "libXcomposite.so.1: cannot open shared object file: No such file or directory"
    (lacking / "__init__.py").write_text(f"raise ImportError({words!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(lacking.parent))
    report = await examined(home, browser=True)
    assert report.can_build, "apps are built all the same"
    browser = check(report, "Browser")
    assert browser.status == "warning"
    assert "libXcomposite.so.1 is missing" in browser.message
    assert "sudo apt install libxcomposite1" in browser.remedy


async def test_a_browser_that_ends_at_once_is_told_with_its_last_words(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QTWEBENGINEPROCESS_PATH", str(tmp_path / "none"))
    browser = check(await examined(home, browser=True), "Browser")
    assert browser.status == "warning"
    assert f"Qt WebEngine Process: {tmp_path}/none but could not find it" in browser.message
    assert "setup.sh" in browser.remedy


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libnss3.so", "libnss3"),
        ("libsmime3.so", "libnss3"),
        ("libdbus-1.so.3", "libdbus-1-3"),
        ("libEGL.so.1", "libegl1"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libglib-2.0.so.0", "libglib-2.0-0"),
    ],
)
def test_libraries_are_in_packages_named_after_them(library: str, package: str) -> None:
    assert debian_package(library) == package


@pytest.mark.usefixtures("no_docker")
async def test_without_docker_apps_run_in_the_local_sandbox(home: Home) -> None:
    report = await examined(home)
    assert report.can_build
    sandbox = check(report, "Sandbox")
    assert "local sandbox" in sandbox.message
    assert "none.sock" in sandbox.message, "it says why it is not Docker"
    docker = check(report, "Docker")
    assert docker.status == "warning"
    assert "unset DOCKER_HOST" in docker.remedy


@pytest.mark.usefixtures("no_docker", "no_node")
async def test_without_docker_and_node_nothing_can_be_built(home: Home) -> None:
    report = await examined(home)
    assert not report.can_build
    assert check(report, "Node.js").status == "missing"
    assert check(report, "Sandbox").status == "missing"


@pytest.mark.parametrize("there", [True, False])
async def test_with_docker_apps_run_there(
    there: bool, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {"/version": (200, VERSION), "/info": (200, INFO)}
    if there:
        paths[f"/images/{image_tag('x86_64')}/json"] = (200, {"Id": "sha256:0"})
    with engine_on_tcp(paths) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        report = await examined(home)
    assert report.can_build
    sandbox = check(report, "Sandbox")
    assert sandbox.status == "ok"
    assert f"Docker 27.3.1 at {host} answers" in sandbox.message
    docker = check(report, "Docker")
    assert docker.status == "ok"
    assert ("image is there" in docker.message) is there
    assert ("about a minute" in docker.message) is not there


async def test_a_missing_docker_command_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_on_tcp({"/version": (200, VERSION), "/info": (200, INFO)}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert "docker command" not in check(await examined(home), "Docker").message
        monkeypatch.setenv("PATH", str(Path(sys.prefix) / "bin"))
        docker = check(await examined(home), "Docker")
    assert docker.status == "ok"
    assert "no docker command, which Open shell takes" in docker.message
    assert "docker-cli" in docker.remedy


async def test_a_docker_that_cannot_limit_apps_is_a_warning(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = {**INFO, "SecurityOptions": ["name=rootless"], "MemoryLimit": False}
    with engine_on_tcp({"/version": (200, VERSION), "/info": (200, info)}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        docker = check(await examined(home), "Docker")
    assert docker.status == "warning"
    assert "cannot limit memory" in docker.message
    assert "cgroups" in docker.remedy


async def test_the_disk_of_a_docker_here_is_looked_at(
    home: Home,
    docker_host: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    docker = check(await examined(home), "Docker")
    assert "GB free for its data in /" in docker.message
    monkeypatch.setattr(doctor, "_COMFORTABLE_FOR_DOCKER", 1 << 60)
    docker = check(await examined(home), "Docker")
    assert docker.status == "warning"
    assert "docker system df" in docker.remedy
