from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from vibedesk.base.resources import resource
from vibedesk.engine.sandboxes import inside
from vibedesk.engine.sandboxes.docker.image import image_tag
from vibedesk.engine.sandboxes.docker.image_content import (
    IMAGE_LABEL,
    SYSTEM_LABEL,
    ImageContent,
    read_content,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the recipe that a test may change."""
    copy = tmp_path / "sandbox"
    shutil.copytree(resource("sandbox"), copy, ignore=shutil.ignore_patterns("node_modules"))
    return copy


def _tags(folder: Path) -> tuple[str, str]:
    content = read_content("x86_64", folder)
    return content.system.tag, content.image.tag


def test_the_tag_is_a_name_and_a_fingerprint() -> None:
    name, _, fingerprint = image_tag().partition(":")
    assert name == "vibedesk-sandbox"
    assert len(fingerprint) == 12
    assert set(fingerprint) <= set("0123456789abcdef")


def test_the_same_content_has_the_same_tag_at_any_place_and_time(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))

    assert _tags(folder)[1] == image_tag("x86_64")


def test_every_file_counts_but_the_explanation(folder: Path) -> None:
    before = _tags(folder)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        original = path.read_bytes()
        path.write_bytes(original + b"\n# changed\n")
        system, image = _tags(folder)
        assert (image == before[1]) == (path.name == "README.txt"), path
        assert (system == before[0]) == (path.name in ("README.txt", "Dockerfile.programs")), path
        path.write_bytes(original)
    assert _tags(folder) == before


def test_a_file_more_or_elsewhere_counts(folder: Path) -> None:
    before = _tags(folder)
    (folder / "packages.txt").rename(folder / "packages.text")
    assert _tags(folder) != before


def test_our_programs_count_for_the_image_only() -> None:
    content = read_content("x86_64")
    programs = {name for name in content.image.files if name.startswith("inside/")}
    (source,) = inside.__path__
    assert programs == {
        f"inside/{path.name}" for path in Path(source).glob("*.py") if path.name != "__init__.py"
    }
    assert not any(name.startswith("inside/") for name in content.system.files)
    changed = dict(content.image.files)
    changed["inside/supervisor.py"] += b"\n"
    assert _with_image_files(content, changed) != content.image.fingerprint


def _with_image_files(content: ImageContent, files: dict[str, bytes]) -> str:
    return type(content.image)(
        repository=content.image.repository,
        label=content.image.label,
        basis=content.image.basis,
        files=files,
        arguments=content.image.arguments,
    ).fingerprint


def test_each_kind_of_machine_has_its_own_image() -> None:
    assert image_tag("x86_64") == image_tag("amd64") != image_tag("aarch64") == image_tag("arm64")


def test_the_configuration_is_what_the_dockerfile_says() -> None:
    system = read_content("x86_64").system
    assert system.configuration == [
        "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "ENV HOME=/home/app",
        "ENV LANG=C.UTF-8",
        "USER 61000:61000",
        "WORKDIR /app",
        'ENTRYPOINT ["tini", "--"]',
        'CMD ["sleep", "infinity"]',
        f"LABEL {SYSTEM_LABEL}={system.fingerprint}",
    ]
    assert system.base == "debian:bookworm-slim"
    assert system.suite == "bookworm"


def test_image_and_system_are_told_apart_by_their_labels() -> None:
    content = read_content("x86_64")
    assert content.system.labels == {SYSTEM_LABEL: content.system.fingerprint}
    assert content.image.labels == {IMAGE_LABEL: content.image.fingerprint}
    assert content.image.arguments == {"SYSTEM": content.system.tag}


def test_the_image_has_the_node_that_vibedesk_brings() -> None:
    root = Path(__file__).parents[4]
    wheels = resource("sandbox", "wheels.txt").read_text(encoding="utf-8").split()
    pins = (root / "constraints.txt").read_text(encoding="utf-8").split()
    assert {wheel for wheel in wheels if wheel.startswith(("nodejs", "ruff"))} <= set(pins)


def test_no_registry_is_written_down() -> None:
    for lock in resource("sandbox").glob("*/package-lock.json"):
        assert '"resolved"' not in lock.read_text(encoding="utf-8")
