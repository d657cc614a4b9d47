"""The doctor says what is there, what is missing, and whether the main job can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from vibedesk.base.paths import Home
from vibedesk.engine import doctor
from vibedesk.engine.doctor import examine
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


async def examined(home: Home, *providers: ProviderView) -> DoctorView:
    return await examine(home, LocalDriver(home.cache / "sandboxes"), list(providers))


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
